"""Text of any encoding, size and colour, and bytes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowtui.previews import ansi, hex_dump
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.preview import preview
from flowtui.previews.text import LINE_CHARS, PAGE_BYTES
from flowtui.previews.values import (
    EmptyFile,
    HexPage,
    Line,
    Mode,
    Request,
    Style,
    StyleRun,
    TextPage,
    never,
)
from flowtui.screens.attachments.reading import (
    FileSource,
    Previews,
    ReadPart,
    joined_lines,
)
from flowtui.screens.attachments.title import count_of, part_of, shown_part
from flowtui.screens.attachments.whole import whole_text
from tests.unit.previewed import cpu_at_most


def page(path: Path, request: Request | None = None, name: str | None = None) -> TextPage:
    shown = preview(path, name or path.name, request or Request(), never).shown
    assert isinstance(shown, TextPage)
    return shown


def texts(shown: TextPage) -> list[str]:
    return [line.text for line in shown.lines]


@pytest.mark.parametrize(
    ("codec", "encoding"),
    [
        ("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16LE"),
        ("utf-16-le", "UTF-16LE"), ("utf-16-be", "UTF-16BE"), ("utf-32", "UTF-32LE"),
        ("utf-32-be", "UTF-32BE"), ("latin-1", "Windows-1252"),
    ],
)  # fmt: skip
def test_the_encoding_is_guessed_and_said(tmp_path: Path, codec: str, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("first line of text\r\nthe caf\xe9 on the corner\n".encode(codec))
    shown = page(path)
    assert texts(shown) == ["first line of text", "the caf\xe9 on the corner"]
    assert shown.encoding == encoding
    assert (shown.part.first, shown.part.total, shown.part.next_position) == (0, 2, None)


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-32-be", "latin-1"])
def test_pages_follow_one_another_without_a_gap(tmp_path: Path, codec: str) -> None:
    lines = [
        f"line {number} \xe9 Ċ"[: -1 if codec == "latin-1" else None] for number in range(25_000)
    ]
    path = tmp_path / "a.txt"
    path.write_bytes("\n".join(lines).encode(codec))
    seen: list[str] = []
    request = Request(count=4_000)
    while True:
        shown = page(path, request)
        assert shown.part.first == len(seen)
        seen += texts(shown)
        if shown.part.next_position is None:
            break
        assert shown.part.total is None
        request = Request(count=4_000, position=shown.part.next_position, index=len(seen))
    assert seen == lines
    assert shown.part.total == len(lines)


def test_the_last_lines_come_without_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("".join(f"line {number}\n" for number in range(100_000)))
    shown = page(path, Request(is_last=True, count=3))
    assert texts(shown) == ["line 99997", "line 99998", "line 99999"]
    assert (shown.part.first, shown.part.total) == (None, None)


def test_a_file_of_one_long_line_is_shown_in_pieces_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("ż".encode() * 30_000_000)
    with cpu_at_most(0.3):
        first = page(path)
        assert first.part.next_position is not None
        second = page(path, Request(position=first.part.next_position))
        last = page(path, Request(is_last=True))
    assert set(first.lines[0].text + second.lines[0].text + last.lines[-1].text) == {"ż"}
    assert first.lines[0].hidden_chars > 50_000
    assert not first.starts_inside
    assert second.starts_inside


def test_carriage_returns_alone_end_lines_too(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\rtwo\rthree")
    assert texts(page(path)) == ["one", "two", "three"]


def test_bytes_that_are_no_utf8_survive_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("ż".encode() * 35_000 + b"\n\xff\n")
    assert [ord(char) for char in texts(page(path))[1]] == [0xDCFF]


def test_source_markdown_and_json_as_text_name_their_language(tmp_path: Path) -> None:
    for name, language in (("a.py", "python"), ("a.md", "markdown"), ("a.json", "json")):
        (tmp_path / name).write_text("[1]")
        assert page(tmp_path / name, Request(mode=Mode.TEXT)).language == language


def test_colours_of_a_log_become_runs_and_other_escapes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.write_text(
        "\x1b[1;31mERROR\x1b[0m \x1b]52;c;aGk=\x07plain\x1b[2J\n"
        "\x1b[38;5;208mon\n and\x1b[0m \x1b[38;2;1;2;3mrgb\x1b[48;5;1m\x1b[39m x"
    )
    shown = preview(path, path.name, Request(), never)
    assert shown.kind is PreviewKind.ANSI
    assert isinstance(shown.shown, TextPage)
    assert shown.shown.lines == (
        Line("ERROR plain", (StyleRun(0, 5, Style(1, True)),)),
        Line("on", (StyleRun(0, 2, Style(208)),)),
        Line(" and rgb x", (StyleRun(0, 4, Style(208)), StyleRun(5, 8, Style((1, 2, 3))))),
    )


@pytest.mark.parametrize("end", ["\x1b", "\x1b[", "\x1b[38;5", "\x1b]8;;", "\x1b[999999999999m"])
def test_an_escape_that_is_cut_off_leaves_no_escape_behind(end: str) -> None:
    assert "\x1b" not in ansi.parsed("text" + end)[0]


def test_binary_files_are_shown_as_bytes(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(bytes(range(256)) * 20)
    shown = preview(path, path.name, Request(count=2), never)
    assert isinstance(shown.shown, HexPage)
    assert (shown.kind, shown.modes) == (PreviewKind.BINARY, (Mode.HEX,))
    assert hex_dump.line(shown.shown.rows[1]) == (
        "00000010  10 11 12 13 14 15 16 17  18 19 1a 1b 1c 1d 1e 1f  ················"
    )
    part = shown.shown.part
    assert (part.count, part.total, part.next_position) == (32, 5120, 32)
    last = preview(path, path.name, Request(width=40, is_last=True, count=1), never).shown
    assert isinstance(last, HexPage)
    assert (last.row_bytes, last.part.next_position) == (8, None)
    assert last.rows[-1].data[-1] == 255


def test_an_empty_file_says_so_and_a_folder_or_pipe_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    os.mkfifo(tmp_path / "pipe")
    assert preview(tmp_path / "empty.csv", "empty.csv", Request(), never).shown == EmptyFile()
    for path, why in (
        (tmp_path, "folder"),
        (tmp_path / "pipe", "pipe"),
        (tmp_path / "no", "missing"),
    ):
        with pytest.raises(PreviewFailed, match=why):
            preview(path, "x", Request(), never)


def test_a_line_that_pages_cut_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    long = "x" * (2 * PAGE_BYTES + 1_000)
    path.write_text(f"{long}\nend")
    source = FileSource("a", "a.txt", lambda: path)
    parts: list[ReadPart] = []
    position: int | None = 0
    while position is not None:
        index = part_of(parts[-1].preview) if parts else None
        first = 0 if index is None else (index.first or 0) + index.count
        parts.append(Previews().read(source, Request(position=position, index=first)))
        position = part_of(parts[-1].preview).next_position
        read = [part.preview for part in parts]
        told = shown_part(part_of(read[-1]), count_of(read))
        assert told == ("first 1 line" if position else "2 lines")
    assert len(parts) == 3
    shown = ["".join(piece.text for piece in line) for line in joined_lines(parts)]
    hidden = len(long) - LINE_CHARS
    assert shown == [f"{long[:LINE_CHARS]}… {hidden:,} more characters", "end"]
    assert whole_text(source, Request()) == "\n".join([*shown, ""])
