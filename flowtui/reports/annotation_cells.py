"""Annotations in the lists of traces and samples: in JSON in full, in tables a column a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flowtui.reports.escaped import csv_text
from flowtui.reports.runs import Document, time_text
from flowtui.store.annotations.judgements import field_of
from flowtui.store.annotations.values import Annotation, SpanTarget, Value

BETWEEN = "; "
"""Stands between several values of one cell."""


def annotation_document(annotation: Annotation) -> Document:
    """Return an annotation of a span or a sample."""
    return {
        "id": annotation.id,
        "name": annotation.name,
        "kind": annotation.kind,
        "value_type": annotation.value_type,
        "value": annotation.value,
        "user": annotation.user,
        "rationale": annotation.rationale,
        "created_at": time_text(annotation.created_at),
    }


def listed_annotations(annotations: Sequence[Annotation]) -> list[Document]:
    """Return the annotations of a trace or sample; those of a trace say of which span they are."""
    found = []
    for one in annotations:
        document = annotation_document(one)
        if isinstance(one.target, SpanTarget):
            document = {"span_id": one.target.span_id, **document}
        found.append(document)
    return found


def annotation_values(annotations: Sequence[Annotation]) -> Mapping[str, str]:
    """Return what a trace or sample was said to be, by the field of the name.

    Several values stand beside each other, oldest first, unless all are the same.
    """
    values: dict[str, list[str]] = {}
    for one in annotations:
        values.setdefault(field_of(one.kind, one.name), []).append(_text(one.value))
    return {
        field: some[0] if len(set(some)) == 1 else BETWEEN.join(some)
        for field, some in values.items()
    }


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else csv_text(value)
