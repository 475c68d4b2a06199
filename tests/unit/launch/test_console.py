"""The output of a program as lines, and keys as bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowtui.screens.console import reading
from flowtui.screens.console.reading import ConsoleReader
from flowtui.screens.console.typed import typed
from flowtui.widgets.cells import Line


def texts(lines: tuple[Line, ...]) -> list[str]:
    return ["".join(piece.text for piece in line) for line in lines]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    path = tmp_path / "output"
    path.touch()
    return path


def append(path: Path, data: bytes) -> None:
    with open(path, "ab") as file:
        file.write(data)


def test_lines_come_as_a_terminal_shows_them_in_the_end(output: Path) -> None:
    reader = ConsoleReader(output)
    append(output, b"one\r\n 10%\r 50%")
    assert texts(reader.read()) == ["one", " 50%"]
    append(output, b"\r100%\r\ntwo")
    assert texts(reader.read()) == ["one", "100%", "two"]


def test_colours_go_on_and_nothing_else_of_an_escape_is_left(output: Path) -> None:
    append(output, b"\x1b[31mred\n\x1b]52;c;AAAA\x07still\x1b[0m plain\x1b[2J\x1b[?1049h\n")
    first, second = ConsoleReader(output).read()
    assert [(piece.text, piece.role) for piece in first] == [("red", "error")]
    assert [(piece.text, piece.role) for piece in second] == [
        ("still", "error"),
        (" plain", "text"),
    ]


@pytest.mark.parametrize(
    "data", [b"\x9b31m\x9d0;t\x07", b"\x1b\x1b[", b"\x00\xff\xfe", "\u202e".encode()]
)
def test_no_control_character_is_left(output: Path, data: bytes) -> None:
    append(output, data + b"\n")
    (line,) = texts(ConsoleReader(output).read())
    assert line.isprintable()


def test_a_character_that_came_in_two_pieces_is_whole(output: Path) -> None:
    reader = ConsoleReader(output)
    append(output, "é".encode()[:1])
    reader.read()
    append(output, "é".encode()[1:] + b"\n")
    assert texts(reader.read()) == ["é"]


def test_only_the_last_lines_are_held_and_the_others_counted(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_LINES", 10)
    reader = ConsoleReader(output)
    append(output, b"".join(b"%d\n" % number for number in range(25)))
    assert texts(reader.read()) == [str(number) for number in range(15, 25)]
    append(output, b"25\n26\n")
    assert texts(reader.read()) == [str(number) for number in range(17, 27)]
    assert reader.dropped == 17


def test_of_a_flood_only_the_end_is_read(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 100)
    reader = ConsoleReader(output)
    append(output, b"x" * 200 + b"\nend\n")
    assert texts(reader.read())[-1] == "end"
    assert reader.left_out_bytes == 105


def test_a_line_without_an_end_takes_no_more_room_than_others(output: Path) -> None:
    append(output, b"x" * 1_000_000)
    (line,) = texts(ConsoleReader(output).read())
    assert len(line) < 10_000
    assert "more characters" in line


@pytest.mark.parametrize(
    ("key", "character", "data"),
    [
        ("a", "a", b"a"),
        ("é", "é", "é".encode()),
        ("enter", "\r", b"\r"),
        ("backspace", None, b"\x7f"),
        ("ctrl+d", "\x04", b"\x04"),
        ("up", None, b"\x1b[A"),
        ("f5", None, b""),
    ],
)
def test_a_key_is_what_a_terminal_sends(key: str, character: str | None, data: bytes) -> None:
    assert typed(key, character) == data
