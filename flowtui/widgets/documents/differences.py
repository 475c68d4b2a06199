"""The differences between an output and its reference: by words for two texts, else by keys.

All searches are bounded, because they run before a sample is shown: texts too long for words are
compared by lines, and texts too long for lines only at both ends.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from flowtui.store.equality import is_equal
from flowtui.store.values import JsonValue

MAX_WORD_CHARS = 200_000
"""The greatest length, in both texts together, that is compared by words: some 40,000 words."""
MAX_LINE_CHARS = 2_000_000
"""The greatest length, in both texts together, that is compared by lines."""
MAX_TOKENS = 60_000
"""The most words or lines, in both texts together, that are compared."""
MAX_STEPS = 25_000
"""The most steps of all searches between anchors in one comparison: some 10 ms."""
MAX_KEYS = 1_000
"""The most paths that are compared; when there are this many, there may be more."""
MAX_LEVELS = 100

# In a script without blanks a sentence would be one word, so from U+2E80 on each character is one.
# A joiner stays with the characters that it joins: cut off from them, it would join nothing.
_WORDS = re.compile(
    r"(?:[^\W\u2e80-\U0010ffff]|[\u200c\u200d])+|\s+"
    r"|.(?:[\ufe0f\U0001f3fb-\U0001f3ff]*\u200d.)*",
    re.DOTALL,
)
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_BLANK = re.compile(r"\s")
_Match = tuple[int, int, int]
"""The places of equal tokens in the one and in the other, and their number."""


class DiffKind(StrEnum):
    """In which of two texts something is."""

    SAME = "same"
    """In both texts."""
    ONLY_OUTPUT = "only in the output"
    ONLY_REFERENCE = "only in the reference"


@dataclass(frozen=True, slots=True)
class DiffRun:
    """A stretch of text."""

    text: str
    kind: DiffKind


@dataclass(frozen=True, slots=True)
class KeyDifference:
    """The values under one path of two JSON values."""

    path: str
    """A path such as `items[3].name`; empty for the values themselves."""
    output: JsonValue
    """None if it is absent, or null."""
    reference: JsonValue
    in_output: bool = True
    in_reference: bool = True

    @property
    def is_same(self) -> bool:
        both = self.in_output and self.in_reference
        return both and is_equal(self.output, self.reference)


def word_diff(output: str, reference: str) -> tuple[DiffRun, ...]:
    """Return two texts as one sequence of runs, shared ones and those of only one of them.

    The shared runs and those of the output, joined, are the output, and likewise the reference. In
    a change, the reference's part comes first.
    """
    start = _shared_start(output, reference)
    end = _shared_end(output[start:], reference[start:])
    middles = output[start : len(output) - end], reference[start : len(reference) - end]
    runs = [
        DiffRun(output[:start], DiffKind.SAME),
        *_compared(*middles),
        DiffRun(output[len(output) - end :], DiffKind.SAME),
    ]
    return tuple(_tidied(runs))


def key_diff(output: JsonValue, reference: JsonValue) -> tuple[KeyDifference, ...]:
    """Return the values under each path of two values, at most `MAX_KEYS`, in the output's order.

    A part that only one of them has counts as one path, whatever is inside it.
    """
    return tuple(islice(_keys("", output, reference, 0), MAX_KEYS))


def shared_lines(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int, int]]:
    """Return what two sequences of lines share: places in the one and in the other, and how many.

    With more than `MAX_TOKENS` lines only what they share at both ends counts.
    """
    if len(one) + len(other) <= MAX_TOKENS:
        return _matches(one, other)
    least = min(len(one), len(other))
    start = next((at for at in range(least) if one[at] != other[at]), least)
    rest = least - start
    end = next((at for at in range(rest) if one[-1 - at] != other[-1 - at]), rest)
    return [(0, 0, start), (len(one) - end, len(other) - end, end)]


# Texts ---------------------------------------------------------------------------------------


def _shared_start(one: str, other: str) -> int:
    """Return how many characters two texts share at their start, in whole words."""
    length = _common(one, other)
    if length == len(one) == len(other):
        return length
    return max(one.rfind(blank, 0, length) for blank in " \n\t") + 1


def _shared_end(one: str, other: str) -> int:
    length = _common(one, other, from_end=True)
    first = _BLANK.search(one, len(one) - length)
    return 0 if first is None else len(one) - first.start()


def _common(one: str, other: str, from_end: bool = False) -> int:
    """Return how many characters two texts share at one end, by binary search."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if from_end:
            same = (
                one[len(one) - middle : len(one) - low]
                == (other[len(other) - middle : len(other) - low])
            )
        else:
            same = one[low:middle] == other[low:middle]
        low, high = (middle, high) if same else (low, middle - 1)
    return low


