"""The values of YAML, by its events: nothing is made of its tags, and aliases are counted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import yaml

    from flowtui.store.values import JsonValue

EXTRA = "yaml"
LIBRARIES = ("yaml",)
MAX_VALUES = 200_000
"""How many values are shown, those of an alias each time that it stands somewhere."""
MAX_DEPTH = 100
KEY_CHARS = 200
_TAG = "tag:yaml.org,2002:"
_PLAIN = frozenset(f"{_TAG}{name}" for name in ("null", "bool", "int", "float"))
_KNOWN = _PLAIN | {f"{_TAG}{name}" for name in ("str", "map", "seq", "timestamp", "merge", "value")}
_MAX_DIGITS = 4_000


class _Refused(Exception):
    """It cannot be shown as a tree; `str()` says of the file why."""


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return the value, or what is wrong with the text."""
    import yaml

    source = arguments["source"]
    assert isinstance(source, str)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(yaml.SafeLoader(""))
    try:
        for event in yaml.parse(source, Loader=loader):
            builder.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1:,}" if mark is not None else ""
        why = getattr(error, "problem", None) or "a character is not allowed"
        return {"problem": f"is not YAML{place}: {why}"}, b""
    except _Refused as error:
        return {"problem": str(error)}, b""
    documents = builder.documents
    value = documents[0] if len(documents) == 1 else documents
    return {"documents": len(documents), "lost": builder.lost}, json.dumps(value).encode()


@dataclass
class _Open:
    """A list or mapping whose end is still to come."""

    value: list[JsonValue] | dict[str, JsonValue]
    tag: str | None
    anchor: str | None
    count: int = 1
    """How many values it has, at any depth."""
    key: str | None = None
    """The key whose value comes next."""


@dataclass
class _Builder:
    """Makes values of events. `documents` are those that have ended."""

    resolver: yaml.SafeLoader
    documents: list[JsonValue] = field(default_factory=list)
    lost: str | None = None
    _stack: list[_Open] = field(default_factory=list)
    _anchors: dict[str, tuple[JsonValue, int]] = field(default_factory=dict)
    _count: int = 0

    def take(self, event: yaml.Event) -> None:
        import yaml

        match event:
            case yaml.DocumentStartEvent():
                self._anchors.clear()
            case yaml.AliasEvent():
                self._add(*self._meant(event.anchor or ""))
            case yaml.ScalarEvent():
                value = self._scalar(event)
                if event.anchor:
                    self._anchors[event.anchor] = value, 1
                self._add(value, 1)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                if len(self._stack) >= MAX_DEPTH:
                    raise _Refused("nests too deeply to be shown as a tree")
                is_list = isinstance(event, yaml.SequenceStartEvent)
                self._stack.append(_Open([] if is_list else {}, event.tag, event.anchor))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                ended = self._stack.pop()
                value = ended.value
                if ended.tag and ended.tag not in _KNOWN:
                    value = {_said(ended.tag): value}
                if ended.anchor:
                    self._anchors[ended.anchor] = value, ended.count
                # What is inside was counted as it came.
                self._count -= ended.count - 1
                self._add(value, ended.count)

    def _add(self, value: JsonValue, count: int) -> None:
        self._count += count
        if self._count > MAX_VALUES:
            raise _Refused(f"has more than {MAX_VALUES:,} values, too many to be shown as a tree")
        if not self._stack:
            self.documents.append(value)
            return
        holder = self._stack[-1]
        holder.count += count
        if isinstance(holder.value, list):
            holder.value.append(value)
        elif holder.key is None:
            holder.key = self._key(value)
        else:
            if holder.key in holder.value and self.lost is None:
                key = json.dumps(holder.key[:40], ensure_ascii=False)
                self.lost = f"gives the key {key} more than once, of which the last value is shown"
            holder.value[holder.key] = value
            holder.key = None

    def _meant(self, name: str) -> tuple[JsonValue, int]:
        """Return the value that an alias stands for, and how many values that is."""
        if name in self._anchors:
            return self._anchors[name]
        if any(one.anchor == name for one in self._stack):
            return f"*{name}, which it lies in", 1
        raise _Refused(f"is not YAML: *{name[:KEY_CHARS]} stands for nothing before it")

    def _key(self, value: JsonValue) -> str:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return text[:KEY_CHARS]

    def _scalar(self, event: yaml.ScalarEvent) -> JsonValue:
        import yaml

        text = event.value
        if self._stack and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None:
            # A key is shown as it is written.
            return text if isinstance(text, str) else ""
        tag = event.tag
        if tag is None or tag == "!":
            tag = self.resolver.resolve(  # type: ignore[no-untyped-call]
                yaml.ScalarNode, text, event.implicit
            )
        if tag in _PLAIN and len(text) < _MAX_DIGITS:
            try:
                node = yaml.ScalarNode(tag, text)
                value: JsonValue = self.resolver.yaml_constructors[tag](self.resolver, node)
            except (ValueError, KeyError, yaml.YAMLError):
                return str(text)
            return value
        return str(text) if tag in _KNOWN else f"{_said(tag)} {text}"


def _said(tag: str) -> str:
    return tag.replace(_TAG, "!!", 1)
