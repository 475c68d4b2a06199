"""A question before something that cannot be taken back."""

from __future__ import annotations

import sys

from flowtui.reports.usage import WrongUsage


def require_yes(to_do: str, undone: str) -> None:
    """Ask whether to go on, and leave with 1 where the answer is not yes.

    Args:
        to_do: What `--yes` would do without asking.
        undone: What is said after a no.

    Raises:
        WrongUsage: Nobody can be asked.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise WrongUsage(f"nobody can be asked here: give --yes to {to_do}")
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        print(f"flow-tui: {undone}", file=sys.stderr)
        sys.exit(1)
