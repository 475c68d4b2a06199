"""Pickles, and checkpoints of PyTorch, which are ZIP files with a pickle in them: never loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from flowtui.previews import isolated, unpacking, zip_directory
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import Array, Arrays, Opened, Part, Request
from flowtui.store.values import JsonValue

PICKLE = "/data.pkl"
MAX_PICKLE_BYTES = 32_000_000
_PIECE_BYTES = 1 << 20


def shown(opened: Opened, request: Request) -> Arrays:
    """Return the arrays, from number `Request.position`, and what loading the file would import.

    Raises:
        PreviewFailed, PreviewCancelled.
    """
    if opened.kind is PreviewKind.PICKLE:
        return _page(opened.path, opened, request)
    with unpacking.poured(_pieces(opened), opened.cancelled, MAX_PICKLE_BYTES) as inner:
        return _page(inner.path, opened, request)


def _pieces(opened: Opened) -> Iterator[bytes]:
    with zip_directory.opened(opened.file) as archive:
        named = [info for info in archive.infolist() if f"/{info.filename}".endswith(PICKLE)]
        if not named or named[0].compress_type:
            raise PreviewFailed("The checkpoint has no pickle that can be read.")
        with archive.open(named[0]) as content:
            while piece := content.read(_PIECE_BYTES):
                yield piece


def _page(path: Path, opened: Opened, request: Request) -> Arrays:
    reply = isolated.ask("pickled", path, {}, opened.cancelled)
    found = [
        Array(name, dtype, tuple(shape), size)
        for name, dtype, shape, size in json.loads(reply.data)
    ]
    count = min(request.count, len(found))
    first = len(found) - count if request.is_last else min(request.position, len(found))
    some = tuple(found[first : first + count])
    about: dict[str, JsonValue] = {
        name: reply.values[key]
        for name, key in (
            ("not loaded", "problem"),
            ("loading it would import", "imports"),
            ("values", "values"),
        )
        if reply.values.get(key)
    }
    return Arrays(some, Part.numbered("array", first, len(some), len(found)), about)
