"""What TOLD.md and docs/ say is so: commands, options, keys, JSON, pictures, links, paths."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote

import pytest
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen
from typer.main import get_command
from typer.testing import CliRunner

from flowtui.app.themes import THEMES
from flowtui.cli.commands import cli
from flowtui.screens.dialogs.keys import key_name
from tests import kinds, moving
from tests.pages import INSIDE, TOP, pages, told

TOLD = told()
COMMANDS = get_command(cli).commands  # type: ignore[attr-defined]  # typer's own group
PROGRAM_OPTIONS = {"--version", "-h", "--help", "--install-completion", "--show-completion"}
CODE = re.compile(r"`([^`\n]+)`")
OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")

WHERE = {
    "Everywhere": [
        "app.app.FlowApp",
        "screens.base.TabScreen",
        "widgets.lists.virtual_list.VirtualList",
    ],
    "The list of runs": ["screens.runs.screen.RunsScreen"],
    "Overview": ["screens.overview.screen.OverviewScreen", "widgets.trees.value_tree.ValueTree"],
    "Overview of a comparison": [
        "screens.compare.overview.CompareOverview",
        "screens.compare.base.CompareScreen",
    ],
    "Metrics": ["screens.metrics.screen.MetricsScreen", "widgets.charts.grid.ChartGrid"],
    "One metric": ["screens.metrics.zoom.MetricZoom", "widgets.charts.curve_pane.CurvePane"],
    "Metrics of a comparison": ["screens.compare.metrics.CompareMetrics"],
    "Traces": [
        "screens.traces.screen.TracesScreen",
        "screens.traces.groups_pane.GroupsPane",
        "screens.traces.session_view.SessionView",
        "screens.traces.view.TraceView",
        "screens.traces.split.TraceSplit",
        "widgets.trees.span_tree.SpanLines",
    ],
    "Traces of a comparison": [
        "screens.compare.traces.CompareTraces",
        "screens.compare.trace_pair.TracePairView",
        "widgets.trees.aligned_tree.AlignedLines",
    ],
    "Evals": [
        "screens.evals.screen.EvalsScreen",
        "screens.evals.sample_view.SampleView",
        "widgets.documents.document.Document",
    ],
    "Evals of a comparison": [
        "screens.compare.evals.CompareEvals",
        "screens.compare.evals_pane.ComparedPane",
        "screens.compare.evals_sample.ComparedSampleView",
    ],
    "Attachments": [
        "screens.attachments.screen.AttachmentsScreen",
        "widgets.trees.file_tree.FileTree",
        "widgets.lists.table_pane.TablePane",
    ],
    "The console": ["screens.console.screen.ConsoleScreen"],
    "Attachments of a comparison": [
        "screens.compare.attachments.CompareAttachments",
        "screens.attachments.difference.FileDifference",
        "screens.compare.attachments_table.CompareRows",
    ],
    "Annotations": ["screens.annotate.annotated.Annotated"],
    "Review": ["screens.review.view.ReviewView"],
}
"""The classes whose keys each part of the chapter on keys is about."""
INHERITED = {"Review": {"R"}}
"""Keys of a class above that are switched off."""


def chapter(title: str, level: int = 2) -> str:
    """Return what stands under a heading."""
    mark = "#" * level
    found = re.search(rf"(?ms)^{mark} {re.escape(title)}\n(.*?)(?=^#{{1,{level}}} |\Z)", TOLD)
    assert found, title
    return found[1]


def entries() -> Iterator[tuple[str, str]]:
    """Yield each command of the chapter on use and what is said of it, its options included."""
    block = re.findall(r"(?m)^    (.*)$", chapter("Use").partition("| option")[0])
    text = "\n".join(block)
    for entry in re.split(r"(?m)^flow-tui ?", text)[1:]:
        yield entry.split()[0], entry


def options_of(command: str) -> set[str]:
    return {
        name
        for param in COMMANDS[command].params
        if not getattr(param, "hidden", False)
        for name in (*param.opts, *param.secondary_opts)
        if name.startswith("-")
    } | {"--help"}


def told_of(entry: str) -> set[str]:
    return set(OPTION.findall(entry))


def test_every_command_is_told_of_and_no_other() -> None:
    told = {word for word, _entry in entries() if word.islower()}
    # The list of runs, and what is opened, have no word.
    assert told - {"the"} == set(COMMANDS)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_option_of_a_command_is_told_of_and_no_other(command: str) -> None:
    (entry,) = [entry for word, entry in entries() if word == command]
    told = told_of(entry) | told_of(chapter("Use").partition("| option")[2])
    assert told_of(entry) <= options_of(command)
    assert options_of(command) <= told


def test_options_of_the_table_are_those_of_opening() -> None:
    rows = re.findall(r"(?m)^\| (`-.*?`) \|", chapter("Use"))
    told = {option for row in rows for option in OPTION.findall(row)}
    assert told == options_of("open") | PROGRAM_OPTIONS


def test_the_table_of_kinds_is_the_one_of_the_code() -> None:
    text = kinds.PAGE.read_text("utf-8")
    assert kinds.written(text) == text, "python -m tests.kinds writes it"


def test_themes_are_those_there_are() -> None:
    (row,) = [line for line in TOLD.splitlines() if line.startswith("| `--theme")]
    assert set(CODE.findall(row)[1:]) == set(THEMES)


def calls() -> list[str]:
    """Return everything that is written as a call of flow-tui."""
    return sorted(set(re.findall(r"flow-tui ((?:[^`\n#|>])+)", "\n".join(CODE.findall(TOLD)))))


@pytest.mark.parametrize("call", calls())
def test_every_call_that_is_written_out_is_one(call: str) -> None:
    words = call.split()
    command = words[0] if words[0] in COMMANDS else "open"
    options = {word for word in words if re.fullmatch(OPTION, word)}
    assert options <= options_of(command) | PROGRAM_OPTIONS


def bindings(names: list[str]) -> list[Binding]:
    found: list[Binding] = []
    for name in names:
        module, _, kind = name.rpartition(".")
        node = getattr(import_module(f"flowtui.{module}"), kind)
        assert issubclass(node, DOMNode)
        for base in node.__mro__:
            if base.__module__.startswith("flowtui") and "BINDINGS" in base.__dict__:
                found += Binding.make_bindings(base.__dict__["BINDINGS"])
    return found


def keys(part: str) -> set[str]:
    """Return the keys that a table names."""
    rows = re.findall(r"(?m)^\| (`.*?) \|", chapter(part, 3))
    # In a table a bar must be escaped.
    return {key.replace("\\|", "|") for row in rows for key in CODE.findall(row)}


def test_every_part_about_keys_is_known_here() -> None:
    assert re.findall(r"(?m)^### (.*)$", chapter("Keys")) == list(WHERE)


@pytest.mark.parametrize("part", WHERE)
def test_every_key_that_is_told_of_is_bound(part: str) -> None:
    own = Binding.make_bindings([*App.BINDINGS, *Screen.BINDINGS])
    # What works everywhere, panes of each kind bind for themselves.
    names = (
        WHERE[part] if part != "Everywhere" else [name for all_ in WHERE.values() for name in all_]
    )
    bound = {key_name(binding.key) for binding in [*bindings(names), *own]}
    assert keys(part) - {key_name(App.COMMAND_PALETTE_BINDING)} <= bound


@pytest.mark.parametrize("part", WHERE)
def test_every_key_that_is_bound_is_told_of(part: str) -> None:
    told = keys(part) | keys("Everywhere") | INHERITED.get(part, set())
    if part in ("Traces", "Evals", "Evals of a comparison"):
        told |= keys("Annotations")
    digits = set("0123456789") if part == "Review" else set()
    bound = {key_name(binding.key) for binding in bindings(WHERE[part]) if binding.tooltip}
    assert bound <= told | digits


def names_in(value: object) -> set[str]:
    """Return the keys of JSON, those of every object in it."""
    if isinstance(value, dict):
        return set(value).union(*map(names_in, value.values()))
    return set().union(*map(names_in, value)) if isinstance(value, list) else set()


def told_names(call: str) -> set[str]:
    """Return the names in the block of JSON under a call."""
    after = chapter("JSON").partition(f"{call}` is")[2]
    found = re.search(r"(?m)(?:^    .*\n)+", after)
    assert found, call
    return set(re.findall(r'"(\w+)"', found[0]))


@pytest.mark.parametrize(
    ("call", "arguments", "free"),
    [
        ("flow-tui list --json", ["list"], ("params", "metrics")),
        ("flow-tui metrics RUN [KEY...] --json", ["metrics", "resnet50-cosine", "val/loss"], ()),
        ("flow-tui traces RUN --json", ["traces", "support-agent-v3"], ("usage",)),
        ("flow-tui evals RUN --json", ["evals", "support-agent-v3", "--limit", "9"],
         ("inputs", "outputs", "refs", "scores", "metadata")),
    ],
)  # fmt: skip
def test_json_has_the_names_that_are_told(
    demo_directory: Path, call: str, arguments: list[str], free: tuple[str, ...]
) -> None:
    done = CliRunner().invoke(cli, [*arguments, "--json", "--store", str(demo_directory)])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    for row in rows:
        for name in free:
            row[name] = None
    assert names_in(rows) == told_names(call)


def test_every_picture_and_every_page_that_is_linked_is_there() -> None:
    pictures = 0
    for page in [*pages(), INSIDE]:
        text = page.read_text("utf-8")
        # What is between backticks is code.
        prose = re.sub(r"`[^`\n]*`", "x", text)
        for mark, target in re.findall(r"(!?)\[[^\]]+\]\(([^)]+)\)", prose):
            if re.match("https?://", target):
                continue
            path, _, place = unquote(target).partition("#")
            there = (page.parent / path).resolve() if path else page
            assert there.is_file(), f"{page.name}: {target}"
            assert not place or place in places(there), f"{page.name}: {target}"
            pictures += bool(mark)
    assert pictures > 5


def places(page: Path) -> set[str]:
    """Return the names by which the headings of a page are linked."""
    titles = re.findall(r"(?m)^#+ (.*)$", page.read_text("utf-8"))
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_readme_leads_to_every_page() -> None:
    text = pages()[0].read_text("utf-8")
    assert [
        page.name for page in [*pages()[1:], INSIDE] if f"](docs/{page.name})" not in text
    ] == []


def test_the_moving_picture_is_of_the_present_pictures() -> None:
    is_written = moving.MOVING.read_text("utf-8") == moving.moving()
    assert is_written, "python -m tests.moving writes it"


def test_the_manual_page_is_of_the_present_commands() -> None:
    done = CliRunner().invoke(cli, ["help", "--man"])
    is_written = (TOP / "docs/flow-tui.1").read_text("utf-8") == done.stdout
    assert is_written, "make manual writes it"
    assert {f"flow\\-tui {name}" for name in COMMANDS} <= set(
        re.findall(r"(?m)^\.SS (flow\\-tui \w+)", done.stdout)
    )


def test_every_extra_is_told_of_and_no_other() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]
    (line,) = re.findall(r"Extras install (.*?) as in", TOLD, re.DOTALL)
    assert set(CODE.findall(line)) == set(project["optional-dependencies"])


def test_every_variable_is_one_that_is_read() -> None:
    sources = [*TOP.glob("flowtui/**/*.py"), *TOP.glob("tests/**/*.py")]
    read = "\n".join(path.read_text("utf-8") for path in sources if path != Path(__file__))
    told = set(re.findall(r"\b(?:FLOW_TUI|LUML|BACKEND)_[A-Z_]+\b", TOLD))
    assert {name for name in told if name not in read} == set()


def layout() -> list[str]:
    """Return the paths of the layout, as globs from the top of the repository."""
    rows = re.findall(r"(?m)^\| (`[^|]*?) \|", chapter("How the code is laid out"))
    paths = [path for row in rows for path in CODE.findall(row)]
    return [path if "/" in path else f"flowtui/{path}" for path in paths]


def test_every_path_of_the_layout_is_there() -> None:
    assert [path for path in layout() if not any(TOP.glob(path))] == []


def test_every_room_and_every_module_at_the_top_is_in_the_layout() -> None:
    told = {path for pattern in layout() for path in TOP.glob(pattern)}
    there = {path for path in TOP.glob("flowtui/*") if not path.name.startswith(("__", "py."))}
    assert there - told == set()


def test_every_path_in_the_page_for_the_next_owner_is_there() -> None:
    told = set(CODE.findall(INSIDE.read_text("utf-8")))
    paths = {path for path in told if re.fullmatch(r"[\w/]+(?:\.py|/)", path)}
    assert len(paths) > 30
    assert [path for path in paths if not any(TOP.glob(f"**/{path}"))] == []


def test_every_target_of_make_is_one() -> None:
    rules = set(re.findall(r"(?m)^(\w+):", (TOP / "Makefile").read_text("utf-8")))
    assert set(re.findall(r"\bmake (\w+)", "\n".join(CODE.findall(TOLD)))) <= rules
