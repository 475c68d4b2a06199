"""The entry point: `flow-tui`, and `python -m flowtui`.

A person waits for a run to open, so its few options are read here: importing typer takes an eighth
of the time until the first paint. typer reads everything else, and knows the same options.
"""

from __future__ import annotations

import gc
import locale
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from flowtui.cli.opening import Opening

_FLAGS = {
    "--read-only": ("read_only", True),
    "--slow": ("is_slow", True),
    "--no-slow": ("is_slow", False),
    "--allow-large": ("allow_large", True),
}
_TEXT_OPTIONS = {
    "-s": "store",
    "--store": "store",
    "--tab": "tab",
    "--user": "user",
    "--theme": "theme",
}


def main() -> NoReturn:
    """Run flow-tui with the arguments of this process."""
    # Looking for garbage while modules load finds none and takes a tenth of the start; the app
    # turns the garbage collector on after its first paint.
    gc.disable()
    # Where a library has set another locale, SQLite reads the numbers of JSON by it: 0.5 as 0.
    locale.setlocale(locale.LC_NUMERIC, "C")
    # There is nothing to clean up yet, so ctrl+c ends the process at once. Without this Python
    # would print a traceback of whatever it was importing.
    is_interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from flowtui import clock
    from flowtui.cli.interrupts import interrupts_end_quietly
    from flowtui.cli.standard_streams import printed_to_the_end, take_over
    from flowtui.cli.telling import errors_as_one_line
    from flowtui.cli.terminations import terminations_end_tidily
    from flowtui.terminal import printing

    take_over()
    printing.suit(os.environ)
    if said := clock.refuse_odd_zone():
        print(f"flow-tui: {said}", file=sys.stderr)
    with (
        interrupts_end_quietly(is_interruptible),
        terminations_end_tidily(),
        errors_as_one_line(),
        printed_to_the_end(),
    ):
        opening = None if "_FLOW_TUI_COMPLETE" in os.environ else read_opening(sys.argv[1:])
        if opening is not None:
            opening.carry_out()
        from flowtui.cli.commands import cli

        cli(prog_name="flow-tui")
    sys.exit(0)


def read_opening(arguments: Sequence[str]) -> Opening | None:
    """Return what `flow-tui [RUN]` opens; None for any other command line, mistakes included."""
    from flowtui.cli.opening import COMMANDS, Opening

    given: dict[str, str | bool] = {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in _TEXT_OPTIONS and rest:
            given[_TEXT_OPTIONS[word]] = rest.pop(0)
        elif word in _FLAGS:
            name, value = _FLAGS[word]
            given[name] = value
        elif word.startswith("-") or word in COMMANDS or "run" in given:
            return None
        else:
            given["run"] = word
    return Opening(**given, may_be_command=True)  # type: ignore[arg-type]  # the names and types are Opening's own


if __name__ == "__main__":
    main()
