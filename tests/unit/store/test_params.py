"""Parameters: what the SDK writes reads back equal, and what is broken says so."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.store import params
from flowtui.store import params as logged_params
from flowtui.store.schema import ddl
from flowtui.store.values import Param
from tests.unit.stores import one_run, opened

texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        for table in ddl.EXPERIMENT_TABLES:
            connection.execute(table)
        yield connection


def stored(database: sqlite3.Connection, value: object, kind: object) -> Param:
    """Gives what is read of one row with that value and value_type."""
    database.execute("delete from static_params")
    database.execute("insert into static_params values ('key', ?, ?)", (value, kind))
    found = params.params(database)
    assert found is not None
    (param,) = found
    assert param.key == "key"
    return param


@given(value=st.one_of(st.booleans(), st.integers(), st.floats(), texts))
def test_a_scalar_reads_back_as_it_was_logged(
    database: sqlite3.Connection, value: bool | int | float | str
) -> None:
    kind = type(value).__name__
    param = stored(database, str(value), kind)
    assert (param.type, param.problem) == (kind, None)
    assert type(param.value) is type(value)
    assert repr(param.value) == repr(value)


@given(value=json_values)
def test_a_json_value_reads_back_as_it_was_logged(
    database: sqlite3.Connection, value: object
) -> None:
    param = stored(database, json.dumps(value), "json")
    assert (param.type, param.problem) == ("json", None)
    assert repr(param.value) == repr(value)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("nan", "float", math.nan),
        ("-inf", "float", -math.inf),
        ("1e-05", "float", 1e-05),
        (str(2**2000), "int", 2**2000),
        ('{"a": [NaN, -Infinity]}', "json", {"a": [math.nan, -math.inf]}),
        ("a\0b", "str", "a\0b"),
        ("", "str", ""),
        ("bf16", "Precision", "bf16"),
    ],
)
def test_odd_values_read_back(
    database: sqlite3.Connection, text: str, kind: str, value: object
) -> None:
    param = stored(database, text, kind)
    assert (param.type, param.problem) == (kind, None)
    assert repr(param.value) == repr(value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ten", "int"),
        ("1.5", "int"),
        ("9" * 5000, "int"),
        ("", "float"),
        ("yes", "bool"),
        ("{'a': 1}", "json"),
        ('{"a": ', "json"),
        ("[" * 100_000, "json"),
    ],
)
def test_a_value_that_is_not_of_its_type_is_shown_as_stored_with_a_problem(
    database: sqlite3.Connection, text: str, kind: str
) -> None:
    param = stored(database, text, kind)
    assert param.value == text
    assert param.problem == f"stored as {kind}, but it is not one"


def test_null_is_told_from_a_logged_none(database: sqlite3.Connection) -> None:
    assert stored(database, None, "str") == Param("key", "str", None, "the stored value is NULL")
    assert stored(database, "null", "json") == Param("key", "json", None)
    assert stored(database, "x", None) == Param("key", "str", "x")


def test_a_value_without_end_is_cut_and_says_how_long_it_is(
    database: sqlite3.Connection,
) -> None:
    size = params.MAX_VALUE_BYTES
    whole = stored(database, "x" * size, "str")
    assert (whole.value, whole.problem) == ("x" * size, None)
    cut = stored(database, "x\0" * size, "str")
    assert cut.value == "x\0" * (size // 2)
    assert cut.problem == "only the first 1,000,000 of 2,000,000 bytes are shown"


def test_bytes_that_are_no_text_survive(database: sqlite3.Connection) -> None:
    database.execute("delete from static_params")
    database.execute(
        "insert into static_params values (cast(x'6bff' as text), cast(x'61ff' as text), 'str')"
    )
    assert params.params(database) == (Param("k\udcff", "str", "a\udcff"),)
    assert "61" not in str(stored(database, b"\x61", "str").value)


def test_parameters_come_by_key(tmp_path: Path) -> None:
    one_run(tmp_path, {"b": 1, "a": [1, {"x": None}], "C": "x" * 5000, "k" * 5000: True})
    with opened(tmp_path) as store:
        found = store.run("run-1").ask(logged_params.params)
    assert found == (
        Param("a", "json", [1, {"x": None}]),
        Param("b", "int", 1),
        Param("C", "str", "x" * 5000),
        Param("k" * 5000, "bool", True),
    )


def test_a_schema_without_parameters_has_none() -> None:
    with closing(sqlite3.connect(":memory:")) as empty:
        assert params.params(empty) is None
