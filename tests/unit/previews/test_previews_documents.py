"""PDF and Word documents, and the process that they are parsed in."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pytest

from flowtui import installation
from flowtui.previews import images, isolated
from flowtui.previews import pdf as pdf_reader
from flowtui.previews.document_blocks import Heading, Item, Paragraph, Table
from flowtui.previews.errors import MissingExtra, PreviewCancelled, PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.preview import preview
from flowtui.previews.values import DocumentPage, Mode, Opened, Picture, Request, TextPage, never
from flowtui.previews.zooming import View
from tests.unit.previewed import cpu_at_most, outcome_within_budget, shown


def pdf(path: Path, pages: int, encryption: str = "") -> Path:
    """A PDF with `page n` on each page, whose upper half is black."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(pages))
    parts = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {pages} /Kids [{kids}] /MediaBox [0 0 200 400] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number in range(pages):
        parts.append(
            "<< /Type /Page /Parent 2 0 R /Resources << /Font << /F 3 0 R >> >>"
            f" /Contents {5 + 2 * number} 0 R >>"
        )
        content = f"0 200 200 200 re f BT /F 12 Tf 20 100 Td (page {number + 1}) Tj ET"
        parts.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    text = "%PDF-1.4\n"
    offsets = []
    for number, part in enumerate(parts, 1):
        offsets.append(len(text))
        text += f"{number} 0 obj\n{part}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    text += (
        f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n{table}"
        f"trailer << /Size {len(parts) + 1} /Root 1 0 R {encryption}>>\n"
        f"startxref\n{len(text)}\n%%EOF\n"
    )
    path.write_text(text)
    return path


def test_a_pdf_is_shown_page_by_page_as_a_picture(tmp_path: Path) -> None:
    path = pdf(tmp_path / "report.pdf", 3)
    found = shown(path, Request(width=40, height=20, position=1, mode=Mode.PICTURE))
    assert (found.kind, found.modes) == (
        PreviewKind.PDF,
        (Mode.BEST, Mode.TEXT, Mode.PICTURE, Mode.HEX),
    )
    page = found.shown
    assert isinstance(page, Picture)
    assert (page.width_px, page.height_px) == (20, 40)
    assert len(page.rgb) == 20 * 40 * 3
    assert set(page.rgb[: 15 * 20 * 3]) == {0}
    assert set(page.rgb[-5 * 20 * 3 :]) == {255}
    part = page.part
    assert (part.unit, part.first, part.total, part.next_position) == ("page", 1, 3, 2)


def test_a_page_is_looked_into(tmp_path: Path) -> None:
    path = pdf(tmp_path / "report.pdf", 1)
    for y, colour in ((0.1, b"\0\0\0"), (0.9, b"\xff\xff\xff")):
        view = View(8, 0.9, y)
        page = shown(path, Request(40, 20, mode=Mode.PICTURE, view=view)).shown
        assert isinstance(page, Picture)
        assert page.width_px == 40
        assert {page.rgb[at : at + 3] for at in range(0, len(page.rgb), 3)} == {colour}


def test_a_pdf_is_shown_page_by_page_as_text(tmp_path: Path) -> None:
    path = pdf(tmp_path / "report.pdf", 3)
    page = shown(path, Request(mode=Mode.TEXT, is_last=True)).shown
    assert isinstance(page, TextPage)
    assert [line.text for line in page.lines] == ["page 3"]
    assert (page.part.first, page.part.next_position) == (2, None)


def test_a_page_is_text_first_and_a_picture_where_it_has_none(tmp_path: Path) -> None:
    page = shown(pdf(tmp_path / "report.pdf", 3)).shown
    assert isinstance(page, TextPage)
    assert [line.text for line in page.lines] == ["page 1"]
    scanned = tmp_path / "scan.pdf"
    text = pdf(scanned, 2).read_text().replace("(page 1)", "(      )")
    scanned.write_text(text)
    assert isinstance(shown(scanned).shown, Picture)
    assert isinstance(shown(scanned, Request(position=1)).shown, TextPage)


def test_the_texts_of_all_pages_come_in_turns(tmp_path: Path) -> None:
    path = pdf(tmp_path / "report.pdf", 40)
    with path.open("rb") as file:
        opened = Opened(path, file, PreviewKind.PDF, path.name, never)
        found, after = pdf_reader.texts(opened, 30)
    assert (found[0].strip(), len(found), after) == ("page 31", 10, None)


def test_the_first_of_two_hundred_pages_is_there_in_half_a_second(tmp_path: Path) -> None:
    path = pdf(tmp_path / "report.pdf", 200)
    with cpu_at_most(0.5):
        shown(path)


def test_broken_and_encrypted_pdfs_are_said_to_be(tmp_path: Path) -> None:
    broken = tmp_path / "a.pdf"
    broken.write_bytes(b"%PDF-1.7\n" + b"\x99" * 3000)
    assert outcome_within_budget(broken) == "The PDF is broken and cannot be read."
    secret = pdf(
        tmp_path / "b.pdf", 1,
        f"/ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{'11' * 32}>"
        f" /U <{'22' * 32}> >> ",
    )  # fmt: skip
    assert outcome_within_budget(secret).startswith("The PDF is encrypted")


