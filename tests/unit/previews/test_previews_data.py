"""JSON, arrays, archives, and all of it packed."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
import zstandard

from flowtui.previews import json_file, unpacking, zip_directory
from flowtui.previews.document_blocks import Member
from flowtui.previews.errors import MissingExtra, PreviewCancelled, PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.preview import preview
from flowtui.previews.values import (
    Array,
    Arrays,
    HexPage,
    JsonRecord,
    JsonRecords,
    JsonTree,
    Listing,
    Picture,
    Request,
    TablePage,
    TextPage,
    never,
)
from flowtui.store.values import JsonValue
from tests.unit.previewed import cpu_at_most, outcome_within_budget, shown
from tests.unit.previews.test_previews_pictures import plain_png


def test_json_is_a_tree(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": [1, null], "b": {"c": "x"}}', "utf-16")
    tree = shown(path).shown
    assert isinstance(tree, JsonTree)
    assert tree.value == {"a": [1, None], "b": {"c": "x"}}
    assert (tree.part.count, tree.part.total) == (2, 2)


TWICE = 'gives the key "{}" more than once, of which the last value is shown'
BEYOND = "has the number {}, beyond what a double holds"


@pytest.mark.parametrize(
    ("text", "value", "problem"),
    [
        ('{"a": 1, "b": 2, "a": 3}', {"a": 3, "b": 2}, TWICE.format("a")),
        ('{"c": {"a": 1, "é": 2, "é": 2}}', {"c": {"a": 1, "é": 2}}, TWICE.format("é")),
        ('{"a": 1e999}', {"a": float("inf")}, BEYOND.format("1e999")),
        ('{"a": -1.5e-400}', {"a": 0.0}, BEYOND.format("-1.5e-400")),
        ('{"a": 1, "a": 1e999}', {"a": float("inf")},
         f"{TWICE.format('a')} and {BEYOND.format('1e999')}"),
        ('{"a": [1e5, 0.0, -0e9, Infinity, 1e-300, 123456789012345678901234567890]}',
         {"a": [1e5, 0, 0, float("inf"), 1e-300, 123456789012345678901234567890]}, None),
    ],
)  # fmt: skip
def test_what_json_says_that_its_value_does_not_is_said(
    tmp_path: Path, text: str, value: JsonValue, problem: str | None
) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, "utf-8")
    tree = shown(path).shown
    assert isinstance(tree, JsonTree)
    assert (tree.value, tree.problem) == (value, problem)
    lines = tmp_path / "a.jsonl"
    lines.write_text(f"{text}\n", "utf-8")
    page = shown(lines).shown
    assert isinstance(page, JsonRecords)
    assert page.records == (JsonRecord(value, problem),)
    # A file of which only the first items are read.
    path.write_text(text[:-1] + ', "z": "' + "x" * 3_000_000 + '"}', "utf-8")
    large = shown(path).shown
    assert isinstance(large, JsonTree)
    assert large.problem == problem


@pytest.mark.parametrize("is_list", [True, False])
def test_of_large_json_the_first_items_are_a_tree(tmp_path: Path, is_list: bool) -> None:
    items = [{"n": n, "text": "x" * 100} for n in range(100_000)]
    value = items if is_list else {str(item["n"]): item for item in items}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(value, indent=1))
    with cpu_at_most(0.3):
        tree = shown(path).shown
    assert isinstance(tree, JsonTree)
    first = tree.value
    assert isinstance(first, (list, dict))
    assert 1_000 < len(first) == tree.part.count < 100_000
    assert list(first if isinstance(first, list) else first.values()) == items[: len(first)]
    assert tree.part.total is None
    assert "too large to be read whole" in tree.note


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("{'a': 1}", "The file is broken JSON at character 2."),
        ("[" * 100_000, "nested too deeply"),
        ("[" * 5_000_000, "too large to be shown as a tree"),
        ('"' + "x" * 5_000_000 + '"', "too large to be shown as a tree"),
    ],
    ids=["broken", "deep", "large and deep", "one text"],
)
def test_json_that_is_no_tree_is_text_with_the_reason(tmp_path: Path, text: str, note: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    page = shown(path).shown
    assert isinstance(page, TextPage)
    assert note in page.note
    assert page.language == "json"


def test_items_that_are_cut_off_are_not_guessed() -> None:
    assert json_file.first_items("[1, 2, 34") == [1, 2]
    assert json_file.first_items('{"a": 1, "b": tr') == {"a": 1}
    assert json_file.first_items("[1 2") == [1]
    assert json_file.first_items("7") is None


def test_lines_of_json_are_paged_and_broken_ones_kept_as_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"n": 0}\n{"n": oops}\n{"n": 2}\n')
    page = shown(path, Request(count=2)).shown
    assert isinstance(page, JsonRecords)
    assert page.records == (
        JsonRecord({"n": 0}),
        JsonRecord('{"n": oops}', "is broken JSON at character 7"),
    )
    assert page.part.next_position is not None
    rest = shown(path, Request(position=page.part.next_position, index=2)).shown
    assert isinstance(rest, JsonRecords)
    assert rest.records == (JsonRecord({"n": 2}),)
    assert (rest.part.first, rest.part.total) == (2, 3)


def npy(descr: str, shape: str, major: int = 1) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    length = struct.pack("<H" if major == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([major, 0]) + length + header


def arrays(path: Path, request: Request | None = None) -> Arrays:
    found = shown(path, request).shown
    assert isinstance(found, Arrays)
    return found


@pytest.mark.parametrize(
    ("descr", "shape", "array"),
    [
        ("'<f4'", "(3, 224, 224)", Array("", "float32", (3, 224, 224), 602_112)),
        ("'|b1'", "(7,)", Array("", "bool", (7,), 7)),
        ("'<U5'", "(2,)", Array("", "<U5", (2,), 40)),
        ("'|O'", "()", Array("", "|O", (), None)),
        ("[('a', '<i4'), ('b', '<f8')]", "(9,)",
         Array("", "[('a', '<i4'), ('b', '<f8')]", (9,), None)),
    ],
)  # fmt: skip
def test_a_numpy_array_is_its_header(tmp_path: Path, descr: str, shape: str, array: Array) -> None:
    for major in (1, 2):
        path = tmp_path / "a.npy"
        path.write_bytes(npy(descr, shape, major))
        assert arrays(path).arrays == (array,)


def test_an_npz_lists_its_arrays_and_says_which_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", npy("'<i8'", "(10,)") + bytes(80))
        archive.writestr("y.npy", b"nothing")
    assert arrays(path).arrays == (
        Array("x", "int64", (10,), 80),
        Array("y", "unreadable", (), 7),
    )


def safetensors(header: object) -> bytes:
    data = json.dumps(header).encode()
    return struct.pack("<Q", len(data)) + data


def test_safetensors_list_tensors_and_metadata(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    layers = {
        f"layer{n}": {"dtype": "BF16", "shape": [4, 4], "data_offsets": [0, 32]} for n in range(5)
    }
    path.write_bytes(safetensors({"__metadata__": {"format": "pt"}, **layers, "odd": 1}))
    found = arrays(path, Request(count=2, position=4))
    assert found.arrays == (
        Array("layer4", "BF16", (4, 4), 32), Array("odd", "unreadable", (), None)
    )  # fmt: skip
    assert found.metadata == {"format": "pt"}
    assert (found.part.first, found.part.total, found.part.next_position) == (4, 6, None)


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.npy", b"\x93NUMPY\x01\0\xff\xff{'descr'", "header of the array is broken"),
        ("a.safetensors", struct.pack("<Q", 90_000_000) + b'{"a":', "too large"),
        ("a.safetensors", struct.pack("<Q", 5) + b"{[[[[", "broken"),
        ("a.npz", b"PK\x03\x04" + bytes(100), "cut off or broken"),
    ],
)
def test_broken_arrays_are_said_to_be(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PreviewFailed, match=why):
        shown(tmp_path / name)


@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_model_is_listed_with_its_manifest(tmp_path: Path, layout: int) -> None:
    long_name = "/".join(["folder" * 5] * 5) + "/weights.bin"
    path = tmp_path / "model.luml"
    with tarfile.open(path, "w", format=layout) as archive:
        for name, data in (("manifest.json", b'{"variant": "pyfunc"}'), (long_name, b"x" * 700)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        folder = tarfile.TarInfo("env")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    found = shown(path)
    assert found.kind is PreviewKind.TAR
    assert isinstance(found.shown, Listing)
    assert found.shown.manifest == {"variant": "pyfunc"}
    assert [(member.size_bytes, member.type) for member in found.shown.members] == [
        (21, "file"), (700, "file"), (0, "folder"),
    ]  # fmt: skip
    assert found.shown.members[1].name == long_name
    assert found.shown.part.total == 3
    first = shown(path, Request(count=2)).shown
    assert isinstance(first, Listing)
    assert first.part.next_position is not None
    rest = shown(path, Request(position=first.part.next_position, index=2)).shown
    assert isinstance(rest, Listing)
    assert [member.name for member in rest.members] == ["env/"]
    assert rest.part.total == 3


def test_a_tar_that_breaks_off_is_listed_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for name in ("a.bin", "b.bin"):
            info = tarfile.TarInfo(name)
            info.size = 700
            archive.addfile(info, io.BytesIO(b"x" * 700))
    path.write_bytes(path.read_bytes()[: 512 + 600])
    found = shown(path).shown
    assert isinstance(found, Listing)
    assert found.members == (Member("a.bin", 700, "file"),)
    assert found.part.total is None


def test_a_zip_file_is_listed_and_one_with_a_huge_directory_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/", "")
        archive.writestr("a/b.txt", "x" * 9)
    found = shown(path).shown
    assert isinstance(found, Listing)
    assert found.members == (Member("a/", 0, "folder"), Member("a/b.txt", 9, "file", 1))
    monkeypatch.setattr(zip_directory, "MAX_DIRECTORY_BYTES", 50)
    with pytest.raises(PreviewFailed, match="too large"):
        shown(path)


def packed(data: bytes, packing: PreviewKind) -> bytes:
    return gzip.compress(data, 1) if packing is PreviewKind.GZIP else zstandard.compress(data)


@pytest.mark.parametrize("packing", [PreviewKind.GZIP, PreviewKind.ZSTD])
def test_packed_files_are_shown_as_what_is_in_them(tmp_path: Path, packing: PreviewKind) -> None:
    end = "gz" if packing is PreviewKind.GZIP else "zst"
    for name, data, kind in (
        ("a.csv", b"a,b\n1,2\n", TablePage),
        ("a.log", b"line\n" * 10, TextPage),
        ("a.jsonl", b"{}\n", JsonRecords),
        ("a.png", plain_png(20, 20), Picture),
    ):
        path = tmp_path / f"{name}.{end}"
        # Packers may write several streams one after the other.
        path.write_bytes(packed(data[:3], packing) + packed(data[3:], packing))
        found = shown(path)
        assert isinstance(found.shown, kind)
        assert (found.packing, found.unpacked_bytes) == (packing, len(data))
        assert found.is_unpacked_whole


@pytest.mark.slow
@pytest.mark.parametrize("packing", [PreviewKind.GZIP, PreviewKind.ZSTD])
def test_a_bomb_is_unpacked_as_far_as_is_shown(tmp_path: Path, packing: PreviewKind) -> None:
    path = tmp_path / "bomb.txt"
    path.write_bytes(packed(b"all work and no play\n" * 10_000_000, packing))
    assert outcome_within_budget(path) == "TextPage"
    with cpu_at_most(0.5):
        found = shown(path)
    assert not found.is_unpacked_whole
    as_bytes = tmp_path / "bomb.bin"
    as_bytes.write_bytes(packed(bytes(200_000_000), packing))
    assert isinstance(found_bytes := shown(as_bytes).shown, HexPage)
    assert (found_bytes.part.count, found_bytes.part.total) == (8_000, None)
    further = shown(path, Request(position=21 * 500_000, index=500_000)).shown
    assert isinstance(further, TextPage)
    assert further.lines[0].text == "all work and no play"
    with pytest.raises(PreviewCancelled):
        preview(path, path.name, Request(), lambda: True)


def test_a_packed_picture_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MAX_UNPACKED_BYTES", 100)
    path = tmp_path / "a.png.gz"
    path.write_bytes(gzip.compress(plain_png(400, 400)))
    with pytest.raises(PreviewFailed, match="unpacks to too much"):
        shown(path)


def test_a_packed_file_that_breaks_off_is_shown_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    data = gzip.compress("".join(f"line {n}\n" for n in range(50_000)).encode())
    path.write_bytes(data[: len(data) // 2] + b"\xff" * 100)
    page = shown(path).shown
    assert isinstance(page, TextPage)
    assert page.lines[0].text == "line 0"
    path.write_bytes(data[: len(data) // 2])
    cut_off = shown(path)
    assert cut_off.unpacked_bytes is not None
    assert cut_off.unpacked_bytes > 200_000
    path.write_bytes(data[:12])
    with pytest.raises(PreviewFailed, match="broken"):
        shown(path)
    path.write_bytes(b"\x1f\x8b\x08" + b"\xff" * 100)
    with pytest.raises(PreviewFailed, match="broken"):
        shown(path)


def test_without_zstd_the_line_that_installs_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.zst"
    path.write_bytes(zstandard.compress(b"x"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"install .*\[zstd\]"):
        preview(path, path.name, Request(), never)
