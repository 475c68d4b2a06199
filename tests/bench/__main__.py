"""`make bench`: measures everything that has a budget, prints a table, writes bench.json.

Exit code 1 if a budget is missed. `--quick` measures with a smaller store and fewer rounds, and
leaves out the reading of metrics, traces and samples: in a small store it is mostly drawing.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from platformdirs import user_cache_path

from tests.bench.listing import listings
from tests.bench.measure import Measure
from tests.bench.measures import Bench
from tests.bench.reading import readings
from tests.bench.stores import Sizes, make

QUICK = Sizes(points=20_000, metrics=10, spans=1_000, samples=500, tree=1_000)


def line(measure: Measure) -> str:
    """Return a measure as a line of the table."""
    base = "" if measure.baseline is None else f"{measure.baseline:.4g}"
    ratio = "" if measure.baseline is None else f"{measure.value:.2f}"
    verdict = "ok" if measure.is_met else "MISSED"
    return (
        f"{measure.what:<44}{measure.measured:>10.4g} {measure.unit:<3}{base:>9}{ratio:>8}"
        f"{measure.budget:>9g}  {verdict}"
    )


def main(arguments: list[str]) -> int:
    """Measure, print, write; return the exit code."""
    is_quick = "--quick" in arguments
    sizes = QUICK if is_quick else Sizes()
    store = make(user_cache_path("flow-tui"), sizes)
    print(f"{platform.machine()}, Python {platform.python_version()}; {sizes}")
    print(f"{'':<44}{'measured':>10}    {'baseline':>9}{'ratio':>8}{'budget':>9}")
    measures = []
    rounds = 3 if is_quick else 9
    with tempfile.TemporaryDirectory() as home:
        bench = Bench(store, rounds, 1.0 if is_quick else 3.0, Path(home))
        read = () if is_quick else chain(readings(store, sizes, rounds), listings(store, rounds))
        for measure in chain(bench.measures(), read):
            measures.append(measure)
            print(line(measure), flush=True)
    document = [{**asdict(measure), "is_met": measure.is_met} for measure in measures]
    Path("bench.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    return 0 if all(measure.is_met for measure in measures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
