"""Imports point down, and a command pays only for what it needs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import flowtui

PACKAGE = Path(flowtui.__file__).parent
DRAWING = ["textual", "rich", "plotext"]


def modules(folder: str) -> list[str]:
    """Return the dotted names of all modules under a folder of the package."""
    return [
        ".".join(["flowtui", *path.relative_to(PACKAGE).with_suffix("").parts])
        for path in sorted((PACKAGE / folder).rglob("*.py"))
    ]


def loaded_by(names: list[str]) -> set[str]:
    """Return what a fresh interpreter has loaded after importing modules."""
    code = f"import sys\nfor name in {names!r}: __import__(name)\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def within(packages: list[str], loaded: set[str]) -> set[str]:
    return {name for name in loaded for top in packages if f"{name}.".startswith(f"{top}.")}


def imports(path: Path) -> Iterator[str]:
    """Yield the names that a file imports when it runs, inside functions too."""
    yield from _imports_under(ast.parse(path.read_text("utf-8")))


def _imports_under(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            for other in child.orelse:
                yield from _imports_under(other)
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "relative imports would pass these tests unseen"
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            yield from _imports_under(child)


def offences(folder: str, forbidden: list[str]) -> list[str]:
    return [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in sorted((PACKAGE / folder).rglob("*.py"))
        for name in imports(path)
        if within(forbidden, {name})
    ]


@pytest.mark.parametrize("folder", ["store", "registry"])
def test_the_store_and_the_registry_draw_nothing(folder: str) -> None:
    loaded = loaded_by(modules(folder))
    assert not within(DRAWING, loaded)
    upper = ["flowtui.screens", "flowtui.widgets", "flowtui.app", "flowtui.cli"]
    assert not within(upper, loaded)


@pytest.mark.parametrize("folder", ["store", "registry"])
def test_the_store_and_the_registry_would_draw_nothing_later_either(folder: str) -> None:
    upper = ["flowtui.screens", "flowtui.widgets", "flowtui.app", "flowtui.cli"]
    assert offences(folder, [*DRAWING, *upper]) == []


def test_the_store_does_not_know_the_registry() -> None:
    assert offences("store", ["flowtui.registry"]) == []


def test_widgets_know_no_screen_and_no_store() -> None:
    upper = ["flowtui.screens", "flowtui.app", "flowtui.cli", "flowtui.store.store"]
    assert offences("widgets", upper) == []


def test_screens_know_neither_the_app_nor_the_command_line() -> None:
    assert offences("screens", ["flowtui.app", "flowtui.cli"]) == []


def test_only_the_chart_knows_plotext() -> None:
    files = {line.split(" ")[0] for line in offences(".", ["plotext"])}
    assert files <= {"widgets/chart.py"}


def test_the_command_line_loads_nothing_that_draws_reads_or_sends() -> None:
    heavy = [*DRAWING, "sqlite_utils", "opentelemetry", "httpx", "pydantic"]
    assert not within(heavy, loaded_by(["flowtui.cli"]))


def test_the_app_loads_only_what_the_first_screen_needs() -> None:
    later = ["flowtui.store.filters", "sqlite_utils", "plotext", "markdown_it", "dotenv"]
    assert not within(later, loaded_by(["flowtui.app"]))


def test_a_first_screen_loads_no_other() -> None:
    loaded = loaded_by(["flowtui.app", "flowtui.screens.overview"])
    others = ["runs", "metrics", "traces", "evals", "attachments", "keys"]
    assert not within([f"flowtui.screens.{name}" for name in others], loaded)


AT_REST = """
import asyncio, sys
from pathlib import Path
from flowtui.app import FlowApp
from flowtui.widgets.host import Options
from flowtui.store.store import Store
from flowtui.store.values import StoreLocation

async def main(directory, word):
    store = Store(StoreLocation(Path(directory), "--store"))
    app = FlowApp(store, store.resolve(word), Options())
    async with app.run_test() as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        print(*sys.modules)

asyncio.run(main(*sys.argv[1:]))
"""


def test_a_run_that_has_been_read_has_loaded_nothing_of_other_tabs(demo_directory: Path) -> None:
    command = [sys.executable, "-c", AT_REST, str(demo_directory), "resnet50-cosine"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "flowtui.store.models" in loaded
    later = ["previews", "store.schema", "store.transaction", "store.series", "store.filters"]
    assert not within([f"flowtui.{name}" for name in later], loaded)
