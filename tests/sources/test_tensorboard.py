"""TensorBoard's log folders: the values that its own reader reads, live files, and damage."""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flowtui.sources import open_files, recognising
from flowtui.sources.private_store import SourceStore
from flowtui.sources.wire import checksums, crc32c, masked
from flowtui.store import runs
from flowtui.store.liveness.standing import Activity
from tests.sources.conftest import WRITTEN
from tests.sources.reading import digest, names, parameters, points, problems

Copy = Callable[[str], Path]
Opened = Callable[[Path], SourceStore]
TENSORBOARD = WRITTEN / "tensorboard"
READ = json.loads((WRITTEN / "tensorboard.json").read_text())


STARTED_S = 1_750_000_000.0


def fail(*_: object) -> None:
    raise AssertionError("it was read again")


def record(data: bytes) -> bytes:
    head = struct.pack("<Q", len(data))
    crcs = [struct.pack("<I", masked(crc32c(part))) for part in (head, data)]
    return head + crcs[0] + data + crcs[1]


def scalar(tag: str, step: int, value: float, wall_s: float = STARTED_S) -> bytes:
    """Make the record of a point, as a writer of TensorBoard does."""
    name = tag.encode()
    of = b"\x0a" + bytes([len(name)]) + name + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + bytes([len(of)]) + of
    at = b"" if not step else b"\x10" + varint(step)
    return record(
        b"\x09" + struct.pack("<d", wall_s) + at + b"\x2a" + bytes([len(summary)]) + summary
    )


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def events(folder: Path, data: bytes, name: str = "events.out.tfevents.1750000000.here.1") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_bytes(data)
    return file


def add(file: Path, data: bytes) -> None:
    with file.open("ab") as out:
        out.write(data)


@pytest.mark.parametrize("name", ["keras/train", "resnet"])
def test_the_values_are_those_that_tensorboard_reads(name: str, opened: Opened) -> None:
    run = opened(TENSORBOARD).resolve(name)
    expected = {key: [tuple(one) for one in of] for key, of in READ[name]["scalars"].items()}
    read = points(run)
    assert {key: read[key] for key in expected} == expected


def test_params_texts_pictures_and_histograms_of_a_run(opened: Opened) -> None:
    run = opened(TENSORBOARD).resolve("resnet")
    assert parameters(run) == {"lr": 0.01, "layers": 3, "optimizer": "adam", "amp": True}
    assert points(run)["best"] == [(0, "0.5")]
    assert names(run) == {
        "images/sample/step-000007.png",
        "text/notes/text_summary/step-000000.md",
        "histograms/weights.jsonl",
    }
    histogram = json.loads(run.files.path("histograms/weights.jsonl").read_text())
    assert histogram["step"] == 3
    assert sum(count for _, _, count in histogram["buckets"]) == 20


def test_of_a_resumed_run_the_later_points_count_and_the_others_are_counted(opened: Opened) -> None:
    store = opened(TENSORBOARD)
    run = store.resolve("resumed")
    read = points(run)["loss"]
    assert read == [
        *((step, repr(float(step))) for step in range(15)),
        *((step, repr(100.0 + step)) for step in range(15, 25)),
        *((step, repr(200.0 + step)) for step in range(25, 28)),
    ]
    assert problems(store, run) == [
        "5 points of a step came a second time: the later one is shown",
        "5 points became void, since the program went back to an earlier step",
    ]


def test_a_live_file_is_read_from_where_it_ended_and_a_torn_end_waits(
    tmp_path: Path, opened: Opened
) -> None:
    logs = tmp_path / "logs"
    whole = scalar("loss", 1, 0.5)
    file = events(logs, scalar("loss", 0, 1.0) + whole[:20])
    store = opened(logs)
    run = store.resolve("logs")
    assert points(run) == {"loss": [(0, "1.0")]}
    add(file, whole[20:] + scalar("a/b c", 2**40, math.nan))
    assert points(store.resolve("logs")) == {
        "a/b c": [(2**40, "nan")],
        "loss": [(0, "1.0"), (1, "0.5")],
    }
    assert problems(store, run) == []


def test_a_damaged_record_is_left_out_and_a_damaged_length_ends_the_file(
    tmp_path: Path, opened: Opened
) -> None:
    logs = tmp_path / "logs"
    good, bad = scalar("loss", 0, 1.0), bytearray(scalar("loss", 1, 2.0))
    bad[20] ^= 1
    readable = good + bytes(bad) + scalar("loss", 2, 3.0)
    file = events(logs, readable + b"\0\0\0\0" + scalar("loss", 3, 4.0))
    store = opened(logs)
    run = store.resolve("logs")
    assert points(run) == {"loss": [(0, "1.0"), (2, "3.0")]}
    assert problems(store, run) == [
        f"{file.name} is damaged at byte {len(readable):,}: what comes after it cannot be read",
        "left out: damaged records, whose checksum does not fit (1)",
    ]


