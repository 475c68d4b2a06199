"""SQLite databases, read in a child process on a private copy; large ones in their place.

No code of the app opens the file, so no lock of this process is touched; the child cannot lock it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flowtui.previews import files, isolated, unpacking
from flowtui.previews.document_reply import blocks_of
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.values import DocumentPage, Opened, Part, Request

COPIED_BYTES = 32_000_000
"""How large a database is copied, so that a writer changes nothing under the reader."""
PAGE_TABLES = 50
_PIECE_BYTES = 1 << 20


def shown(opened: Opened, request: Request) -> DocumentPage:
    """Return tables with their first rows, beginning with number `Request.position`.

    Raises:
        PreviewFailed, PreviewCancelled.
    """
    if files.size_of(opened.file) > COPIED_BYTES:
        return _page(opened.path, opened, request)
    with unpacking.poured(_pieces(opened), opened.cancelled, COPIED_BYTES) as copy:
        return _page(copy.path, opened, request)


def _pieces(opened: Opened) -> Iterator[bytes]:
    opened.file.seek(0)
    while piece := opened.file.read(_PIECE_BYTES):
        yield piece


def _page(path: Path, opened: Opened, request: Request) -> DocumentPage:
    count = min(request.count, PAGE_TABLES)
    position = -count if request.is_last else request.position
    arguments = {"position": position, "count": count}
    reply = isolated.ask("sqlite", path, arguments, opened.cancelled)
    first, shown_count, total = (reply.values.get(name) for name in ("first", "count", "total"))
    if not (isinstance(first, int) and isinstance(shown_count, int) and isinstance(total, int)):
        raise PreviewFailed("The parser answered with no database.")
    note = ""
    if _has_log(opened.path):
        note = "without what is only in its -wal file"
    part = Part.numbered("table", first, shown_count, total)
    return DocumentPage(blocks_of(reply.data), part, note)


def _has_log(path: Path) -> bool:
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size > 0
    except OSError:
        return False
