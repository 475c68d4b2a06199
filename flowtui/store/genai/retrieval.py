"""What a span looked for among documents, and what it found."""

from __future__ import annotations

from dataclasses import dataclass

from flowtui.store.genai.fields import Attributes, first_text, mapping, number, sequence
from flowtui.store.genai.flattened import numbered
from flowtui.store.genai.kinds import SpanKind
from flowtui.store.values import JsonValue

_QUERIES = ("gen_ai.retrieval.query.text", "reranker.query")
_LISTS = ("retrieval.documents", "reranker.output_documents", "reranker.input_documents")
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

    Source: gen_ai.retrieval.query.text, reranker.query; the input.value of a retriever.
    """
    said = first_text(attributes, _QUERIES)
    if said is None and kind is SpanKind.RETRIEVER:
        return first_text(attributes, ("input.value",))
    return said


def documents(attributes: Attributes, kind: SpanKind) -> tuple[RetrievedDocument, ...]:
    """Return what was found, in the order in which it is stored.

    Source: gen_ai.retrieval.documents (JSON); retrieval.documents.N.document.*,
    reranker.output_documents.N.document.*, reranker.input_documents.N.document.*; the
    mlflow.spanOutputs of a retriever.
    """
    found = sequence(attributes.get("gen_ai.retrieval.documents"))
    for prefix in _LISTS:
        found = found or numbered(attributes, prefix)
    if not found and kind is SpanKind.RETRIEVER:
        found = sequence(attributes.get("mlflow.spanOutputs"))
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
