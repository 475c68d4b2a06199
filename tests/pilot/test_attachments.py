"""The Attachments tab: the tree, a preview of each kind, and how both stay while files come."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from flowtui.previews import tables
from flowtui.previews.errors import MissingExtra
from flowtui.previews.values import Mode
from flowtui.widgets.documents.document import Document
from flowtui.widgets.documents.picture import PicturePane
from flowtui.widgets.documents.text_lines import TextLines
from flowtui.widgets.lists.table_pane import TablePane
from flowtui.widgets.trees.file_tree import FileTree
from tests.pilot.attached import attached, files, folder, preview, shown
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until
from tests.unit.previews.test_previews_documents import pdf, word

TAB = "attachments"
FILES = {
    "notes.txt": b"hello there\nsecond line\n",
    "plots/a.png": b"not really a picture",
    "plots/deep/b.csv": b"x,y\n1,2\n",
    "train.py": b"def step():\n    return 1  # one\n",
}


def png(width: int, height: int, colour: tuple[int, int, int] = (200, 30, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


def names(lines: list[str]) -> list[str]:
    return [line[:40].split("  ")[0].strip() for line in lines]


async def test_the_tree_has_folders_first_with_their_totals(tmp_path: Path) -> None:
    async with opened(attached(tmp_path, FILES), "run", tab=TAB) as pilot:
        await shown(pilot, "▾ plots/")
        lines = [line.partition("│")[0].rstrip() for line in screen_lines(pilot)[4:10]]
    assert [line.split() for line in lines] == [
        ["▾", "plots/", "28", "B", "2", "files"],
        ["▾", "deep/", "8", "B", "1", "file"],
        ["b.csv", "8", "B", "table"],
        ["a.png", "20", "B", "picture"],
        ["notes.txt", "24", "B", "text"],
        ["train.py", "32", "B", "source"],
    ]


async def test_folders_fold_by_arrows_enter_and_all_at_once(tmp_path: Path) -> None:
    async with opened(attached(tmp_path, FILES), "run", tab=TAB) as pilot:
        tree = files(pilot)
        assert tree.line_count == 6
        await pilot.press("left")
        assert tree.line_count == 3
        await pilot.press("right", "right")
        assert (tree.line_count, tree.cursor) == (6, 1)
        await pilot.press("enter")
        assert tree.line_count == 5
        await pilot.press("z")
        assert tree.line_count == 3
        await pilot.press("z")
        assert tree.line_count == 6


async def test_what_is_wrong_with_a_file_is_marked_and_said(tmp_path: Path) -> None:
    store = attached(tmp_path, FILES)
    (folder(tmp_path) / "notes.txt").unlink()
    (folder(tmp_path) / "left.txt").write_text("left behind")
    (folder(tmp_path) / "out").symlink_to("/etc/hostname")
    async with opened(store, "run", tab=TAB) as pilot:
        await shown(pilot, "✗ missing")
        text = screen_text(pilot)
        assert "left.txt" in text
        assert "no row" in text
        assert "▲ refused" in text
        await pilot.press(*["down"] * 5)
        await shown(pilot, "the file is missing")
        await pilot.press("down")
        await shown(pilot, "a link leads out of the attachments folder")


async def test_a_filter_keeps_what_is_above_a_match(tmp_path: Path) -> None:
    async with opened(attached(tmp_path, FILES), "run", tab=TAB) as pilot:
        await pilot.press("left", "slash", *"*.csv")
        await until(lambda: files(pilot).line_count == 3, "only the match and its folders")
        assert "1 of 4" in screen_text(pilot)
        await pilot.press("escape")
        await until(lambda: files(pilot).line_count == 3, "the folds as they were")
        assert "notes.txt" in screen_text(pilot)
        await pilot.press("slash", *"zzz")
        await shown(pilot, "None of the 4 files match")


async def test_a_filter_goes_to_the_first_file_that_it_leaves(tmp_path: Path) -> None:
    async with opened(attached(tmp_path, FILES), "run", tab=TAB) as pilot:
        tree = files(pilot)

        def path_here() -> str | None:
            return None if tree.attachment is None else tree.attachment.path

        assert path_here() is None
        await pilot.press("slash", *"*.csv", "enter")
        await until(lambda: path_here() == "plots/deep/b.csv", "the match")
        # Whoever goes to its folder then stays there while files are read again.
        await pilot.press("up")
        attached(tmp_path, {"z.csv": b"new"}).close()
        await pilot.press("r")
        await until(lambda: tree.line_count == 4, "the new file")
        assert path_here() is None
        # A file that another filter leaves too is stayed on.
        await pilot.press("slash", *["backspace"] * 5, *"notes", "enter")
        await until(lambda: path_here() == "notes.txt", "the match")
        await pilot.press("slash", *["backspace"] * 4, "enter")
        await until(lambda: tree.line_count > 1, "more matches")
        assert path_here() == "notes.txt"


async def test_a_key_that_json_gives_twice_is_said(tmp_path: Path) -> None:
    store = attached(tmp_path, {"a.json": b'{"lr": 1, "lr": 2}'})
    async with opened(store, "run", tab=TAB, size=(160, 30)) as pilot:
        await shown(pilot, '▲ The file gives the key "lr" more than once')


async def test_the_files_are_sorted_by_size(tmp_path: Path) -> None:
    async with opened(attached(tmp_path, FILES), "run", tab=TAB) as pilot:
        await pilot.press("s", "down", "enter")
        await until(lambda: "size ↓" in screen_text(pilot), "the order")
        text = screen_text(pilot)
        assert text.index("train.py") < text.index("notes.txt")


async def test_a_new_file_appears_and_the_cursor_stays(tmp_path: Path) -> None:
    async with opened(attached(tmp_path, FILES), "run", tab=TAB) as pilot:
        await pilot.press("left", "down", "down")
        await shown(pilot, "def step")
        attached(tmp_path, {"a_first.txt": b"new", "plots/c.txt": b"new"}).close()
        await pilot.press("r")
        await shown(pilot, "a_first.txt")
        tree = files(pilot)
        assert tree.attachment is not None
        assert tree.attachment.path == "train.py"
        assert tree.line_count == 4


async def test_without_attachments_it_says_what_would_fill_it(tmp_path: Path) -> None:
    async with opened(attached(tmp_path, {}), "run", tab=TAB) as pilot:
        await shown(pilot, "tracker.log_attachment(name, data)")


async def test_a_hundred_thousand_files_stand_folded_and_move_at_once(tmp_path: Path) -> None:
    store = attached(tmp_path, {"keep.txt": b"x"})
    async with opened(store, "run", tab=TAB) as pilot:
        from flowtui.store.attachments.listing import tree
        from flowtui.store.attachments.values import Attachment, FileState

        many = [
            Attachment(None, f"d{n % 100}/f{n}.txt", FileState.PRESENT, n) for n in range(100_000)
        ]
        lines = FileTree()
        await pilot.app.screen.mount(lines)
        lines.show_tree(tree(many))
        assert lines.line_count == 100
        lines.focus()
        await pilot.press("z")
        assert lines.line_count == 100_100
        await pilot.press("G")
        assert lines.cursor == 100_099


# A preview of each kind -----------------------------------------------------------------------


async def test_a_text_is_read_in_another_encoding_on_asking(tmp_path: Path) -> None:
    found = {"names.txt": "имя: ёлка\n".encode("koi8_r"), "plain.txt": b"only ascii\n"}
    async with opened(attached(tmp_path, found), "run", tab=TAB) as pilot:
        await shown(pilot, "KOI8-R guessed")
        await pilot.press("c")
        await shown(pilot, "Read the text as")
        # Each says how the text would read.
        assert "Windows-1251  ЙНС: ЈМЛБ" in screen_text(pilot)
        await pilot.press("tab", *"1251", "enter", "enter")
        await shown(pilot, "Windows-1251 chosen")
        await shown(pilot, "ЙНС: ЈМЛБ")
        await pilot.press("r")
        await shown(pilot, "Windows-1251 chosen")
        await pilot.press("down")
        await shown(pilot, "only ascii")
        # There is nothing to choose.
        assert not preview(pilot).check_action("encoding", ())


async def test_source_has_numbers_and_colours(tmp_path: Path) -> None:
    async with opened(attached(tmp_path, {"train.py": FILES["train.py"]}), "run", tab=TAB) as pilot:
        await shown(pilot, "1  def step():")
        assert "python · 2 lines" in screen_text(pilot)
        lines = preview(pilot).current
        assert isinstance(lines, TextLines)
        roles = {piece.text: piece.role for piece in lines.line(1, 80)}
        assert roles["return"] == "curve-2"
        assert roles["# one"] == "muted"


async def test_a_log_keeps_its_colours_and_no_other_escape(tmp_path: Path) -> None:
    log = b"\x1b[31mfailed\x1b[0m then \x1b]0;title\x07 fine\x1b[2J\n"
    async with opened(attached(tmp_path, {"run.log": log}), "run", tab=TAB) as pilot:
        await shown(pilot, "failed then")
        lines = preview(pilot).current
        assert {piece.text: piece.role for piece in lines.line(0, 80)}["failed"] == "error"
        assert "\x1b" not in screen_text(pilot)
        assert "title" not in screen_text(pilot)


async def test_more_of_a_long_text_is_read_on_asking(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(2_500)).encode()
    async with opened(attached(tmp_path, {"long.txt": text}), "run", tab=TAB) as pilot:
        await shown(pilot, "first 1,000 lines")
        await pilot.press("m")
        await shown(pilot, "first 2,000 lines")
        await pilot.press("enter", "G", "enter")
        await shown(pilot, "2,500 lines")
        await pilot.press("G")
        assert "line 2499" in screen_text(pilot)
        assert "shows more" not in screen_text(pilot)


async def test_a_look_at_the_files_does_not_lose_what_is_being_read_on(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(2_500)).encode()
    async with opened(attached(tmp_path, {"long.txt": text}), "run", tab=TAB) as pilot:
        await shown(pilot, "first 1,000 lines")
        one = preview(pilot)
        one.action_more()
        one.show_source(one.source)
        await shown(pilot, "first 2,000 lines")


async def test_a_look_at_the_files_shows_no_part_twice(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(6_500)).encode()
    async with opened(attached(tmp_path, {"long.txt": text}), "run", tab=TAB) as pilot:
        await shown(pilot, "first 1,000 lines")
        await pilot.press("enter", "slash", *"line 4500", "enter")
        await shown(pilot, "lines 4,001 to 5,000")
        await pilot.press("m")
        await shown(pilot, "lines 4,001 to 6,000")
        one = preview(pilot)
        await pilot.press("G")
        last = one.current.cursor
        one.show_source(one.source)
        await settled(pilot)
        await pilot.press("G")
        assert one.current.cursor == last


async def test_json_is_a_tree_and_can_be_text(tmp_path: Path) -> None:
    data = json.dumps({"outer": {"inner": [1, 2]}}).encode()
    async with opened(attached(tmp_path, {"config.json": data}), "run", tab=TAB) as pilot:
        await shown(pilot, "▾ outer")
        assert isinstance(preview(pilot).current, Document)
        await pilot.press("p")
        await shown(pilot, '{"outer": {"inner"')
        await pilot.press("p")
        await shown(pilot, "▾ outer")


async def test_jsonl_folds_by_record_and_says_what_is_broken(tmp_path: Path) -> None:
    data = b'{"a": 1}\n{broken\n{"a": 3}\n'
    async with opened(attached(tmp_path, {"rows.jsonl": data}), "run", tab=TAB) as pilot:
        await shown(pilot, "▲ line 2")
        assert "3 records" in screen_text(pilot)
        assert "▸ 3" in screen_text(pilot)


async def test_markdown_reads_as_what_it_means(tmp_path: Path) -> None:
    data = (
        b"# Title\n\nSome **bold** and `code`.\n\n- one\n- two\n\n```\nx = 1\n```\n\n"
        b"| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted\n\n## Next\n[link](http://x.y)\n"
    )
    async with opened(attached(tmp_path, {"r.md": data}), "run", tab=TAB) as pilot:
        await shown(pilot, "▾ Title")
        text = screen_text(pilot)
        for expected in (
            "Some bold and code.",
            "•  one",
            "x = 1",
            "│  quoted",
            "link (http://x.y)",
        ):
            assert expected in text
        assert "**" not in text
        await pilot.press("p")
        await shown(pilot, "**bold**")


async def test_a_table_is_paged_and_its_rows_are_numbered(tmp_path: Path) -> None:
    rows = "".join(f"{n},name {n}\n" for n in range(5_000))
    data = f"id,name\n{rows}".encode()
    async with opened(attached(tmp_path, {"t.csv": data}), "run", tab=TAB) as pilot:
        await shown(pilot, "5,000 rows")
        pane = preview(pilot).current
        assert isinstance(pane, TablePane)
        await pilot.press("enter", "G")
        await shown(pilot, "name 4999")
        assert "5,000  4999" in screen_text(pilot)
        await pilot.press("g")
        await shown(pilot, "name 0")


@pytest.mark.parametrize("is_packed", [False, True])
async def test_every_column_of_a_wide_table_can_be_reached(tmp_path: Path, is_packed: bool) -> None:
    def line(row: int) -> str:
        return ",".join(f"{row}.{column}" for column in range(1_000))

    lines = [",".join(f"c{column}" for column in range(1_000)), *map(line, range(200))]
    data = "\n".join(lines).encode()
    name, data = ("t.csv.gz", gzip.compress(data, 1)) if is_packed else ("t.csv", data)
    async with opened(attached(tmp_path, {name: data}), "run", tab=TAB) as pilot:
        await shown(pilot, "1,000 columns")
        await pilot.press("enter")
        pane = preview(pilot).current
        assert isinstance(pane, TablePane)
        pane.cursor = 50
        await shown(pilot, "50.0")
        # In one go, as a key that is held down.
        for _ in range(249):
            pane.action_shift(1)
        await pilot.press("right")
        await shown(pilot, "c250")
        await shown(pilot, "50.250")
        assert "from column 251" in pane.extent
        assert pane.cursor == 50
        while "50.999" not in screen_text(pilot):
            pane.action_shift_page(20)
            await pilot.press("shift+right")
            await settled(pilot)
        assert "c999" in screen_text(pilot)
        await pilot.press("up")
        await shown(pilot, "49.999")
        while "49.0 " not in screen_text(pilot):
            pane.action_shift_page(-20)
            await pilot.press("left")
            await settled(pilot)
        assert "from column" not in pane.extent
        assert pane.cursor == 49


async def test_the_last_rows_of_a_wide_table_have_all_columns_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowtui.screens.attachments.tables.INDEXED_BELOW_BYTES", 0)
    rows = [",".join(f"{row}.{column}" for column in range(500)) for row in range(1, 3_001)]
    data = "\n".join([",".join(f"c{column}" for column in range(500)), *rows]).encode()
    async with opened(attached(tmp_path, {"t.csv": data}), "run", tab=TAB) as pilot:
        await shown(pilot, "500 columns")
        await pilot.press("enter", "G")
        await shown(pilot, "3000.0")
        pane = preview(pilot).current
        assert isinstance(pane, TablePane)
        pane.action_shift(299)
        await pilot.press("right")
        await shown(pilot, "3000.300")
        assert "g goes to the first" in pane.extent
        await pilot.press("g")
        await shown(pilot, " 1.300")


async def test_the_end_of_a_huge_table_is_shown_without_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowtui.screens.attachments.tables.INDEXED_BELOW_BYTES", 0)

    def grown(*_: object) -> int:
        raise AssertionError("the whole table was read")

    monkeypatch.setattr(tables.CsvFile, "grow_index", grown)
    rows = "".join(f"{n},{'x' * 100} {n}\n" for n in range(5_000))
    async with opened(attached(tmp_path, {"t.csv": f"id,n\n{rows}".encode()}), "run",
                      tab=TAB) as pilot:  # fmt: skip
        await shown(pilot, "first 1,000 rows")
        await pilot.press("enter", "G")
        await shown(pilot, "4999")
        assert "g goes to the first" in screen_text(pilot)
        await pilot.press("g")
        await shown(pilot, "first 1,000 rows")
        pane = preview(pilot).current
        pane.cursor = 990
        await shown(pilot, "first 2,000 rows")
        pane.cursor = 1_500
        await until(lambda: " 1500 " in screen_text(pilot), "the rows in the middle")


async def test_a_packed_table_is_one(tmp_path: Path) -> None:
    data = gzip.compress(b"id,name\n1,ada\n")
    async with opened(attached(tmp_path, {"t.csv.gz": data}), "run", tab=TAB) as pilot:
        await shown(pilot, "ada")
        assert "CSV in gzip" in screen_text(pilot)


async def test_a_picture_keeps_its_shape_and_is_drawn_anew_on_resize(tmp_path: Path) -> None:
    async with opened(attached(tmp_path, {"a.png": png(400, 100)}), "run", tab=TAB) as pilot:
        await shown(pilot, "PNG · 400 × 100")
        pane = preview(pilot).current
        assert isinstance(pane, PicturePane)
        before = pane.line_count
        await pilot.resize_terminal(180, 40)
        await until(lambda: pane.line_count > before, "a larger picture")
        width = screen_text(pilot).splitlines()[4].count("▀")
        assert width == pytest.approx(8 * pane.line_count, abs=8)
        rgb = next(iter(pane.render_line(0)._segments[1:])).style
        assert rgb is not None
        assert rgb.color is not None
        assert rgb.color.triplet == (200, 30, 30)


async def test_a_pdf_turns_pages_as_text_and_as_picture(tmp_path: Path) -> None:
    data = pdf(tmp_path / "made.pdf", 3).read_bytes()
    async with opened(attached(tmp_path / "s", {"r.pdf": data}), "run", tab=TAB) as pilot:
        await shown(pilot, "page 1 of 3")
        await pilot.press("right_square_bracket")
        await shown(pilot, "page 2 of 3")
        assert isinstance(preview(pilot).current, TextLines)
        await until(lambda: " page 2" in "\n".join(screen_lines(pilot)[4:]), "its own page")
        await pilot.press("p")
        await until(lambda: isinstance(preview(pilot).current, PicturePane), "the picture")
        await pilot.press("left_square_bracket")
        await shown(pilot, "page 1 of 3")
        await pilot.press("enter", "pagedown")
        await shown(pilot, "page 2 of 3")


async def test_a_word_document_folds_by_headings(tmp_path: Path) -> None:
    data = word(tmp_path / "made.docx").read_bytes()
    async with opened(attached(tmp_path / "s", {"r.docx": data}), "run", tab=TAB) as pilot:
        await until(lambda: isinstance(preview(pilot).current, Document), "the document")
        assert "Word · " in screen_text(pilot)
        assert "▾ " in screen_text(pilot)


async def test_an_archive_lists_its_members_and_manifest(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in (("manifest.json", b'{"name": "m"}'), ("weights.bin", b"1" * 2_000)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    async with opened(attached(tmp_path, {"m.luml": out.getvalue()}), "run", tab=TAB) as pilot:
        await shown(pilot, "▾ Manifest")
        assert "weights.bin" in screen_text(pilot)
        assert "2 kB" in screen_text(pilot)


async def test_what_is_nothing_else_is_shown_as_bytes(tmp_path: Path) -> None:
    found = {"x.bin": bytes(range(256)), "y.txt": b"text"}
    async with opened(attached(tmp_path, found), "run", tab=TAB) as pilot:
        await shown(pilot, "00000008  08 09")
        await pilot.press("down")
        await shown(pilot, "y.txt  text")
        await pilot.press("H")
        await shown(pilot, "74 65 78 74")
        await pilot.press("H")
        await shown(pilot, "y.txt  text · 1 line")


async def test_a_broken_file_says_so_in_one_line(tmp_path: Path) -> None:
    broken = png(40, 40)[:60]
    async with opened(attached(tmp_path, {"a.png": broken, "e": b""}), "run", tab=TAB) as pilot:
        await shown(pilot, "opens it, w saves it")
        assert "✗" in screen_text(pilot)
        await pilot.press("H")
        await shown(pilot, "89 50 4e 47")
        await pilot.press("down")
        await shown(pilot, "it has no bytes")


async def test_a_missing_extra_says_what_installs_it_and_shows_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise MissingExtra("images", Mode.HEX)

    monkeypatch.setattr("flowtui.previews.isolated.ask", missing)
    monkeypatch.setattr("flowtui.installation.adding", lambda extra: f"install '{'x' * 99}'")
    async with opened(attached(tmp_path, {"a.png": png(4, 4)}), "run", tab=TAB) as pilot:
        await shown(pilot, "▲ needs images: flow-tui doctor")
        assert "89 50 4e 47" in screen_text(pilot)


async def test_what_installs_an_extra_is_told_where_it_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise MissingExtra("images", Mode.HEX)

    monkeypatch.setattr("flowtui.previews.isolated.ask", missing)
    monkeypatch.setattr("flowtui.installation.adding", lambda extra: f"install '[{extra}]'")
    async with opened(attached(tmp_path, {"a.png": png(4, 4)}), "run", tab=TAB) as pilot:
        await shown(pilot, "▲ install '[images]' shows more of it")


async def test_hostile_names_and_content_have_no_power(tmp_path: Path) -> None:
    hostile = "a\x1b[2J[red]‮x.txt"
    found = {hostile: "\x1b]52;c;AAAA\x07 [bold]x[/] ‮\n".encode()}
    async with opened(attached(tmp_path, found), "run", tab=TAB) as pilot:
        await shown(pilot, "[bold]x[/]")
        text = screen_text(pilot)
    assert "\x1b" not in text
    assert "‮" not in text
    assert "[red]" in text


async def test_a_slow_preview_says_reading_and_can_be_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from flowtui.previews.errors import PreviewCancelled
    from flowtui.screens.attachments import reading

    real, left = reading.preview, threading.Event()

    def slow(path: Path, name: str, request: object, cancelled: object) -> object:
        if name == "slow.txt":
            while not cancelled():  # type: ignore[operator]  # it is what the reader gives
                left.wait(0.01)
            left.set()
            raise PreviewCancelled
        return real(path, name, request, cancelled)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(reading, "preview", slow)
    found = {"slow.txt": b"never", "z.txt": b"quick"}
    store = attached(tmp_path, found)
    async with opened(store, "run", tab="overview") as pilot:
        await pilot.press("5")
        await until(lambda: "reading…" in screen_text(pilot), "the word")
        await pilot.press("down")
        await until(lambda: "quick" in screen_text(pilot), "the other file")
        await until(left.is_set, "the slow one left")


async def test_narrow_terminals_show_one_pane_at_a_time(tmp_path: Path) -> None:
    store = attached(tmp_path, FILES)
    async with opened(store, "run", size=(80, 24), tab=TAB) as pilot:
        await pilot.press("G")
        assert not preview(pilot).is_on_screen
        await pilot.press("enter")
        await shown(pilot, "def step")
        assert not files(pilot).is_on_screen
        await pilot.press("escape")
        assert files(pilot).has_focus
        assert not preview(pilot).is_on_screen
        await pilot.press("escape")
        await settled(pilot)
        assert "Runs 1" in screen_text(pilot)


async def test_copying_takes_the_line_of_the_preview_or_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr("flowtui.app.app.FlowApp.copy", lambda _app, text: copied.append(text))
    async with opened(attached(tmp_path, {"n.txt": b"one\ntwo\n"}), "run", tab=TAB) as pilot:
        await shown(pilot, "two")
        await pilot.press("y", "enter", "down", "y")
        await pilot.press("escape", "Y")
    assert copied[:2] == [str(folder(tmp_path) / "n.txt"), "two"]
    assert json.loads(copied[2])["path"] == "n.txt"


async def test_a_preview_is_read_once(tmp_path: Path) -> None:
    found = {"a.txt": b"aaa", "b.txt": b"bbb"}
    async with opened(attached(tmp_path, found), "run", tab=TAB) as pilot:
        await shown(pilot, "aaa")
        kept = preview(pilot)._previews._kept
        await pilot.press("down")
        await shown(pilot, "bbb")
        await pilot.press("up")
        await shown(pilot, "aaa")
        assert len(kept) == 2
        (folder(tmp_path) / "a.txt").write_bytes(b"changed")
        await pilot.press("r")
        await shown(pilot, "changed")
