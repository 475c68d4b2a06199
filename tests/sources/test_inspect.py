"""Inspect: what it logged, logs that grow, are torn or go, and what people said of samples."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from flowtui.cli import sources
from flowtui.sources.private_store import SourceStore
from flowtui.store import runs
from flowtui.store.samples.scores import score_sets
from flowtui.store.schema import EvalAnnotationRow, StoreWriter
from flowtui.store.store import Store
from flowtui.store.traces.exchange import conversation_of, exchange
from flowtui.store.values import StoreLocation
from tests.sources.conftest import WRITTEN
from tests.sources.inspect_logs import entries, only, samples, spans, write
from tests.sources.reading import digest, names, parameters, points, problems

Copy = Callable[[str], Path]
Opened = Callable[[Path], SourceStore]
SAID = json.loads((WRITTEN / "inspect.json").read_text())
LOGS = WRITTEN / "inspect"


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
    assert "requests and responses of a model, as its API has them (6)" in said
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
