"""Inspect: what it logged, logs that grow, are torn or hostile, and what people said of samples."""

from __future__ import annotations

import importlib.util
import json
import math
import shutil
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from flowtui.cli import sources
from flowtui.sources import inspect_archive, inspect_events, recognising, zip_entries
from flowtui.sources.inspect_attachments import MOST_LEVELS
from flowtui.sources.private_store import SourceStore
from flowtui.store import runs
from flowtui.store.open_run import OpenRun
from flowtui.store.samples.scores import score_sets
from flowtui.store.schema import EvalAnnotationRow, StoreWriter
from flowtui.store.store import Store
from flowtui.store.traces.exchange import conversation_of, exchange
from flowtui.store.values import StoreLocation
from tests.sources.conftest import WRITTEN
from tests.sources.reading import digest, names, parameters, points, problems

Copy = Callable[[str], Path]
Opened = Callable[[Path], SourceStore]
SAID = json.loads((WRITTEN / "inspect.json").read_text())
LOGS = WRITTEN / "inspect"


def samples(run: OpenRun) -> dict[str, dict[str, Any]]:
    """Return the columns of all samples by their ids, parsed."""
    rows = run.database.read(
        lambda db: db.execute(
            "select id, dataset_id, inputs, outputs, refs, scores, metadata from evals"
        ).fetchall()
    )
    columns = ("inputs", "outputs", "refs", "scores", "metadata")
    return {
        row[0]: {"dataset": row[1]}
        | {name: json.loads(text or "null") for name, text in zip(columns, row[2:], strict=True)}
        for row in rows
    }


def spans(run: OpenRun, sample: str) -> list[dict[str, Any]]:
    """Return the spans of the trace of a sample, in the order of writing."""
    rows = run.database.read(
        lambda db: db.execute(
            "select trace_id, span_id, parent_span_id, name, status_code, attributes, events"
            " from spans where trace_id = (select trace_id from eval_traces_bridge"
            " where eval_id = ?) order by rowid",
            (sample,),
        ).fetchall()
    )
    return [
        {
            "trace": row[0], "id": row[1], "parent": row[2], "name": row[3], "status": row[4],
            "attributes": json.loads(row[5] or "{}"), "events": json.loads(row[6] or "[]"),
        }
        for row in rows
    ]  # fmt: skip


def only(store: SourceStore) -> OpenRun:
    """Return the only run of a store, read to its end."""
    (run_id,) = store.ask(runs.ids).values()
    row = store.ask(runs.run, run_id)
    assert row is not None
    return store.opened(row)


# What Inspect wrote ------------------------------------------------------------------------------


@pytest.mark.parametrize("log", sorted(SAID))
def test_samples_scores_and_status_are_those_that_inspect_reads(log: str, opened: Opened) -> None:
    run = only(opened(LOGS / log))
    told = SAID[log]
    status = {"success": "completed", "started": "active", "error": "error"}[told["status"]]
    assert run.row.status == status
    read = samples(run)
    assert len(read) == len(told["samples"])
    for sample in told["samples"]:
        epoch = sample["epoch"]
        row = read[str(sample["id"]) + (f" epoch {epoch}" if epoch > 1 else "")]
        assert (row["outputs"] or {}).get("output", "") == sample["output"]
        assert row["metadata"]["epoch"] == epoch
        for scorer, value in sample["scores"].items():
            found = {"": value} if not isinstance(value, dict) else value
            for name, one in found.items():
                key = f"{scorer}.{name}" if name else scorer
                kept = row["scores"][f"{key}.letter" if isinstance(one, str) else key]
                assert kept == one or (math.isnan(kept) and math.isnan(one))
        assert row["scores"].get("error") == sample["error"]


@pytest.mark.parametrize("log", sorted(SAID))
def test_metrics_and_events_are_those_that_inspect_reads(log: str, opened: Opened) -> None:
    run = only(opened(LOGS / log))
    read = points(run)
    reducers = {(name, metric): [] for name, _, metric, _ in SAID[log]["metrics"]}  # type: ignore
    for name, reducer, metric, value in SAID[log]["metrics"]:
        reducers[name, metric].append((reducer, value))
    for (name, metric), values in reducers.items():
        key = f"{name}/{metric}" if name in ("includes", "match") else f"judged/{name}/{metric}"
        for reducer, value in values:
            assert read[f"{key}/{reducer}" if len(values) > 1 else key] == [(0, repr(float(value)))]
    for sample in SAID[log]["samples"]:
        epoch = sample["epoch"]
        made = spans(run, str(sample["id"]) + (f" epoch {epoch}" if epoch > 1 else ""))
        said = [span["attributes"].get("gen_ai.operation.name") for span in made]
        assert said.count("chat") == sample["model_events"]
        assert said.count("execute_tool") == sample["tool_events"]


