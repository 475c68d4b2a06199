"""How screens look stands beside their code, and is of no consequence anywhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.css.stylesheet import Stylesheet

import flowtui.screens
from flowtui.app.app import FlowApp
from flowtui.store.store import Store
from flowtui.widgets.host import Options
from tests.pilot.pilot import until

SHEETS = sorted(Path(flowtui.screens.__file__).parent.rglob("*.tcss"))
FORM_ROW = "FormRow"
"""Several screens have forms."""


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_every_rule_begins_with_the_screen_that_it_is_for(demo: Store, path: Path) -> None:
    code = path.with_suffix(".py")
    sheet = Stylesheet(variables=FlowApp(demo, None, Options()).get_css_variables())
    sheet.read(path)
    sheet.parse()
    assert sheet.rules
    for rule in sheet.rules:
        for selector_set in rule.selector_set:
            # A theme's class stands on the app.
            names = [selector.name for selector in selector_set.selectors]
            name = next(name for name in names if not name.startswith("-theme"))
            assert name == FORM_ROW or f"class {name}(" in code.read_text()


async def test_every_sheet_is_parsed_after_the_first_paint(demo: Store) -> None:
    app = FlowApp(demo, None, Options())
    async with app.run_test():
        known = app.stylesheet
        await until(lambda: all(known.has_source(str(path), "") for path in SHEETS))
        screens = {
            selector.name
            for rule in known.rules
            for selector_set in rule.selector_set
            for selector in selector_set.selectors
        }
        assert {"RunsScreen", "TracesScreen", "UploadScreen"} <= screens
