"""Jupyter notebooks, parsed in a child process; the pictures among their outputs are members."""

from __future__ import annotations

from collections.abc import Iterator

from flowtui.previews import files, isolated
from flowtui.previews.document_blocks import Member
from flowtui.previews.document_reply import blocks_of
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.values import DocumentPage, Mode, Opened, Part, Request
from flowtui.store.values import JsonValue

MAX_BYTES = 30_000_000
"""How much JSON is parsed, most of it pictures."""
PAGE_CELLS = 200


def shown(opened: Opened, request: Request) -> DocumentPage:
    """Return cells, beginning with number `Request.position`.

    Raises:
        PreviewFailed, PreviewCancelled.
    """
    count = min(request.count, PAGE_CELLS)
    reply = _ask(opened, {"position": -count if request.is_last else request.position,
                          "count": count})  # fmt: skip
    first, shown_count, total = (reply.values.get(name) for name in ("first", "count", "total"))
    if not (isinstance(first, int) and isinstance(shown_count, int) and isinstance(total, int)):
        raise PreviewFailed("The parser answered with no notebook.")
    return DocumentPage(blocks_of(reply.data), Part.numbered("cell", first, shown_count, total))


def pieces(opened: Opened, member: Member) -> Iterator[bytes]:
    """Yield the content of an output that `shown` has told of.

    Raises:
        PreviewFailed, PreviewCancelled.
    """
    yield _ask(opened, {"output": member.position}).data


def _ask(opened: Opened, arguments: dict[str, JsonValue]) -> isolated.Reply:
    if files.size_of(opened.file) > MAX_BYTES:
        raise PreviewFailed("The notebook is too large to be read; p shows its lines.")
    return isolated.ask("notebook", opened.path, arguments, opened.cancelled, meanwhile=Mode.TEXT)
