"""The whole text of a file, for a pager: the lines that it has, or those that its preview shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from flowtui import format as fmt
from flowtui.previews import files, pdf
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.preview import preview
from flowtui.previews.values import DocumentPage, Mode, Opened, Preview, Request, TextPage
from flowtui.previews.values import Line as FileLine
from flowtui.screens.attachments.reading import FileSource, add_lines
from flowtui.store.cancelling import is_left
from flowtui.widgets.documents.blocks import Section, copied
from flowtui.widgets.documents.preview_documents import document_sections
from flowtui.widgets.documents.preview_text import more_characters

PAGER_CHARS = 4_000_000
"""How much of a file a pager gets; to read the rest a person saves the file."""


def whole_text(source: FileSource, request: Request) -> str | None:
    """Return a file as safe lines for a pager, None where it is no text.

    A document and a PDF are the text that their previews show.

    Raises:
        StoreError, PreviewFailed, PreviewCancelled: As in `Previews.read`.
    """
    path = source.resolve()
    start = replace(request, position=0, index=0, is_last=False)
    first = preview(path, source.name, start, is_left)
    if first.kind is PreviewKind.PDF:
        pages = (f"{text}\n\f" for text in pdf_texts(path, source.name))
        return _cut(pages)
    if isinstance(first.shown, DocumentPage) and request.mode is not Mode.TEXT:
        return _cut(_sections(path, source.name, start, first))
    if not first.kind.row.is_text:
        return None
    return _lines(path, source.name, replace(start, mode=Mode.TEXT))


def pdf_texts(path: Path, name: str) -> Iterator[str]:
    """Yield the text of each page of a PDF.

    Raises:
        MissingExtra, PreviewFailed, PreviewCancelled.
    """
    with files.opened(path) as file:
        opened = Opened(path, file, PreviewKind.PDF, name, is_left)
        position: int | None = 0
        while position is not None:
            found, position = pdf.texts(opened, position)
            yield from found


def _sections(path: Path, name: str, request: Request, read: Preview) -> Iterator[str]:
    page = read.shown
    while isinstance(page, DocumentPage):
        for section in document_sections([page]):
            yield _said(section)
        if page.part.next_position is None:
            return
        further = replace(request, position=page.part.next_position)
        page = preview(path, name, further, is_left).shown


def _said(section: Section) -> str:
    body = "\n".join(copied(block).rstrip("\n") for block in section.blocks)
    title = f"{section.title}\n{'─' * len(section.title)}\n\n" if section.title else ""
    return f"{title}{body}\n\n"


def _cut(texts: Iterator[str]) -> str:
    kept: list[str] = []
    taken = 0
    for text in texts:
        kept.append("\n".join(fmt.plain(line, len(line)) for line in text.splitlines()))
        taken += len(text)
        if taken >= PAGER_CHARS:
            kept.append(f"… the first {taken:,} characters; save the file to have all of it")
            break
    return "\n".join(kept) + "\n"


def _lines(path: Path, name: str, request: Request) -> str | None:
    lines: list[FileLine] = []
    taken = 0
    position: int | None = 0
    while position is not None and taken < PAGER_CHARS:
        part = preview(path, name, replace(request, position=position), is_left)
        if not isinstance(part.shown, TextPage):
            return None
        add_lines(lines, part.shown)
        taken += sum(len(line.text) for line in part.shown.lines)
        position = part.shown.part.next_position
    texts = []
    for line in lines:
        text = line.text.replace("\t", "    ")
        more = more_characters(line.hidden_chars).text if line.hidden_chars else ""
        texts.append(fmt.plain(text, len(text)) + more)
    if position is not None:
        texts.append(f"… the first {taken:,} characters; save the file to have all of it")
    return "\n".join(texts) + "\n"
