"""HTML as a readable document, parsed in a child process; nothing is fetched."""

from __future__ import annotations

from flowtui.previews import encodings, files, isolated
from flowtui.previews.document_reply import blocks_of
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.values import DocumentPage, Mode, Opened, Part, Request

MOST_BYTES = 4_000_000
PAGE_BLOCKS = 500


def shown(opened: Opened, request: Request) -> DocumentPage:
    """Return blocks, beginning with number `Request.position`.

    Raises:
        PreviewFailed, PreviewCancelled.
    """
    encoding = opened.encoding or encodings.FALLBACK
    count = min(request.count, PAGE_BLOCKS)
    mark = files.read_at(opened.file, 0, encodings.LONGEST_MARK)
    reply = isolated.ask(
        "html",
        opened.path,
        {
            "codec": encodings.CODECS[encoding],
            "skipped": encodings.mark_bytes(mark, encoding),
            "most": MOST_BYTES,
            "position": -count if request.is_last else request.position,
            "count": count,
        },
        opened.cancelled,
        meanwhile=Mode.TEXT,
    )
    first, shown_count, total = (reply.values.get(name) for name in ("first", "count", "total"))
    if not (isinstance(first, int) and isinstance(shown_count, int) and isinstance(total, int)):
        raise PreviewFailed("The parser answered with no document.")
    part = Part.numbered("block", first, shown_count, total)
    note = ""
    if not reply.values["is_whole"]:
        part = Part("block", first, shown_count, None, part.next_position, first)
        note = "the first part of a large file"
    elif not total and reply.values["has_script"]:
        note = "a script makes this page; o opens it"
    return DocumentPage(blocks_of(reply.data), part, note)
