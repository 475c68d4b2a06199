"""Files of one step after another."""

from __future__ import annotations

import pytest

from flowtui.screens.attachments.series import series_of

IMAGES = ["images/step_1000.png", "images/step_200.png", "images/step_0100.png"]


def test_files_are_in_the_order_of_their_numbers() -> None:
    found = series_of("images/step_200.png", [*IMAGES, "images/step_.png", "notes.txt"])
    assert found is not None
    assert found.paths == ("images/step_0100.png", "images/step_200.png", "images/step_1000.png")
    assert found.told == "2 of 3"
    before, after = found.neighbour(-1), found.neighbour(1)
    assert before is not None
    assert after is not None
    assert (before.path, after.path) == (IMAGES[2], IMAGES[0])
    assert found.neighbour(2) is None
    assert found.neighbour(-2) is None


@pytest.mark.parametrize(
    ("paths", "count"),
    [
        (["a.png", "b.png"], None),
        (["a1.png"], None),
        (["a1.png", "a2.jpg"], None),
        (["100/mask.png", "200/mask.png", "300/other.png"], 2),
        (["e1/s1.png", "e1/s2.png", "e2/s1.png"], 2),
        (["11", "1", "111"], 3),
        (["١.png", "1.png"], None),
    ],
)
def test_what_is_a_series(paths: list[str], count: int | None) -> None:
    found = series_of(paths[0], paths)
    assert (found and len(found.paths)) == count
