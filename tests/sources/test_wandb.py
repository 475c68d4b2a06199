"""Weights & Biases: what it logged, runs that go on, are killed or resumed, and damage."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flowtui.sources import recognising
from flowtui.sources.private_store import SourceStore
from flowtui.sources.records import SourceBatch, moment
from flowtui.sources.wandb_records import WandbLearnt, WandbReader
from flowtui.store import runs
from flowtui.store.attachments.values import AttachmentRefused
from flowtui.store.schema.mirror import RunRow
from tests.sources.conftest import WRITTEN
from tests.sources.reading import digest, names, parameters, points, problems

Copy = Callable[[str], Path]
Opened = Callable[[Path], SourceStore]
SAID = json.loads((WRITTEN / "wandb.json").read_text())
FOLDER = "offline-run-20260601_120000-abc123"
LOG = f"{FOLDER}/run-abc123.wandb"
TABLE = "media/table/table_252_7cad2a554f5ba00c989f.table.json"


def test_a_run_has_what_wandb_logged(opened: Opened) -> None:
    run = opened(WRITTEN / "wandb").resolve("first")
    read = points(run)
    assert read["loss"] == [(step, repr(1 / (step + 1))) for step in range(250)]
    assert read["loss"][-1][1] == repr(SAID["loss"])
    assert read["nested.acc"][-1] == (249, repr(SAID["nested.acc"]))
    assert [read[key] for key in ("odd", "even", "done")] == [
        [(250, "nan")],
        [(250, "-inf")],
        [(250, "1.0")],
    ]
    assert parameters(run) == {
        "lr": 0.1,
        "model": {"depth": 3},
        "late": "x",
        "summary.best": SAID["best"],
        "summary.word": "text",
    }


def test_its_row_its_files_and_what_has_no_place(opened: Opened) -> None:
    store = opened(WRITTEN / "wandb")
    run = store.resolve("first")
    row = run.row
    assert (row.status, row.group_name, row.tags) == ("completed", "sweep", ("a", "b"))
    assert row.description == "a note"
    assert names(run) == {"histograms/hist.jsonl", TABLE}
    assert json.loads(run.files.path(TABLE).read_text())["data"] == [[1], [2]]
    assert problems(store, run) == [
        "left out: artifacts (1)",
        "left out: texts and lists among the metrics (1)",
    ]


def test_half_a_file_gives_the_steps_that_are_whole_and_goes_on(copy: Copy, opened: Opened) -> None:
    root = copy("wandb")
    whole = (root / LOG).read_bytes()
    (root / LOG).write_bytes(whole[: len(whole) // 2])
    store = opened(root)
    run = store.resolve("first")
    steps = [step for step, _ in points(run)["loss"]]
    assert steps == list(range(len(steps)))
    assert 0 < len(steps) < 250
    assert run.row.status == "active"
    assert problems(store, run) == []
    with (root / LOG).open("ab") as file:
        file.write(whole[len(whole) // 2 :])
    run = store.resolve("first")
    assert len(points(run)["loss"]) == 250
    assert run.row.status == "completed"


@pytest.mark.parametrize("cut", [32_761, 32_767, 32_768, 32_771, 32_775, 40_000])
def test_wherever_a_file_is_cut_it_goes_on(copy: Copy, opened: Opened, cut: int) -> None:
    root = copy("wandb")
    whole = (root / LOG).read_bytes()
    (root / LOG).write_bytes(whole[:cut])
    store = opened(root)
    store.settle()
    with (root / LOG).open("ab") as file:
        file.write(whole[cut:])
    run = store.resolve("first")
    assert len(points(run)["loss"]) == 250
    assert not [problem for problem in problems(store, run) if "damaged" in problem]


def test_a_damaged_block_loses_no_other(copy: Copy, opened: Opened) -> None:
    root = copy("wandb")
    data = bytearray((root / LOG).read_bytes())
    data[40_000] ^= 1
    (root / LOG).write_bytes(data)
    store = opened(root)
    run = store.resolve("first")
    steps = [step for step, _ in points(run)["loss"]]
    assert steps[0] == 0
    assert steps[-1] == 249
    assert len(steps) < 250
    assert any("damaged parts" in problem for problem in problems(store, run))


def test_a_resumed_run_is_one_run_in_two_files(copy: Copy, opened: Opened) -> None:
    root = copy("wandb")
    shutil.copytree(root / FOLDER, root / "offline-run-20260602_120000-abc123")
    store = opened(root)
    assert len(store.ask(runs.identities)) == 1
    assert len(points(store.resolve("first"))["loss"]) == 250


def test_a_link_to_the_latest_run_is_no_second_run(copy: Copy, opened: Opened) -> None:
    root = copy("wandb")
    (root / "latest-run").symlink_to(root / FOLDER)
    assert len(opened(root).ask(runs.identities)) == 1


def test_files_that_lead_out_of_the_source_are_refused(copy: Copy, opened: Opened) -> None:
    root = copy("wandb")
    (root.parent / "secret").write_text("secret")
    (root / FOLDER / "files" / "taken").symlink_to(root.parent / "secret")
    run = opened(root).resolve("first")
    assert "taken" not in names(run)
    with pytest.raises(AttachmentRefused):
        run.files.path("taken")


def test_one_file_is_recognised_and_nothing_is_written(copy: Copy, opened: Opened) -> None:
    root = copy("wandb")
    before = digest(root)
    run = opened(root / LOG).resolve("first")
    assert len(points(run)["loss"]) == 250
    assert digest(root) == before
    (root / LOG).write_bytes(b"something else")
    assert recognising.recognise(root) is None


def field(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2, len(data)]) + data


def test_system_metrics_and_the_console() -> None:
    reader = WandbReader(RunRow(id="x", name="x", group="g", status="active"), WandbLearnt())
    reader.learnt.started_s = 100.0
    batch = SourceBatch(None)
    at = field(2, b"\x08\x6e")  # 110 s
    item = field(3, field(1, b"cpu") + b"\x82\x01\x0242")
    reader.take(field(7, at + item), batch)
    for line in (b"one\n", b"two\n"):
        reader.take(b"\x6a" + bytes([len(at) + len(line) + 2]) + at + field(3, line), batch)
    assert batch.points == [("system/cpu", 42.0, 10, moment(110))]
    assert [(file.name, file.data) for file in batch.files] == [("console.log", b"one\ntwo\n")]


@pytest.mark.parametrize(("sign", "value"), [("", math.inf), ("-", -math.inf)])
def test_a_number_too_large_for_any_other_is_infinite(sign: str, value: float) -> None:
    def long(number: int, data: bytes) -> bytes:
        sizes = bytes([len(data) & 0x7F | 0x80, len(data) >> 7])
        return bytes([number << 3 | 2]) + sizes + data

    reader = WandbReader(RunRow(id="x", name="x", group="g", status="active"), WandbLearnt())
    batch = SourceBatch(None)
    digits = f"{sign}1{'0' * 400}".encode()
    text = b"\x82\x01" + bytes([len(digits) & 0x7F | 0x80, len(digits) >> 7]) + digits
    reader.take(long(7, field(2, b"\x08\x6e") + long(3, field(1, b"cpu") + text)), batch)
    assert [point[:2] for point in batch.points] == [("system/cpu", value)]
