"""Lists and objects that were flattened into attributes, such as `llm.tools.0.tool.name`.

Flattening is how OpenInference (`llm.input_messages.N.message.role`) and OpenLLMetry
(`gen_ai.prompt.N.content`) put structure into attributes, whose values are scalars.
"""

from __future__ import annotations

from collections.abc import Mapping

from flowtui.store.genai.fields import decoded
from flowtui.store.values import JsonValue

_MAX_DEPTH = 16
"""Deeper than any convention; what comes after is one name, however many dots it has."""


class _Branch:
    """The attributes that share a prefix, and the value of the prefix itself."""

    __slots__ = ("children", "value")

    def __init__(self) -> None:
        self.children: dict[str, _Branch] = {}
        self.value: JsonValue = None

    def put(self, path: str, value: JsonValue) -> None:
        branch = self
        for name in path.split(".", _MAX_DEPTH):
            branch = branch.children.setdefault(name, _Branch())
        branch.value = value

    def numbered(self) -> list[_Branch]:
        """Return the children whose names are numbers, in order; gaps take no place."""
        names = [name for name in self.children if _is_index(name)]
        return [self.children[name] for name in sorted(names, key=_in_order)]

    def rebuilt(self) -> JsonValue:
        if not self.children:
            return self.value
        if all(map(_is_index, self.children)):
            return [child.rebuilt() for child in self.numbered()]
        return {name: child.rebuilt() for name, child in self.children.items()}


def numbered(attributes: Mapping[str, JsonValue], prefix: str) -> list[JsonValue]:
    """Return the items of a flattened list, each rebuilt as nested objects, in order of index.

    Indices may come in any order and have gaps; no index costs more than its own attributes do.
    A list that was stored whole under the prefix, as JSON or as a JSON text, is read as well;
    dots in the names of its objects nest too.
    """
    root = _Branch()
    start = prefix + "."
    for name, value in attributes.items():
        if name.startswith(start):
            root.put(name[len(start) :], value)
    items = [branch.rebuilt() for branch in root.numbered()]
    if items:
        return items
    whole = decoded(attributes.get(prefix))[0]
    return [_unflattened(item, _MAX_DEPTH) for item in whole] if isinstance(whole, list) else []


def _unflattened(item: JsonValue, depth: int) -> JsonValue:
    if depth and isinstance(item, list):
        return [_unflattened(inner, depth - 1) for inner in item]
    if not isinstance(item, dict) or not any("." in name for name in item):
        return item
    root = _Branch()
    for name, value in item.items():
        root.put(name, _unflattened(value, depth - 1) if depth else value)
    return root.rebuilt()


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _in_order(name: str) -> tuple[int, str]:
    # As texts, since a name may have more digits than Python turns into a number.
    digits = name.lstrip("0")
    return len(digits), digits
