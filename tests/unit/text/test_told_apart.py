"""Names cut to a width: those that differ never read alike."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from flowtui.format import plain
from flowtui.told_apart import told_apart

LANGFUSE = [
    f"langfuse.observation.{name}"
    for name in ("type", "input", "output", "model.name", "usage_details", "level")
]
WORDS = st.sampled_from("train / loss _ . a b 1 漢 é \u202e 👩 \u200d 🔬".split())
ALIKE = st.lists(WORDS, max_size=12).map("".join)
NAMES = st.lists(st.one_of(ALIKE, st.text(max_size=30)), min_size=1, max_size=9, unique=True)


@given(NAMES, st.integers(4, 40))
@example(LANGFUSE, 17)
@example(["a" * 50 + x + "a" * 50 for x in "bcdefgh"], 6)
@example(["x" * 400 + "y" + "x" * 400, "x" * 400 + "z" + "x" * 400], 40)
@example(["a\ufe0f", "a"], 10)
def test_names_that_differ_never_read_alike(names: list[str], room: int) -> None:
    labels = told_apart(names, room)
    assert len(set(labels)) == len(names)
    assert all(cell_len(label) <= room for label in labels)


@given(NAMES, st.integers(4, 40), st.lists(st.integers(4, 40), min_size=9, max_size=9))
def test_each_name_keeps_to_its_own_room(names: list[str], room: int, rooms: list[int]) -> None:
    labels = told_apart(names, rooms[: len(names)])
    assert len(set(labels)) == len(names)
    assert all(cell_len(label) <= most for label, most in zip(labels, rooms, strict=False))


@given(NAMES, st.integers(0, 40))
def test_any_width_is_kept_to(names: list[str], room: int) -> None:
    assert all(cell_len(label) <= room for label in told_apart(names, room))


@given(NAMES)
def test_names_with_room_are_shown_as_they_are(names: list[str]) -> None:
    shown = {plain(name) for name in names}
    if len(shown) == len(names):
        assert told_apart(names, 1_000) == [plain(name) for name in names]


@given(NAMES, st.integers(4, 40))
def test_one_name_reads_the_same_wherever_it_stands(names: list[str], room: int) -> None:
    labels = told_apart([*names, *names], room)
    assert labels[: len(names)] == labels[len(names) :]


@pytest.mark.parametrize(
    ("names", "room", "labels"),
    [
        (["a_long_name_alone", "b"], 8, ["a_long_…", "b"]),
        (
            LANGFUSE,
            17,
            [
                "langfuse.ob….type", "langfuse.o….input", "langfuse.….output",
                "langf….model.name", "la….usage_details", "langfuse.o….level",
            ],
        ),
        (["val/loss_of_a_head", "val/loss_of_b_head"], 12, ["val/…_a_head", "val/…_b_head"]),
        (["prefix.x.samesamesame", "prefix.y.samesamesame"], 8, ["…x.same…", "…y.same…"]),
        (["word" * 6 + "a" + "x" * 30, "word" * 6 + "b" + "x" * 30], 6, ["…axxx…", "…bxxx…"]),
    ],
)  # fmt: skip
def test_what_differs_is_shown(names: list[str], room: int, labels: list[str]) -> None:
    assert told_apart(names, room) == labels