def test_a_log_is_a_run(opened: Opened) -> None:
    store = opened(LOGS)
    assert len(store.ask(runs.identities)) == len(SAID)
    run = only(opened(LOGS / "capitals.eval"))
    row = run.row
    assert (row.name, row.group_name, row.tags) == (
        "capitals mockllm/model",
        "capitals",
        ("small",),
    )
    assert row.duration_s is not None
    said = parameters(run)
    assert said["model"] == "mockllm/model"
    assert said["metadata"] == {"purpose": "fixture"}
    assert said["config"]["epochs"] == 2  # type: ignore[index, call-overload]
    assert said["generate_config"]["temperature"] == 0.5  # type: ignore[index, call-overload]
    assert points(run)["usage/input_tokens"] == [(0, "140.0")]
    assert names(run) == {"reductions.json"}


def test_the_mean_of_letters_is_the_accuracy(opened: Opened) -> None:
    run = only(opened(LOGS / "capitals.eval"))
    scores = {one.key: one for one in run.ask(score_sets)[0].scores}
    numbers = scores["includes"].numbers
    assert numbers is not None
    assert (numbers.mean, numbers.count) == (0.5, 4)
    letters = scores["includes.letter"].texts
    assert letters is not None
    assert dict(letters.top) == {"C": 2, "I": 2}
    read = samples(run)["france epoch 2"]
    assert read["metadata"]["scores"]["includes"]["meaning"] == "incorrect"
    assert read["metadata"]["scores"]["judged"]["explanation"] == "it has 6 letters"


def test_a_trace_is_a_conversation_with_calls_of_tools(opened: Opened) -> None:
    run = only(opened(LOGS / "capitals.eval"))
    made = spans(run, "france")
    by_name = {span["name"]: span for span in made}
    tool, generate = by_name["execute_tool look_up"], by_name["generate"]
    assert tool["parent"] == generate["id"]
    assert "the Seine" in tool["attributes"]["gen_ai.tool.call.result"]
    trace = made[0]["trace"]
    found = run.ask(exchange, trace, 1_000_000)
    assert (found.input, found.output) == ("What is the capital of France?", "Paris")
    said, _ = run.ask(conversation_of, trace, 1_000_000)
    assert [message.role for message in (*said.input, *said.output)] == [
        "user", "assistant", "tool", "assistant",
    ]  # fmt: skip
    chat = [span for span in made if span["name"] == "chat mockllm/model"][-1]
    assert chat["attributes"]["gen_ai.usage.input_tokens"] == 28
    assert chat["attributes"]["gen_ai.usage.cache_read.input_tokens"] == 8
    given = json.loads(chat["attributes"]["gen_ai.input.messages"])
    assert "the Seine" in given[-1]["parts"][0]["response"]
    failed = {span["name"]: span for span in spans(run, "france epoch 2")}["execute_tool look_up"]
    assert (failed["status"], failed["events"][0]["name"]) == (2, "exception")
    judged = by_name["includes"]["events"][0]
    assert judged["name"] == "gen_ai.evaluation.result"
    assert judged["attributes"]["gen_ai.evaluation.score.label"] == "C"


def test_a_picture_is_in_the_trace_and_named_in_the_list(opened: Opened) -> None:
    run = only(opened(LOGS / "capitals.eval"))
    (asked,) = samples(run)["7"]["inputs"]["input"]
    assert asked["content"] == "Which colour is this?\n(image)"
    given = json.loads(spans(run, "7")[0]["attributes"]["gen_ai.input.messages"])
    assert given[1]["parts"][1]["uri"].startswith("data:image/png;base64,")


def test_a_failed_sample_and_a_failed_task_say_why(opened: Opened) -> None:
    run = only(opened(LOGS / "failing.eval"))
    root = spans(run, "broken")[0]
    assert root["status"] == 2
    assert any(event["name"] == "exception" for event in root["events"])
    store = opened(LOGS / "stopping.eval")
    run = only(store)
    assert "error.txt" in names(run)
    assert any("it ended with an error" in problem for problem in problems(store, run))


def test_what_has_no_place_is_counted(opened: Opened) -> None:
    store = opened(LOGS / "capitals.eval")
    said = " ".join(problems(store, only(store)))
    assert "6 requests and responses of a model, as its API has them" in said
    assert "changes of the state and the store of samples" in said


# Logs that are being written ---------------------------------------------------------------------