def test_a_file_that_was_written_anew_is_read_anew(tmp_path: Path, opened: Opened) -> None:
    logs = tmp_path / "logs"
    file = events(logs, scalar("old", 0, 1.0) + scalar("old", 1, 1.0))
    store = opened(logs)
    assert set(points(store.resolve("logs"))) == {"old"}
    file.write_bytes(scalar("new", 0, 1.0))
    assert set(points(store.resolve("logs"))) == {"new"}


def test_a_run_that_is_deleted_leaves_the_list(copy: Copy, opened: Opened) -> None:
    logs = copy("tensorboard")
    store = opened(logs)
    for file in (logs / "keras" / "train").iterdir():
        file.unlink()
    store.settle()
    assert {name for _, name in store.ask(runs.identities)} == {"resnet", "resumed"}


def test_links_in_a_circle_end_and_linked_folders_are_followed(
    tmp_path: Path, opened: Opened
) -> None:
    logs = tmp_path / "logs"
    events(tmp_path / "elsewhere", scalar("loss", 0, 1.0))
    logs.mkdir()
    (logs / "linked").symlink_to(tmp_path / "elsewhere")
    (logs / "circle").symlink_to(logs)
    os.mkfifo(logs / "events.out.tfevents.1.pipe")
    assert [name for _, name in opened(logs).ask(runs.identities)] == ["linked"]


def test_hostile_tags_stay_inside_and_harmless(tmp_path: Path, opened: Opened) -> None:
    logs = tmp_path / "logs"
    of = b"\x0a\x10../../\x1b[31m/a\xff\xffx" + b"\x22\x06\x22\x04\x89PNG"
    summary = b"\x0a" + bytes([len(of)]) + of
    data = b"\x09" + struct.pack("<d", 1e300) + b"\x2a" + bytes([len(summary)]) + summary
    events(logs, record(data) + record(b"\x0a\xff") + record(b""))
    store = opened(logs)
    run = store.resolve("logs")
    (name,) = names(run)
    assert ".." not in name
    assert name.isprintable()
    assert problems(store, run) == ["left out: records that are no messages of TensorBoard (1)"]


def test_reading_leaves_no_mark_on_the_source(copy: Copy, opened: Opened) -> None:
    logs = copy("tensorboard")
    before = digest(logs)
    opened(logs).settle()
    assert digest(logs) == before


def test_a_second_look_reads_nothing_again(
    copy: Copy, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = copy("tensorboard")
    opened(logs).settle()
    monkeypatch.setattr("flowtui.sources.tensorboard.TensorBoard.read", fail)
    store = opened(logs)
    store.settle()
    assert "train/loss" in points(store.resolve("resnet"))


def test_a_silent_file_that_no_process_has_open_is_left(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = events(tmp_path / "logs", scalar("loss", 0, 1.0))
    run = opened(tmp_path / "logs").resolve("logs")
    store = opened(tmp_path / "logs")
    monkeypatch.setattr(open_files, "is_local", lambda path: True)
    later = datetime.now(UTC) + timedelta(minutes=5)
    state = file.stat()
    monkeypatch.setattr(open_files, "_open_here", lambda: {(state.st_dev, state.st_ino)})
    assert store.standings([run.row], later)[run.id].activity is Activity.ACTIVE
    monkeypatch.setattr(open_files, "_open_here", frozenset)
    left = store.standings([run.row], later)[run.id]
    assert (left.activity, left.elapsed_s) == (Activity.STOPPED, 0.0), "it had one point"
    assert store.standings([run.row], datetime.now(UTC))[run.id].activity is Activity.ACTIVE


DAYS = timedelta(days=2)
"""After so long nobody is taken to write a file."""


def test_when_the_last_record_of_a_left_run_came_is_known_without_reading_it_again(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = events(tmp_path / "logs", scalar("loss", 0, 1.0) + scalar("loss", 1, 1.0, STARTED_S + 7))
    opened(tmp_path / "logs").settle()
    store = opened(tmp_path / "logs")
    run = store.resolve("logs")
    with monkeypatch.context() as patch:
        patch.setattr("flowtui.store.database.Database.read", fail)
        left = store.standings([run.row], datetime.now(UTC) + DAYS)[run.id]
    assert (left.activity, left.elapsed_s) == (Activity.STOPPED, 7.0)
    add(file, scalar("loss", 2, 1.0, STARTED_S + 9))
    store.settle()
    left = store.standings([run.row], datetime.now(UTC) + DAYS)[run.id]
    assert (left.activity, left.elapsed_s) == (Activity.STOPPED, 9.0)


def test_checksums_of_many_records_are_those_of_each() -> None:
    assert crc32c(b"123456789") == 0xE306_9283
    records = [bytes([n]) * (n % 3) for n in range(100)] + [b"x" * 60]
    assert checksums(records) == [crc32c(one) for one in records]


def test_what_is_in_a_folder_decides(tmp_path: Path) -> None:
    (tmp_path / "events.txt").write_text("no")
    assert recognising.recognise(tmp_path) is None
    events(tmp_path / "deep" / "er", b"")
    assert recognising.recognise(tmp_path) is not None
    assert [seen.path.name for seen in recognising.seen_in(tmp_path)] == ["deep"]
