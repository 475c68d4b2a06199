"""Where the cursor goes when another list is wanted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowtui.screens.evals.reading import SamplesQuery
from flowtui.store.filters import Condition
from flowtui.store.samples.orders import SampleOrder
from flowtui.store.samples.values import SamplesView

ALL = SamplesQuery()
FILTERED = replace(ALL, condition=Condition("accuracy > 1", {}))


@pytest.mark.parametrize(
    ("shown", "wanted", "begins_at_top"),
    [
        pytest.param(None, ALL, True, id="the first list"),
        pytest.param(ALL, ALL, False, id="the same, read again"),
        pytest.param(FILTERED, FILTERED, False, id="the same filter, read again"),
        pytest.param(ALL, FILTERED, True, id="a filter"),
        pytest.param(FILTERED, ALL, False, id="no filter any more"),
        pytest.param(
            FILTERED, replace(ALL, view=SamplesView.ERRORS), True, id="another view as well"
        ),
        pytest.param(ALL, replace(ALL, order=SampleOrder("id", False)), True, id="another order"),
    ],
)
def test_another_list_begins_at_its_top_but_for_a_filter_that_is_cleared(
    shown: SamplesQuery | None, wanted: SamplesQuery, begins_at_top: bool
) -> None:
    assert wanted.begins_at_top(shown) is begins_at_top
