"""The difference of two files line by line."""

from __future__ import annotations

import random

import pytest

from flowtui.widgets.cells import Line
from flowtui.widgets.documents import differences
from flowtui.widgets.documents.line_differences import (
    AROUND,
    json_difference,
    line_difference,
)

AB = ("A", "B")


def text(line: Line) -> str:
    return "".join(piece.text for piece in line)


def rebuilt(before: list[str], lines: tuple[Line, ...]) -> list[str]:
    """Return the second text, made of the first one and what is said to have changed."""
    gone: set[int] = set()
    come: dict[int, str] = {}
    for line in lines:
        head = line[0].text
        if head.startswith("- A"):
            gone.add(int(head.split()[2]) - 1)
        elif head.startswith("+ B"):
            said = text(line)[len(head) :]
            come[int(head.split()[2]) - 1] = said.replace("{+", "").replace("+}", "")
    kept = iter([line for at, line in enumerate(before) if at not in gone])
    made: list[str] = []
    while True:
        if len(made) in come:
            made.append(come[len(made)])
            continue
        following = next(kept, None)
        if following is None:
            return made
        made.append(following)


@pytest.mark.parametrize("seed", range(40))
def test_the_second_text_is_the_first_one_with_the_changes(seed: int) -> None:
    draw = random.Random(seed)
    before = [f"{draw.choice('abcdef')} {draw.randint(0, 5)}" for _ in range(draw.randint(0, 60))]
    after = list(before)
    for _ in range(draw.randint(0, 12)):
        at = draw.randint(0, len(after))
        change = draw.choice(("add", "drop", "set"))
        if change == "add" or at == len(after):
            after.insert(at, f"new {draw.randint(0, 9)}")
        elif change == "drop":
            del after[at]
        else:
            after[at] = f"{after[at]} more"
    found = line_difference(before, after, AB)
    assert rebuilt(before, found.lines) == after
    assert bool(found.changes) == (before != after)
    assert bool(found.words) == (before != after)
    assert all(text(found.lines[at])[0] in "-+" for at in found.changes)


def test_equal_lines_far_from_changes_are_counted_and_not_shown() -> None:
    before = [str(number) for number in range(1_000)]
    after = [*before[:500], "changed", *before[501:]]
    found = line_difference(before, after, AB)
    assert len(found.lines) == 2 * AROUND + 2 + 2
    assert text(found.lines[0]).strip() == "… 497 equal lines"
    assert text(found.lines[-1]).strip() == "… 496 equal lines"
    assert found.words == "1 line only in A · 1 line only in B"


def test_texts_of_very_many_lines_are_matched_at_their_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(differences, "MAX_TOKENS", 50)
    monkeypatch.setattr("flowtui.widgets.documents.line_differences.MAX_TOKENS", 50)
    before = [str(number) for number in range(100)]
    after = [*before[:40], "new", *before[40:60], "other", *before[60:]]
    found = line_difference(before, after, AB)
    assert rebuilt(before, found.lines) == after
    assert found.note


def test_control_characters_reach_no_line() -> None:
    found = line_difference(["a\x1b[31m\tb", "same"], ["c\x1b]0;x\x07", "same"], AB)
    assert "\x1b" not in "".join(map(text, found.lines))


def test_json_is_compared_by_paths() -> None:
    before = {"lr": 1, "sched": {"warmup": 5, "kind": "a"}, "gone": [1]}
    after = {"lr": 1.0, "sched": {"warmup": "5", "kind": "a"}, "new": None}
    found = json_difference(before, after, AB)
    said = [" ".join(text(line).split()) for line in found.lines]
    assert said == [
        "≠ sched.warmup", "A 5", 'B "5"', "+ new", "null only in B", "- gone", "[1] only in A"
    ]  # fmt: skip
    assert found.words == "3 paths differ, 2 equal"
    assert json_difference(before, before, AB).words == ""
