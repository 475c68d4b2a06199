"""Writes written/inspect/ with inspect-ai 0.3.285 (Python 3.12), and what it reads of its own logs.

Its own `read_eval_log` is what the tests compare status, samples, scores and metrics with. The log
that is being written is taken out of the folder while its task runs.
"""

import asyncio
import json
import math
import os
import shutil
import tempfile
from pathlib import Path

os.environ |= {"INSPECT_DISPLAY": "none"}

from inspect_ai import Epochs, Task, eval_async
from inspect_ai.dataset import Sample
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.model import (
    ChatMessageUser,
    ContentImage,
    ContentReasoning,
    ContentText,
    GenerateConfig,
    ModelOutput,
    ModelUsage,
    get_model,
)
from inspect_ai.scorer import Score, Target, accuracy, includes, match, mean, scorer, stderr
from inspect_ai.solver import TaskState, generate, solver, system_message, use_tools
from inspect_ai.tool import ToolError, tool

HERE = Path(__file__).parent / "written"
FOLDER = HERE / "inspect"
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEA"
    "X+XDSwAAAABJRU5ErkJggg=="
)
FACT = "The capital of France is Paris, which lies on the Seine. " * 8
"""Long enough that the log keeps it once, among its attachments."""


@tool
def look_up():
    async def execute(place: str):
        """Look a place up.

        Args:
            place: Its name.
        """
        if place == "Atlantis":
            raise ToolError("there is no such place")
        return FACT

    return execute


@scorer(metrics={"length": [mean()], "good": [accuracy(), stderr()]})
def judged():
    async def score(state: TaskState, target: Target) -> Score:
        text = state.output.completion
        value = {"length": math.nan if not text else len(text), "good": "C" if text else "N"}
        return Score(value=value, answer=text, explanation=f"it has {len(text)} letters")

    return score


@solver
def breaks_down():
    async def solve(state: TaskState, generate):
        if state.sample_id == "broken":
            raise RuntimeError("this sample was made to fail")
        return state

    return solve


def said(text: str, reasoning: str = "") -> ModelOutput:
    output = ModelOutput.from_content("mockllm/model", text)
    if reasoning:
        output.choices[0].message.content = [
            ContentReasoning(reasoning=reasoning),
            ContentText(text=text),
        ]
    output.usage = ModelUsage(
        input_tokens=20, output_tokens=5, total_tokens=25, input_tokens_cache_read=8
    )
    return output


def calls(place: str) -> ModelOutput:
    output = ModelOutput.for_tool_call("mockllm/model", "look_up", {"place": place})
    output.usage = ModelUsage(input_tokens=30, output_tokens=10, total_tokens=40)
    return output


def capitals() -> tuple[Task, list[ModelOutput]]:
    """Two samples in two epochs, a tool that works and one that fails, two scorers."""
    picture = [ContentText(text="Which colour is this?"), ContentImage(image=PIXEL)]
    task = Task(
        name="capitals",
        dataset=[
            Sample(input="What is the capital of France?", target="Paris", id="france",
                   metadata={"level": 2}),
            Sample(input=[ChatMessageUser(content=picture)], target=["grey", "gray"], id=7,
                   choices=["grey", "blue"]),
        ],
        solver=[system_message("Answer with one word."), use_tools(look_up()), generate()],
        scorer=[includes(), judged()],
        epochs=Epochs(2, ["mean", "mode"]),
        config=GenerateConfig(temperature=0.5, max_tokens=64),
        metadata={"purpose": "fixture"},
        tags=["small"],
    )  # fmt: skip
    outputs = [
        calls("Paris"), said("Paris", "France is a country."), said("grey"),
        calls("Atlantis"), said("London"), said("blue"),
    ]  # fmt: skip
    return task, outputs


def failing(stops: bool) -> tuple[Task, list[ModelOutput]]:
    """One sample that fails; the task goes on, or stops with it."""
    task = Task(
        name="stopping" if stops else "failing",
        dataset=[
            Sample(input="Say yes", target="yes", id="fine"),
            Sample(input="Say no", target="no", id="broken"),
        ],
        solver=[breaks_down(), generate()],
        scorer=match(),
        fail_on_error=stops,
    )
    return task, [said("yes"), said("no")]


@solver
def copies(source: Path, target: Path):
    async def solve(state: TaskState, generate):
        if state.sample_id == 3:
            for _ in range(100):
                (found,) = source.glob("*.eval")
                await asyncio.sleep(0.1)
                shutil.copy(found, target)
        return state

    return solve


async def run(task: Task, outputs: list[ModelOutput], folder: Path, **more) -> Path:
    before = set(folder.iterdir())
    await eval_async(
        task, model=get_model("mockllm/model", custom_outputs=outputs), log_dir=str(folder),
        max_samples=1, max_connections=1, log_model_api=True, **more,
    )  # fmt: skip
    (new,) = set(folder.iterdir()) - before
    return new


async def main() -> None:
    """Run the tasks, and keep their logs and what Inspect reads of them."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        names = {
            "capitals.eval": await run(*capitals(), made, task_args={}),
            "failing.eval": await run(*failing(False), made),
            "stopping.eval": await run(*failing(True), made),
        }
        started = Task(
            name="started",
            dataset=[Sample(input=f"Say {n}", target=f"{n}", id=n) for n in (1, 2, 3)],
            solver=[copies(Path(folder, "live"), FOLDER / "started.eval"), generate()],
            scorer=match(),
        )
        Path(folder, "live").mkdir()
        await run(started, [said("1"), said("2"), said("3")], Path(folder, "live"), log_buffer=1)
        for name, path in names.items():
            shutil.copy(path, FOLDER / name)
    log = read_eval_log(str(FOLDER / "capitals.eval"))
    log.samples = [sample for sample in log.samples if sample.epoch == 1]
    (FOLDER / "deep").mkdir()
    write_eval_log(log, str(FOLDER / "deep/as_json.json"))
    told = {}
    for path in sorted(FOLDER.rglob("*.*")):
        log = read_eval_log(str(path), resolve_attachments="full")
        told[str(path.relative_to(FOLDER))] = {
            "status": log.status,
            "metrics": [
                [score.name, score.reducer, metric.name, metric.value]
                for score in (log.results.scores if log.results else [])
                for metric in score.metrics.values()
            ],
            "samples": [
                {
                    "id": sample.id, "epoch": sample.epoch, "messages": len(sample.messages),
                    "output": sample.output.completion,
                    "scores": {k: v.value for k, v in (sample.scores or {}).items()},
                    "model_events": sum(event.event == "model" for event in sample.events),
                    "tool_events": sum(event.event == "tool" for event in sample.events),
                    "error": sample.error.message if sample.error else None,
                }
                for sample in log.samples or []
            ],
        }  # fmt: skip
    (HERE / "inspect.json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
