"""`flow-tui traces`: the list and one trace, as text and JSON, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from flowtui.cli.opening import COMMANDS
from flowtui.reports import traces as trace_report
from flowtui.reports.trace_list import print_traces
from flowtui.reports.usage import WrongUsage
from flowtui.store import runs as run_rows
from flowtui.store.errors import FilterError, StoreError
from flowtui.store.schema import SpanRow
from flowtui.store.store import Store
from flowtui.store.traces.details import TEXT_CHARS
from flowtui.store.values import Run
from tests.unit.stores import opened, writer

RUN = "run-1"
TIMEOUT_S = 60
FIRST, SECOND = "aa" + "0" * 30, "ab" + "0" * 30


def span(trace: str, span_id: str, parent: str | None, start: int = 1, **more: Any) -> SpanRow:
    return SpanRow(
        trace_id=trace,
        span_id=span_id,
        name=more.pop("name", f"span {span_id}"),
        start_ns=start,
        end_ns=start + 2_000_000,
        parent_span_id=parent,
        **more,
    )


ROWS = (
    span(FIRST, "leaf", "mid", 3, attributes={"gen_ai.usage.input_tokens": 1234}),
    span(FIRST, "mid", "root", 2, status_code=2, status_message="no"),
    span(FIRST, "side", "root", 4, attributes={"long": "x" * (TEXT_CHARS + 1)}),
    span(FIRST, "root", None, 1, status_code=1, name="evil \x1b[31m\u202ename"),
    span(SECOND, "lost", "gone", 1_700_000_000_000_000_000, links=[{"trace_id": "t"}]),
)


def written(directory: Path, rows: Sequence[SpanRow] = ROWS) -> Path:
    with writer(directory) as store:
        store.start_run(RUN, RUN)
        with store.experiment(RUN) as experiment:
            experiment.spans(rows)
    return directory


class Printed:
    """Prints traces of one store in this process."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self.capsys = capsys

    def traces(self, *arguments: Any, **named: Any) -> str:
        with opened(self.directory) as store:
            print_traces(store.opened(_run(store)), *arguments, **named)
        return self.capsys.readouterr().out

    def trace(self, word: str, as_json: bool = False) -> str:
        with opened(self.directory) as store:
            trace_report.print_trace(store.opened(_run(store)), word, as_json)
        return self.capsys.readouterr().out


def _run(store: Store) -> Run:
    run = store.ask(run_rows.run, RUN)
    assert run is not None
    return run


@pytest.fixture
def printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Printed:
    return Printed(written(tmp_path), capsys)


def test_the_list_is_a_table_with_the_newest_trace_first(printed: Printed) -> None:
    head, newest, oldest = printed.traces().splitlines()
    assert head.split()[:4] == ["trace", "name", "input", "output"]
    assert newest.split()[:5] == [SECOND, "span", "lost", "●", "in"]
    assert oldest.split()[0] == FIRST
    assert "✓ ok" in oldest
    assert "1,234" in oldest


def test_text_out_of_the_store_cannot_steer_the_terminal(printed: Printed) -> None:
    for text in (printed.traces(), printed.trace(FIRST)):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_the_list_as_json_is_an_array_of_documents(printed: Printed) -> None:
    newest, oldest = json.loads(printed.traces(style="json"))
    assert newest["started_at"] == "2023-11-14T22:13:20Z"
    assert oldest == {
        "trace_id": FIRST,
        "name": "evil \x1b[31m\u202ename",
        "input": None,
        "output": None,
        "state": "ok",
        "started_at": "1970-01-01T00:00:00Z",
        "start_ns": 1,
        "end_ns": 2_000_004,
        "duration_ns": 2_000_003,
        "span_count": 4,
        "error_count": 1,
        "usage": {
            "input_tokens": 1234,
            "output_tokens": None,
            "total_tokens": 1234,
            "cached_tokens": None,
            "cache_creation_tokens": None,
            "reasoning_tokens": None,
            "input_audio_tokens": None,
            "output_audio_tokens": None,
            "cost": None,
        },
        "unread_span_count": 0,
        "sample_count": 0,
        "annotation_count": 0,
        "annotations": [],
    }


def test_a_filter_an_order_and_a_limit_shape_the_list(printed: Printed) -> None:
    def ids(*arguments: Any) -> list[str]:
        return [trace["trace_id"] for trace in json.loads(printed.traces(*arguments, style="json"))]

    assert ids("errors") == [FIRST]
    assert ids("", "start") == [FIRST, SECOND]
    assert ids("", "-spans", 1) == [FIRST]
    assert ids("nowhere") == []


def test_more_traces_than_a_page_are_all_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = trace_report.PAGE_TRACES + 1
    written(tmp_path, [span(f"{index:032x}", "s", None, index + 1) for index in range(count)])
    documents = json.loads(Printed(tmp_path, capsys).traces(sort="start", style="json"))
    assert [document["start_ns"] for document in documents] == list(range(1, count + 1))


def test_one_trace_as_text_has_each_span_below_its_parent(printed: Printed) -> None:
    lines = printed.trace(FIRST).splitlines()[3:]
    assert [line.split("  ")[-1] for line in lines] == ["root", "mid", "leaf", "side"]
    assert [len(line) - len(line.lstrip()) for line in lines] == [2, 4, 6, 4]
    assert "error" in lines[1]
    assert "1,234 tokens" in lines[2]


def test_one_trace_as_json_nests_spans_with_all_that_is_stored(printed: Printed) -> None:
    document = json.loads(printed.trace(FIRST, as_json=True))
    (root,) = document["spans"]
    mid, side = root["children"]
    (leaf,) = mid["children"]
    assert document["trace_id"] == FIRST
    assert (mid["status"], mid["status_message"]) == ("error", "no")
    assert leaf["children"] == []
    assert leaf["attributes"] == {"gen_ai.usage.input_tokens": 1234}
    assert len(side["attributes"]["long"]) == TEXT_CHARS + 1
    (lost,) = json.loads(printed.trace(SECOND, as_json=True))["spans"]
    assert lost["parent_id"] == "gone"
    assert lost["links"] == [{"trace_id": "t", "span_id": "", "attributes": {}}]


def test_rings_and_spans_that_are_their_own_parents_come_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [span(FIRST, "a", "b"), span(FIRST, "b", "a", 2), span(FIRST, "c", "c", 3)]
    written(tmp_path, [*rows, span(FIRST, "d", "b", 3)])
    first, own = json.loads(Printed(tmp_path, capsys).trace(FIRST, as_json=True))["spans"]
    (second,) = first["children"]
    assert [first["span_id"], second["span_id"], own["span_id"]] == ["a", "b", "c"]
    assert [child["span_id"] for child in second["children"]] == ["d"]


def test_a_trace_of_thousands_of_levels_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    levels = 3_000
    written(
        tmp_path,
        [span(FIRST, f"{n}", f"{n - 1}" if n else None, n) for n in range(levels)],
    )
    text = Printed(tmp_path, capsys).trace(FIRST, as_json=True)
    assert text.count('"children": [') == levels
    assert text.count("{") == text.count("}")
    assert len(Printed(tmp_path, capsys).trace(FIRST).splitlines()) == levels + 3


def test_a_trace_is_named_by_a_unique_prefix(printed: Printed) -> None:
    assert json.loads(printed.trace("ab", as_json=True))["trace_id"] == SECOND
    with pytest.raises(StoreError, match=f"2 traces begin with 'a': {SECOND}, {FIRST}"):
        printed.trace("a")
    for word in ("", "zz"):
        with pytest.raises(StoreError, match="no trace"):
            printed.trace(word)


def test_a_column_that_is_none_and_a_filter_that_is_not_understood_are_refused(
    printed: Printed,
) -> None:
    with pytest.raises(WrongUsage, match="not one of start, name"):
        printed.traces("", "nope")
    with pytest.raises(FilterError):
        printed.traces("state = (")


def test_the_command_prints_and_refuses(tmp_path: Path) -> None:
    assert "traces" in COMMANDS
    written(tmp_path)

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "flowtui", "traces", RUN, "-s", str(tmp_path), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    listed = command("--json", "--filter", "state = in_progress", "--sort=-start", "--limit", "5")
    assert [trace["trace_id"] for trace in json.loads(listed.stdout)] == [SECOND]
    assert command(SECOND[:4]).stdout.count("span lost") == 2
    refused = command(SECOND, "--limit", "1")
    assert refused.returncode == 2
    assert "leave out TRACE_ID" in refused.stderr
    unknown = command("zz")
    assert unknown.returncode == 1
    assert unknown.stderr == "flow-tui: no trace 'zz' in the run 'run-1'\n"
