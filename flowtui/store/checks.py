"""What a schema has in place of luml-sdk's tables, and what is not written because of it.

Views, virtual tables, generated columns and triggers are programs of the file's author that others
run: a view may never end, and a trigger runs with every write while the lock is held.
Source: sqlite_master of meta.db and exp.db.
"""

from __future__ import annotations

import sqlite3
import time

from flowtui.store import cancelling
from flowtui.store.decoding import text

TABLES = frozenset(
    "schema_migrations experiments experiment_groups models remote_artifacts"
    " exp_schema_migrations static_params dynamic_metrics attachments spans evals"
    " eval_traces_bridge eval_annotations span_annotations".split()
)
"""Those that luml-sdk makes; what makes them is not loaded before the first paint."""
READ_S = 4.0
"""As long as a write may take; a table that is read may take longer, since it has an end."""
_WRITING = (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE)
_SHOWN_CHARS = 60


def oddities(connection: sqlite3.Connection) -> list[str]:
    """Return sentences about what is not a table as luml-sdk makes it, in the order of names."""
    instead, triggers = _programs(connection)
    said = [
        _instead_of_table(name, what) for name, what in sorted(instead.items()) if name in TABLES
    ]
    for name in sorted(TABLES - instead.keys()):
        said += [
            f"{name}.{_shown(column)} is a generated column: its values are computed, not logged"
            for (column,) in connection.execute(
                "select name from pragma_table_xinfo(?) where hidden in (2, 3) order by cid", [name]
            )
        ]
        if name in triggers:
            said.append(f"nothing is written into {name}: {_why_not(name, triggers[name])}")
    return said


class ReadGuard:
    """Ends, on one connection, what reads a view or a virtual table for longer than `READ_S`."""

    def __init__(self, connection: sqlite3.Connection, vm_steps: int) -> None:
        """Look at the schema, inside the transaction that reads; its progress handler is replaced.

        Args:
            connection: that is to answer one question.
            vm_steps: how often it is looked whether to end.

        Raises:
            sqlite3.Error: it cannot be read.
        """
        self.refusal = ""
        """Why it was ended, empty where it was not."""
        self._instead, _ = _programs(connection)
        self._asked: list[str] = []
        self._until_s = time.monotonic() + READ_S
        if self._instead:
            connection.set_authorizer(self._note)
            connection.set_progress_handler(self._is_over, vm_steps)

    def _note(
        self, _: int, table: str | None, __: str | None, ___: str | None, view: str | None
    ) -> int:
        for name in (table, view):
            if name is not None and name.lower() in self._instead:
                self._asked.append(name.lower())
        return sqlite3.SQLITE_OK

    def _is_over(self) -> bool:
        if self._asked and time.monotonic() > self._until_s:
            name = self._asked[-1]
            self.refusal = (
                f"reading {_shown(name)} took more than {READ_S:g} s and was given up:"
                f" {_instead_of_table(name, self._instead[name])}"
            )
        return bool(self.refusal) or cancelling.is_left()


class WriteGuard:
    """Refuses, on one connection, writes to anything but a table without triggers."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read the schema once, inside the transaction that will write.

        Raises:
            sqlite3.Error: The schema cannot be read.
        """
        self.refusal = ""
        """Why a write was refused, since SQLite only says that it was."""
        self._connection = connection
        self._instead, self._triggers = _programs(connection)
        if self._instead or self._triggers:
            connection.set_authorizer(self._authorize)

    def leave(self) -> None:
        """Stop guarding the connection, for a caller that keeps it and reads the schema again."""
        if self._instead or self._triggers:
            self._connection.set_authorizer(None)

    def _authorize(
        self, action: int, table: str | None, _: str | None, __: str | None, ___: str | None
    ) -> int:
        name = "" if table is None else table.lower()
        if action not in _WRITING or not (name in self._instead or name in self._triggers):
            return sqlite3.SQLITE_OK
        if name in self._instead:
            self.refusal = f"{_shown(name)} is {self._instead[name]}, not a table"
        else:
            self.refusal = _why_not(name, self._triggers[name])
        return sqlite3.SQLITE_DENY


def _programs(connection: sqlite3.Connection) -> tuple[dict[str, str], dict[str, str]]:
    """Return what is not a table, by name, and the first trigger of each table that has one."""
    instead: dict[str, str] = {}
    triggers: dict[str, str] = {}
    rows = connection.execute(
        "select type, name, tbl_name, rootpage from sqlite_master"
        " where type in ('view', 'trigger') or (type = 'table' and rootpage = 0) order by name"
    )
    for kind, name, of, _ in rows:
        if kind == "trigger":
            triggers.setdefault(text(of).lower(), text(name))
        else:
            instead[text(name).lower()] = "a view" if kind == "view" else "a virtual table"
    return instead, triggers


def _instead_of_table(name: str, what: str) -> str:
    return (
        f"{_shown(name)} is {what}, not the table that luml-sdk makes: what it says is computed"
        " when it is read, and nothing is written into it"
    )


def _why_not(table: str, trigger: str) -> str:
    return (
        f"the trigger {_shown(trigger)} would run with each write into {_shown(table)};"
        " luml-sdk makes none, and `drop trigger` removes it"
    )


def _shown(name: object) -> str:
    return " ".join(text(name).split())[:_SHOWN_CHARS]
