"""`flow-tui demo`: the demo store, made once for each version of the program and then kept.

The cache folder holds, beside each other,

    demo-<version>           a whole store, which annotations may have been written into
    demo-<version>.XXX.part  one that is being made, or that was cut off; also `demo-<number>`
    demo.lock                held while one is made, by the process that makes it
"""

from __future__ import annotations

import fcntl
import json
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from flowtui import __version__
from flowtui import format as fmt
from flowtui.cli.asking import require_yes
from flowtui.cli.progress_line import ProgressLine
from flowtui.reports.saving import reason
from flowtui.store.errors import StoreError

DEMO_RUN = "support-agent-v5"
"""The run that it opens on: it has traces, judged samples, annotations and metrics."""
_MADE = "made.json"
"""A file in the store: the sizes and times of its other files when it was made."""
_PART = ".part"
_LEFT_OVER = re.compile(rf"demo-(.+\{_PART}|\d+)")


class DemoFailed(StoreError):
    """The demo store cannot be made; `str()` says why."""


def demo_store(cache: Path, reset: bool = False, yes: bool = False) -> Path:
    """Return the folder of this version's demo store, which is made where there is none.

    Stores of other versions are removed if nobody has changed them.

    Args:
        cache: The folder that holds it.
        reset: Make it anew, after asking.
        yes: Do not ask.

    Raises:
        DemoFailed: It cannot be made there.
        DatabaseError: It cannot be written.
        WrongUsage: Nobody can be asked.
    """
    directory = cache / f"demo-{__version__}"
    if _is_store(directory) and not reset:
        return directory
    if _is_store(directory) and not yes:
        _ask(directory)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / "demo.lock"):
            # Another process may have made it while this one waited.
            if reset or not _is_store(directory):
                _clean_up(cache)
                _make(directory)
    except OSError as error:
        where = fmt.plain(str(cache), 300)
        raise DemoFailed(f"the demo store cannot be made in {where}: {reason(error)}") from error
    return directory


def _is_store(directory: Path) -> bool:
    return (directory / "meta.db").is_file()


def _ask(directory: Path) -> None:
    print(f"this removes {fmt.plain(str(directory), 300)}, annotations and all", file=sys.stderr)
    require_yes("make the demo store anew", "nothing was removed")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, however the process ends."""
    with path.open("w") as file:
        # Without locks two processes may make one each; the last one to finish replaces the
        # other's.
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _clean_up(cache: Path) -> None:
    """Remove what was left by processes that were cut off, and untouched stores of old versions."""
    for path in cache.glob("demo-*"):
        is_left_over = _LEFT_OVER.fullmatch(path.name) and not _is_at_work(path)
        if is_left_over or (path.name != f"demo-{__version__}" and _is_untouched(path)):
            shutil.rmtree(path, ignore_errors=True)


def _is_at_work(path: Path) -> bool:
    """Say whether an older version, which had no lock, may be making this folder."""
    number = path.name.removeprefix("demo-")
    return number.isdecimal() and Path(f"/proc/{number}").exists()


def _is_untouched(store: Path) -> bool:
    try:
        made = json.loads((store / _MADE).read_text())
    except (OSError, ValueError):
        return False
    return bool(made == _stamps(store))


def _stamps(store: Path) -> dict[str, list[int]]:
    return {
        str(path.relative_to(store)): [path.stat().st_size, path.stat().st_mtime_ns]
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.name != _MADE
    }


def _make(directory: Path) -> None:
    """Make the store beside its place, and put it there when it is whole."""
    from flowtui.demo import make_demo

    part = directory.with_name(f"{directory.name}.{secrets.token_hex(4)}{_PART}")
    old = part.with_name(f"{part.stem}-old{_PART}")
    line = ProgressLine()
    line.show("Making the demo store")
    try:
        make_demo(part, datetime.now(UTC))
        (part / _MADE).write_text(json.dumps(_stamps(part)))
        with suppress(FileNotFoundError):
            directory.rename(old)
        part.rename(directory)
    finally:
        line.end()
        for left in (part, old):
            shutil.rmtree(left, ignore_errors=True)
