"""However a worker ends, it is told: by an unexpected error, or before it has begun."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import sys
import textwrap
from collections.abc import Iterator
from types import ModuleType

import pytest
from textual.message_pump import MessagePump

from flowtui import screens, widgets
from flowtui.screens.traces.screen import TracesScreen
from flowtui.store.samples import listing as sample_rows
from flowtui.store.store import Store
from flowtui.store.traces import details as span_details
from flowtui.store.traces import search as span_search
from flowtui.store.values import Kind
from flowtui.widgets.asking import Asks
from tests.pilot.pilot import opened, screen_text, settled, until

NAME = "support-agent-v3"


@pytest.mark.parametrize(
    ("module", "read", "tab", "keys"),
    [
        (sample_rows, "detail", "evals", ["enter"]),
        (span_details, "detail", "traces", ["enter", "down"]),
        (span_search, "matching", "traces", ["enter", "slash", *"tool"]),
    ],
)
async def test_what_no_reader_expects(
    demo: Store,
    monkeypatch: pytest.MonkeyPatch,
    noted_errors: list[BaseException],
    module: ModuleType,
    read: str,
    tab: str,
    keys: list[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError(f"in {read}")

    async with opened(demo, NAME, tab=tab) as pilot:
        monkeypatch.setattr(module, read, fail)
        await pilot.press(*keys)
        await until(lambda: "Something is wrong" in screen_text(pilot), "words of the error")
        assert f"ZeroDivisionError: in {read}" in screen_text(pilot)
        await settled(pilot)
        assert pilot.app.is_running
    noted_errors.clear()


def test_every_class_with_workers_reports_them() -> None:
    """A new widget cannot forget it."""
    silent = [cls.__name__ for cls in message_pumps() if has_workers(cls)
              and not issubclass(cls, Asks)]  # fmt: skip
    assert silent == []


def message_pumps() -> Iterator[type[MessagePump]]:
    for package in (screens, widgets):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(info.name)
    for module in [
        sys.modules[name] for name in sorted(sys.modules) if name.startswith("flowtui.")
    ]:
        for cls in vars(module).values():
            is_own = inspect.isclass(cls) and cls.__module__ == module.__name__
            if is_own and issubclass(cls, MessagePump) and module.__name__ != "flowtui.app.app":
                yield cls


def has_workers(cls: type) -> bool:
    """Return whether a class has methods that are workers, or starts any on itself."""
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(cls)))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for decorator in node.decorator_list:
                if ast.unparse(decorator).split("(")[0] == "work":
                    return True
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "self.run_worker":
            return True
    return False


async def test_a_read_that_is_left_before_it_has_begun_is_done_on_the_way_back(demo: Store) -> None:
    async with opened(demo, NAME, tab="traces") as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, TracesScreen)
        screen.want({Kind.SPANS})
        screen.on_screen_suspend()
        await pilot.press("enter")
        await until(lambda: "trace 1 of" in screen_text(pilot), "the trace")
        assert not screen.is_awaited


@pytest.mark.filterwarnings("error")
async def test_a_worker_that_never_began_is_not_warned_of(demo: Store) -> None:
    async def work() -> None:
        raise AssertionError("it was cancelled before")

    async with opened(demo, NAME) as pilot:
        coroutine = work()
        pilot.app.run_worker(coroutine).cancel()
        await settled(pilot)
        assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
