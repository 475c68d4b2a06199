"""Progress bars in logs: what a terminal shows of a line in the end, however long it is."""

from __future__ import annotations

from pathlib import Path

import pyte
import pytest

from flowtui.previews import overwriting
from flowtui.previews.preview import preview
from flowtui.previews.values import JsonRecords, Mode, Request, Style, StyleRun, TextPage, never
from flowtui.screens.attachments.reading import FileSource
from flowtui.screens.attachments.whole import whole_text
from tests.unit.previewed import cpu_at_most


def page(path: Path, request: Request | None = None) -> TextPage:
    shown = preview(path, path.name, request or Request(), never).shown
    assert isinstance(shown, TextPage)
    return shown


def bar(step: int, total: int = 100) -> str:
    filled = "█" * (10 * step // total)
    return f"Epoch 0: {100 * step // total:3}%|{filled:10}| {step}/{total} [00:01<00:00, 9.1it/s]"


def terminal(line: str) -> str:
    """Return what a terminal emulator of another author shows of a line."""
    screen = pyte.Screen(300, 2)
    pyte.Stream(screen).feed(line)
    return str(screen.display[0]).rstrip()


@pytest.mark.parametrize(
    "line",
    [
        "\rEpoch 0: 0%\rEpoch 0: 50%\rEpoch 0: 100%",
        "the longer one\rshort", "the longer one\rshort\x1b[K", "kept\r\x1b[2Kanew", "abc\r",
        "one\rtwo \x1b[1mbold\x1b[0m\rthr", "12/90 [==>...] - ETA: 9s\b\b\b\b\b\b\b\b done \b",
        "wide 训练开始\rwide 训", "e\u0301a\ru", "a\x1b[5Gb\x1b[2Dc\x1b[3Cd", "a\tb\rx\ty",
        "abcdef\b\b\b\x1b[1Kx", "red \x1b[31mbar\x1b[0m\r\x1b[32mgreen", "a\tb",
    ],
)  # fmt: skip
def test_a_line_shows_what_a_terminal_shows_of_it_in_the_end(line: str) -> None:
    if overwriting.moves(line):
        text = overwriting.shown(line, Style())[0]
        assert text.rstrip() == terminal(line)


@pytest.mark.parametrize(("line", "seen"), [("训练\rx", "x 练"), ("训练\r a", " a练")])
def test_half_of_a_wide_character_is_none(line: str, seen: str) -> None:
    assert overwriting.shown(line, Style())[0] == seen


def test_colours_stay_where_they_were_written() -> None:
    text, runs, after = overwriting.shown("\x1b[31mfailed here\r\x1b[32mok\x1b[0m", Style())
    assert text == "okiled here"
    assert runs == (StyleRun(0, 2, Style(2)), StyleRun(2, 11, Style(1)))
    assert after == Style()


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "shift_jis"])
def test_a_log_shows_the_end_of_its_progress_bars(tmp_path: Path, codec: str) -> None:
    bars = "\r".join(bar(step).replace("█", "#") for step in range(101))
    path = tmp_path / "train.log"
    path.write_bytes(f"学習を開始します\r\n\r{bars}\nvalidation done\n".encode(codec))
    shown = page(path)
    last = bar(100).replace("█", "#")
    assert [line.text for line in shown.lines] == ["学習を開始します", last, "validation done"]
    assert shown.part.total == 3
    assert shown.note == "overwritten parts left out: 100"
    source = FileSource("a", "train.log", lambda: path)
    text = whole_text(source, Request(mode=Mode.TEXT))
    assert text == f"学習を開始します\n{last}\nvalidation done\n"


@pytest.mark.parametrize("has_end", [True, False])
@pytest.mark.parametrize("colour", ["", "\x1b[32m"])
def test_a_progress_bar_of_megabytes_shows_its_end_at_once(
    tmp_path: Path, has_end: bool, colour: str
) -> None:
    bars = "\r".join(colour + bar(step, 100_000) for step in range(100_001))
    path = tmp_path / "train.log"
    path.write_text(f"begin\n\r{bars}" + ("\nafter\n" if has_end else ""))
    assert path.stat().st_size > 6_000_000
    with cpu_at_most(0.3):
        shown = page(path)
    assert [line.text for line in shown.lines] == ["begin", bar(100_000, 100_000)]
    assert shown.note == "overwritten parts left out: 100,000"
    assert (shown.part.next_position is not None) == has_end
    if has_end:
        following = page(path, Request(position=shown.part.next_position or 0, index=2))
        assert [line.text for line in following.lines] == ["after"]
        assert (following.part.total, following.starts_inside) == (3, False)


def test_a_running_bar_without_a_line_end_is_a_bar_and_a_macintosh_text_is_lines(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.log"
    path.write_text("\r" + "\r".join(map(bar, range(40))), newline="")
    assert [line.text for line in page(path).lines] == [bar(39)]
    path.write_bytes(b"first line\rsecond\r0.5\r3/4 of it\r")
    assert [line.text for line in page(path).lines] == ["first line", "second", "0.5", "3/4 of it"]
    lines = [f"line {number}" for number in range(50_000)]
    path.write_text("\r".join(lines), newline="")
    seen: list[str] = []
    position: int | None = 0
    while position is not None:
        shown = page(path, Request(position=position, count=100_000))
        assert not shown.starts_inside
        seen += [line.text for line in shown.lines]
        position = shown.part.next_position
    assert seen == lines


def test_line_ends_of_windows_stay_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"a long line\r\nb\r\r\nc\r\n")
    shown = page(path)
    assert [line.text for line in shown.lines] == ["a long line", "b", "c"]
    assert shown.note == ""


def test_nothing_of_source_tables_and_json_is_overwritten(tmp_path: Path) -> None:
    for name in ("a.py", "a.csv", "a.md"):
        path = tmp_path / name
        path.write_bytes(b"first = 'longer'\rx = 2\nlast = 3\n")
        assert page(path, Request(mode=Mode.TEXT)).lines[0].text == "first = 'longer'\rx = 2"
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"first": 1,\r"b": 2}\n')
    shown = preview(path, path.name, Request(), never).shown
    assert isinstance(shown, JsonRecords)
    assert shown.records[0].value == {"first": 1, "b": 2}


@pytest.mark.parametrize(
    "line",
    ["\r" * 100_000, "\b" * 100_000 + "x", "\x1b[4000Cx\r" * 9_000, "x" * 100_000 + "\rshort",
     "\x1b[99999999999C\x1b[99999999999Gx\r"],
)  # fmt: skip
def test_hostile_lines_are_bounded(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.log"
    path.write_text(f"{line}\nend\n", newline="")
    with cpu_at_most(0.5):
        shown = page(path)
    assert all(len(one.text) <= 4_001 for one in shown.lines)
    assert shown.lines[-1].text == "end"


def test_the_pager_says_what_it_leaves_out_of_a_long_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("y" * 5_000 + "\nend\n")
    source = FileSource("a", "a.txt", lambda: path)
    text = whole_text(source, Request(mode=Mode.TEXT))
    assert text == "y" * 4_000 + "… 1,000 more characters\nend\n"
