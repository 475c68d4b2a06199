"""Word documents as headings, paragraphs, lists and tables, in their order."""

from __future__ import annotations

from typing import BinaryIO

from flowtui.previews import isolated, zip_directory
from flowtui.previews.document_reply import blocks_of
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.values import DocumentPage, Opened, Part, Request
from flowtui.store.values import JsonValue

MAX_PART_BYTES = 15_000_000
"""How much XML is unpacked; its tree takes several times as much memory."""
PAGE_BLOCKS = 500


def shown(opened: Opened, request: Request) -> DocumentPage:
    """Return blocks, beginning with number `Request.position`.

    Raises:
        MissingExtra, PreviewFailed, PreviewCancelled.
    """
    _refuse_bomb(file_sizes(opened.file))
    count = min(request.count, PAGE_BLOCKS)
    arguments: dict[str, JsonValue] = {
        "position": -count if request.is_last else request.position,
        "count": count,
    }
    reply = isolated.ask("docx", opened.path, arguments, opened.cancelled)
    first, total = reply.values.get("first"), reply.values.get("total")
    if not isinstance(first, int) or not isinstance(total, int):
        raise PreviewFailed("The parser answered with no document.")
    blocks = blocks_of(reply.data)
    return DocumentPage(blocks, Part.numbered("block", first, len(blocks), total))


def file_sizes(file: BinaryIO) -> list[tuple[str, int]]:
    """Return the names in a document's ZIP directory with the sizes that they unpack to."""
    with zip_directory.opened(file) as archive:
        return [(info.filename, info.file_size) for info in archive.infolist()]


def _refuse_bomb(sizes: list[tuple[str, int]]) -> None:
    # Showing the text does not unpack pictures, so they may be large.
    needed = sum(size for name, size in sizes if not name.startswith("word/media/"))
    if needed > MAX_PART_BYTES:
        raise PreviewFailed("The document unpacks to too much to be shown.")
    if not any(name == "[Content_Types].xml" for name, _ in sizes):
        raise PreviewFailed("This is a ZIP file, but not a Word document.")
