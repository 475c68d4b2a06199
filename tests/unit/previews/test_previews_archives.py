"""Archives: their members looked into and copied out, and archives that are made to harm."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from flowtui.previews import members, unpacking
from flowtui.previews.document_blocks import Member
from flowtui.previews.errors import PreviewCancelled, PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.preview import preview
from flowtui.previews.values import (
    HexPage,
    Listing,
    Mode,
    Preview,
    Request,
    TablePage,
    TextPage,
    never,
)
from tests.unit.previewed import cpu_at_most, outcome_within_budget, shown

FILES = {"data/a.csv": b"x,y\n1,2\n", "notes.txt": b"hello\n", "data/deep/log.txt": b"l\n" * 9}


def zipped(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


PACKED: list[tuple[str, Callable[[bytes], bytes], PreviewKind]] = [
    (".tar.gz", gzip.compress, PreviewKind.GZIP),
    (".tgz", gzip.compress, PreviewKind.GZIP),
    (".tar.xz", lzma.compress, PreviewKind.XZ),
    (".txz", lzma.compress, PreviewKind.XZ),
    (".tar.bz2", bz2.compress, PreviewKind.BZIP2),
    (".tbz2", bz2.compress, PreviewKind.BZIP2),
]


def listed(path: Path) -> dict[str, Member]:
    found = shown(path).shown
    assert isinstance(found, Listing)
    return {member.name: member for member in found.members}


def within(path: Path, *inside: Member, mode: Mode = Mode.BEST) -> Preview:
    return shown(path, Request(width=80, height=20, inside=inside, mode=mode))


def text_of(read: Preview) -> list[str]:
    assert isinstance(read.shown, TextPage)
    return [line.text for line in read.shown.lines]


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_member_of_a_zip_file_is_shown_as_what_it_is(tmp_path: Path, how: int) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(FILES, how))
    found = listed(path)
    table = within(path, found["data/a.csv"])
    assert isinstance(table.shown, TablePage)
    assert (table.shown.rows, table.size_bytes) == ((("1", "2"),), 8)
    assert text_of(within(path, found["notes.txt"])) == ["hello"]
    as_bytes = within(path, found["notes.txt"], mode=Mode.HEX).shown
    assert isinstance(as_bytes, HexPage)
    assert as_bytes.rows[0].data == b"hello\n"


@pytest.mark.parametrize(("end", "pack", "packing"), PACKED)
def test_packed_tars_are_listed_and_their_members_shown(
    tmp_path: Path, end: str, pack: Callable[[bytes], bytes], packing: PreviewKind
) -> None:
    path = tmp_path / f"a{end}"
    path.write_bytes(pack(tarred(FILES)))
    assert shown(path).packing is packing
    found = listed(path)
    assert list(found) == list(FILES)
    for name, data in FILES.items():
        out = io.BytesIO()
        members.copy(path, path.name, (found[name],), out, never)
        assert out.getvalue() == data
    assert text_of(within(path, found["data/deep/log.txt"])) == ["l"] * 9


def test_a_member_of_a_member_is_reached(tmp_path: Path) -> None:
    path = tmp_path / "outer.tar"
    path.write_bytes(tarred({"in/inner.zip": zipped({"log.txt.gz": gzip.compress(b"deep\n")})}))
    inner = listed(path)["in/inner.zip"]
    listing = within(path, inner).shown
    assert isinstance(listing, Listing)
    deep = within(path, inner, listing.members[0])
    assert (text_of(deep), deep.packing) == (["deep"], PreviewKind.GZIP)
    out = io.BytesIO()
    members.copy(path, path.name, (inner, listing.members[0]), out, never)
    assert gzip.decompress(out.getvalue()) == b"deep\n"


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress])
def test_streams_after_each_other_and_what_breaks_off(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "log.txt.packed"
    path.write_bytes(pack(b"one\n") + pack(b"two\n"))
    assert text_of(shown(path)) == ["one", "two"]
    whole = pack("".join(f"line {n * n}\n" for n in range(300_000)).encode())
    path.write_bytes(whole[: len(whole) * 3 // 4])
    assert text_of(shown(path))[:2] == ["line 0", "line 1"]
    path.write_bytes(whole[:14])
    with pytest.raises(PreviewFailed, match="broken"):
        shown(path)


def test_a_large_member_is_read_as_far_as_it_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"big.txt": b"all work and no play\n" * 4_000_000}))
    member = listed(path)["big.txt"]
    with cpu_at_most(0.5):
        read = within(path, member)
    assert isinstance(read.shown, TextPage)
    assert (read.is_unpacked_whole, read.shown.part.total) == (False, None)
    assert read.size_bytes == 84_000_000


def test_what_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    data = zipped(FILES)
    at = data.index(b"PK\x01\x02")
    # An encrypted member: the flag alone, as no library here writes one.
    path.write_bytes(data[: at + 8] + b"\x01" + data[at + 9 :])
    with pytest.raises(PreviewFailed, match="password"):
        within(path, listed(path)["data/a.csv"])
    path.write_bytes(data[:38] + b"\xff\xff\xff" + data[41:])
    with pytest.raises(PreviewFailed, match="broken"):
        within(path, listed(path)["data/a.csv"])
    path.write_bytes(zipped({"a.txt": b"x" * 99}, zipfile.ZIP_LZMA))
    with pytest.raises(PreviewFailed, match="not read here"):
        within(path, listed(path)["a.txt"])
    path.write_bytes(zipped({"b.txt": b"other"}))
    with pytest.raises(PreviewFailed, match="has changed"):
        within(path, Member("a.txt", 99, "file", 0))
    path.write_text("no archive any more")
    with pytest.raises(PreviewFailed, match="no members"):
        within(path, Member("a.txt", 99, "file", 0))


def test_links_and_folders_of_a_tar_are_no_files(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("out")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    member = listed(path)["out"]
    assert member.type == "link"
    with pytest.raises(PreviewFailed, match="no file"):
        within(path, member)


@pytest.mark.slow
def test_bombs_take_little_memory_and_end_when_left(tmp_path: Path) -> None:
    zeros = zipped({"zeros.bin": bytes(300_000_000)})
    (tmp_path / "a.zip").write_bytes(zeros)
    (tmp_path / "a.txt.xz").write_bytes(lzma.compress(b"a\n" * 100_000_000, preset=0))
    (tmp_path / "a.txt.bz2").write_bytes(bz2.compress(b"a\n" * 50_000_000))
    assert outcome_within_budget(tmp_path / "a.zip") == "Listing"
    assert outcome_within_budget(tmp_path / "a.txt.xz") == "TextPage"
    assert outcome_within_budget(tmp_path / "a.txt.bz2") == "TextPage"
    member = listed(tmp_path / "a.zip")["zeros.bin"]
    with pytest.raises(PreviewCancelled):
        preview(tmp_path / "a.zip", "a.zip", Request(inside=(member,)), lambda: True)
    with pytest.raises(PreviewCancelled):
        members.copy(tmp_path / "a.zip", "a.zip", (member,), io.BytesIO(), lambda: True)


def test_an_xz_file_that_wants_much_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.xz"
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}]
    path.write_bytes(lzma.compress(b"x" * 100, filters=filters))
    with pytest.raises(PreviewFailed, match="too much memory"):
        shown(path)


def test_an_archive_that_unpacks_to_too_much_keeps_its_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(tarred({"a.txt": b"a" * 4000, "b.txt": b"b" * 4000})))
    found = listed(path)
    monkeypatch.setattr(unpacking, "MAX_UNPACKED_BYTES", 2_000)
    with pytest.raises(PreviewFailed, match="too much for this member"):
        within(path, found["b.txt"])
    with pytest.raises(PreviewFailed, match="unpacks to too much"):
        members.copy(path, path.name, (found["b.txt"],), io.BytesIO(), never)
