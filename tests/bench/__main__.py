"""`make bench`: measures everything that has a budget, prints a table, writes bench.json.

The table is put into docs/measured.md too. Exit code 1 if a budget is missed. `--quick` measures
with a smaller store and fewer rounds, and leaves out receiving, the registry, and reading metrics,
traces and samples: in a small store that is mostly drawing.

`--growth` measures how everything grows with its store instead: see `growth.py`.

`--rival` measures `lumlflow tui` too, in an environment that it makes in `.sdk/`. Beside the real
SDK it measures where there is a Python for that.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from platformdirs import user_cache_path

from tests.bench import page
from tests.bench.bench import Bench
from tests.bench.beside import beside_the_sdk, beside_the_writer
from tests.bench.comparing import comparisons
from tests.bench.echoes import echoes
from tests.bench.growth import growth
from tests.bench.listing import listings
from tests.bench.live import live
from tests.bench.long_texts import long_texts
from tests.bench.measure import Measure
from tests.bench.measures import measures
from tests.bench.reading import readings
from tests.bench.receiving import receiving
from tests.bench.remote import opening_over_a_link
from tests.bench.rival import VERSION, rival
from tests.bench.stores import Sizes, make
from tests.sdk.environments import SdkUnavailable, environment, environment_with

QUICK = Sizes(
    points=20_000, metrics=10, spans=1_000, samples=500, tree=1_000, forest=1_000, many=100
)
OPTIONS = {"--quick", "--growth", "--rival"}
HEADER = f"{'':<46}{'measured':>10}    {'baseline':>9}{'ratio':>7}{'budget':>9}{'':8}"


def line(measure: Measure, rivals: float | None = None) -> str:
    """Return a measure as a line of the table, with what the rival takes."""
    base = "" if measure.baseline is None else f"{measure.baseline:.4g}"
    ratio = "" if measure.baseline is None else f"{measure.value:.2f}"
    verdict = "ok" if measure.is_met else "MISSED"
    other = "" if rivals is None else f"{rivals:.4g}"
    return (
        f"{measure.what:<46}{measure.measured:>10.4g} {measure.unit:<3}{base:>9}{ratio:>7}"
        f"{measure.budget:>9.4g}  {verdict:<6}{other:>9}".rstrip()
    )


def measured(bench: Bench, sizes: Sizes, is_quick: bool) -> Iterator[Measure]:
    """Yield every measure as it is made."""
    yield from measures(bench)
    yield from beside_the_writer(bench)
    try:
        yield from beside_the_sdk(bench, environment("0.4.0"))
    except SdkUnavailable as reason:
        print(f"left out, beside the SDK: {reason}")
    yield from live(bench)
    yield from echoes(bench, sizes)
    if not is_quick:
        yield from readings(bench.store, sizes, bench.rounds)
        yield from listings(bench.store, bench.rounds)
        yield from comparisons(bench.store, bench.rounds)
        yield from receiving()
        yield from opening_over_a_link()
        yield from long_texts()


def rivals(bench: Bench) -> dict[str, float]:
    """Return what the rival takes, by the name of the measure that it stands beside.

    What it does not show in time is left out, and said.
    """
    try:
        python = environment_with(f"lumlflow[tui]=={VERSION}", f"lumlflow-tui-{VERSION}")
    except SdkUnavailable as reason:
        print(f"left out, lumlflow tui: {reason}")
        return {}
    taken: dict[str, float] = {}
    try:
        for what, value in rival(bench, python):
            taken[what] = value
    except AssertionError as error:
        print(f"left out, the rest of lumlflow tui: {str(error).splitlines()[0]}")
    return taken


def grown() -> int:
    """Measure how things grow, print it, and return the exit code."""
    is_met = True
    for text, is_one_met in growth(user_cache_path("flow-tui")):
        print(text, flush=True)
        is_met = is_met and is_one_met
    return 0 if is_met else 1


def main(arguments: list[str]) -> int:
    """Measure, print, write; return the exit code."""
    if unknown := set(arguments) - OPTIONS:
        print(f"unknown: {' '.join(sorted(unknown))}\n\n{__doc__}")
        return 2
    if "--growth" in arguments:
        return grown()
    is_quick = "--quick" in arguments
    sizes = QUICK if is_quick else Sizes()
    store = make(user_cache_path("flow-tui"), sizes)
    print(f"{platform.machine()}, Python {platform.python_version()}; {sizes}")
    document, told = [], []
    with tempfile.TemporaryDirectory() as home:
        bench = Bench(store, 3 if is_quick else 9, 1.0 if is_quick else 3.0, Path(home))
        others = rivals(bench) if "--rival" in arguments else {}
        print(f"{HEADER}{'lumlflow' if others else '':>9}".rstrip())
        for measure in measured(bench, sizes, is_quick):
            other = others.get(measure.what)
            document.append({**asdict(measure), "is_met": measure.is_met, "rival": other})
            told.append((measure, other))
            print(line(measure, other), flush=True)
    Path("bench.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    if not is_quick:
        machine = (
            f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        )
        page.write(page.table(told, f"{machine}; {sizes.words}"))
    return 0 if all(entry["is_met"] for entry in document) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
