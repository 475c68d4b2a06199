"""Comparing samples of stores that luml-sdk wrote, each in the schema of its version."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from flowtui.store.compare.run_set import RunSet
from flowtui.store.compare.samples import SampleReader, by_direction, compared
from flowtui.store.compare.score_pairs import Outcome
from tests.conftest import open_store
from tests.sdk.environments import expected
from tests.unit.stores import execute

VERSIONS = ("0.4.0", "0.1.0", "0.1.1", "0.3.0")


def test_runs_of_any_version_join_with_one_another(golden_store: Callable[[str], Path]) -> None:
    with ExitStack() as stack:
        opened = []
        for version in VERSIONS:
            folder = golden_store(version)
            store = stack.enter_context(closing(open_store(folder)))
            opened.append((store, store.run(expected(folder)["runs"]["complete"]["id"])))
        written = expected(folder)["runs"]["complete"]["evals"]
        runs = RunSet.of(opened)
        samples = SampleReader(runs).read().samples
        count = sum(map(len, written.values()))
        for at, run in enumerate(runs.candidates, start=1):
            assert samples.shared(at) == samples.sample_count(at) == count
            of = compared(runs, samples, run.letter, by_direction())
            assert {one.name for one in of.scores} == {"accuracy", "pass", "grade", "rouge"}
            whats = {what for one in of.scores for what, n in one.outcomes.items() if n}
            assert whats == {Outcome.SAME}

        worse = "update evals set scores = json_set(scores, '$.pass', json('false'))"
        execute(opened[-1][1].database.path, f"{worse} where dataset_id = 'faq_v1'")
        again = SampleReader(runs).read().samples
        found = compared(runs, again, runs.runs[-1].letter, by_direction()).score("pass")
        assert found is not None
        passed = [scores["pass"] for scores in written["faq_v1"].values()]
        assert (found.broken, found.both_fail) == (passed.count(True), passed.count(False))
