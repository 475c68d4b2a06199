"""What people change about runs, groups and logged models: as wished, as known, and as changed.

Text in them is untrusted, like everything from a store.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from flowtui.store.errors import StoreError

RawValue: TypeAlias = int | float | str | bytes | None
"""What a column holds; text that is not UTF-8 has surrogates for its bytes."""


class RecordTable(StrEnum):
    """The tables of meta.db whose rows a person may edit."""

    RUNS = "experiments"
    GROUPS = "experiment_groups"
    MODELS = "models"

    @property
    def noun(self) -> str:
        return {"experiments": "run", "experiment_groups": "group", "models": "model"}[self]


class RecordEdit(NamedTuple):
    """What is to be set; None leaves a field as it is."""

    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    """All tags, in place of the present ones."""
    added_tags: tuple[str, ...] = ()
    removed_tags: tuple[str, ...] = ()
    group: str | None = None
    """The name of a run's group, which is made if it is missing."""

    @property
    def is_empty(self) -> bool:
        return self == RecordEdit()

    def check(self) -> None:
        """Raise for texts that must not be written.

        Raises:
            InvalidEdit: A field is invalid; the error names it and says what is wrong.
        """
        for field, text in (("name", self.name), ("group", self.group)):
            if text is not None and not text.strip():
                raise InvalidEdit(field, f"the {field} is empty")
            if text is not None and len(text.splitlines()) > 1:
                raise InvalidEdit(field, f"a {field} has one line only")
        tags = (*(self.tags or ()), *self.added_tags)
        if any(not tag.strip() for tag in tags):
            raise InvalidEdit("tags", "a tag is empty")
        for field, text in (
            ("name", self.name or ""),
            ("description", self.description or ""),
            ("group", self.group or ""),
            *(("tags", tag) for tag in tags),
        ):
            try:
                text.encode("utf-8")
            except UnicodeEncodeError as error:
                message = f"the {field} holds a broken character at position {error.start + 1}"
                raise InvalidEdit(field, message) from error


class RecordState(NamedTuple):
    """The fields of one row that can be edited, as they were read."""

    id: str
    name: str
    description: str
    tags: tuple[str, ...]
    group: str
    """The name of a run's group; empty where it has none."""
    fields: frozenset[str]
    """Which of name, description, tags and group this store has columns for."""
    raw: Mapping[str, RawValue]
    """The columns that hold them, as stored."""
    problem: str = ""
    """Why the tags cannot be edited; empty where they can be."""


class RowEdit(NamedTuple):
    """The columns of one row that were set."""

    id: str
    name: str
    """The name of what was edited, as it was before."""
    before: Mapping[str, RawValue]
    after: Mapping[str, RawValue]


class RecordsEdited(NamedTuple):
    """One edit, of one row or of several, which can be undone."""

    table: RecordTable
    rows: tuple[RowEdit, ...]
    made_groups: tuple[str, ...] = ()
    """The ids of groups that were made for it."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields that were set, for a person."""
        names = dict.fromkeys(column for row in self.rows for column in row.after)
        return tuple("group" if name in GROUP_COLUMNS else name for name in names)


GROUP_COLUMNS = ("group_id", "group_name")
"""What says to which group a run belongs; the second one in stores from before groups had ids."""


class InvalidEdit(StoreError):
    """Something must not be written as it stands."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        """The field that is wrong: name, description, tags or group; empty for none of them."""


class RecordGone(StoreError):
    """What was to be edited or deleted is not in the store any more."""


class NotDeleted(StoreError):
    """A run is not deleted, or not restored; `str()` says why, and what to do."""


class RecordChanged(StoreError):
    """Somebody else changed what was to be edited since it was read."""

    def __init__(self, message: str, current: RecordState) -> None:
        super().__init__(message)
        self.current = current


def tag_items(raw: RawValue) -> list[object]:
    """Return the items of a column of tags, which other tools may give other types than text.

    Raises:
        ValueError: It is not a JSON list.
    """
    if raw is None or raw == "":
        return []
    if not isinstance(raw, str):
        raise ValueError("the tags are not text")
    parsed = json.loads(raw)
    if not isinstance(parsed, list):
        raise ValueError("the tags are not a JSON list")
    return parsed


def tag_text(item: object) -> str:
    return item if isinstance(item, str) else json.dumps(item)


def changed_tags(items: Sequence[object], wanted: RecordEdit) -> list[object]:
    """Return tags with an edit made; those that stay keep their types and their order."""
    kept: list[object] = list(items)
    if wanted.tags is not None:
        by_text = {tag_text(item): item for item in items}
        kept = [by_text.get(tag, tag) for tag in dict.fromkeys(wanted.tags)]
    kept = [item for item in kept if tag_text(item) not in wanted.removed_tags]
    there = {tag_text(item) for item in kept}
    return [*kept, *(tag for tag in dict.fromkeys(wanted.added_tags) if tag not in there)]
