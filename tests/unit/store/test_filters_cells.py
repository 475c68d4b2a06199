"""The filter language over the rows of a table in a file."""

from __future__ import annotations

import pytest

from flowtui.store.errors import FilterError, PatternTooSlow
from flowtui.store.filters.cells import row_filter

COLUMNS = ("label", "guess", "Loss", "right", "my note", "(6)")
ROWS = (
    ("cat", "cat", "0.5", "True", "", "x"),
    ("dog", "cat", "10", "False", "look again", ""),
    ("Ärger", "dog", "1e-3", "true", "", "y"),
    ("cow", "cow", "nan"),
    ("cat", "dog", "", "FALSE", "50% \\ of_it", "x"),
)


def places(text: str) -> list[int]:
    found = row_filter(text, COLUMNS)
    assert found is not None
    return found.matching(ROWS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cat", [0, 1, 4]),
        ("ärger", [2]),
        ('"look again"', [1]),
        ("label = cat", [0, 4]),
        ("LABEL = cat", [0, 4]),
        ("loss > 1", [1]),
        ("loss < 0.6", [0, 2]),
        ("loss = 10.0", [1]),
        ("loss is null", [4]),
        ("right = true", [0, 2]),
        ("right = false", [1, 4]),
        ("right != true", [1, 4]),
        ('right = "True"', [0]),
        ("`my note` is null", [0, 2, 3]),
        ('`my note` = ""', [0, 2, 3]),
        ('`my note` != ""', [1, 4]),
        ('`my note` contains "of_it"', [4]),
        ("`(6)` = x", [0, 4]),
        ("label != guess", [1, 2, 4]),
        ("label = cat and not right = true", [4]),
        ("label in (cow, dog)", [1, 3]),
        ("loss between 0.1 and 10", [0, 1]),
        ('guess ~ "^c"', [0, 1, 3]),
        ("not cat", [2, 3]),
    ],
)
def test_rows_are_found_as_records_of_the_lists_are(text: str, expected: list[int]) -> None:
    assert places(text) == expected


def test_a_blank_expression_is_no_filter() -> None:
    assert row_filter("  ", COLUMNS) is None


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("los > 3", 0, "There is no column 'los'; expected one of Loss."),
        ("zzz > 3", 0, "expected one of label, guess, Loss, right, my note, (6)."),
        ("label = cat and", 15, "Expected a condition"),
        ("loss > cat", 7, "Expected a number or quoted text for Loss"),
    ],
)
def test_a_mistake_says_what_was_expected_and_where(text: str, position: int, said: str) -> None:
    with pytest.raises(FilterError, match=r".") as failed:
        row_filter(text, COLUMNS)
    assert said in str(failed.value)
    assert failed.value.position == position


def test_of_two_columns_with_one_name_the_first_counts() -> None:
    found = row_filter("a = 1", ("a", "A"))
    assert found is not None
    assert found.matching([("1", "2"), ("2", "1")]) == [0]


def test_text_that_is_no_text_is_searched_all_the_same() -> None:
    found = row_filter("a = x or b", ("a",))
    assert found is not None
    assert found.matching([("\ud800",), ("x",), ("b\0b",)]) == [1, 2]


def test_a_pattern_that_never_ends_is_given_up() -> None:
    found = row_filter('a ~ "(x+x+)+y"', ("a",))
    assert found is not None
    with pytest.raises(PatternTooSlow):
        found.matching([("x" * 5_000,)])