def _compared(output: str, reference: str) -> list[DiffRun]:
    chars = len(output) + len(reference)
    for pattern, most in ((_WORDS, MAX_WORD_CHARS), (_LINES, MAX_LINE_CHARS)):
        if chars <= most:
            one, other = pattern.findall(output), pattern.findall(reference)
            if len(one) + len(other) <= MAX_TOKENS:
                return list(_runs(one, other))
    return [DiffRun(reference, DiffKind.ONLY_REFERENCE), DiffRun(output, DiffKind.ONLY_OUTPUT)]


def _runs(one: Sequence[str], other: Sequence[str]) -> Iterator[DiffRun]:
    at_one = at_other = 0
    for i, j, count in (*_matches(one, other), (len(one), len(other), 0)):
        yield DiffRun("".join(other[at_other:j]), DiffKind.ONLY_REFERENCE)
        yield DiffRun("".join(one[at_one:i]), DiffKind.ONLY_OUTPUT)
        yield DiffRun("".join(one[i : i + count]), DiffKind.SAME)
        at_one, at_other = i + count, j + count


def _tidied(runs: Sequence[DiffRun]) -> Iterator[DiffRun]:
    """Join neighbouring runs of one kind, and changes with only blanks between them."""
    kept = [run for run in runs if run.text]
    only: dict[DiffKind, list[str]] = {DiffKind.ONLY_REFERENCE: [], DiffKind.ONLY_OUTPUT: []}
    same: list[str] = []

    def changes() -> Iterator[DiffRun]:
        for kind, texts in only.items():
            if texts:
                yield DiffRun("".join(texts), kind)
                texts.clear()

    for index, run in enumerate(kept):
        if run.kind is not DiffKind.SAME:
            if same:
                yield DiffRun("".join(same), DiffKind.SAME)
                same.clear()
            only[run.kind].append(run.text)
            continue
        is_between = 0 < index < len(kept) - 1 and not same
        if is_between and run.text.isspace() and "\n" not in run.text and all(only.values()):
            for texts in only.values():
                texts.append(run.text)
            continue
        yield from changes()
        same.append(run.text)
    yield from changes()
    if same:
        yield DiffRun("".join(same), DiffKind.SAME)


def _matches(one: Sequence[str], other: Sequence[str]) -> list[_Match]:
    """Return what two sequences of tokens share, in order.

    Anchors are the tokens that both have exactly once, as far as their order agrees; between two
    anchors the shortest edit script is searched (a patience diff).
    """
    found: list[_Match] = []
    steps = MAX_STEPS
    at_one = at_other = 0
    for i, j in (*_anchors(one, other), (len(one), len(other))):
        if i < at_one or j < at_other:
            continue
        gap = one[at_one:i], other[at_other:j]
        pairs, used = _shortest(*gap, steps)
        steps -= used
        found += [(at_one + x, at_other + y, count) for x, y, count in pairs]
        if i < len(one):
            found.append((i, j, 1))
        at_one, at_other = i + 1, j + 1
    return found


