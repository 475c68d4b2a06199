"""The bench works: its store is what it says, its writer writes, its table adds up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flowtui.store import counts as counting
from tests.bench import growth, live, page
from tests.bench import soak as soaking
from tests.bench.__main__ import line
from tests.bench.comparing import comparisons
from tests.bench.measure import Measure
from tests.bench.reading import readings
from tests.bench.receiving import receiving
from tests.bench.remote import opening_over_a_link
from tests.bench.soak import Soak, asked, run_rounds
from tests.bench.stores import BIG, RUNNING, Sizes, make
from tests.bench.writer import write
from tests.conftest import open_store

pytestmark = pytest.mark.slow

TINY = Sizes(points=100, metrics=4, spans=40, samples=9, tree=40, forest=40, many=9)


def test_store_has_the_sizes_that_were_asked_for_and_is_made_once(tmp_path: Path) -> None:
    store = make(tmp_path, TINY)
    counts = open_store(store).run(BIG).ask(counting.counts)
    assert (counts.spans, counts.traces, counts.samples, counts.metrics) == (40, 2, 9, 5)
    made_at = (store / "meta.db").stat().st_mtime_ns
    assert make(tmp_path, TINY) == store
    assert (store / "meta.db").stat().st_mtime_ns == made_at


def test_what_is_received_over_both_protocols_is_timed() -> None:
    (measure,) = receiving(1_000)
    assert measure.baseline is not None
    assert 0 < measure.baseline <= measure.measured


def test_writer_logs_at_its_pace(tmp_path: Path) -> None:
    store = make(tmp_path, TINY)
    said = write(str(store / RUNNING / "exp.db"), 0.2, 100)
    assert said["failed"] == 0
    last = open_store(store).run(RUNNING).metrics.last_points()["train/loss"]
    assert last.step == said["written"]


def test_what_is_written_live_fills_every_tab(tmp_path: Path) -> None:
    store = make(tmp_path, TINY)
    live.write(store / RUNNING / "exp.db", 1.2, "損失")
    run = open_store(store).run(RUNNING)
    counts = run.ask(counting.counts)
    assert (counts.traces, counts.spans, counts.samples) == (1, 2, 1)
    assert run.metrics.last_points()["train/損失loss"].step > live.BEFORE + live.STEPS_A_SECOND


def test_every_reading_is_made_of_the_store_that_is_there(tmp_path: Path) -> None:
    made = list(readings(make(tmp_path, TINY), TINY, rounds=1))
    assert len({measure.what for measure in made}) == len(made) == 6
    assert all(measure.measured > 0 for measure in made[:4])


def test_samples_are_compared_in_the_store_that_is_there(tmp_path: Path) -> None:
    made = list(comparisons(make(tmp_path, TINY), rounds=1))
    assert len({measure.what for measure in made}) == len(made) == 4
    assert all(measure.measured > 0 for measure in made[:3])


def test_verdict_is_by_ratio_where_there_is_a_baseline() -> None:
    missed = Measure("paint", 0.4, 0.2, 1.5, "s")
    assert not missed.is_met
    assert "MISSED" in line(missed)
    assert Measure("bytes", 900, None, 1000, "B").is_met


def test_soak_shares_its_time_and_goes_on_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now_s = 0.0
    gone: list[str] = []

    def fails(soak: Soak, seed: int) -> list[str]:
        nonlocal now_s
        now_s += 1.0
        gone.append(f"often {seed}")
        raise ArithmeticError("of a test")

    def slow(soak: Soak, seed: int) -> list[str]:
        nonlocal now_s
        now_s += 3.0
        gone.append(f"slow {seed}")
        return []

    monkeypatch.setattr("time.monotonic", lambda: now_s)
    monkeypatch.setattr(soaking, "ROUNDS", {"often": (fails, 2.0), "slow": (slow, 1.0)})
    soak = Soak(tmp_path, ends_at=17.5, is_on_pty=False, stores=[])
    assert not run_rounds(soak, ["often", "slow"], seed=7)
    assert gone[:3] == ["often 7", "slow 7", "often 8"]
    # Two thirds of the time and one third.
    assert (len([one for one in gone if "often" in one]), len(gone)) == (12, 14)
    said = capsys.readouterr().out
    assert "often, seed 8" in said
    assert "ArithmeticError: of a test" in said
    assert run_rounds(Soak(tmp_path, now_s, False, []), ["slow"], seed=1)


def test_soak_knows_its_rounds_and_says_a_seed_of_its_own() -> None:
    assert asked(["--rounds", "kill", "--seed", "3"]).rounds == ["kill"]
    assert set(asked([]).rounds) == set(soaking.ROUNDS)
    assert asked([]).seed > 1_000_000
    with pytest.raises(SystemExit):
        asked(["--rounds", "kill,nothing"])


def test_growth_is_measured_of_stores_that_are_made_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = [
        replace(one, sizes=(30, 60, 90)) for one in growth.THINGS if one.what in ("metrics", "runs")
    ]
    monkeypatch.setattr(growth, "THINGS", small)
    lines = [line for line, _is_met in growth.growth(tmp_path)]
    assert [line.split("  ")[0] for line in lines] == ["metrics", "runs"]
    assert all(line.count(" s") == 6 for line in lines)


def test_an_exponent_is_the_power_of_the_size() -> None:
    assert growth.exponent((1, 10, 100), (0.1, 1.0, 10.0)) == pytest.approx(1.0)
    assert growth.exponent((3, 30), (2.0, 2.0)) == 0.0
    # What takes no time at all grows by nothing.
    assert growth.exponent((1, 100), (0.0, 0.0005)) == 0.0


def test_opening_over_a_link_is_measured_beside_the_database_alone() -> None:
    (measure,) = opening_over_a_link(samples=100, file_bytes=1_000_000)
    assert measure.baseline is not None
    # A round trip there and one back at the least.
    assert measure.measured > measure.baseline > 0.02


def test_the_page_has_each_measure_with_its_budget() -> None:
    made = page.table([(Measure("ratio", 3.0, 2.0, 1.6, "s"), None),
                       (Measure("bytes", 12_345, None, 20_000, "B"), 99.5)], "here")  # fmt: skip
    assert made.splitlines()[4:] == [
        "| ratio | 3 s | 2 s | 1.50 | 1.6 |  |",
        "| bytes | 12,345 B |  |  | 20,000 B | 99.5 B |",
    ]
