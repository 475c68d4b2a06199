"""What a filter that is not understood says, and where."""

from __future__ import annotations

import sqlite3
import time

import pytest

from flowtui.store.errors import FilterError
from flowtui.store.filters import run_condition
from flowtui.store.filters.parser import MAX_CONDITIONS, MAX_DEPTH
from tests.unit.store.test_filters import matching, open_runs


def failure(text: str) -> FilterError:
    with pytest.raises(FilterError) as caught:
        run_condition(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "position", "part"),
    [
        ("name = 'bert", 7, "This ' is not closed"),
        ('a "b', 2, 'This " is not closed'),
        ("params.`x = 1", 7, "This ` is not closed"),
        (r'name = "say \"hi\""', 14, "Expected a space after the closing quote"),
        ("name =", 6, "Expected a value after =, found the end of the filter."),
        ("name = AND x", 7, "Expected a value after =, found 'AND'."),
        ("name LIKE", 9, "Expected a value after LIKE"),
        ("name = = 'x'", 7, "found '='"),
        ("name = NULL", 7, "IS NULL"),
        ("= 5", 0, "Expected a condition, found '='."),
        ("status = error AND", 18, "Expected a condition, found the end of the filter."),
        ("OR bert", 0, "Expected a condition, found 'OR'."),
        ("NOT", 3, "Expected a condition"),
        ("LIKE 'x'", 0, "Expected a condition, found 'LIKE'."),
        ("(bert", 5, "Expected AND, OR or ')'"),
        ("bert)", 4, "Expected AND, OR or the end, found ')'."),
        ("()", 1, "Expected a condition"),
        ("bert, base", 4, "found ','"),
        ("name IS empty", 8, "Expected NULL or NOT NULL, found 'empty'."),
        ("name IS NOT empty", 12, "Expected NULL, found 'empty'."),
        ("name IN 'x'", 8, "Expected '(' and a list of values after IN"),
        ("name IN ()", 9, "Expected a value of the list, found ')'."),
        ("name IN ('x' 'y')", 13, "Expected ',' or ')'"),
        ("name IN ('x',,)", 13, "Expected a value of the list"),
        ("name IN ('x'", 12, "Expected ',' or ')'"),
        ("0.8 < accuracy", 0, "Expected a field's name before '<', found '0.8'."),
        ("duration > soon", 11, "Expected a number of seconds, such as 2s, 90m or 1.5h"),
        ("duration > 10MB", 11, "Expected a number of seconds"),
        ("duration IN (1, x)", 16, "Expected a number of seconds"),
        ("duration LIKE '9%'", 9, "duration holds numbers; expected one of"),
        ("duration > 2 parsecs", 13, "Expected AND or OR before 'parsecs', or quotes around"),
        ("duration > 2 h parsecs", 15, "Expected AND or OR before 'parsecs'"),
        ("duration > 2 MB", 11, "Expected a number of seconds"),
        ("duration > 2h 30", 11, "Expected a number of seconds"),
        ("duration between 1 and 2 parsecs", 25, "Expected AND or OR before 'parsecs'"),
        ("duration > 1 000", 13, "Expected AND or OR before '000'"),
        ("lr < 1e-3 %", 10, "Expected AND or OR before '%'"),
        ("lr < 1 h", 5, "Expected one value for param.lr, found '1 h'"),
        ("lr = 1 h", 5, "Expected one value for param.lr, found '1 h'"),
        ("lr IN (1 h)", 7, "Expected one value for param.lr, found '1 h'"),
        ("metric.loss < 1 m", 14, "Expected one value for metric.loss"),
        ("name = 1 h", 7, "Expected one value for name, found '1 h'; text with spaces"),
        ("name LIKE 1 h", 10, "Expected one value for name"),
        ("name = bert base", 12, "Expected AND or OR before 'base', or quotes around a value"),
        ("name = 'bert' base", 14, "Expected AND or OR before 'base'"),
        ("(name = `group` base)", 16, "Expected AND or OR before 'base'"),
        ("created_at > 2026-11-29 soon", 24, "Expected AND or OR before 'soon'"),
        ("created_at > 2026-11-29 25:00", 13, "Expected a date such as"),
        ("created_at > 29 Nov 2026", 13, "Expected a date such as"),
        ("metric.loss = high", 14, "Expected a number for metric.loss; a field"),
        ("metric.loss ~ 'x'", 12, "metric.loss holds numbers"),
        ("lr < high", 5, "Expected a number or quoted text for param.lr; a field to compare"),
        ("accuracy > lr", 11, "a field to compare it with stands in backticks: `lr`."),
        ("metric.loss > val/loss", 14, "for metric.loss; a field to compare it with stands in"),
        ("lr < 2s", 5, "Expected a number or quoted text for param.lr after <, found '2s'."),
        ("created_at > yesterday", 13, "Expected a date such as"),
        ("created_at > '2025-02-30'", 13, "Expected a date such as"),
        ("created_at = 2025-13", 13, "Expected a date such as"),
        ("created_at > 2h", 13, "Expected a date such as"),
        ("attr.lr = 1", 0, "Runs have no attribute 'lr'; expected one of id, name"),
        ("bert annotations.quality = true", 5, "Runs have no annotations"),
        ("annotations.feedback.good answer = 1", 0, "Runs have no annotations"),
        ("bert annotated", 5, "Runs have no annotations"),
        ("duration between 1", 18, "Expected AND and a second value, found the end"),
        ("duration between and 5", 17, "Expected a value after BETWEEN, found 'and'."),
        ("duration between 1 and", 22, "Expected a value after AND, found the end"),
        ("duration between 5 and 1", 17, "Expected the lower value first"),
        ("created_at between 2026 and 2025-03", 19, "Expected the lower value first"),
        ("name between b and a", 13, "Expected the lower value first"),
        ("duration between soon and late", 17, "Expected a number of seconds"),
        ("lr between 1 and x", 17, "Expected a number or quoted text for param.lr"),
        ("lr between 1 and 'x'", 17, "Expected two numbers or two texts for BETWEEN."),
        ("lr between `a` and `b`", 11, "Expected a value after BETWEEN, found 'a'."),
        ("name = !x", 7, "Expected a value after =, found '!'."),
        ("a && ", 5, "Expected a condition, found the end"),
        ("a || && b", 5, "Expected a condition, found '&&'."),
        ("wow !", 5, "Expected a condition"),
        ("name ~ 'a(b'", 9, "This regular expression cannot be used"),
        ("name ~ [a", 7, "This regular expression cannot be used"),
        ("name ~ '((a{1000}){1000})'", 18, "expected repeats that come to at most 10,000"),
        ("name ~ group_name", 7, "Expected a quoted regular expression after ~."),
        ("'' = 5", 0, "There is no field ''"),
        ("name = 'a\ud800'", 9, "not valid Unicode"),
        ("param." + "a." * 16 + "b = 1", 0, "at most 16 levels"),
    ],
)
def test_error_says_what_was_expected_and_where(text: str, position: int, part: str) -> None:
    error = failure(text)
    assert part in str(error)
    assert error.position == position
    assert str(error).endswith(".")


