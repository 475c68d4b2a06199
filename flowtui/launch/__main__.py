"""`python -m flowtui.launch`: a supervisor, which is told on standard input what to start.

It answers with one line: {"said": [...]} once the program runs and viewers may come, or
{"failed": "…", "code": 127}.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from flowtui.launch.exporting import exporting
from flowtui.launch.folder import LaunchFolder, LaunchState, socket_path
from flowtui.launch.pty_program import PtyProgram
from flowtui.launch.request import NOT_STARTED, LaunchFailed, LaunchRequest
from flowtui.launch.search import MARK
from flowtui.launch.supervisor import Supervisor
from flowtui.launch.tracing import Tracing


def main() -> None:
    """Start the program, and supervise it."""
    order = json.load(sys.stdin)
    folder = LaunchFolder(Path(order["folder"]))
    words = tuple(order["words"])
    tracing = Tracing(LaunchRequest(words, order["name"], order["group"], order["store"]))
    given = exporting(os.environ, tracing.port)
    environ = {**given.environ, MARK: tracing.mark}
    try:
        program = PtyProgram(words, environ, folder.output, tuple(order["size"]))
        host, path = socket.gethostname(), str(socket_path(folder))
        state = LaunchState(words, host, os.getpid(), program.pid, path)
    except (LaunchFailed, OSError) as error:
        tracing.stop(None)
        code = error.code if isinstance(error, LaunchFailed) else NOT_STARTED
        _answer({"failed": str(error), "code": code})
        return
    tracing.follow(program.pid)
    asyncio.run(_supervised(folder, program, tracing, state, list(given.said)))


async def _supervised(
    folder: LaunchFolder,
    program: PtyProgram,
    tracing: Tracing,
    state: LaunchState,
    said: list[str],
) -> None:
    supervisor = Supervisor(folder, program, tracing, state)
    await supervisor.supervise(lambda: _answer({"said": said}))


def _answer(what: Mapping[str, object]) -> None:
    print(json.dumps(what), flush=True)
    # Nobody must wait for more, and nobody reads what else may be printed.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
