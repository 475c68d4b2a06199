"""A store in which every text is an attack on the terminal that shows it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from flowtui.store.schema import (
    EvalAnnotationRow,
    EvalRow,
    LinkRow,
    SpanAnnotationRow,
    SpanRow,
    StoreWriter,
)

MARKUP = "[bold]x[/x]"
SEQUENCES = (
    "\x1b[2J", "\x1b]52;c;SE9TVElMRQ==\x07", "\x1b]0;HOSTILE\x07", "\x1b]8;;http://h/\x1b\\",
    "\x1b[?1049l", "\x1bPq#0\x1b\\", "\x9b31m", "\x9d0;HOSTILE\x9c", "\x00", "\x7f", "\x08", "\r\n",
    "\u202e", "\u2066", "\u200b", "\U000e0041",
)  # fmt: skip
PAYLOAD = MARKUP + "".join(SEQUENCES)
LONG = PAYLOAD + "A" * 5_000
FILE_NAME = PAYLOAD.replace("/", "").replace("\x00", "")
"""As hostile as the name of a file can be."""
WHEN = datetime(2026, 6, 1, tzinfo=UTC)
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def make_hostile(directory: Path, run_id: str) -> None:
    """Writes a store with one run, all of whose texts are hostile but for its id."""
    with StoreWriter(directory, clock=lambda: WHEN, durable=False) as writer:
        writer.start_run(
            run_id, LONG, group=LONG, tags=[LONG, PAYLOAD], description=LONG, source=LONG
        )
        writer.start_run(FILE_NAME, PAYLOAD, group=PAYLOAD, created_at=WHEN)
        writer.model(run_id, FILE_NAME, b"", name=LONG, tags=[LONG], description=LONG, source=LONG)
        with writer.experiment(run_id) as experiment:
            experiment.params({LONG: LONG, PAYLOAD: {LONG: [LONG, {PAYLOAD: PAYLOAD}]}, "lr": 0.1})
            keys = (LONG, PAYLOAD, f"{PAYLOAD}/loss")
            experiment.metrics((key, step / 7, step, WHEN) for key in keys for step in range(50))
            experiment.attachment(f"{FILE_NAME}/{FILE_NAME}.txt", LONG.encode())
            experiment.spans(
                [
                    SpanRow(
                        trace_id=TRACE,
                        span_id=SPAN,
                        name=LONG,
                        start_ns=1,
                        end_ns=2,
                        status_code=2,
                        status_message=LONG,
                        attributes={LONG: LONG, "gen_ai.operation.name": PAYLOAD},
                        events=[{"name": LONG, "timestamp": 1, "attributes": {LONG: LONG}}],
                        links=[{"trace_id": TRACE, "span_id": SPAN, "attributes": {LONG: LONG}}],
                    )
                ]
            )
            document = {LONG: LONG}
            experiment.evals(
                [
                    EvalRow(
                        dataset_id=LONG,
                        id=LONG,
                        inputs=document,
                        outputs=document,
                        refs=document,
                        scores=document,
                        metadata=document,
                    )
                ]
            )
            experiment.links([LinkRow(dataset_id=LONG, eval_id=LONG, trace_id=TRACE)])
            experiment.eval_annotations(
                [
                    EvalAnnotationRow(
                        dataset_id=LONG,
                        eval_id=LONG,
                        name=LONG,
                        kind="expectation",
                        value=LONG,
                        user=LONG,
                        rationale=LONG,
                    )
                ]
            )
            experiment.span_annotations(
                [
                    SpanAnnotationRow(
                        trace_id=TRACE,
                        span_id=SPAN,
                        name=LONG,
                        kind="expectation",
                        value=LONG,
                        user=LONG,
                        rationale=LONG,
                    )
                ]
            )
