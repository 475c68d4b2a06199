"""Starting the supervisor of a program."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict

from flowtui.launch.folder import LaunchFolder, new_folder
from flowtui.launch.request import LaunchFailed, LaunchRequest
from flowtui.store.errors import StoreError

_MESSAGE_CHARACTERS = 500


class SupervisorFailed(StoreError):
    """The process that was to hold the program did not start; `str()` says why."""


def started(request: LaunchRequest, size: tuple[int, int]) -> tuple[LaunchFolder, list[str]]:
    """Start a program under a supervisor.

    Args:
        request: The program.
        size: Lines and columns of its terminal.

    Returns:
        Its folder, and sentences for the person.

    Raises:
        LaunchFailed: The program cannot be started.
        SupervisorFailed: Its supervisor cannot.
        OSError: There is no place for its folder.
    """
    folder = new_folder()
    order = {**asdict(request), "folder": str(folder.path), "size": size}
    with open(folder.path / "errors", "wb") as errors:
        process = subprocess.Popen(
            # -P: without it Python would import modules from the working directory.
            [sys.executable, "-P", "-m", "flowtui.launch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    try:
        answer = json.loads(_answer(process, json.dumps(order).encode()))
    except (OSError, ValueError) as error:
        said = (folder.path / "errors").read_text("utf-8", "replace").strip()
        folder.remove()
        last = said.rpartition("\n")[2][:_MESSAGE_CHARACTERS] or str(error)
        raise SupervisorFailed(f"the supervisor of the program did not start: {last}") from error
    except BaseException:
        # Whoever started it does not want it any more.
        process.terminate()
        process.wait()
        folder.remove()
        raise
    if "failed" in answer:
        folder.remove()
        process.wait()
        raise LaunchFailed(str(answer["failed"]), int(answer["code"]))
    # It goes on when this process has ended, and is nobody's business until then.
    process.returncode = 0
    return folder, list(answer["said"])


def _answer(process: subprocess.Popen[bytes], order: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdout, process.stdin:
        process.stdin.write(order)
        process.stdin.close()
        return process.stdout.readline()
