"""The store's reads and writes for annotating; everything here runs in a thread."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from flowtui import clock
from flowtui.store import unreadable
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.errors import AnnotationChanged
from flowtui.store.annotations.values import (
    Added,
    Annotation,
    AnnotationKind,
    AnnotationName,
    Change,
    Deleted,
    Draft,
    Edited,
    Target,
    Value,
    ValueType,
)
from flowtui.store.open_run import OpenRun

DEFAULT_NAME = "quality"
WRITE_TRIES = 3
"""How often a one-key answer is tried: another viewer may write between its read and its write."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A new value and rationale for an annotation."""

    known: Annotation
    """The annotation as it was when the edit began, or as a conflict showed it."""
    value: Value
    rationale: str | None
    overwrite: bool = False
    """Whether to write it anew if it has been deleted."""

    @property
    def changes_nothing(self) -> bool:
        known = self.known.value, self.known.rationale
        return not self.overwrite and (self.value, self.rationale) == known


Entry: TypeAlias = Draft | Revision


@dataclass(frozen=True, slots=True)
class Writing:
    """The functions with which a form reads and writes, in a thread; each may raise StoreError."""

    names: Callable[[], tuple[AnnotationName, ...]]
    save: Callable[[Entry], Change]
    create_tables: Callable[[], None]


def writing(run: OpenRun, target: Target) -> Writing:
    """Return the functions with which a form annotates a span or sample."""

    def save(entry: Entry) -> Change:
        if isinstance(entry, Draft):
            return annotating.add(run.database, target, entry, now=clock.now)
        known, overwrite = entry.known, entry.overwrite
        return annotating.edit(
            run.database, known, entry.value, entry.rationale, overwrite=overwrite
        )

    return Writing(
        names=lambda: run.ask(annotation_rows.names),
        save=save,
        create_tables=lambda: annotating.create_tables(run.database),
    )


def write_feedback(run: OpenRun, target: Target, value: bool, user: str) -> Change | Annotation:
    """Write feedback as `write_answer` does, under the name last used for feedback in the run."""

    def draft(connection: sqlite3.Connection) -> Draft:
        kind = AnnotationKind.FEEDBACK, ValueType.BOOL
        used = (
            one.name
            for one in annotation_rows.names(connection)
            if (one.kind, one.value_type) == kind
        )
        return Draft(next(used, DEFAULT_NAME), AnnotationKind.FEEDBACK, value, None, user)

    return _write_draft(run, target, draft)


def write_answer(run: OpenRun, target: Target, draft: Draft) -> Change | Annotation:
    """Write an author's only answer under a name; if there is one already, edit it.

    Args:
        run: The run of the target.
        target: The span or sample that the answer is about.
        draft: The answer; if its rationale is None, an edited answer keeps its own.

    Returns:
        The change; or the author's present annotation if it says the same already.

    Raises:
        StoreError: As `add` and `edit` of the store raise it.
    """
    draft.check()
    return _write_draft(run, target, lambda _connection: draft)


def _write_draft(
    run: OpenRun, target: Target, draft_of: Callable[[sqlite3.Connection], Draft]
) -> Change | Annotation:
    def look(connection: sqlite3.Connection) -> tuple[Draft, list[Annotation]]:
        draft = draft_of(connection)
        there = annotation_rows.of_target(connection, target)
        return draft, [one for one in there if is_answer(one, draft)]

    for tries_left in reversed(range(WRITE_TRIES)):
        draft, given = run.ask(look)
        if not given:
            break
        known = given[-1]
        rationale = known.rationale if draft.rationale is None else draft.rationale or None
        if (known.value, known.rationale) == (draft.value, rationale):
            return known
        try:
            return annotating.edit(run.database, known, draft.value, rationale)
        except AnnotationChanged:
            if not tries_left:
                raise
    return annotating.add(run.database, target, draft, now=clock.now)


def is_answer(annotation: Annotation, draft: Draft) -> bool:
    """Return whether an annotation is the answer that a draft would replace.

    It has the same name, kind, type of value and author.
    """
    said = annotation.name, annotation.kind, annotation.value_type, annotation.user
    return said == (draft.name, draft.kind, draft.value_type, draft.user)


def inverse(change: Change) -> Change:
    """Return the change that undoing a change makes."""
    match change:
        case Added(annotation):
            return Deleted(annotation)
        case Edited(before, after):
            return Edited(after, before)
        case Deleted(annotation):
            return Added(annotation)


def subject(change: Change) -> Annotation:
    """Return the annotation that a change is about: as it is now, or as it was when deleted."""
    return change.after if isinstance(change, Edited) else change.annotation


def refusal(run: OpenRun) -> str:
    """Return why this user cannot write a run's database; empty if it seems possible."""
    path = run.database.path
    if path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return unreadable.why_read_only("the run's exp.db", path)
    return ""


def own_annotations(annotations: Iterable[Annotation], user: str) -> list[Annotation]:
    """Return those annotations whose author this user is."""
    return [one for one in annotations if one.user == user]
