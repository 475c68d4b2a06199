"""Tags as a person types them into one field: separated by commas, in quotes where one has any."""

from __future__ import annotations

import csv
from collections.abc import Iterable

from flowtui import format as fmt
from flowtui.store.care.values import InvalidEdit

MOST_CHARACTERS = 2_000


def tags_text(tags: Iterable[str]) -> str:
    """Return tags as the text of a field."""
    return ", ".join(
        '"' + tag.replace('"', '""') + '"' if "," in tag or tag.startswith('"') else tag
        for tag in tags
    )


def typed_tags(text: str) -> tuple[str, ...]:
    """Return the tags that were typed, each of them once.

    Raises:
        InvalidEdit: One of them is longer than any tag.
    """
    line = " ".join(text.splitlines())
    try:
        found = [tag for row in csv.reader([line], skipinitialspace=True) for tag in row]
    except csv.Error as error:
        raise InvalidEdit("tags", f"these are no tags: {error}") from error
    return tuple(dict.fromkeys(tag.strip() for tag in found if tag.strip()))


def can_be_typed(tags: tuple[str, ...]) -> bool:
    """Say whether a field can show tags so that they are the same when they are read from it."""
    text = tags_text(tags)
    return fmt.plain(text, MOST_CHARACTERS) == text and typed_tags(text) == tags
