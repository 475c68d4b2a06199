"""Undo: several deep, to the letter, and never over somebody else's change unasked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.errors import AnnotationChanged
from flowtui.store.annotations.values import Added, Change, Deleted, Edited
from flowtui.store.errors import DatabaseMissing
from flowtui.store.store import Store
from flowtui.store.undo import DEPTH, UndoStack
from tests.unit.annotated import RUN, SAMPLE, SPAN, annotatable, expectation, feedback
from tests.unit.stores import execute, opened


@pytest.fixture
def exp_db(tmp_path: Path) -> Path:
    return annotatable(tmp_path)


@pytest.fixture
def store(exp_db: Path, tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as store:
        yield store


@pytest.fixture
def undo(store: Store) -> UndoStack[Change]:
    return annotating.undo_stack(store.run(RUN).database)


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def add(store: Store, undo: UndoStack[Change], user: str = "ana") -> Added:
    change = annotating.add(store.run(RUN).database, SPAN, feedback(user=user))
    undo.push(change)
    return change


def test_nothing_done_is_nothing_to_undo(undo: UndoStack[Change]) -> None:
    assert undo.undo() is None
    assert undo.skip() is None
    assert undo.last is None


def test_all_changes_are_undone_in_reverse_to_the_letter(
    store: Store, undo: UndoStack[Change], exp_db: Path
) -> None:
    states = [dump(exp_db)]
    first = add(store, undo).annotation
    states.append(dump(exp_db))
    edited = annotating.edit(store.run(RUN).database, first, False, "why")
    assert isinstance(edited, Edited)
    undo.push(edited)
    states.append(dump(exp_db))
    undo.push(annotating.add(store.run(RUN).database, SAMPLE, expectation(4)))
    states.append(dump(exp_db))
    deleted = annotating.delete(store.run(RUN).database, edited.after)
    assert deleted is not None
    undo.push(deleted)
    kinds = []
    while change := undo.undo():
        kinds.append(type(change))
        assert dump(exp_db) == states.pop()
    assert kinds == [Deleted, Added, Edited, Added]
    assert states == []


def test_a_change_underneath_stops_the_undo_until_it_is_told_to_overwrite(
    store: Store, undo: UndoStack[Change], exp_db: Path
) -> None:
    change = add(store, undo)
    execute(exp_db, "update span_annotations set rationale = 'theirs'")
    with pytest.raises(AnnotationChanged) as raised:
        undo.undo()
    assert raised.value.current is not None
    assert raised.value.current.rationale == "theirs"
    assert undo.last == change
    assert undo.undo(overwrite=True) == change
    assert store.run(RUN).ask(annotation_rows.of_target, SPAN) == ()


def test_a_change_that_cannot_be_undone_may_be_skipped(
    store: Store, undo: UndoStack[Change], exp_db: Path
) -> None:
    earlier = add(store, undo)
    later = add(store, undo, user="sam")
    execute(exp_db, "delete from span_annotations where user = 'sam'")
    with pytest.raises(AnnotationChanged) as raised:
        undo.undo()
    assert raised.value.current is None
    assert undo.skip() == later
    assert undo.undo() == earlier


def test_a_failed_undo_can_be_tried_again(
    store: Store, undo: UndoStack[Change], exp_db: Path
) -> None:
    change = add(store, undo)
    moved = exp_db.rename(exp_db.with_name("away"))
    with pytest.raises(DatabaseMissing):
        undo.undo()
    moved.rename(exp_db)
    assert undo.undo() == change


def test_the_oldest_changes_are_forgotten(store: Store, undo: UndoStack[Change]) -> None:
    change = annotating.add(store.run(RUN).database, SPAN, feedback())
    for _ in range(DEPTH + 5):
        undo.push(change)
    assert len(undo) == DEPTH
