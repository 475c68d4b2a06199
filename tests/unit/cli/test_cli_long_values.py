"""What the commands that list records take of memory where one record holds a very long text."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowtui.store.schema import EvalRow, SpanRow
from tests.unit.peak import peak_kb
from tests.unit.stores import execute, writer

RUN, TRACE = "run-1", "aa" + "0" * 30
LONG = "json_object('a', hex(zeroblob(20000000)))"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from /proc")
def test_no_text_that_is_too_long_is_read(tmp_path: Path) -> None:
    with writer(tmp_path) as store:
        store.start_run(RUN, RUN)
        with store.experiment(RUN) as experiment:
            row = SpanRow(trace_id=TRACE, span_id="a", name="a", start_ns=1, end_ns=2)
            experiment.spans([row])
            experiment.evals([EvalRow(dataset_id="faq", id="1", inputs={}, outputs={"a": "b"})])
    commands = [(*words, "-s", tmp_path) for words in (("traces", RUN, TRACE), ("evals", RUN))]
    before_kb = [peak_kb(*command) for command in commands]
    execute(tmp_path / RUN / "exp.db", f"update spans set attributes = {LONG}")
    execute(tmp_path / RUN / "exp.db", f"update evals set outputs = {LONG}")
    # One such text takes 40 MB.
    for command, short_kb in zip(commands, before_kb, strict=True):
        assert peak_kb(*command) - short_kb < 5_000
    assert peak_kb("traces", RUN, "-s", tmp_path) - before_kb[0] < 5_000
