"""Tags as they are typed: separated by commas, and the same when they are read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.screens.care.tags import can_be_typed, tags_text, typed_tags
from flowtui.store.care.values import InvalidEdit


@pytest.mark.parametrize(
    ("typed", "tags"),
    [
        ("", ()),
        (" , ,", ()),
        ("a,b ,  c d", ("a", "b", "c d")),
        ("a, a", ("a",)),
        ('"b, c", d', ("b, c", "d")),
        ('"say ""hi"", please"', ('say "hi", please',)),
        ("it's, 5\"", ("it's", '5"')),
    ],
)
def test_commas_part_tags_but_in_quotes(typed: str, tags: tuple[str, ...]) -> None:
    assert typed_tags(typed) == tags


@pytest.mark.parametrize("tags", [(" a",), ("a\nb",), ("",), ("a", "a"), ("\x1b[31m",)])
def test_what_a_field_would_change_is_not_typed(tags: tuple[str, ...]) -> None:
    assert not can_be_typed(tags)


def test_a_page_of_text_is_refused_as_a_tag() -> None:
    with pytest.raises(InvalidEdit, match="these are no tags"):
        typed_tags("x" * 200_000)


@given(st.lists(st.text(), max_size=4).map(tuple))
def test_what_can_be_typed_is_the_same_when_it_is_read(tags: tuple[str, ...]) -> None:
    if can_be_typed(tags):
        assert typed_tags(tags_text(tags)) == tags


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    assert all(tag == tag.strip() for tag in typed_tags(text))
