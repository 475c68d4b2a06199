"""The keys screen names keys as a keyboard does."""

from __future__ import annotations

import re

import pytest

from flowtui.screens.dialogs.keys import key_name
from flowtui.store.store import Store
from tests.pilot.pilot import opened, settled


@pytest.mark.parametrize("tab", ["overview", "metrics", "traces", "evals", "attachments"])
async def test_no_key_has_the_name_that_only_the_toolkit_gives_it(demo: Store, tab: str) -> None:
    async with opened(demo, "resnet50-cosine", tab=tab) as pilot:
        await pilot.press("enter")
        await settled(pilot)
        bindings = pilot.app.screen.active_bindings.values()
        names = [key_name(active.binding.key) for active in bindings if active.binding.tooltip]
        assert names
        assert [name for name in names if re.search(r"_|shift\+\w{2}", name)] == []
