"""The style sheet that is parsed once for each set of colours."""

from __future__ import annotations

import pytest
from textual.css import stylesheet
from textual.css.stylesheet import Stylesheet

from flowtui.app.cached_stylesheet import CachedStylesheet

CSS = "Label { color: $ink; } Button { width: 3; }"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Textual parses, as it does."""
    seen: list[str] = []
    parse = stylesheet.parse

    def noted(scope: str, css: str, *given: object, **options: object) -> object:
        seen.append(css)
        return parse(scope, css, *given, **options)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(stylesheet, "parse", noted)
    return seen


def sheet(ink: str) -> CachedStylesheet:
    made = CachedStylesheet(variables={"ink": ink})
    made.add_source(CSS)
    made.parse()
    return made


def colors(of: Stylesheet) -> list[object]:
    return [rule.styles.color for rule in of.rules if rule.styles.has_rule("color")]


def test_the_same_colours_parse_nothing_again(parsed: list[str]) -> None:
    known = sheet("red")
    known.set_variables({"ink": "red"})
    known.reparse()
    assert parsed == [CSS]


def test_other_colours_are_taken(parsed: list[str]) -> None:
    known = sheet("red")
    known.set_variables({"ink": "blue"})
    known.reparse()
    assert colors(known) == colors(sheet("blue")) != colors(sheet("red"))


def test_a_source_that_is_new_is_parsed_and_no_other(parsed: list[str]) -> None:
    known = sheet("red")
    known.add_source("Input { height: 1; }", ("late.tcss", ""))
    known.reparse()
    assert parsed == [CSS, "Input { height: 1; }"]
    assert len(known.rules) == 3
