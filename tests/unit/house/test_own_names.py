"""A name means one thing: of a class in the package, of state in a class and those above it."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import textwrap
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import flowtui

OPTIONAL = ("flowtui.collector",)
"""Needs an extra, and has no class with bases of ours."""


def classes() -> Iterator[type]:
    for module in pkgutil.walk_packages(flowtui.__path__, "flowtui."):
        if not module.name.startswith((*OPTIONAL, "flowtui.__main__")):
            loaded = import_module(module.name)
            yield from (
                member
                for member in vars(loaded).values()
                if inspect.isclass(member) and member.__module__ == module.name
            )


@cache
def begun_with(kind: type) -> frozenset[str]:
    """Return the private names that a class's own `__init__` gives values to."""
    begin = vars(kind).get("__init__")
    if begin is None or not inspect.isfunction(begin):
        return frozenset()
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(begin)))
    except (OSError, TypeError, SyntaxError):
        # Made by code, as those of dataclasses are.
        return frozenset()
    return frozenset(
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
        and node.attr.startswith("_")
    )


def test_no_name_is_taken_twice() -> None:
    taken = {
        f"{kind.__name__} and {above.__name__}: {name}"
        for kind in classes()
        for above in kind.__mro__[1:]
        for name in begun_with(kind) & begun_with(above)
    }
    assert taken == set()


def test_no_two_classes_have_one_name() -> None:
    package = Path(flowtui.__file__).parent
    names = Counter(
        node.name
        for path in package.rglob("*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef)
    )
    assert {name for name, count in names.items() if count > 1} == set()
