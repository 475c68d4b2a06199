"""A question before something that cannot be taken back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from flowtui import format as fmt
from flowtui.reports.usage import WrongUsage


def require_yes(to_do: str, undone: str) -> None:
    """Ask whether to go on, and leave with 1 where the answer is not yes.

    Args:
        to_do: What `--yes` would do without asking.
        undone: What is said after a no.

    Raises:
        WrongUsage: Nobody can be asked.
    """
    if _answer("Go on? [y/N] ", to_do).lower() not in ("y", "yes"):
        _leave(undone)


def require_word(words: Sequence[str], to_do: str, undone: str) -> None:
    """Ask for one of some words, and leave with 1 where another one is typed.

    Args:
        words: A name that may hold anything, and a word that anybody can type.
        to_do: What `--yes` would do without asking.
        undone: What is said after another word.

    Raises:
        WrongUsage: Nobody can be asked.
    """
    shown = " or ".join(fmt.plain(word, 80) for word in words)
    if _answer(f"Type {shown} to go on: ", to_do) not in words:
        _leave(undone)


def _answer(question: str, to_do: str) -> str:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise WrongUsage(f"nobody can be asked here: give --yes to {to_do}")
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _leave(undone: str) -> NoReturn:
    print(f"flow-tui: {undone}", file=sys.stderr)
    sys.exit(1)
