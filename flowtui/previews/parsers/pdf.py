"""One page of a PDF, as pixels or as text."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flowtui.previews import zooming
from flowtui.previews.errors import PreviewFailed

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage  # type: ignore[import-untyped]

    from flowtui.store.values import JsonValue

EXTRA = "pdf"
LIBRARIES = ("pypdfium2",)
PAGE_CHARS = 200_000
TEXTS_CHARS = 2_000_000
TEXTS_S = 1.0
"""How long texts of pages are taken before they are handed over."""


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return one page, and how many there are."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
        total = len(document)
        if not total:
            raise PreviewFailed("The PDF has no pages.")
        wanted = arguments["page"]
        assert isinstance(wanted, int)
        number = total - 1 if wanted < 0 else min(wanted, total - 1)
        if arguments["form"] == "texts":
            data = json.dumps(list(_texts(document, number))).encode()
            return {"page": number, "total": total}, data
        values, data = _page(document[number], str(arguments["form"]), arguments)
    except pypdfium2.PdfiumError as error:
        raise PreviewFailed(_why(str(error))) from error
    return {"page": number, "total": total} | values, data


def _texts(document: PdfDocument, first: int) -> Iterator[str]:
    """Yield the texts of pages, until that has taken some time or is much."""
    end = time.monotonic() + TEXTS_S
    left = TEXTS_CHARS
    for number in range(first, len(document)):
        page = document[number]
        text = _text(page)
        page.close()
        yield text
        left -= len(text)
        if left < 0 or time.monotonic() > end:
            break


def _text(page: PdfPage) -> str:
    text = page.get_textpage()
    found: str = text.get_text_range(0, min(text.count_chars(), PAGE_CHARS))
    return found


def _page(
    page: PdfPage, form: str, arguments: Mapping[str, JsonValue]
) -> tuple[dict[str, JsonValue], bytes]:
    if form != "picture":
        text = _text(page)
        if form == "text" or text.strip():
            return {}, text.encode("utf-8", "replace")
    width, height = page.get_size()
    if width < 1 or height < 1:
        raise PreviewFailed("The page has no size.")
    seen = zooming.seen((width, height), arguments, is_drawn=True)
    scale = seen.width_px / ((seen.right - seen.left) * width)
    # What is cut off from the left, the bottom, the right and the top.
    edges = (seen.left * width, (1 - seen.bottom) * height,
             (1 - seen.right) * width, seen.top * height)  # fmt: skip
    bitmap = page.render(scale=scale, crop=edges, rev_byteorder=True, prefer_bgrx=False)
    row_bytes = bitmap.width * 3
    data = bytes(bitmap.buffer)
    rows = [data[n * bitmap.stride :][:row_bytes] for n in range(bitmap.height)]
    values: dict[str, JsonValue] = {
        "width": bitmap.width, "height": bitmap.height,
        "source_width": round(width), "source_height": round(height),
    }  # fmt: skip
    return values, b"".join(rows)


def _why(error: str) -> str:
    if "password" in error.lower():
        return "The PDF is encrypted: it takes a password to read it."
    return "The PDF is broken and cannot be read."
