"""Regular expressions in filters: which texts they fit, and that no search goes on for ever."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from flowtui.reports.run_table import ListRequest, print_runs
from flowtui.store.cancelling import cancelling
from flowtui.store.database import Database
from flowtui.store.errors import PatternTooSlow, ReadCancelled
from flowtui.store.filters import regexp, register_functions
from tests.unit.stores import one_run, opened, writer

TEXTS = (
    "", "loss", "Train/Loss_1", "foo.bar baz", "x" * 50, "12.5e-3", "a{e<=1}", "line\nline 2\r\n",
    "[:alpha:]", "tab\there", "über-Straße Ñ ИЖ 東京", "a||b&&c--d~~e", "{}", "x{1,y}", "(a+)+b",
    '{"role": "user", "content": "What is 2 + 2?"}', "2025-03-01T10:30:00Z", "aAbB", "baaab]",
)  # fmt: skip
PATTERNS = (
    "", "loss", "^loss$", "(?i)LOSS", r"\bba[rz]\b", r"\d+(\.\d+)?(e-?\d+)?", "a{e<=1}", "a{2,3}b",
    "(?:foo){i<=2}", "{}", "x{1,y}", "[[:alpha:]]", "[^[:alpha:]]", "[a||b]", "[+--]", "[a&&c]",
    "(?m)^line 2", r"line\s+2$", r"^\w+$", r"\W", "(?P<q>a)(?P=q)b", "(a)(?(1)a|b)", "(?<=foo)\\.",
    "(?<!x)bar", "(?s)line.line", "a*?b", "a++b", "(?>a+)b", r"\Aloss\Z", "[]x]", "[^]x]", "ß",
    "(?i)ÜBER", "[\u0400-\u04ff]+", r"\N{LATIN SMALL LETTER A}{2}", "content.*2 \\+ 2", "^(x|xx)*$",
    "(?x) loss  # the name", "a{,3}b",
)  # fmt: skip
NEVER = "(a+)+$"
"""Takes longer than anybody lives on a text that almost fits."""
ALMOST = "a" * 5_000 + "b"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(one_run(tmp_path), "run/exp.db")


def matches(connection: sqlite3.Connection, pattern: str, text: str, times: int = 1) -> int:
    register_functions(connection)
    values = {"pattern": pattern, "text": text, "times": times}
    (count,) = connection.execute(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < :times)"
        " select count(*) from n where regexp(:pattern, :text || i)",
        values,
    ).fetchone()
    return int(count)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_pattern_fits_what_it_does_in_python(pattern: str) -> None:
    found = [text for text in TEXTS if re.search(pattern, text)]
    assert [text for text in TEXTS if regexp(pattern, text)] == found


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("(x|xx)*y", "x" * 50), ("L*L*L*y", "L" * 2_000_000), (r"(a*)*\1b", "a" * 200)],
)
def test_what_python_never_ends_with_is_answered(pattern: str, text: str) -> None:
    assert not regexp(pattern, text)


def test_a_search_that_takes_too_long_is_no_answer(database: Database) -> None:
    with pytest.raises(
        PatternTooSlow, match=r"expression \(a\+\)\+\$ takes too long on a text of 5,"
    ):
        database.read(lambda connection: matches(connection, NEVER, ALMOST))
    assert database.read(lambda connection: matches(connection, "b", ALMOST)) == 1


def test_a_list_of_runs_says_that_its_filter_takes_too_long(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with writer(tmp_path) as store:
        store.start_run("run-1", ALMOST)
    with opened(tmp_path) as store, pytest.raises(PatternTooSlow):
        print_runs(store, ListRequest(filter_text=f'name ~ "{NEVER}"'))
    assert capsys.readouterr().out == ""


def test_a_search_of_many_values_is_left_between_two(database: Database) -> None:
    looks = iter(range(5))
    with cancelling(lambda: next(looks, None) is None), pytest.raises(ReadCancelled):
        database.read(lambda connection: matches(connection, "^b", ALMOST, 1_000_000))
