"""Names that are listed together, cut so that those that differ never read alike.

Most names that are too long are cut at their end. Where that would leave some of them alike, as it
does with `langfuse.observation.input` and `.output`, these are cut in the middle before their last
part, or else shown from where they differ, or else numbered.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import count

from rich.cells import cell_len, set_cell_size

from flowtui import format as fmt

MAX_CHARS = 300
"""Of a longer name only the beginning and the end are used."""
MIN_HEAD_CELLS = 2
_PARTS = re.compile(r"(?=[./:_\-\s\\|@])")
_CUT = "…"


def told_apart(names: Sequence[str], rooms: Sequence[int] | int) -> list[str]:
    """Return names cut to the cells that each has, plain and not padded.

    Names that differ never read alike, unless there is no room for a mark and a number.

    Args:
        names: The names as stored.
        rooms: The cells of each, or of every one.
    """
    if isinstance(rooms, int):
        rooms = [rooms] * len(names)
    room_of: dict[str, int] = {}
    for name, room in zip(names, rooms, strict=True):
        room_of[name] = max(min(room, room_of.get(name, room)), 0)
    whole = {name: _plain(name) for name in room_of}
    labels = {name: _ended(whole[name], room) for name, room in room_of.items()}
    seen = Counter(labels.values())
    if len(seen) < len(labels):
        alike = [name for name in labels if seen[labels[name]] > 1]
        taken = {label for label in labels.values() if seen[label] == 1}
        labels |= _apart(alike, whole, room_of, taken)
    return [labels[name] for name in names]


class ListedNames:
    """The names of a list, told apart once for each width that they are drawn at."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._names = names
        self._labels: tuple[int, list[str]] = (0, [])

    def label(self, index: int, room: int) -> str:
        """Return how a name reads where each has `room` cells."""
        if self._labels[0] != room:
            self._labels = room, told_apart(self._names, room)
        return self._labels[1][index]


def _apart(
    names: Iterable[str], whole: Mapping[str, str], room_of: Mapping[str, int], taken: set[str]
) -> dict[str, str]:
    """Return labels of names that read alike when they are cut at their end."""
    found: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_ended(whole[name], room_of[name]), []).append(name)
    for left in groups.values():
        for way in (_before_last_part, _in_the_middle):
            made = {name: way(whole[name], room_of[name]) for name in left}
            left = _settle(made, taken, found)
        left = _settle(_by_difference(left, whole, room_of), taken, found)
        for name in left:
            found[name] = _numbered(whole[name], room_of[name], taken)
            taken.add(found[name])
    return found


def _settle(made: Mapping[str, str], taken: set[str], found: dict[str, str]) -> list[str]:
    """Accept the labels that differ from all others, and return the names that are left."""
    seen = Counter(made.values())
    left = []
    for name, label in made.items():
        if seen[label] > 1 or label in taken:
            left.append(name)
        else:
            found[name] = label
            taken.add(label)
    return left


def _by_difference(
    names: list[str], whole: Mapping[str, str], room_of: Mapping[str, int]
) -> dict[str, str]:
    """Return names from where they differ: first all of them, then those that are still alike."""
    labels: dict[str, str] = {}
    pending = [names]
    while pending:
        group = pending.pop()
        at = _shared(whole[name] for name in group)
        looks: dict[str, list[str]] = {}
        for name in group:
            labels[name] = _from(whole[name], at, room_of[name])
            looks.setdefault(labels[name], []).append(name)
        if len(looks) > 1:
            pending += [alike for alike in looks.values() if len(alike) > 1]
    return labels


def _shared(texts: Iterable[str]) -> int:
    """Return the length of the prefix that all texts share."""
    listed = sorted(texts)
    if not listed:
        return 0
    first, last = listed[0], listed[-1]
    pairs = enumerate(zip(first, last, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(first), len(last)))


def _plain(name: str) -> str:
    if len(name) > MAX_CHARS:
        half = MAX_CHARS // 2
        name = f"{name[:half]}{_CUT}{name[-half:]}"
    return fmt.plain(name, len(name))


def _ended(text: str, room: int) -> str:
    """Return text cut at its end."""
    return text if cell_len(text) <= room else _head(text, room - 1) + _CUT if room else ""


def _before_last_part(text: str, room: int) -> str:
    """Return text cut in the middle, with as many of its last parts as there is room for."""
    if cell_len(text) <= room:
        return text
    starts = [part.start() for part in _PARTS.finditer(text)]
    for start in starts:
        tail = text[start:]
        left = room - 1 - cell_len(tail)
        if start and left >= MIN_HEAD_CELLS:
            return f"{_head(text, left)}{_CUT}{tail}"
    return _in_the_middle(text, room)


def _in_the_middle(text: str, room: int) -> str:
    if cell_len(text) <= room:
        return text
    half = max(room - 1, 0) // 2
    return f"{_head(text, half)}{_CUT}{_tail(text, room - 1 - half)}" if room else ""


def _from(text: str, at: int, room: int) -> str:
    """Return as much of a text as shows what stands at an index."""
    if cell_len(text) <= room:
        return text
    rest = text[at:]
    if cell_len(rest) <= room - 1:
        return _CUT + _tail(text, room - 1)
    return _CUT + _ended(rest, room - 1) if room else ""


def _numbered(text: str, room: int, taken: set[str]) -> str:
    """Return text cut, with a number that tells it from all others."""
    for number in count(2):
        mark = f"~{number}"
        label = _head(text, room - len(mark)) + mark
        if label not in taken or len(mark) > room:
            return label if len(mark) <= room else _ended(text, room)
    raise AssertionError("numbers do not end")


def _head(text: str, cells: int) -> str:
    """Return the beginning of a text, at most `cells` wide."""
    if cells <= 0:
        return ""
    return text[:cells] if text.isascii() else set_cell_size(text, cells).rstrip(" ")


def _tail(text: str, cells: int) -> str:
    """Return the end of a text, at most `cells` wide."""
    if text.isascii():
        return text[max(len(text) - cells, 0) :] if cells > 0 else ""
    start = len(text)
    while start and cell_len(text[start - 1 :]) <= cells:
        start -= 1
    return text[start:]
