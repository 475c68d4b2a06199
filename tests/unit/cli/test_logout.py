"""Whether a system ends what somebody left running."""

from __future__ import annotations

import pytest

from flowtui.cli.logout import ends_processes

NOBODY = "as 0"


@pytest.mark.parametrize(
    ("kills", "only", "excluded", "ends"),
    [
        ("b true", NOBODY, 'as 1 "root"', True),
        ("b false", NOBODY, NOBODY, False),
        ("b true", NOBODY, 'as 2 "root" "ana"', False),
        ("b true", 'as 1 "bob"', NOBODY, False),
        ("b true", 'as 1 "ana"', NOBODY, True),
    ],
)
def test_it_is_as_logind_says(kills: str, only: str, excluded: str, ends: bool) -> None:
    assert ends_processes("ana", lambda: f"{kills}\n{only}\n{excluded}\n") is ends


def test_without_logind_nothing_is_known() -> None:
    assert ends_processes("ana", lambda: "") is False
