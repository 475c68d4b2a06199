"""Raw columns to values."""

from __future__ import annotations

import sqlite3
from array import array
from contextlib import closing

import pytest

from flowtui.store import decoding


@pytest.mark.parametrize("count", [0, 1, 2, 50_000])
def test_keys_come_whole_and_in_their_order(count: int) -> None:
    numbers = (
        "with recursive n(value) as (select 1 union all select value + 1 from n where value < :n)"
    )
    with closing(sqlite3.connect(":memory:")) as connection:
        # An order that is neither that of the rows nor of the keys, of keys up to the largest.
        found = decoding.keys(
            connection,
            f"{numbers} select (value - 2) * 100000000000001 from n where value <= :n"
            " order by value % 7, value desc",
            {"n": count},
        )
    values = sorted(range(1, count + 1), key=lambda value: (value % 7, -value))
    assert found == array("q", [(value - 2) * 100_000_000_000_001 for value in values])
