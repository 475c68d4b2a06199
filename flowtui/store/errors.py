"""What can go wrong with a store, as one tree.

StoreError                a read or write of a store failed; its text is one line for a person
├── StoreNotFound         no store where one was looked for
├── DatabaseError         one database file cannot be read
│   ├── DatabaseMissing   the file is not there
│   ├── DatabaseCorrupt   the file is there and is not a sound database
│   ├── DatabaseDenied    the file is there and this user may not read it
│   ├── DatabaseBusy      somebody else held it for longer than the busy timeout
│   ├── DatabaseReadOnly  this user may not write the file or into its folder
│   ├── DiskFull          there is no room for what was to be written
│   └── NoAnnotationTables  the run is of an SDK that had none
├── InvalidAnnotation     an annotation must not be written as it stands; names the field
├── TargetGone            the span or sample to annotate is no longer in the run
├── AnnotationChanged     the annotation is not what it was known as (annotation_errors.py)
├── InvalidEdit           a run, group or model must not be edited so (care/values.py)
├── RecordGone            what was to be edited or deleted is not there any more (care/values.py)
├── RecordChanged         what was to be edited is not what it was known as (care/values.py)
├── NotDeleted            a run is not deleted or restored, and why (care/values.py)
├── RunNotFound           no run answers to this id, prefix or name; carries the near ones
├── RunAmbiguous          several do; carries them
├── FilterError           a filter expression is not understood; carries the position
├── PatternTooSlow        a regular expression takes too long on a text that is searched
└── ReadCancelled         the reader left before the answer came
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flowtui.failures import Failure, NoLongerWanted
from flowtui.store.values import StoreLocation


class StoreError(Failure):
    """A read or write of a store failed; `str()` says what, where and what to do."""


class StoreNotFound(StoreError):
    """There is no store where one was looked for."""

    def __init__(
        self, message: str, ways: Sequence[str] = (), place: StoreLocation | None = None
    ) -> None:
        super().__init__(message)
        self.ways = tuple(ways)
        """Lines that say what can be done about it."""
        self.place = place
        """Where a store may still appear; None where something else must change first."""


class DatabaseError(StoreError):
    """One database file of a store cannot be read."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


class DatabaseMissing(DatabaseError):
    """The database file is not there."""


class DatabaseCorrupt(DatabaseError):
    """The file is there and is not a sound SQLite database, or lacks what its schema promises."""


class DatabaseDenied(DatabaseError):
    """The file is there and this user may not read it."""


class DatabaseBusy(DatabaseError):
    """Somebody else held the database for longer than the busy timeout."""


class DatabaseReadOnly(DatabaseError):
    """This user may not write the file, or not into its folder."""


class DiskFull(DatabaseError):
    """There is no room on the disk for what was to be written."""


class NoAnnotationTables(DatabaseError):
    """The run was written by an SDK that had no annotations; the tables can be created."""


class InvalidAnnotation(StoreError):
    """An annotation must not be written as it stands."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        """The field that is wrong: name, kind, value, rationale or user."""


class TargetGone(StoreError):
    """The span or sample to annotate is not in the run any more."""


class RunNotFound(StoreError):
    """No run of the store answers to the id, prefix or name that was given."""

    def __init__(self, message: str, near: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.near = tuple(near)
        """The closest ids and names, best first; may be empty."""


class RunAmbiguous(StoreError):
    """Several runs answer to the prefix or name that was given."""

    def __init__(self, message: str, matches: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.matches = tuple(matches)
        """One line for each match: id, name, status."""


class FilterError(StoreError):
    """A filter expression is not understood."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position
        """Offset in characters from the start of the expression."""


class PatternTooSlow(StoreError):
    """A regular expression takes too long on a text: whether it occurs there is not known."""


class ReadCancelled(StoreError, NoLongerWanted):
    """The person left (Esc, another tab, quit) before the answer came."""
