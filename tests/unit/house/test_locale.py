"""The language of the person's locale changes nothing of what is said, sorted or reckoned."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import flowtui
from flowtui import format as fmt
from tests.terminal.terminal import environment

MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
OF_THE_LOCALE = re.compile(r"%[-_0^#]?[aAbBhcxXpr]")
"""What strftime writes in the language of the locale, or in its order."""


def formats() -> Iterator[tuple[Path, str]]:
    """Yield every text of the program that stands where a date's format may stand."""
    for path in Path(flowtui.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
                for part in ast.walk(node.format_spec):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield path, part.value
            elif isinstance(node, ast.Constant) and re.fullmatch(
                r"(%[a-zA-Z]|[-:/., ])+", str(node.value)
            ):
                yield path, str(node.value)


def test_no_date_and_no_number_is_written_as_the_locale_has_it() -> None:
    found = [(path.name, text) for path, text in formats()]
    assert len(found) > 20
    assert [pair for pair in found if OF_THE_LOCALE.search(pair[1]) or pair[1].endswith("n")] == []


@pytest.mark.parametrize(("month", "name"), enumerate(MONTHS, start=1))
def test_months_have_their_english_names(month: int, name: str) -> None:
    assert fmt.when(datetime(2026, month, 9, 5, 7, tzinfo=UTC), UTC) == f"9 {name} 2026 05:07 UTC"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of a German locale: the machine's own, or one that is made for the test."""
    there = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout
    known = [name for name in there.split() if re.fullmatch(r"de_DE\.utf-?8", name, re.IGNORECASE)]
    if known or shutil.which("localedef") is None:
        # Where there is none at all, the name is what a person has set all the same.
        return {"LC_ALL": known[0] if known else "de_DE.UTF-8"}
    folder = tmp_path_factory.mktemp("locales")
    made = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(folder / "de_DE.UTF-8")]
    subprocess.run(made, capture_output=True, check=False)
    return {"LC_ALL": "de_DE.UTF-8", "LOCPATH": str(folder)}


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    ["list --sort name", "list --sort val/loss", "show support-agent-v3", "metrics resnet50-cosine",
     "evals support-agent-v3 --aggregate", "traces support-agent-v3", "show no-such-run",
     "show /proc/none.luml", "list --store /proc/none"],
)  # fmt: skip
def test_a_locale_of_another_language_changes_nothing(
    elsewhere: dict[str, str], demo_directory: Path, tmp_path: Path, words: str
) -> None:
    # As a library does that is asked to: Python itself takes only the characters of the locale.
    program = (
        "import locale, os, sys\n"
        "try: locale.setlocale(locale.LC_ALL, '')\n"
        "except locale.Error: pass\n"
        "from flowtui.__main__ import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", program, *words.split()]
    store = {"LUML_BACKEND_STORE_URI": str(demo_directory)}
    here, there = (
        subprocess.run(
            command, env=environment(tmp_path, **store, **locale), capture_output=True, check=False
        )
        for locale in ({"LC_ALL": "C.UTF-8"}, elsewhere)
    )
    assert (here.returncode, here.stdout) == (there.returncode, there.stdout)
    assert here.stderr == there.stderr
