"""The manual page, made of what `--help` prints: the commands as typer has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flowtui import __version__

_EXITS = {
    "0": "Success.",
    "1": "A failure, or output that lacks what could not be read; a line on stderr says what.",
    "2": "Wrong usage.",
    "3": "A regression (compare), or a run that failed or was left without an end (wait).",
    "124": "The timeout of wait.",
    "125 to 127": "run could not start the program.",
    "129, 130, 143": "The terminal closed, Ctrl+C, or kill.",
}
_VARIABLES = {
    "LUML_BACKEND_STORE_URI, BACKEND_STORE_URI": "The store, as for luml-sdk.",
    "LUML_API_KEY, LUML_BASE_URL": "The key and the address of the registry.",
    "FLOW_TUI_USER": "The author of annotations.",
    "FLOW_TUI_CONFIG": "The file of settings.",
    "FLOW_TUI_CACHE": "The folder for what was read of the registry and of other tools.",
    "FLOW_TUI_STATE": "The folder for logs and for what the program remembers.",
}


def manual(commands: Mapping[str, Any]) -> str:
    """Return the page as roff, of section 1.

    Args:
        commands: The commands of typer's group, by name.
    """
    return "\n".join(_lines(commands)) + "\n"


def _lines(commands: Mapping[str, Any]) -> Iterator[str]:
    yield f'.TH FLOW-TUI 1 "" "flow-tui {__version__}" "User Commands"'
    yield ".SH NAME"
    yield _text("flow-tui - the record of a machine-learning run, in the terminal")
    yield ".SH SYNOPSIS"
    for line in ("[RUN] [OPTIONS]", "COMMAND [ARGUMENTS] [OPTIONS]"):
        yield f".B flow-tui\n{_text(line)}\n.br"
    yield ".SH DESCRIPTION"
    yield _text(
        "Without a command it opens a RUN (an id, a unique prefix of an id, an exact name, or"
        " latest), an artifact, or the runs of another tool at a path; without a RUN the list of"
        " runs. In the app, ? shows the keys that work where one is."
    )
    yield ".SH COMMANDS"
    for name, command in commands.items():
        yield from _command(name, command)
    for title, entries in (("EXIT STATUS", _EXITS), ("ENVIRONMENT", _VARIABLES)):
        yield f".SH {title}"
        for term, said in entries.items():
            yield f".TP\n.B {_text(term)}\n{_text(said)}"


def _command(name: str, command: Any) -> Iterator[str]:
    context = command.make_context(f"flow-tui {name}", [], resilient_parsing=True)
    usage = " ".join(command.collect_usage_pieces(context))
    # Braces stand around what typer knows to be one of several.
    usage = re.sub(r"[{}]", "", usage)
    yield f".SS {_text(f'flow-tui {name} {usage}'.rstrip())}"
    yield _text(command.help or "")
    for param in command.params:
        record = None if getattr(param, "hidden", False) else param.get_help_record(context)
        if record is not None:
            term, said = record
            yield f".TP\n.B {_text(term)}\n{_text(said) or '.br'}"


def _text(text: str) -> str:
    """Return a text on one line of roff, in which nothing is an instruction."""
    # A program's name and its options are copied from the page, so that a minus must be one.
    escaped = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped
