"""Inspect: logs of anybody, which may lie, be huge, odd, old, or no logs at all."""

from __future__ import annotations

import importlib.util
import json
import math
import shutil
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from flowtui.sources import inspect_archive, inspect_events, recognising
from flowtui.sources.inspect_attachments import MOST_LEVELS
from flowtui.sources.private_store import SourceStore
from flowtui.store.open_run import OpenRun
from tests.sources.conftest import WRITTEN
from tests.sources.inspect_logs import only, samples, spans, write
from tests.sources.reading import problems

Copy = Callable[[str], Path]
Opened = Callable[[Path], SourceStore]
SAID = json.loads((WRITTEN / "inspect.json").read_text())
LOGS = WRITTEN / "inspect"


def packed(name: str, data: bytes, size: int, crc: int) -> bytes:
    """Return an entry that is packed with zstd, with a size and a checksum that may not be true."""
    body = zstandard.ZstdCompressor().compress(data)
    encoded = name.encode()
    head = struct.pack(
        "<4s5H3L2H", b"PK\3\4", 45, 0, 93, 0, 0, crc, len(body), size, len(encoded), 0
    )
    return head + encoded + body


def start(task: str = "hostile") -> tuple[str, bytes]:
    return "_journal/start.json", json.dumps({"version": 2, "eval": {"task": task}}).encode()


def sample(**more: Any) -> bytes:
    return json.dumps({"id": "a", "epoch": 1, "input": "x", "target": "y", **more}).encode()


def read(tmp_path: Path, opened: Opened, *parts: tuple[str, bytes]) -> tuple[SourceStore, OpenRun]:
    log = tmp_path / "hostile.eval"
    write(log, [start(), *parts])
    store = opened(log)
    return store, only(store)


def test_an_entry_that_unpacks_to_more_than_it_says_is_refused(
    tmp_path: Path, opened: Opened
) -> None:
    log = tmp_path / "bomb.eval"
    bomb = b" " * 300_000_000
    name, data = start()
    log.write_bytes(
        packed(name, data, len(data), zlib.crc32(data))
        + packed("samples/a_epoch_1.json", bomb, 1_000, zlib.crc32(bomb[:1_000]))
        + packed("samples/b_epoch_1.json", bomb, 2**32 - 2, 0)
        + packed("samples/c_epoch_1.json", sample(id="c"), len(sample(id="c")), 7)
    )
    store = opened(log)
    run = only(store)
    assert samples(run) == {}
    said = " ".join(problems(store, run))
    assert "traces of samples of which one entry is larger than 67 MB (1)" in said
    assert "traces of samples of which one entry is damaged" in said


def test_a_sample_that_is_too_large_is_shown_by_its_summary(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspect_archive, "MOST_BYTES", 2_000)
    summary = {"id": "a", "epoch": 1, "input": "x", "target": "y", "scores": {"s": {"value": "P"}}}
    _, run = read(
        tmp_path, opened,
        ("samples/a_epoch_1.json", sample(metadata={"long": "x" * 3_000})),
        ("samples/b_epoch_2/sample.json", sample(id="b")),
        ("_journal/summaries/1.json", json.dumps([summary]).encode()),
        ("_journal/summaries/2.json", json.dumps([summary | {"id": "b", "epoch": 2}]).encode()),
    )  # fmt: skip
    assert {key: row["scores"]["s"] for key, row in samples(run).items()} == {
        "a": 0.5, "b epoch 2": 0.5,
    }  # fmt: skip


def test_names_of_entries_are_no_paths(tmp_path: Path, opened: Opened) -> None:
    _, run = read(
        tmp_path, opened,
        ("samples/../../../escaped_epoch_1.json", sample(id="../../escaped")),
        ("/samples/b_epoch_1.json", sample(id="b")),
    )  # fmt: skip
    assert set(samples(run)) == {"../../escaped"}
    assert not list(tmp_path.rglob("*escaped*"))


def test_odd_values_are_kept_or_counted(tmp_path: Path, opened: Opened) -> None:
    deep: Any = "end"
    for _ in range(MOST_LEVELS + 50):
        deep = [deep]
    odd = {
        "id": "\ud800\0", "epoch": 1, "input": None, "target": ["a", 1],
        "metadata": {"deep": deep},
        "scores": {"s": {"value": math.nan}, "t": {"value": [1, "C"]}, "u": 3,
                   "v": {"value": "C "}},
        "messages": ["x", None, {"role": 5, "content": {"a": 1}}], "output": {"choices": [None]},
        "events": [
            None, {"event": "span_begin", "id": "1", "parent_id": "1", "name": "self"},
            {"event": "model", "model": None, "input": 5, "input_refs": [[0, 10**30], [1], None]},
            {"event": "tool", "function": ["x"], "events": [{"event": "error", "error": "x"}]},
            {"event": "step", "action": "end"}, {"event": "something new", "what": {"x": 1}},
        ],
        "started_at": "9999-12-31T23:59:59+00:00", "completed_at": "0001-01-01T00:00:00",
    }  # fmt: skip
    store, run = read(
        tmp_path, opened,
        ("samples/odd_epoch_1.json", json.dumps(odd).encode()),
        ("samples/list_epoch_1.json", b"[]"), ("samples/no_epoch_1.json", b"{"),
        ("samples/deep_epoch_1.json", b"[" * 100_000),
    )  # fmt: skip
    (found,) = samples(run).values()
    assert math.isnan(found["scores"]["s"])
    assert found["scores"]["t"] == [1, "C"]
    assert found["scores"]["v"] == "C "
    said = " ".join(problems(store, run))
    assert "nested deeper than 100 levels" in said
    assert "samples that are no objects (1)" in said
    assert "traces of samples of which one entry is no JSON that can be read (2)" in said


def test_messages_that_each_call_repeats_are_bounded(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspect_events, "MOST_REPEATED_CHARS", 50_000)
    pool = [{"role": "user", "content": f"{n} " + "x" * 1_000} for n in range(100)]
    calls = [
        {"event": "model", "model": "m", "uuid": f"{n}", "input_refs": [[0, n + 1]],
         "timestamp": "2026-06-01T12:00:00+00:00"}
        for n in range(100)
    ]  # fmt: skip
    data = sample(
        events=calls, events_data={"messages": pool}, started_at="2026-06-01T12:00:00+00:00"
    )
    store, run = read(tmp_path, opened, ("samples/a_epoch_1.json", data))
    made = spans(run, "a")
    assert len(made) == 101
    size = sum(len(span["attributes"].get("gen_ai.input.messages", "")) for span in made)
    assert size < 200_000
    assert json.loads(made[-1]["attributes"]["gen_ai.input.messages"])[0]["parts"][0][
        "content"
    ].startswith("99 ")
    assert made[-1]["attributes"]["inspect.messages_before"] == 99
    assert "repetitions of the messages of an earlier call" in " ".join(problems(store, run))


def test_references_to_long_texts_are_bounded(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowtui.sources.inspect_attachments.MOST_RESOLVED_CHARS", 10_000)
    data = sample(
        metadata={"all": ["attachment://a"] * 100, "none": "attachment://b"},
        attachments={"a": "x" * 1_000},
    )
    store, run = read(tmp_path, opened, ("samples/a_epoch_1.json", data))
    kept = samples(run)["a"]["metadata"]["metadata"]
    assert kept["all"].count("x" * 1_000) == 10
    assert kept["none"] == "attachment://b"
    assert "references to long texts" in " ".join(problems(store, run))


def test_old_logs_have_steps_and_nested_events(tmp_path: Path, opened: Opened) -> None:
    at = "2024-06-01T12:00:00"
    model = {"event": "model", "model": "a/b", "timestamp": at, "input": [
        {"role": "user", "content": "hello"}]}  # fmt: skip
    data = sample(
        events=[
            {"event": "step", "action": "begin", "type": "solver", "name": "outer",
             "timestamp": at},
            {"event": "tool", "id": "1", "function": "f", "arguments": {}, "result": "tc://h",
             "timestamp": at, "events": [model]},
            {"event": "subtask", "name": "part", "input": {"a": 1}, "result": 2, "timestamp": at},
            {"event": "step", "action": "end", "type": "solver", "name": "outer", "timestamp": at},
            model,
        ],
        attachments={"h": "found"},
    )  # fmt: skip
    _, run = read(tmp_path, opened, ("samples/a_epoch_1.json", data))
    made = spans(run, "a")
    parents = {span["id"]: span["name"] for span in made}
    assert [(span["name"], parents.get(span["parent"])) for span in made] == [
        ("a", None), ("outer", "a"), ("execute_tool f", "outer"), ("chat a/b", "execute_tool f"),
        ("part", "outer"), ("chat a/b", "a"),
    ]  # fmt: skip
    assert made[2]["attributes"]["gen_ai.tool.call.result"] == "found"


def test_many_samples_are_listed_before_they_are_read(tmp_path: Path) -> None:
    parts = [start()]
    for number in range(150):
        data = sample(id=f"{number}", started_at="2026-06-01T12:00:00+00:00")
        parts.append((f"samples/{number}_epoch_1.json", data))
        parts.append((f"_journal/summaries/{number + 1}.json", b"[" + data + b"]"))
    log = tmp_path / "many.eval"
    write(log, parts)
    source = recognising.recognise(log)
    assert source is not None
    (run,) = source.runs()
    batches = list(source.read(run, {}))
    assert len(batches[1].samples) == 150
    assert not batches[1].spans
    assert sum(len(batch.links) for batch in batches) == 150
    assert batches[-1].mark is not None
    again = list(source.read(run, batches[-1].mark))
    assert not any(batch.samples for batch in again)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python brings zstd along")
def test_without_zstandard_a_log_says_what_it_takes(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: None)
    store = opened(LOGS / "capitals.eval")
    run = only(store)
    assert run.row.name == "capitals"
    (said,) = problems(store, run)
    assert "packed with zstd, which takes an extra" in said


def test_what_is_no_log_is_not_recognised(tmp_path: Path, copy: Copy) -> None:
    (tmp_path / "a.json").write_text('{"version": 2, "status": "x"}')
    (tmp_path / "b.eval").write_text("no zip")
    assert recognising.recognise(tmp_path) is None
    shutil.copy(LOGS / "started.eval", tmp_path / "deep.eval")
    source = recognising.recognise(tmp_path)
    assert source is not None
    assert source.tool == "Inspect"