@pytest.mark.parametrize(
    "pattern",
    ["a{10001}", "(?:a|b){4000000}", "(a{101}){100}", "((ab){1000}c){9}", "(?=a){20000}"],
)
def test_regex_that_takes_a_lot_of_memory_is_refused(pattern: str) -> None:
    assert "repeats that come to" in str(failure(f"name ~ '{pattern}'"))


@pytest.mark.parametrize(
    "pattern",
    ["(ab)+", "(a+)+", "([+*])+", r"(\+)+", "(a{2})+", "(a{100}){100}", "[[x]", "a{,3}", "a{}"],
)
def test_harmless_regex_is_accepted(pattern: str) -> None:
    assert pattern in run_condition(f"name ~ '{pattern}'").params.values()


@pytest.mark.parametrize(
    "regex",
    ["(" * 450 + ")" * 450 + "{99999999999}", "a{99999999999999}", "x" * 1_001, "(?P<a>x)(?P<a>y)"],
    ids=["nested", "repeat", "long", "names"],
)
def test_oversized_or_odd_regex_is_an_error_of_the_filter(regex: str) -> None:
    assert "regular expression" in str(failure(f"name ~ '{regex}'"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("(" * 100_000, id="parentheses"),
        pytest.param("NOT " * 25_000, id="nots"),
        pytest.param("NOT(" * 25_000, id="nots and parentheses"),
        pytest.param("a " * 50_000, id="words"),
        pytest.param("a=1 OR " * 14_000, id="ors"),
        pytest.param("name = '" + "x" * 100_000, id="unclosed text"),
        pytest.param("annotations.a " * 7_000, id="annotations"),
        pytest.param("`" * 99_999, id="backticks"),
        pytest.param("name LIKE '" + "%a" * 50_000 + "'", id="pattern"),
        pytest.param("name ~ '" + "(" * 50_000 + "'", id="regex"),
        pytest.param("duration > " + "9" * 100_000 + "s", id="quantity"),
        pytest.param("duration > " + "1s" * 50_000 + "x", id="quantities"),
        pytest.param("param" + ".a" * 50_000 + " = 1", id="levels"),
    ],
)
def test_huge_filter_is_refused_at_once(text: str) -> None:
    started = time.monotonic()
    error = failure(text)
    # Linear work takes a quarter of a second on a slow machine; quadratic, minutes.
    assert time.monotonic() - started < 5
    assert 0 <= error.position <= len(text)
    assert len(str(error)) < 200


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        pytest.param("a" * 100_000, "", id="word"),
        pytest.param("name = '" + "x" * 100_000 + "'", "", id="text"),
        pytest.param("id IN (" + "z, " * 30_000 + "a)", "a", id="list"),
        pytest.param("duration > " + "9" * 100_000, "", id="number"),
        pytest.param("duration < " + "9" * 100_000, "a", id="larger number"),
        pytest.param("bert OR " * (MAX_CONDITIONS - 1) + "нет", "", id="searches"),
        pytest.param("NOT a.b.c != 'x' " * MAX_CONDITIONS, "a", id="comparisons"),
    ],
)
def test_huge_but_simple_filter_works(text: str, ids: str) -> None:
    connection = open_runs({"id": "a", "duration": 1.0})
    assert matching(connection, text) == ids
    connection.close()


@pytest.mark.parametrize("leaf", ["param.a.b.c.d = 1", "a.b > `c.d`", "NOT нет", "id IN (1)"])
def test_deepest_nesting_is_within_what_sqlite_parses(leaf: str) -> None:
    text = leaf
    for level in range(MAX_DEPTH - leaf.count("NOT")):
        text = f"x.y != 'q' {'AND' if level % 2 else 'OR'} ({text})"
    connection = open_runs({"id": "a"})
    assert matching(connection, text) in ("", "a")
    connection.close()
    assert "nested too deep" in str(failure(f"({text})"))


def test_condition_needs_the_registered_functions() -> None:
    condition = run_condition("name ~ x")
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE run (name)")
    with pytest.raises(sqlite3.OperationalError, match="regexp"):
        connection.execute(f"SELECT 1 FROM run WHERE {condition.sql}", condition.params)
    connection.close()
