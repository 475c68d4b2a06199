"""Imports point down, and a command pays only for what it needs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
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


ROOMS = (
    "__main__", "cli", "settings", "app", "screens", "jobs", "widgets", "terminal", "reports",
    "demo", "registry", "launch", "collector", "sources", "previews", "told_apart", "cell_widths",
    "format", "number_text", "joiners", "store", "installation", "person", "temporary", "memory",
    "clock", "failures",
)  # fmt: skip
"""From the top down; what lies at the root is a room of its own."""


@cache
def imported() -> dict[str, frozenset[str]]:
    """Return by module the modules of the package that it imports, lazily and for types too."""
    paths = {dotted(path): path for path in PACKAGE.rglob("*.py")}
    found = {}
    for name, path in paths.items():
        names: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                names.update(one if one in paths else str(node.module) for one in whole)
        found[name] = frozenset(names & paths.keys() - {name})
    return found


def dotted(path: Path) -> str:
    parts = ("flowtui", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


def rank(module: str) -> int:
    _, _, rest = module.partition(".")
    return ROOMS.index(rest.split(".")[0]) if rest else len(ROOMS)


def test_imports_point_down() -> None:
    assert [
        f"{module} imports {other}"
        for module, others in imported().items()
        for other in others
        if rank(module) > rank(other)
    ] == []


def test_there_is_no_circle_of_imports() -> None:
    left = {module: set(others) for module, others in imported().items()}
    while leaves := {module for module, others in left.items() if not others & left.keys()}:
        left = {module: others for module, others in left.items() if module not in leaves}
    assert left == {}


@pytest.mark.parametrize("folder", ["store", "registry"])
def test_the_store_and_the_registry_draw_nothing(folder: str) -> None:
    loaded = loaded_by(modules(folder))
    assert not within(DRAWING, loaded)


@pytest.mark.parametrize("folder", ["store", "registry"])
def test_the_store_and_the_registry_would_draw_nothing_later_either(folder: str) -> None:
    assert offences(folder, DRAWING) == []


def test_only_the_chart_knows_plotext() -> None:
    files = {line.split(" ")[0] for line in offences(".", ["plotext"])}
    assert files <= {"widgets/charts/chart.py"}


def test_the_command_line_loads_nothing_that_draws_reads_or_sends() -> None:
    heavy = [*DRAWING, "sqlite_utils", "opentelemetry", "httpx", "pydantic"]
    assert not within(heavy, loaded_by(["flowtui.cli.commands"]))


def test_the_app_loads_only_what_the_first_screen_needs() -> None:
    later = ["flowtui.store.filters", "sqlite_utils", "plotext", "markdown_it", "dotenv"]
    assert not within(later, loaded_by(["flowtui.app.app"]))


def test_a_first_screen_loads_no_other() -> None:
    loaded = loaded_by(["flowtui.app.app", "flowtui.screens.overview.screen"])
    others = ["runs", "metrics", "traces", "evals", "attachments", "keys"]
    assert not within([f"flowtui.screens.{name}" for name in others], loaded)


AT_REST = """
import asyncio, sys
from pathlib import Path
from flowtui.app.app import FlowApp
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
