"""A run with two spans and two samples to annotate, and the drafts that tests write."""

from __future__ import annotations

from pathlib import Path

from flowtui.store.annotations.values import AnnotationKind, Draft, SampleTarget, SpanTarget, Value
from flowtui.store.schema import EvalRow, SpanRow
from tests.unit.stores import writer

RUN = "run-1"
TRACE = "a" * 32
SPAN = SpanTarget(TRACE, "b" * 16)
OTHER_SPAN = SpanTarget(TRACE, "c" * 16)
SAMPLE = SampleTarget("set", "1")
OTHER_SAMPLE = SampleTarget("set", "2")


def annotatable(directory: Path) -> Path:
    """Makes a store with a run to annotate and gives its exp.db."""
    with writer(directory) as store:
        store.start_run(RUN, "first")
        with store.experiment(RUN) as experiment:
            experiment.spans(
                SpanRow(trace_id=TRACE, span_id=span.span_id, name="s", start_ns=1, end_ns=2)
                for span in (SPAN, OTHER_SPAN)
            )
            experiment.evals(
                EvalRow(dataset_id=sample.dataset_id, id=sample.eval_id, inputs={"q": 1})
                for sample in (SAMPLE, OTHER_SAMPLE)
            )
    return directory / RUN / "exp.db"


def feedback(
    value: bool = True, name: str = "quality", rationale: str | None = None, user: str = "ana"
) -> Draft:
    return Draft(name, AnnotationKind.FEEDBACK, value, rationale, user)


def expectation(value: Value, name: str = "answer", user: str = "ana") -> Draft:
    return Draft(name, AnnotationKind.EXPECTATION, value, None, user)
