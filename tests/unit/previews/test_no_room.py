"""Temporary files for which there is no room: the file that is looked at is not to blame."""

from __future__ import annotations

import errno
import gzip
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest

from flowtui import temporary
from flowtui.previews import preview
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.values import Request
from flowtui.terminal import opener, pager

FULL = OSError(errno.ENOSPC, "No space left on device")
NOWHERE = FileNotFoundError(errno.ENOENT, "No usable temporary directory found")


def failing(error: OSError) -> object:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


@pytest.mark.parametrize("error", [FULL, NOWHERE])
def test_a_packed_file_says_where_there_is_no_room(
    error: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.txt.gz"
    path.write_bytes(gzip.compress(b"a line\n"))
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", failing(error))
    with pytest.raises(PreviewFailed, match="set TMPDIR to another folder"):
        preview.preview(path, path.name, Request(), lambda: False)


def test_a_file_that_fills_the_disk_while_it_is_unpacked_says_so(tmp_path: Path) -> None:
    path = tmp_path / "log.txt.gz"
    path.write_bytes(gzip.compress(b"a line\n" * 100_000))
    # Every byte that is written into it is one too many.
    with pytest.MonkeyPatch.context() as patch, Path("/dev/full").open("wb") as full:
        patch.setattr(tempfile, "NamedTemporaryFile", lambda **_: full)
        with pytest.raises(PreviewFailed, match=r"no room left in .*: free some, or set TMPDIR"):
            preview.preview(path, path.name, Request(), lambda: False)


def test_a_pager_says_where_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", failing(FULL))
    with pytest.raises(pager.PagerFailed, match=r"less: there is no room left in .*TMPDIR"):
        pager.show("text", ["less"])


@pytest.mark.parametrize("error", [FULL, NOWHERE])
def test_a_copy_for_a_viewer_says_where_there_is_no_room(
    error: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    monkeypatch.setattr(tempfile, "mkdtemp", failing(error))
    with pytest.raises(opener.OpenFailed, match="set TMPDIR to another folder"):
        opener.Copies().copied(tmp_path / "a.png", "a.png", lambda: False)


def test_without_any_folder_for_temporary_files_it_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", failing(NOWHERE))
    why = "no folder for temporary files can be written: set TMPDIR to one that can"
    assert temporary.why_not(NOWHERE) == why
