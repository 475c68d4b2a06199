"""One run of a store: the one handle by which everything asks about its records.

A question is a function of the module for that kind of record, which is given the connection first:
`run.ask(traces.ordered, condition, order)`. Whatever is shown of a run holds the same handle and
keeps no copy of its row, so that a run renamed from elsewhere has its new name in a header, a
dialog and the name of a saved file alike.

Everything here may be called from any thread, and raises `DatabaseError`s (see errors.py), or
ReadCancelled where nobody waits any more (see cancelling.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from flowtui.store.database import Database
from flowtui.store.files.fingerprint import Fingerprint
from flowtui.store.values import Run

if TYPE_CHECKING:
    from flowtui.store.attachments.files import AttachmentFiles
    from flowtui.store.attachments.values import Attachments
    from flowtui.store.filters import Condition
    from flowtui.store.metrics.numbered_steps import NumberedRuns
    from flowtui.store.metrics.reader import MetricReader

P = ParamSpec("P")
T = TypeVar("T")


class OpenRun:
    """Answers questions about one run, and holds its row as it was last read."""

    row: Run
    """Replaced when it has changed; only a run that was opened by its row has one."""

    def __init__(
        self, run_id: str, database: Database, files: AttachmentFiles, numbered: NumberedRuns
    ) -> None:
        """Take the parts that the store makes.

        Args:
            run_id: Which run.
            database: Its exp.db; the file need not exist.
            files: Its attachments.
            numbered: The copies of metrics whose steps are not numbers, shared by all runs.
        """
        self.id = run_id
        self.database = database
        self.files = files
        self._numbered = numbered
        self._remarks: dict[tuple[object, ...], tuple[Fingerprint, tuple[str, ...]]] = {}
        """By question and keys: remarks about keys that no record has, and as of when."""

    @property
    def name(self) -> str:
        """Its current name."""
        return self.row.name or self.id

    def ask(
        self,
        question: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return what a question answers from one consistent state of exp.db."""
        return self.database.read(lambda db: question(db, *args, **kwargs))

    @cached_property
    def metrics(self) -> MetricReader:
        """Its metrics, asked as `ask` asks, with steps as numbers however they are stored."""
        from flowtui.store.metrics.reader import MetricReader

        return MetricReader(self.database, self._numbered)

    def attachments(self) -> Attachments | None:
        """Return its attachments with the state of their files, None where its schema has none."""
        from flowtui.store.attachments import listing

        rows = self.ask(listing.attachments)
        return None if rows is None else self.files.listed(rows)

    def remarks(
        self,
        condition: Condition | None,
        question: Callable[Concatenate[sqlite3.Connection, Condition, P], tuple[str, ...]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> tuple[str, ...]:
        """Return sentences about a filter's unknown keys, and words searched for as text.

        Args:
            condition: The filter's condition; there are no remarks on None.
            question: Looks for the condition's keys among records of one kind.
            args: Further arguments of the question.
            kwargs: Further arguments by name.
        """
        if condition is None:
            return ()
        from flowtui.store import names_in_use

        unknown: tuple[str, ...] = ()
        if condition.asked:
            key = (question, args, *(asked.name for asked in condition.asked))
            fingerprint = self.database.fingerprint()
            known = self._remarks.get(key)
            # A key that some record has is taken to be in use as long as the list is looked at.
            if known is None or (known[1] and known[0] != fingerprint):
                known = fingerprint, self.ask(question, condition, *args, **kwargs)
                if fingerprint.is_settled or not known[1]:
                    self._remarks[key] = known
            unknown = known[1]
        return (*unknown, *names_in_use.as_text(condition))
