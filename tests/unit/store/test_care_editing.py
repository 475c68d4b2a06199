"""Names, descriptions, tags, groups: what an edit writes and leaves, and how it is undone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flowtui.store import runs as run_rows
from flowtui.store.care import editing, states
from flowtui.store.care.values import (
    InvalidEdit,
    RecordChanged,
    RecordEdit,
    RecordGone,
    RecordsEdited,
    RecordTable,
)
from flowtui.store.errors import DatabaseReadOnly
from flowtui.store.store import Store
from tests.unit.stores import NOW, execute, opened, writer

RUNS, GROUPS, MODELS = RecordTable.RUNS, RecordTable.GROUPS, RecordTable.MODELS
LATER = NOW + timedelta(hours=3)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with writer(tmp_path / "store") as store:
        store.start_run("run-1", "first", tags=["a", "b"], description="as it was")
        store.start_run("run-2", "second", group="sweep")
        store.model("run-1", "net.luml", b"12345", name="net", tags=["v1"])
    return tmp_path / "store"


@pytest.fixture
def store(directory: Path) -> Iterator[Store]:
    with opened(directory) as store:
        yield store


def query(directory: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(directory / "meta.db")) as connection:
        return connection.execute(sql).fetchall()


def dump(directory: Path) -> list[str]:
    with closing(sqlite3.connect(directory / "meta.db")) as connection:
        return list(connection.iterdump())


def edit(
    store: Store, wanted: RecordEdit, *ids: str, table: RecordTable = RUNS
) -> RecordsEdited | None:
    return editing.edit(store.meta, table, ids or ("run-1",), wanted, now=lambda: LATER)


def test_fields_are_written_as_luml_sdk_writes_them(store: Store, directory: Path) -> None:
    wanted = RecordEdit(name="été [b]", description="two\nlines", tags=("b", "c, d"))
    change = edit(store, wanted)
    assert change is not None
    assert set(change.fields) == {"name", "description", "tags"}
    assert query(directory, "select name, description, tags from experiments order by id") == [
        ("été [b]", "two\nlines", json.dumps(["b", "c, d"])),
        ("second", None, None),
    ]
    row = store.ask(run_rows.run, "run-1")
    assert row is not None
    assert row.tags == ("b", "c, d")
    assert {path.name for path in directory.glob("meta.db*")} == {"meta.db"}


def test_an_edit_that_changes_nothing_writes_nothing(store: Store, directory: Path) -> None:
    before = dump(directory)
    wanted = RecordEdit("first", "as it was", ("a", "b"), ("a",), ("x",), "default")
    assert edit(store, wanted) is None
    assert edit(store, RecordEdit(description=""), "run-2") is None
    assert dump(directory) == before


def test_a_change_of_group_touches_both_groups_and_no_other(store: Store, directory: Path) -> None:
    with writer(directory) as more:
        more.group("idle")
    edit(store, RecordEdit(group="sweep"))
    assert query(directory, "select name, last_modified from experiment_groups order by name") == [
        ("default", "2026-06-01 15:00:00"),
        ("idle", "2026-06-01 12:00:00"),
        ("sweep", "2026-06-01 15:00:00"),
    ]


def test_a_missing_group_is_made_and_goes_again_when_the_move_is_undone(
    store: Store, directory: Path
) -> None:
    change = edit(store, RecordEdit(group="new one"), "run-1", "run-2")
    assert change is not None
    (made,) = query(
        directory, "select name, created_at, last_modified from experiment_groups where id in"
        " (select group_id from experiments)",
    )  # fmt: skip
    assert made == ("new one", "2026-06-01 15:00:00", "2026-06-01 15:00:00")
    editing.revert(store.meta, change)
    assert query(
        directory,
        "select r.name, g.name from experiments r join experiment_groups g on g.id = r.group_id"
        " order by 1",
    ) == [("first", "default"), ("second", "sweep")]
    assert query(directory, "select count(*) from experiment_groups") == [(2,)]


def test_a_made_group_that_has_other_runs_by_now_stays(store: Store, directory: Path) -> None:
    change = edit(store, RecordEdit(group="new one"))
    assert change is not None
    edit(store, RecordEdit(group="new one"), "run-2")
    editing.revert(store.meta, change)
    assert query(directory, "select count(*) from experiment_groups") == [(3,)]


def test_tags_are_added_and_taken_away_beside_those_that_others_wrote(
    store: Store, directory: Path
) -> None:
    execute(directory / "meta.db", "update experiments set tags = '[1, \"a\", null]'"
            " where id = 'run-2'")  # fmt: skip
    edit(store, RecordEdit(added_tags=("a", "new"), removed_tags=("b", "null")), "run-1", "run-2")
    assert query(directory, "select tags from experiments order by id") == [
        ('["a", "new"]',),
        ('[1, "a", "new"]',),
    ]


def test_broken_tags_are_not_overwritten(store: Store, directory: Path) -> None:
    execute(directory / "meta.db", "update experiments set tags = '{\"a\": 1}', name = 'x'")
    before = dump(directory)
    with pytest.raises(InvalidEdit, match="the tags of x are not the JSON list"):
        edit(store, RecordEdit(added_tags=("new",)))
    state = store.ask(states.state, RUNS, "run-1")
    assert state is not None
    assert state.problem
    assert dump(directory) == before


@pytest.mark.parametrize(
    ("wanted", "field", "said"),
    [
        (RecordEdit(name=" "), "name", "the name is empty"),
        (RecordEdit(name="a\nb"), "name", "a name has one line only"),
        (RecordEdit(group=""), "group", "the group is empty"),
        (RecordEdit(tags=("a", " ")), "tags", "a tag is empty"),
        (RecordEdit(added_tags=("\udcff",)), "tags", "the tags holds a broken character at"),
        (RecordEdit(description="x\ud800"), "description", "broken character at position 2"),
    ],
)
def test_what_others_could_not_read_is_refused(
    store: Store, directory: Path, wanted: RecordEdit, field: str, said: str
) -> None:
    before = dump(directory)
    with pytest.raises(InvalidEdit, match=said) as refused:
        edit(store, wanted)
    assert refused.value.field == field
    assert dump(directory) == before


def test_of_several_runs_all_are_edited_or_none(store: Store, directory: Path) -> None:
    before = dump(directory)
    with pytest.raises(RecordGone, match="the run gone is not in the store any more"):
        edit(store, RecordEdit(group="new one"), "run-1", "gone")
    assert dump(directory) == before


def test_somebody_elses_change_of_the_same_field_is_shown_before_it_is_overwritten(
    store: Store, directory: Path
) -> None:
    known = store.ask(states.states, RUNS, ["run-1"])
    execute(directory / "meta.db", "update experiments set name = 'theirs', duration = 3")
    with pytest.raises(RecordChanged, match="changed its name meanwhile") as changed:
        editing.edit(store.meta, RUNS, ["run-1"], RecordEdit(name="mine"), known=known)
    assert changed.value.current.name == "theirs"
    # Another field than those that they changed is no conflict.
    editing.edit(store.meta, RUNS, ["run-1"], RecordEdit(description="mine"), known=known)
    known = {"run-1": changed.value.current}
    editing.edit(store.meta, RUNS, ["run-1"], RecordEdit(name="mine"), known=known)
    assert query(directory, "select name, description from experiments where id = 'run-1'") == [
        ("mine", "mine")
    ]


def test_undo_brings_back_every_byte_and_asks_before_it_overwrites(
    store: Store, directory: Path
) -> None:
    execute(directory / "meta.db", "update experiments set description = cast(x'ff41' as text),"
            " tags = ' [\"a\" ]' where id = 'run-1'")  # fmt: skip
    before = dump_runs(directory)
    undo = editing.undo_stack(store.meta)
    for wanted in (RecordEdit(name="one"), RecordEdit("two", "d", ("t",))):
        change = edit(store, wanted)
        assert change is not None
        undo.push(change)
    execute(directory / "meta.db", "update experiments set name = 'theirs' where id = 'run-1'")
    with pytest.raises(RecordChanged, match="somebody else has changed one meanwhile"):
        undo.undo()
    undo.undo(overwrite=True)
    undo.undo()
    assert undo.undo() is None
    assert dump_runs(directory) == before


def dump_runs(directory: Path) -> list[Any]:
    sql = "select id, name, hex(description), hex(tags), group_id, status from experiments"
    return query(directory, sql)


def test_an_undo_into_a_group_that_is_gone_says_so(store: Store, directory: Path) -> None:
    change = edit(store, RecordEdit(group="default"), "run-2")
    assert change is not None
    (sweep,) = [id_ for id_, name in query(directory, "select id, name from experiment_groups")
                if name == "sweep"]  # fmt: skip
    editing.delete_group(store.meta, sweep)
    with pytest.raises(RecordGone, match="the group that second was in is gone"):
        editing.revert(store.meta, change)


def test_groups_are_edited_and_deleted_when_they_are_empty(store: Store, directory: Path) -> None:
    ids = {name: id_ for id_, name in query(directory, "select id, name from experiment_groups")}
    edit(store, RecordEdit("grid", "of lr", ("x",)), ids["sweep"], table=GROUPS)
    assert query(
        directory,
        "select name, description, tags, last_modified from experiment_groups where name = 'grid'",
    ) == [("grid", "of lr", '["x"]', "2026-06-01 15:00:00")]
    with pytest.raises(InvalidEdit, match="there is a group 'default' already"):
        edit(store, RecordEdit("default"), ids["sweep"], table=GROUPS)
    with pytest.raises(InvalidEdit, match="the group has 1 run: move or delete them first"):
        editing.delete_group(store.meta, ids["sweep"])
    edit(store, RecordEdit(group="default"), "run-2")
    editing.delete_group(store.meta, ids["sweep"])
    with pytest.raises(RecordGone):
        editing.delete_group(store.meta, ids["sweep"])
    assert query(directory, "select name from experiment_groups") == [("default",)]


def test_models_are_edited(store: Store, directory: Path) -> None:
    (model_id,) = query(directory, "select id from models")[0]
    change = edit(store, RecordEdit("net 2", "# Card", ("v2",)), model_id, table=MODELS)
    assert query(directory, "select name, description, tags from models") == [
        ("net 2", "# Card", '["v2"]')
    ]
    assert change is not None
    editing.revert(store.meta, change)
    assert query(directory, "select name, description, tags from models") == [
        ("net", None, '["v1"]')
    ]


def test_a_column_that_an_old_store_lacks_is_no_field_of_it(store: Store, directory: Path) -> None:
    execute(directory / "meta.db", "alter table models drop column description")
    (model_id,) = query(directory, "select id from models")[0]
    state = store.ask(states.state, MODELS, model_id)
    assert state is not None
    assert state.fields == {"name", "tags"}
    before = dump(directory)
    with pytest.raises(InvalidEdit, match="a model of this store has no description"):
        edit(store, RecordEdit(description="card"), model_id, table=MODELS)
    assert dump(directory) == before


def test_a_run_from_before_groups_had_ids_names_its_group_itself(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "meta.db")) as connection, connection:
        connection.executescript(
            "create table experiments (id text primary key, name text, created_at timestamp,"
            " status text, group_name text, tags text);"
            "create table experiment_groups (id text primary key, name text);"
            "insert into experiments values ('run-1', 'old', null, 'completed', 'g', null);"
        )
    with opened(tmp_path) as store:
        state = store.ask(states.state, RUNS, "run-1")
        assert state is not None
        assert (state.fields, state.group) == ({"name", "tags", "group"}, "g")
        change = edit(store, RecordEdit(group="h", added_tags=("t",)))
        assert query(tmp_path, "select group_name, tags from experiments") == [("h", '["t"]')]
        assert store.ask(states.group_names) == {"h": "h"}
        assert change is not None
        editing.revert(store.meta, change)
    assert query(tmp_path, "select group_name, tags from experiments") == [("g", None)]


def test_a_trigger_is_never_set_off(store: Store, directory: Path) -> None:
    execute(directory / "meta.db", "create trigger t after update on experiments begin"
            " delete from models; end")  # fmt: skip
    before = dump(directory)
    with pytest.raises(DatabaseReadOnly, match="the trigger t would run"):
        edit(store, RecordEdit(name="x"))
    assert dump(directory) == before


def test_tags_in_use_come_most_common_first(store: Store) -> None:
    edit(store, RecordEdit(added_tags=("b",)), "run-2")
    assert store.ask(states.tags_in_use, RUNS) == ["b", "a"]


def test_groups_without_runs_are_listed_where_they_are_asked_for(
    store: Store, directory: Path
) -> None:
    with writer(directory) as more:
        more.group("idle-10")
        more.group("idle-2")
    named = [(one.name, one.run_count) for one in store.ask(run_rows.groups, with_empty=True)]
    assert named == [("default", 1), ("idle-2", 0), ("idle-10", 0), ("sweep", 1)]
    assert [one.name for one in store.ask(run_rows.groups)] == ["default", "sweep"]
