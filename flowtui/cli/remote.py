"""Opens runs in the registry, named as `luml:ORBIT/COLLECTION/NAME`, by id, or by their page."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from flowtui import person
from flowtui.store.errors import RunNotFound, StoreError

if TYPE_CHECKING:
    from flowtui.registry.artifacts import Reference
    from flowtui.registry.client import Registry
    from flowtui.store.open_run import OpenRun
    from flowtui.store.store import Store

_LIKELY = re.compile(r"luml:|https?://|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}$")


def opened(word: str, unknown: StoreError, allow_large: bool) -> tuple[Store, OpenRun]:
    """Open the run of the registry that a word names, where no store and no file has it.

    Args:
        word: What the person typed.
        unknown: Why it is nothing nearer.
        allow_large: Whether it may be unusually large when it is unpacked.

    Raises:
        RegistryError: The registry has no such artifact, or cannot be asked.
        StoreError: `unknown`, if the word does not name anything in a registry; or it cannot be
            opened.
    """
    # While a shell completes a word, nothing is sent anywhere.
    if _LIKELY.match(word) is None or "_FLOW_TUI_COMPLETE" in os.environ:
        raise unknown
    from flowtui.registry.artifacts import NotFound, reference
    from flowtui.registry.errors import KeyRefused

    wanted = reference(word)
    if wanted is None:
        raise unknown
    is_bare_id = wanted.artifact_id == word
    try:
        registry = connected()
    except KeyRefused as error:
        if is_bare_id:
            raise unknown from error
        raise
    try:
        return _opened(registry, wanted, allow_large)
    except NotFound as error:
        if is_bare_id:
            raise RunNotFound(f"{unknown}; nor has the registry an artifact of that id") from error
        raise


def connected() -> Registry:
    """Return the registry, to be asked with the key that is found; it is closed at the end.

    Raises:
        KeyRefused: There is no key.
    """
    from flowtui.registry.client import Registry, base_url
    from flowtui.registry.credentials import require_key
    from flowtui.terminal.shutdown import before_the_end

    credential = require_key(os.environ, person.cwd(), person.home())
    registry = Registry(credential.key, base_url(os.environ))
    before_the_end(registry.close)
    return registry


def may_download(one: str, size_bytes: int) -> bool:
    """Ask whether all of an artifact is to be downloaded; no, where nobody can be asked."""
    from flowtui import format as fmt

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    question = (
        f"flow-tui: the storage cannot be asked for parts of {fmt.plain(one, 100)}."
        f" Download all {fmt.size(size_bytes)}? [y/N] "
    )
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _opened(registry: Registry, wanted: Reference, allow_large: bool) -> tuple[Store, OpenRun]:
    from flowtui import format as fmt
    from flowtui.cli.progress_line import ProgressLine
    from flowtui.registry.errors import RangesIgnored, StorageFailed
    from flowtui.registry.opening import open_remote
    from flowtui.store.archive.values import ArtifactError, ArtifactTooLarge
    from flowtui.terminal.shutdown import before_the_end

    line = ProgressLine()
    name = fmt.plain(wanted.name or wanted.artifact_id, 60)

    def ask(size_bytes: int) -> bool:
        line.end()
        return may_download(name, size_bytes)

    try:
        found = open_remote(
            registry,
            wanted,
            lambda done, total: line.show(f"Reading {name}", done, total),
            ask,
            allow_large,
        )
    except RangesIgnored as ignored:
        message = f"{ignored}: download it with `flow-tui registry pull`"
        raise StorageFailed(message) from ignored
    except ArtifactTooLarge as large:
        message = f"{large}; --allow-large unpacks it all the same"
        raise ArtifactError(message) from large
    finally:
        line.end()
    before_the_end(found.store.close)
    if found.offline_since_s is not None:
        ago = fmt.duration(found.offline_since_s)
        note = f"the registry is out of reach: opened as it was when it was last read, {ago} ago"
        print(note, file=sys.stderr)
    return found.store, found.store.resolve("latest")
