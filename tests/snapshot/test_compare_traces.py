"""How Traces of a comparison look: the lists, two traces, and what goes wrong."""

from __future__ import annotations

import pytest

from flowtui.app.app import FlowApp
from flowtui.store.compare import spans as span_stats
from flowtui.store.store import Store
from flowtui.widgets.host import Options
from tests.snapshot.test_compare_overview import ALL_SIZES
from tests.snapshot.test_screens import BOTH, MIDDLE, Snap, keys, shows, wait_for_cancel

pytestmark = pytest.mark.usefixtures("stopped_clock")


def comparison(store: Store, *names: str) -> FlowApp:
    runs = [(store, store.resolve(name)) for name in names]
    return FlowApp(store, None, Options(tab="traces", user="ana"), runs)


@ALL_SIZES
def test_lists(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    app = comparison(demo, "support-agent-v4", "support-agent-v5")
    assert snap_compare(app, terminal_size=size, run_before=keys())


@BOTH
def test_pair(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    app = comparison(demo, "support-agent-v4", "support-agent-v5")
    assert snap_compare(app, terminal_size=size, run_before=keys("enter"))


def test_no_spans(snap_compare: Snap, demo: Store) -> None:
    app = comparison(demo, "scratch", "support-agent-v1")
    assert snap_compare(app, terminal_size=MIDDLE, run_before=keys())


def test_reading(snap_compare: Snap, demo: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(span_stats, "span_totals", wait_for_cancel)
    app = comparison(demo, "support-agent-v4", "support-agent-v5")
    assert snap_compare(app, terminal_size=MIDDLE, run_before=shows("reading…"))
