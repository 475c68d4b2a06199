"""Files that are written whole or not at all, and the names they are given."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TextIO

import pytest

from flowtui.reports.saving import SaveFailed, file_stem, write_atomically
from tests.unit.stores import as_another_user


def hello(out: TextIO) -> int:
    return out.write("hé\r\nllo\n")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_there_and_nothing_else(tmp_path: Path) -> None:
    assert write_atomically(tmp_path / "a.txt", hello) == 8
    assert (tmp_path / "a.txt").read_bytes() == "hé\r\nllo\n".encode()
    assert names(tmp_path) == ["a.txt"]


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write(out: TextIO) -> str:
        out.write("new")
        out.flush()
        return path.read_text()

    assert write_atomically(path, write) == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("failure", [ValueError("a bug"), KeyboardInterrupt()], ids=repr)
def test_a_failure_while_writing_leaves_all_as_it_was(
    tmp_path: Path, failure: BaseException
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail(out: TextIO) -> None:
        out.write("half")
        raise failure

    with pytest.raises(type(failure)):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    def fill(out: TextIO) -> None:
        out.write("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(SaveFailed, match=r"a\.txt: the disk is full"):
        write_atomically(tmp_path / "a.txt", fill)
    assert names(tmp_path) == []


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(SaveFailed, match=r"x/a\.txt: there is no such folder"):
        write_atomically(tmp_path / "x" / "a.txt", hello)


def test_a_folder_of_somebody_else_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o555)

    def said() -> str:
        try:
            write_atomically(folder / "a.txt", hello)
        except SaveFailed as failure:
            return str(failure)
        return "saved"

    assert as_another_user(said).endswith("a.txt: this user may not write there")
    assert names(folder) == []


def test_a_name_that_is_too_long_is_said(tmp_path: Path) -> None:
    with pytest.raises(SaveFailed, match="the name is too long"):
        write_atomically(tmp_path / ("a" * 300), hello)
    assert names(tmp_path) == []


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(SaveFailed, match=f"{name}: it is not a file"):
            write_atomically(tmp_path / name, hello)
    assert (tmp_path / "pipe").is_fifo()
    assert names(tmp_path) == ["folder", "pipe"]


def test_a_link_goes_on_pointing_at_its_file(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", hello)
    assert (tmp_path / "link").is_symlink()
    assert "llo" in (tmp_path / "real").read_text()


def test_a_replaced_file_keeps_its_mode_and_a_new_one_has_the_usual(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "old").chmod(0o640)
    usual = tmp_path / "usual"
    usual.touch()
    for name in ("old", "new"):
        write_atomically(tmp_path / name, hello)
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "new").stat().st_mode == usual.stat().st_mode


@pytest.mark.parametrize(
    ("parts", "stem"),
    [
        (("resnet50-cosine", "train/loss"), "resnet50-cosine-train-loss"),
        (("my run (2)", "val_acc.top1"), "my-run-2-val_acc.top1"),
        (("", "loss"), "loss"),
        (("../../etc/passwd",), "etc-passwd"),
        ((".hidden",), "hidden"),
        (("-rf",), "rf"),
        (("a\x1b[2J\n\x00b",), "a-2J-b"),
        (("Übung", "損失"), "Übung-損失"),
        (("",), "export"),
        ((), "export"),
        (("...", "///", "🙂"), "export"),
        (("a" * 200,), "a" * 80),
    ],
)
def test_a_stem_is_a_name_that_is_safe_everywhere(parts: tuple[str, ...], stem: str) -> None:
    assert file_stem(*parts) == stem


@pytest.mark.parametrize("char", ["a", "é", "損", "𝔸", "\udc80", "."])
def test_a_stem_and_a_suffix_fit_into_a_file_name(tmp_path: Path, char: str) -> None:
    stem = file_stem(char * 1_000, "b" * 1_000)
    assert 0 < len(stem) <= 80
    assert write_atomically(tmp_path / f"{stem}.csv", hello) == 8