def test_a_log_is_followed_until_it_ends(copy: Copy, opened: Opened) -> None:
    root = copy("inspect")
    whole = (root / "capitals.eval").read_bytes()
    parts = entries(root / "capitals.eval")
    log = root / "live" / "2026-06-01T12-00-00-00-00_capitals_AbCd.eval"
    log.parent.mkdir()
    write(log, [part for part in parts if part[0].startswith(("_journal", "samples/france"))])
    store = opened(log.parent)
    run = only(store)
    assert (run.row.status, run.row.name) == ("active", "capitals mockllm/model")
    assert set(samples(run)) == {"france", "france epoch 2"}
    assert points(run) == {}
    log.write_bytes(whole)
    run = only(store)
    assert run.row.status == "completed"
    assert len(samples(run)) == 4
    assert points(run)["includes/accuracy/mean"] == [(0, "0.5")]
    links = run.database.read(
        lambda db: db.execute("select count(*) from eval_traces_bridge").fetchone()[0]
    )
    assert links == 4


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_torn_log_shows_what_is_whole_and_goes_on(
    copy: Copy, opened: Opened, part: float
) -> None:
    log = copy("inspect") / "capitals.eval"
    whole = log.read_bytes()
    log.write_bytes(whole[: int(len(whole) * part)])
    store = opened(log)
    run = only(store)
    assert len(samples(run)) == {0.3: 1, 0.6: 2, 0.9: 4}[part]
    assert any("is not written yet, or is lost" in problem for problem in problems(store, run))
    log.write_bytes(whole)
    run = only(store)
    assert len(samples(run)) == 4
    assert not any("not written yet" in problem for problem in problems(store, run))
    log.write_bytes(whole[: len(whole) // 2])
    assert len(samples(only(store))) == 4, "what was read stays while a log is written anew"


def test_a_log_that_has_nothing_yet_waits(tmp_path: Path, copy: Copy, opened: Opened) -> None:
    root = copy("inspect")
    log = root / "2026-06-01T12-00-00-00-00_a-task_AbCd.eval"
    log.write_bytes(b"")
    store = opened(root)
    run = store.resolve("a-task")
    assert run.row.status == "active"
    assert samples(run) == {}


def test_a_log_that_was_scored_anew_is_read_anew(copy: Copy, opened: Opened) -> None:
    log = copy("inspect") / "failing.eval"
    store = opened(log)
    only(store)
    parts = entries(log)
    changed = [
        (name, data.replace(b'"C"', b'"I"') if name.startswith("samples/fine") else data)
        for name, data in parts
    ]
    write(log, changed)
    run = only(store)
    assert samples(run)["fine"]["scores"] == {"match": 0.0, "match.letter": "I"}
    assert len(samples(run)) == 2


def test_a_log_in_json_is_read_again_where_it_changed(copy: Copy, opened: Opened) -> None:
    log = copy("inspect") / "deep" / "as_json.json"
    store = opened(log)
    assert len(samples(only(store))) == 2
    whole = log.read_text()
    log.write_text(whole[: len(whole) // 2])
    run = only(store)
    assert len(samples(run)) == 2
    assert any("may be being written" in problem for problem in problems(store, run))
    log.write_text(whole.replace('"success"', '"cancelled"', 1))
    assert only(store).row.status == "cancelled"


def test_a_log_that_is_deleted_while_shown_goes(copy: Copy, opened: Opened) -> None:
    root = copy("inspect")
    store = opened(root)
    store.settle()
    (root / "failing.eval").unlink()
    store.settle()
    assert len(store.ask(runs.identities)) == len(SAID) - 1


def test_nothing_is_written_into_the_source(copy: Copy, opened: Opened) -> None:
    root = copy("inspect")
    before = digest(root)
    opened(root).settle()
    assert digest(root) == before
    assert not list(root.rglob("*.part"))


def test_importing_twice_keeps_what_people_said(
    copy: Copy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, store = copy("inspect"), tmp_path / "luml"
    for log in ("capitals.eval", "failing.eval"):
        sources.import_runs(str(root / log), (), str(store), None, links=False)
    found = Store(StoreLocation(store, "a test"))
    run = found.resolve("failing mockllm/model")
    said = EvalAnnotationRow(
        dataset_id="failing", eval_id="fine", name="good", kind="feedback", value=True, user="me"
    )
    with StoreWriter(store) as writer, writer.experiment(run.id) as experiment:
        experiment.eval_annotations([said])
    # The same log, opened with its folder and after it was scored anew.
    write(
        root / "failing.eval",
        [(name, data.replace(b'"C"', b'"P"')) for name, data in entries(root / "failing.eval")],
    )
    sources.import_runs(str(root), ("failing mockllm/model",), str(store), None, links=False)
    run = found.resolve("failing mockllm/model")
    assert samples(run)["fine"]["scores"]["match"] == 0.5
    counts = run.database.read(
        lambda db: (
            db.execute("select count(*) from eval_annotations").fetchone()[0],
            db.execute("select count(*) from eval_traces_bridge").fetchone()[0],
        )
    )
    assert counts == (1, 2)
    assert capsys.readouterr().out.endswith("updated\n")


# Hostile logs ------------------------------------------------------------------------------------


def entries(log: Path) -> list[tuple[str, bytes]]:
    """Return the names and the contents of a log's entries, in order."""
    with log.open("rb") as file:
        found = zip_entries.entries(file, log.stat().st_size)
        return [
            (entry.name, zip_entries.content(file, entry, 1 << 20))
            for entry in found.by_name.values()
        ]


def write(log: Path, parts: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(log, "w", method) as archive:
        for name, data in parts:
            archive.writestr(name, data)


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
    assert "1 samples of which one entry is larger than 67 MB" in said
    assert "2 samples of which one entry is damaged" in said


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
    assert "1 samples that are no objects" in said
    assert "2 samples of which one entry is no JSON" in said


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
    assert "an earlier call of the model" in " ".join(problems(store, run))


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
