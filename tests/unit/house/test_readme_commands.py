"""Every command that TOLD writes out does what it says, on the demo store."""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flowtui import __version__
from flowtui.cli.commands import cli
from flowtui.reports.usage import WrongUsage
from flowtui.settings.settings import PATH_VARIABLE
from tests.unit.house.test_readme import CODE, TOLD

RUN, OTHER = "support-agent-v5", "support-agent-v4"
STANDS_FOR = (
    ("RUN RUN...", f"{OTHER} {RUN}"), ("A B...", f"{OTHER} {RUN}"), ("<experiment-id>", RUN),
    ("[KEY...]", ""), ("[TRACE_ID]", ""), ("[COMMAND]", ""), ("[RUN...]", ""), ("[PATH]", ""),
    ("FILE.luml", "one.luml"), ("PATH", "wandb"),
    ("FILE...", "spans.jsonl"), ("PROGRAM ...", "true"), ("NEW", "new-name"), ("RUN", RUN),
    ("main-latest", OTHER), ("candidate", RUN), ("first-try", "vit-b16-mixup"),
)  # fmt: skip
"""What is put in the place of words that stand for others."""
RUN_OF = {"delete": "scratch", "edit": "cv-parser-ner", "upload": "scratch"}
"""Runs that are changed, which the other commands do not need."""
EXITS = {
    # In the text it is only named.
    "flow-tui import": 2,
    # Nobody can be asked here.
    "flow-tui delete RUN": 2,
    # What to change is said by options.
    "flow-tui edit RUN": 2,
}
ELSEWHERE = {
    "a registry": (
        "flow-tui registry", "flow-tui registry pull RUN", "flow-tui upload RUN",
        "flow-tui luml:ORBIT/COLLECTION/NAME", "flow-tui upload --resume",
    ),
    "somebody who ends it": ("flow-tui collect RUN", "flow-tui collect --new first-try"),
    "a terminal": ("flow-tui run", "flow-tui run --attach RUN"),
    "a network": ("pipx install .", "pipx install '.[all]'"),
}  # fmt: skip
"""Commands that need what there is not here, by what that is; other tests start them."""

WRITTEN = Path(__file__).parents[2] / "sources" / "written"
"""Files of other tools."""


def written() -> Iterator[str]:
    """Yield every command of the code blocks and of the text, without what is said of it."""
    for line in re.findall(r"(?m)^    (\S.*)$", TOLD):
        yield re.split(r"\s{2,}|\s+#", line)[0]
    yield from CODE.findall(TOLD)


def commands() -> list[str]:
    return sorted(
        {text for text in written() if re.match(r"(flow-tui|ssh -t|pipx)( |$)|eval ", text)}
    )


@pytest.fixture(scope="module")
def place(demo_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a demo store of its own, and with what README's commands name."""
    place = tmp_path_factory.mktemp("place")
    shutil.copytree(demo_directory, place / "experiments")
    with closing(sqlite3.connect(place / "experiments" / "meta.db")) as db, db:
        # `wait` would wait for the end of the last run.
        db.execute("update experiments set status = 'completed' where status = 'active'")
    out = ["-o", str(place / "one.luml"), "--store", str(place / "experiments")]
    assert CliRunner().invoke(cli, ["export", OTHER, *out]).exit_code == 0
    for name in ("train.py", "agent.py"):
        (place / name).write_text("print('trained')")
    span = {"traceId": "a" * 32, "spanId": "b" * 16, "name": "one", "startTimeUnixNano": "1"}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    (place / "spans.jsonl").write_text(json.dumps(body))
    for name, tool in {
        "logs": "tensorboard",
        "wandb": "wandb",
        "evals": "inspect",
        "trackio": "trackio",
    }.items():
        shutil.copytree(WRITTEN / tool, place / name)
    (place / "mlflow.db").write_bytes(gzip.decompress((WRITTEN / "mlflow.db.gz").read_bytes()))
    tools = place / "bin"
    tools.mkdir()
    (tools / "python").symlink_to(sys.executable)
    programs = {
        "flow-tui": f'exec "{sys.executable}" -m flowtui "$@"',
        "ssh": 'shift 2; exec "$@"',
        "notify-send": "exit 0",
    }
    for name, text in programs.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    return place


@pytest.fixture
def inside(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make this process, and what it starts, work in that folder."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("PATH", f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("EDITOR", "true")
    for name, folder in {
        "FLOW_TUI_STATE": "state",
        "FLOW_TUI_CACHE": "cache",
        "XDG_CACHE_HOME": "cache",
        PATH_VARIABLE: "config.toml",
    }.items():
        monkeypatch.setenv(name, str(place / folder))
    (place / "cache" / "flow-tui").mkdir(parents=True, exist_ok=True)
    demo = place / "cache" / "flow-tui" / f"demo-{__version__}"
    if not demo.is_symlink():
        demo.symlink_to(place / "experiments")
    return place


def meant(command: str) -> str:
    """Return a command with a real name for every word that stands for one."""
    words = command.split()
    run = RUN_OF.get(words[1], RUN) if len(words) > 1 else RUN
    text = command
    for word, real in STANDS_FOR:
        text = text.replace(word, run if real == RUN and word == "RUN" else real)
    # The other commands name runs of a store that nothing new comes into.
    return f"{text} --store imported" if words[1:2] == ["import"] else text


@pytest.mark.parametrize(
    "command", [one for one in commands() if one not in sum(ELSEWHERE.values(), ())]
)
def test_a_command_of_readme_does_what_it_says(inside: Path, command: str) -> None:
    text = meant(command)
    if re.search(r"[|&>$;]| run |^ssh", text):
        done = subprocess.run(
            ["sh", "-c", text], capture_output=True, text=True, timeout=60, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        code, said = done.returncode, done.stderr
    else:
        invoked = CliRunner().invoke(cli, shlex.split(text)[1:])
        is_wrong = isinstance(invoked.exception, WrongUsage)
        code = 2 if is_wrong else invoked.exit_code
        said = f"{invoked.output} {invoked.exception}"
    assert code == EXITS.get(command, 0), said


def test_every_command_that_is_tried_elsewhere_is_in_readme() -> None:
    assert set(sum(ELSEWHERE.values(), ())) <= set(commands())
    assert EXITS.keys() <= set(commands())
