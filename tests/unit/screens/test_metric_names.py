"""Which metrics the grid shows, and in which order."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from flowtui.screens.metrics.names import NameFilter, ordered
from flowtui.store.errors import FilterError
from flowtui.store.values import LoggedPoint

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "fits"),
    [
        ("", ["Train/Loss", "val/loss", "lr"]),
        ("/", ["Train/Loss", "val/loss", "lr"]),
        ("LOSS", ["Train/Loss", "val/loss"]),
        ("n/l", ["Train/Loss"]),
        ("/^val.*s$/", ["val/loss"]),
        ("/^(train|lr", None),
        ("/^train|^LR", ["Train/Loss", "lr"]),
    ],
)
def test_a_filter_is_part_of_a_name_or_an_expression(typed: str, fits: list[str] | None) -> None:
    if fits is None:
        with pytest.raises(FilterError) as error:
            NameFilter(typed)
        assert error.value.position == 2
        return
    assert NameFilter(typed).of(("Train/Loss", "val/loss", "lr")) == fits


def test_a_pattern_that_would_never_end_on_a_name_is_told_of() -> None:
    slow = NameFilter("/(a+)+$/")
    assert slow.of(["aaa", "b"]) == ["aaa"]
    with pytest.raises(FilterError, match="takes too long on a text of 5,001 characters"):
        slow.of(["aaa", "a" * 5_000 + "b"])


def test_metrics_come_by_what_they_tell_or_by_their_last_change() -> None:
    points = {
        "lr": LoggedPoint(1, 0.1, AT + timedelta(seconds=5)),
        "loss": LoggedPoint(1, math.nan, AT),
        "epoch": LoggedPoint(1, 1.0, None),
    }
    assert ordered(points, by_change=False) == ["loss", "epoch", "lr"]
    assert ordered(points, by_change=True) == ["lr", "loss", "epoch"]
