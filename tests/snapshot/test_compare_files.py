"""How the attachments of compared runs look, and the difference of two files."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from flowtui.app.app import FlowApp
from flowtui.store.schema import StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.host import Options
from tests.conftest import NOW, open_store
from tests.snapshot.test_screens import MIDDLE, SMALL, Snap, keys

SIZES = pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
RUNS = ["agent-base", "agent-new", "agent-third"]

pytestmark = pytest.mark.usefixtures("stopped_clock")


def picture(hue: int) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", (48, 32))
    image.putdata([(hue, x * 5, y * 7) for y in range(32) for x in range(48)])
    image.save(out, "BMP")
    return out.getvalue()


@pytest.fixture
def agents() -> Iterator[Store]:
    """Three runs whose code, configuration, tables and pictures differ in part."""
    folder = Path.home() / "agents"
    code = "".join(f"def step_{n}(x):\n    return x * {n}\n\n" for n in range(20))
    with StoreWriter(folder, clock=lambda: NOW, durable=False) as writer:
        for index, name in enumerate(RUNS):
            writer.start_run(name, name)
            settings = {"lr": (0.001, 0.0003, 0.001)[index], "sched": {"warmup": 100}}
            files = {
                "src/agent.py": code.replace("x * 7", "x * 8 + 1" if index == 1 else "x * 7"),
                "src/config.json": json.dumps(settings),
                "src/prompt.md": f"Be brief{' and kind' if index == 1 else ''}.\n",
                "data/table.csv": f"id,value\n1,2\n3,{4 + index}\n",
                "README.md": "# Agent\n",
            }
            with writer.experiment(name) as experiment:
                for path, text in files.items():
                    experiment.attachment(path, text.encode())
                experiment.attachment("plots/loss.bmp", picture(40 + 90 * index))
                experiment.attachment("weights.bin", random.Random(1).randbytes(1_500_000))
                if index == 1:
                    experiment.attachment("logs/new.txt", b"hello\n")
            writer.end_run(name, status="completed", duration=1.0)
    for path in folder.rglob("*"):
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    with closing(open_store(folder)) as store:
        yield store
    shutil.rmtree(folder)


@SIZES
@pytest.mark.parametrize(
    "pressed",
    [
        [],
        ["v", "a", "right_square_bracket"],
        ["down", "down", "down", "enter"],
        ["down", "down", "enter"],
        ["down", "down", "down", "down", "enter"],
    ],
    ids=["list", "all", "code", "picture", "json"],
)
def test_files_of_runs(
    snap_compare: Snap, agents: Store, size: tuple[int, int], pressed: list[str]
) -> None:
    compared = [(agents, agents.resolve(run)) for run in RUNS]
    app = FlowApp(agents, None, Options(tab="attachments", user="ana"), compared)
    assert snap_compare(app, terminal_size=size, run_before=keys(*pressed))


@SIZES
@pytest.mark.parametrize("pressed", [["G", "space"], ["G", "space", "k", "equals_sign"]],
                         ids=["marked", "compared"])  # fmt: skip
def test_two_files(
    snap_compare: Snap, agents: Store, size: tuple[int, int], pressed: list[str]
) -> None:
    app = FlowApp(agents, agents.resolve("agent-new"), Options(tab="attachments", user="ana"))
    assert snap_compare(app, terminal_size=size, run_before=keys(*pressed))
