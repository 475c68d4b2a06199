"""The attachments of several runs, joined by path and compared by size and content."""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from flowtui.store.cancelling import cancelling
from flowtui.store.compare import files as compared
from flowtui.store.compare.files import (
    SMALL_BYTES,
    ComparedFiles,
    FileDigests,
    FileSameness,
    code_words,
    compared_files,
    count_words,
    read_all,
    with_known,
)
from flowtui.store.compare.run_set import RunSet
from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.schema import StoreWriter
from tests.conftest import open_store
from tests.unit.stores import NOW

BIG = SMALL_BYTES + 7


def run_set(folder: Path, runs: Sequence[Mapping[str, bytes]]) -> RunSet:
    """Return runs with these attachments, a run each."""
    with StoreWriter(folder, clock=lambda: NOW, durable=False) as writer:
        for index, files in enumerate(runs):
            writer.start_run(f"run{index}", f"run{index}")
            with writer.experiment(f"run{index}") as experiment:
                for name, data in files.items():
                    experiment.attachment(name, data)
    store = open_store(folder)
    return RunSet.of([(store, store.resolve(f"run{index}")) for index in range(len(runs))])


def sameness(found: ComparedFiles) -> dict[str, str]:
    return {one.path: one.sameness.value for one in found.files}


def file_of(folder: Path, run: int, name: str) -> Path:
    return folder / f"run{run}" / "attachments" / name


def test_files_are_joined_by_path_and_small_ones_compared_by_content(tmp_path: Path) -> None:
    runs = run_set(
        tmp_path,
        [
            {"a.py": b"one", "b.py": b"same", "dir/c.txt": b"x", "size.txt": b"1", "empty": b""},
            {"a.py": b"two", "b.py": b"same", "size.txt": b"12", "empty": b"", "d.txt": b"y"},
        ],
    )
    found = compared_files(runs, FileDigests())
    assert sameness(found) == {
        "a.py": "differs", "b.py": "equal", "d.txt": "only in some", "dir/c.txt": "only in some",
        "empty": "equal", "size.txt": "differs",
    }  # fmt: skip
    assert {one.path: one.letters for one in found.files}["dir/c.txt"] == ("A",)
    assert code_words(found) == "1 differ · 1 equal"
    assert count_words(found.counts()) == ["2 differ", "2 only in some", "2 equal"]


def test_large_files_of_one_size_are_not_compared_until_they_are_read(tmp_path: Path) -> None:
    one, other = random.Random(1).randbytes(BIG), random.Random(2).randbytes(BIG)
    runs = run_set(
        tmp_path, [{"same.bin": one, "other.json": one}, {"same.bin": one, "other.json": other}]
    )
    digests = FileDigests()
    found = compared_files(runs, digests)
    assert sameness(found) == {"same.bin": "not compared", "other.json": "not compared"}
    assert code_words(found) == "1 not compared"
    told: list[tuple[int, int]] = []
    assert read_all(found.files, digests, lambda done, total: told.append((done, total))) == []
    assert told[-1] == (4 * BIG, 4 * BIG)
    assert max(after[0] - before[0] for before, after in itertools.pairwise(told)) <= (
        compared.PIECE_BYTES
    )
    known = ComparedFiles(tuple(with_known(one, digests) for one in found.files), {})
    assert sameness(known) == {"same.bin": "equal", "other.json": "differs"}
    # What is known stays known, as long as the files stay as they are.
    assert sameness(compared_files(runs, digests)) == sameness(known)
    path = file_of(tmp_path, 1, "same.bin")
    path.write_bytes(other)
    assert sameness(compared_files(runs, digests))["same.bin"] == "not compared"


def test_of_three_runs_all_must_be_equal(tmp_path: Path) -> None:
    runs = run_set(tmp_path, [{"a": b"1"}, {"a": b"1"}, {"a": b"2"}])
    (one,) = compared_files(runs, FileDigests()).files
    assert one.sameness is FileSameness.DIFFERS
    against = [one.against_baseline(index) for index in (1, 2)]
    assert against == [FileSameness.EQUAL, FileSameness.DIFFERS]


def test_one_run_that_differs_in_size_leaves_the_others_to_be_compared(tmp_path: Path) -> None:
    runs = run_set(tmp_path, [{"a": b"12"}, {"a": b"34"}, {"a": b"5"}])
    (one,) = compared_files(runs, FileDigests()).files
    assert one.sameness is FileSameness.DIFFERS
    assert one.against_baseline(1) is FileSameness.DIFFERS


def test_what_small_files_may_take_together_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compared, "UNASKED_BYTES", 25)
    runs = run_set(tmp_path, [dict.fromkeys("abcd", b"12345")] * 2)
    words = count_words(compared_files(runs, FileDigests()).counts())
    assert words == ["2 not compared", "2 equal"]


def test_the_same_run_twice_is_equal_without_reading(tmp_path: Path) -> None:
    run_set(tmp_path, [{"a": bytes(BIG)}, {}])
    store = open_store(tmp_path)
    run = store.resolve("run0")
    found = compared_files(RunSet.of([(store, run), (store, run)]), FileDigests())
    assert sameness(found) == {"a": "equal"}


def test_a_missing_or_refused_file_and_a_deleted_run_are_said(tmp_path: Path) -> None:
    runs = run_set(tmp_path, [{"a": b"1", "b": b"1"}, {"a": b"1", "b": b"1"}, {"a": b"1"}])
    file_of(tmp_path, 1, "a").unlink()
    file_of(tmp_path, 1, "b").unlink()
    file_of(tmp_path, 1, "b").symlink_to("/etc/passwd")
    (tmp_path / "run2" / "exp.db").write_bytes(b"not a database" * 100)
    found = compared_files(runs, FileDigests())
    assert sameness(found) == {"a": "cannot be read", "b": "cannot be read"}
    assert set(found.failures) == {"C"}
    assert [cell and cell.problem for cell in found.files[0].held] == ["", "missing", None]
    assert "link" in (found.files[1].held[1] or found.files[1].held[0]).problem  # type: ignore[union-attr]


def test_a_file_that_changes_while_it_is_read_has_no_digest(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    path.write_bytes(bytes(3 * compared.PIECE_BYTES))
    digests = FileDigests()

    def grow(_count: int) -> None:
        with path.open("ab") as file:
            file.write(b"x")

    with pytest.raises(StoreError, match="written to while it was read"):
        digests.read(path, grow)
    assert digests.known(path) == ""


def test_reading_ends_when_nobody_waits(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(4 * compared.PIECE_BYTES))
    pieces: list[int] = []
    with cancelling(lambda: len(pieces) >= 2), pytest.raises(ReadCancelled):
        FileDigests().read(path, pieces.append)
    assert len(pieces) == 2


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    import os

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(StoreError, match="regular file"):
        FileDigests().read(pipe)


def test_files_that_are_gone_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    big, other = bytes(BIG), b"1" * BIG
    runs = run_set(tmp_path, [{"a": big, "b": big}, {"a": other, "b": big}])
    digests = FileDigests()
    found = compared_files(runs, digests)
    shutil.rmtree(tmp_path / "run1" / "attachments")
    failed = read_all(found.files, digests, lambda *_told: None)
    assert [one.partition(":")[0] for one in failed] == ["a", "b"]
