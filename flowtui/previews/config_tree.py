"""YAML and TOML as trees, parsed in a child process; as text where they are broken or large."""

from __future__ import annotations

import json
from dataclasses import replace

from flowtui.previews import encodings, files, isolated, text
from flowtui.previews.values import JsonTree, Mode, Opened, Part, Request, TextPage

WHOLE_BYTES = 1_000_000
"""How much is parsed; Python takes a second or two for it."""


def shown(opened: Opened, request: Request) -> JsonTree | TextPage:
    """Return the values of a file; several documents of YAML are a list.

    Raises:
        MissingExtra, PreviewFailed, PreviewCancelled.
    """
    problem = "is too large to be shown as a tree"
    if files.size_of(opened.file) <= WHOLE_BYTES:
        data = files.read_at(opened.file, 0, WHOLE_BYTES)
        encoding = opened.encoding or encodings.FALLBACK
        source = encodings.decode(data[encodings.mark_bytes(data, encoding) :], encoding)
        reply = isolated.ask(
            f"{opened.kind.name.lower()}_values",
            opened.path,
            {"source": source.encode("utf-8", "replace").decode("utf-8")},
            opened.cancelled,
            meanwhile=Mode.TEXT,
        )
        said = reply.values.get("problem")
        if said is None:
            value, lost = json.loads(reply.data), reply.values.get("lost")
            count = len(value) if isinstance(value, (dict, list)) else 1
            documents = reply.values.get("documents")
            several = isinstance(documents, int) and documents > 1
            part = Part("document" if several else "item", 0, count, count, None)
            return JsonTree(value, part, problem=str(lost) if lost else None)
        problem = str(said)
    return replace(text.shown(opened, request), note=f"The file {problem}.")