def word(path: Path) -> Path:
    document = docx.Document()
    document.add_heading("Report", 0)
    document.add_heading("Results", 2)
    document.add_paragraph("All is well.")
    document.add_paragraph("first", style="List Bullet")
    document.add_paragraph("deeper", style="List Number 2")
    table = document.add_table(2, 2)
    for number, cell in enumerate(("a", "b", "1", "2")):
        table.cell(number // 2, number % 2).text = cell
    document.add_paragraph("The end.")
    document.save(str(path))
    return path


def test_a_word_document_is_its_blocks_in_order(tmp_path: Path) -> None:
    path = word(tmp_path / "a.docx")
    page = shown(path).shown
    assert isinstance(page, DocumentPage)
    assert page.blocks == (
        Heading(0, "Report"), Heading(2, "Results"), Paragraph("All is well."),
        Item("first", 0), Item("deeper", 1, is_numbered=True),
        Table((("a", "b"), ("1", "2")), 2), Paragraph("The end."),
    )  # fmt: skip
    part = shown(path, Request(count=2, position=2)).shown
    assert isinstance(part, DocumentPage)
    assert part.blocks == page.blocks[2:4]
    assert (part.part.first, part.part.total, part.part.next_position) == (2, 7, 4)
    last = shown(path, Request(count=1, is_last=True)).shown
    assert isinstance(last, DocumentPage)
    assert last.blocks == (Paragraph("The end."),)


def rewritten(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """A Word document whose text is changed."""
    source = word(path.with_name("source.docx"))
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            data = old.read(info)
            new.writestr(
                info.filename, change(data) if info.filename == "word/document.xml" else data
            )
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda xml: xml + b" " * 100_000_000, "unpacks to too much"),
        (lambda xml: xml[:-500], "broken"),
        (lambda xml: xml.replace(b"<w:body>", b"<w:body>" + b"<w:p/>" * 2_000_000), "too large"),
        (lambda xml: xml.replace(b"<w:body>", b"<w:body>" + b"<w:tbl>" * 20_000), "broken"),
        (
            lambda xml: xml.replace(
                b"<w:tcPr>", b'<w:tcPr><w:gridSpan w:val="2000000000"/>', 1
            ),
            "too much memory",
        ),
    ],
    ids=["bomb", "cut off", "many blocks", "deep", "wide cell"],
)  # fmt: skip
def test_hostile_word_documents_end_in_a_sentence(
    tmp_path: Path, change: Callable[[bytes], bytes], why: str
) -> None:
    assert why in outcome_within_budget(rewritten(tmp_path / "a.docx", change))


def test_a_zip_file_that_only_is_called_a_document_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(PreviewFailed, match="not a Word document"):
        shown(path)


def test_what_cannot_be_parsed_can_still_be_seen_as_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.7 and no more")
    assert shown(path, Request(mode=Mode.HEX)).kind is PreviewKind.PDF


def test_a_child_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="999" height="999"><filter id="f">'
        '<feGaussianBlur stdDeviation="99"/></filter>'
        + '<rect filter="url(#f)" width="999" height="999"/>' * 50_000
        + "</svg>"
    )
    arguments = images.box(Request(width=200, height=100))
    started = time.perf_counter()
    with pytest.raises(PreviewFailed, match="too long"):
        isolated.ask("svg", path, arguments, never, timeout_s=0.4)
    # Drawn to its end, it would take minutes.
    assert time.perf_counter() - started < 5


def test_no_child_is_left_when_its_reader_leaves_at_once(tmp_path: Path) -> None:
    path = pdf(tmp_path / "a.pdf", 1)
    # Other tests of this process may have left one that is kept on purpose, or is just ending.
    before = children()
    with pytest.raises(PreviewCancelled):
        preview(path, path.name, Request(), lambda: True)
    assert children() - before == set()


def children() -> set[str]:
    """Return the ids of this process's children, those included that nobody has waited for."""
    tasks = Path("/proc/self/task").glob("*/children")
    return {child for task in tasks for child in task.read_text().split()}


def test_the_current_folder_cannot_pass_for_a_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pdf(tmp_path / "a.pdf", 1)
    (tmp_path / "pypdfium2.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    assert isinstance(shown(path).shown, TextPage)


@pytest.mark.parametrize(("library", "name"), [("pypdfium2", "a.pdf"), ("docx", "a.docx")])
def test_each_document_names_the_extra_that_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, name: str
) -> None:
    broken = tmp_path / "broken" / library
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('not here')")
    path = pdf(tmp_path / name, 1) if name.endswith("pdf") else word(tmp_path / name)
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    with pytest.raises(MissingExtra) as raised:
        shown(path)
    assert str(raised.value) == installation.adding(name[2:])
    assert raised.value.meanwhile is Mode.HEX
