"""Names that libraries keep to themselves are used in one place, and are there."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from pathlib import Path

import pytest
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.css.stylesheet import Stylesheet
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker

import flowtui
from tests.unit.house.test_own_names import begun_with, classes

PACKAGE = Path(flowtui.__file__).parent
ADAPTER = PACKAGE / "terminal" / "textual_private.py"
CHART = PACKAGE / "widgets" / "charts" / "chart.py"
"""The only file that knows plotext."""

METHODS = {
    App: ("_display", "_fatal_error", "_handle_exception"),
    LinuxDriver: (
        "_disable_in_band_window_resize", "_disable_mouse_support", "_enable_in_band_window_resize",
        "_get_terminal_size", "_sigcont_application", "_sigtstp_application",
    ),
    MessagePump: ("_dispatch_message",),
    Screen: ("_compositor_refresh", "_refresh_layout"),
    Widget: ("_check_refresh", "_compose"),
}  # fmt: skip
STATE = {
    App: ("_driver", "_exception", "_exit", "_exit_renderables", "_is_mounted", "_running"),
    LinuxDriver: (
        "_app", "_auto_restart", "_key_thread", "_loop", "_mouse", "_mouse_pixels",
        "_writer_thread",
    ),
    Screen: ("_result_callbacks",),
    Widget: ("_closing", "_layout_required", "_layout_updates", "_pruning"),
    Stylesheet: ("_variables",),
    Timer: ("_skip",),
    Worker: ("_task", "_work"),
    WriterThread: ("_queue",),
    XTermParser: ("_timeout_time",),
}  # fmt: skip
OTHERS = {
    # Of named tuples: everybody's, for all that they look like it.
    "_asdict", "_make", "_replace",
    # The element that a paragraph of python-docx stands for; it has no other name.
    "_p",
}  # fmt: skip
STANDARD = ("os", "zlib")
"""Modules whose names of this kind are documented, or types that have no other name."""


@pytest.mark.parametrize("kind", METHODS, ids=lambda kind: kind.__name__)
def test_the_methods_are_there(kind: type) -> None:
    assert [name for name in METHODS[kind] if not callable(getattr(kind, name, None))] == []


@pytest.mark.parametrize("kind", STATE, ids=lambda kind: kind.__name__)
def test_the_state_is_there(kind: type) -> None:
    assert set(STATE[kind]) - set().union(*map(assigned, kind.__mro__)) == set()


@cache
def assigned(kind: type) -> frozenset[str]:
    """Return the attributes of itself that a class gives values to."""
    if not kind.__module__.startswith("textual"):
        return frozenset()
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    return frozenset(
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    )


def private(path: Path) -> set[str]:
    """Return the private names of others that a file uses."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            is_standard = isinstance(node.value, ast.Name) and node.value.id in STANDARD
            found.update([] if is_standard else [node.attr])
        elif path == ADAPTER and isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.update(part for part in node.module.split(".") if not is_own(node.module))
    return {name for name in found if name.startswith("_") and not name.startswith("__")}


def is_own(module: str) -> bool:
    return module.split(".")[0] in ("flowtui", "__future__")


@cache
def own() -> frozenset[str]:
    """Return the private names that the package makes itself."""
    names: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if path == ADAPTER:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
    return frozenset(names)


def test_each_that_is_used_is_named_here() -> None:
    told = {name for names in (*METHODS.values(), *STATE.values()) for name in names}
    assert (
        private(ADAPTER)
        - {
            "_codes",
            "_context",
            "_dispatch",
            "_dispatched",
            "_measure_before_each_layout",
            "_refresh_checked",
            "_xterm_parser",
        }
        == told
    )


@pytest.mark.slow
def test_no_other_file_uses_any() -> None:
    elsewhere = {
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in PACKAGE.rglob("*.py")
        if path not in (ADAPTER, CHART)
        for name in private(path) - own() - OTHERS
    }
    assert elsewhere == set()


def test_no_class_takes_the_name_of_a_method_that_textual_keeps_to_itself() -> None:
    taken = {
        f"{kind.__name__}.{name}"
        for kind in classes()
        if kind.__module__ != "flowtui.terminal.textual_private"
        for name, member in vars(kind).items()
        if name.startswith("_") and not name.startswith("__") and inspect.isroutine(member)
        for above in kind.__mro__[1:]
        if above.__module__.startswith("textual") and name in vars(above)
    }
    assert taken == set()


def test_no_state_takes_the_place_of_a_method_that_textual_keeps_to_itself() -> None:
    taken = {
        f"{kind.__name__}.{name}"
        for kind in classes()
        for name in begun_with(kind)
        for above in kind.__mro__[1:]
        if above.__module__.startswith("textual") and inspect.isroutine(vars(above).get(name))
    }
    assert taken == set()
