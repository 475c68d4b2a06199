"""What a file is: by its content first, by its name second."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile

import pytest

from flowtui.previews.kind_table import PreviewKind as K
from flowtui.previews.kinds import kind_of, language_of
from tests.unit.house.test_imports import DRAWING, loaded_by, modules, offences, within

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def zipped(*names: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return target.getvalue()


def tarred() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("manifest.json"))
    return target.getvalue()


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (PNG, "plot.img", K.PNG),
        (PNG, "data.csv", K.PNG),
        (b"\xff\xd8\xff\xe0" + bytes(20), "x", K.JPEG),
        (b"GIF89a" + bytes(20), "x.txt", K.GIF),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "x", K.WEBP),
        (b"BM" + struct.pack("<IIII", 99, 0, 54, 40) + bytes(20), "x", K.BMP),
        (b"BM is short for Benchmark, one of many names\n", "x", K.TEXT),
        (b"%PDF-1.7\n", "x.png", K.PDF),
        (b"PAR1\x15\x04", "x", K.PARQUET),
        (b"\x93NUMPY\x01\0", "x", K.NPY),
        (zipped("a.npy"), "x", K.NPZ),
        (zipped("word/document.xml"), "x", K.DOCX),
        (zipped("a.txt"), "x.docx", K.DOCX),
        (zipped("a.txt"), "x", K.ZIP),
        (gzip.compress(b"x"), "x", K.GZIP),
        (b"\x28\xb5\x2f\xfd\x04", "x", K.ZSTD),
        (struct.pack("<Q", 12) + b'{"a":{}}    ', "x", K.SAFETENSORS),
        (tarred(), "model.luml", K.TAR),
        (b'<?xml version="1.0"?>\n<!-- a -->\n<svg xmlns="x">', "x.img", K.SVG),
        (b"<html><svg></svg></html>", "x.html", K.HTML),
        (b"just words", "fake.png", K.TEXT),
        (b"a,b\n1,2\n", "x.csv", K.CSV),
        (b"a,b\n1,\x002,345\n" * 30, "x.csv", K.CSV),
        (b"a\tb\n", "x.tsv", K.TSV),
        (json.dumps({"a": 1}).encode(), "x.json", K.JSON),
        (json.dumps({"a": 1}).encode(), "config", K.JSON),
        (b'{"a": 1}\n{"a": 2}\n', "x.jsonl", K.JSONL),
        (b"# Title\n", "README.md", K.MARKDOWN),
        (b"import os\n", "train.py", K.SOURCE),
        (b"FROM x\n", "Dockerfile", K.SOURCE),
        (b"\x1b[31mred\x1b[0m\n", "run.log", K.ANSI),
        ("żółw".encode("utf-16"), "x.txt", K.TEXT),
        ("caf\xe9 cr\xe8me".encode("latin-1"), "x", K.TEXT),
        (bytes(range(256)) * 4, "x.txt", K.BINARY),
        (bytes(1000), "x.csv", K.BINARY),
        (b"", "x.csv", K.EMPTY),
    ],
)  # fmt: skip
def test_a_file_is_what_its_content_says_and_then_what_its_name_says(
    head: bytes, name: str, kind: K
) -> None:
    assert kind_of(head, name) is kind


def test_a_head_that_ends_within_a_character_is_still_text() -> None:
    assert kind_of("ą".encode() * 10 + b"\xc4", "x") is K.TEXT


def test_every_language_is_one_that_pygments_knows() -> None:
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

    from flowtui.previews.kinds import LANGUAGES

    for language in {*LANGUAGES.values(), language_of("Makefile"), language_of("Dockerfile")}:
        assert get_lexer_by_name(language or "")
    assert language_of("notes.unknown") is None


def test_previews_draw_nothing_and_load_their_libraries_only_in_a_child() -> None:
    upper = ["flowtui.screens", "flowtui.widgets", "flowtui.app.app", "flowtui.cli.commands"]
    assert offences("previews", [*DRAWING, *upper]) == []
    heavy = ["PIL", "resvg_py", "pypdfium2", "docx", "duckdb", "zstandard", "pygments"]
    assert not within([*DRAWING, *heavy], loaded_by(modules("previews")))
