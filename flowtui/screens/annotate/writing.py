"""What annotating asks of the store, for the threads that ask it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from flowtui import clock
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
QUICK_TRIES = 3
"""Another viewer may come between the look and the write of a one-key answer."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A new value and rationale of an annotation."""

    known: Annotation
    """As it was when the edit began, or as a conflict showed it."""
    value: Value
    rationale: str | None
    overwrite: bool = False
    """Whether to put it back if it is gone by now."""

    @property
    def changes_nothing(self) -> bool:
        known = self.known.value, self.known.rationale
        return not self.overwrite and (self.value, self.rationale) == known


Entry: TypeAlias = Draft | Revision


@dataclass(frozen=True, slots=True)
class Writing:
    """How a form reads and writes; each raises a StoreError and is called in a thread."""

    names: Callable[[], tuple[AnnotationName, ...]]
    save: Callable[[Entry], Change]
    create_tables: Callable[[], None]


def writing(run: OpenRun, target: Target) -> Writing:
    """Return how a form writes annotations of a span or sample."""

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
    """Give feedback under the name last used for it in the run, as `write_answer` does."""

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
    """Write an author's one answer under a name; one that is there is edited.

    Args:
        run: which run.
        target: what is answered about.
        draft: the answer; a rationale of None leaves that of the one that is there.

    Returns:
        The change; the author's own annotation if it says the same already.

    Raises:
        StoreError: as `add` and `edit` of the store do.
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

    for tries_left in reversed(range(QUICK_TRIES)):
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
    """Return whether an annotation is what an author said before where a draft is to be said."""
    said = annotation.name, annotation.kind, annotation.value_type, annotation.user
    return said == (draft.name, draft.kind, draft.value_type, draft.user)


def inverse(change: Change) -> Change:
    """Return the change that undoing one is."""
    match change:
        case Added(annotation):
            return Deleted(annotation)
        case Edited(before, after):
            return Edited(after, before)
        case Deleted(annotation):
            return Added(annotation)


def subject(change: Change) -> Annotation:
    """Return the annotation that a change is about, as it is, or was, last."""
    return change.after if isinstance(change, Edited) else change.annotation


def refusal(run: OpenRun) -> str:
    """Return why this user cannot write a run's database; nothing if it seems possible."""
    path = run.database.path
    if path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return "the run's exp.db is read-only for you; its owner can grant write access"
    return ""
