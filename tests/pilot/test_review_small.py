"""Reviewing many samples on a small terminal."""

from __future__ import annotations

from pathlib import Path

from flowtui.store.schema import EvalRow, StoreWriter
from tests.conftest import NOW, open_store
from tests.pilot.pilot import opened, screen_text, settled, until

COUNT = 200


async def test_200_samples_are_answered_at_80x24_without_a_scroll_key(tmp_path: Path) -> None:
    with StoreWriter(tmp_path, clock=lambda: NOW, durable=False) as writer:
        writer.start_run("run", "run")
        with writer.experiment("run") as experiment:
            experiment.evals([sample(number) for number in range(COUNT)])
        writer.end_run("run", status="completed", duration=1.0)
    async with opened(open_store(tmp_path), "run", size=(80, 24), tab="evals") as pilot:
        await pilot.press("R")
        for number in range(COUNT):
            ends = [f"{part} {number:03} ends." for part in ("question", "output", "reference")]
            await until(lambda ends=ends: all(end in screen_text(pilot) for end in ends), ends[0])  # type: ignore[misc]
            await pilot.press("plus" if number % 3 else "minus")
        await settled(pilot)
        await until(lambda: f"{COUNT} answered" in screen_text(pilot), "the end")


def sample(number: int) -> EvalRow:
    """Return a sample whose texts fit on the screen."""
    text = "A sentence of some words that says what there is to say here. "
    return EvalRow(
        dataset_id="set",
        id=f"sample-{number:03}",
        inputs={"question": f"{text}The question {number:03} ends."},
        outputs={"answer": f"{text}The output {number:03} ends."},
        refs={"answer": f"{text}The reference {number:03} ends."},
        scores={"exact": 0.0, "relevance": 0.5, "passed": False},
        metadata={"lang": "en", "source": "forum", "topic": "shipping"},
    )
