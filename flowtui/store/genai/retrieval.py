"""What a span looked for among documents, and what it found."""

from __future__ import annotations

from dataclasses import dataclass

from flowtui.store.genai.dialects import Meaning, names
from flowtui.store.genai.fields import (
    Attributes,
    decoded,
    first_text,
    mapping,
    number,
    sequence,
)
from flowtui.store.genai.flattened import numbered
from flowtui.store.genai.kinds import SpanKind
from flowtui.store.values import JsonValue

_FINDS = (SpanKind.RETRIEVER, SpanKind.RERANKER)
_IDS = ("id", "document_id")
_CONTENTS = ("content", "page_content", "text")
_SCORES = ("score", "relevance_score", "distance")


@dataclass(frozen=True, slots=True)
class RetrievedDocument:
    """One document that was found or ranked."""

    id: str | None
    content: str | None
    score: float | None


def query(attributes: Attributes, kind: SpanKind) -> str | None:
    """Return what was looked for.

    Source: what means a query in `dialects.py`; the input.value of a retriever.
    """
    said = first_text(attributes, names(Meaning.QUERY))
    if said is None and kind is SpanKind.RETRIEVER:
        return first_text(attributes, ("input.value",))
    return said


def documents(attributes: Attributes, kind: SpanKind) -> tuple[RetrievedDocument, ...]:
    """Return what was found, in the order in which it is stored.

    Source: what means documents in `dialects.py`, JSON or flattened; what came out of a retriever
    or reranker where that is a list of documents, by itself or as `documents`.
    """
    found: list[JsonValue] = []
    for name in names(Meaning.DOCUMENTS):
        found = found or sequence(attributes.get(name)) or numbered(attributes, name)
    if not found and kind in _FINDS:
        for name in names(Meaning.OUTPUT):
            made = decoded(attributes.get(name))[0]
            listed = sequence(made.get("documents") if isinstance(made, dict) else made)
            found = found or listed
    return tuple(_document(item) for item in found)


def _document(raw: JsonValue) -> RetrievedDocument:
    if isinstance(raw, str):
        return RetrievedDocument(None, raw, None)
    outer = mapping(raw)
    inner = mapping(outer.get("document")) or outer
    metadata = mapping(inner.get("metadata"))
    return RetrievedDocument(
        first_text(inner, _IDS) or first_text(metadata, (*_IDS, "doc_uri", "source")),
        first_text(inner, _CONTENTS),
        next((score for name in _SCORES if (score := number(inner.get(name))) is not None), None),
    )