def _anchors(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int]]:
    """Return the places of tokens that both sequences have once: the longest common order."""
    counts_one, counts_other = Counter(one), Counter(other)
    places = {token: j for j, token in enumerate(other) if counts_other[token] == 1}
    pairs = [
        (i, places[token])
        for i, token in enumerate(one)
        if counts_one[token] == 1 and token in places
    ]
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        at = bisect_left(ends, j)
        before.append(last[at - 1] if at else -1)
        if at == len(ends):
            ends.append(j)
            last.append(index)
        else:
            ends[at], last[at] = j, index
    chain: list[tuple[int, int]] = []
    index = last[-1] if last else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]


def _shortest(one: Sequence[str], other: Sequence[str], max_steps: int) -> tuple[list[_Match], int]:
    """Return what two sequences share in the shortest edit script (Myers), and the search's steps.

    If the search takes more than `max_steps`, only their common start counts as shared.
    """
    start = 0
    least = min(len(one), len(other))
    while start < least and one[start] == other[start]:
        start += 1
    shared = [(0, 0, start)] if start else []
    if start == least:
        return shared, 0
    rows, columns = len(one), len(other)
    furthest = {1: start}
    history: list[dict[int, int]] = []
    steps = 0
    for changes in range(rows + columns + 1):
        history.append(furthest.copy())
        steps += 2 * changes + 1
        for diagonal in range(-changes, changes + 1, 2):
            goes_down = diagonal == -changes or (
                diagonal != changes and furthest[diagonal - 1] < furthest[diagonal + 1]
            )
            x = furthest[diagonal + 1] if goes_down else furthest[diagonal - 1] + 1
            y = x - diagonal
            begun = x
            while x < rows and y < columns and one[x] == other[y]:
                x, y = x + 1, y + 1
            steps += x - begun
            furthest[diagonal] = x
            if x >= rows and y >= columns:
                return shared + _way_back(history, changes, rows, columns), steps
        if steps > max_steps:
            return shared, steps
    return shared, steps


def _way_back(history: Sequence[dict[int, int]], changes: int, x: int, y: int) -> list[_Match]:
    found: list[_Match] = []
    for count in range(changes, 0, -1):
        furthest, diagonal = history[count], x - y
        goes_down = diagonal == -count or (
            diagonal != count and furthest[diagonal - 1] < furthest[diagonal + 1]
        )
        from_x = furthest[diagonal + 1 if goes_down else diagonal - 1]
        from_y = from_x - (diagonal + 1 if goes_down else diagonal - 1)
        begun = from_x if goes_down else from_x + 1
        if x > begun:
            found.append((begun, begun - diagonal, x - begun))
        x, y = from_x, from_y
    return found[::-1]


# JSON ----------------------------------------------------------------------------------------


def _keys(
    path: str, output: JsonValue, reference: JsonValue, level: int
) -> Iterator[KeyDifference]:
    if level < MAX_LEVELS and output and reference:
        if isinstance(output, dict) and isinstance(reference, dict):
            for key in (*output, *(key for key in reference if key not in output)):
                inner = f"{path}.{key}" if path else key
                yield from _pair(inner, key in output, output.get(key),
                                 key in reference, reference.get(key), level)  # fmt: skip
            return
        if isinstance(output, list) and isinstance(reference, list):
            for index in range(max(len(output), len(reference))):
                has = index < len(output), index < len(reference)
                yield from _pair(f"{path}[{index}]", has[0], output[index] if has[0] else None,
                                 has[1], reference[index] if has[1] else None, level)  # fmt: skip
            return
    yield KeyDifference(path, output, reference)


def _pair(
    path: str,
    in_output: bool,
    output: JsonValue,
    in_reference: bool,
    reference: JsonValue,
    level: int,
) -> Iterator[KeyDifference]:
    if in_output and in_reference:
        yield from _keys(path, output, reference, level + 1)
    else:
        yield KeyDifference(path, output, reference, in_output, in_reference)
