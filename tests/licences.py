"""The table of what flow-tui depends on, and under which licences.

`python -m tests.licences` writes it anew, of what is installed beside it with all extras;
tests/unit/house/test_licences.py checks that it has every package.
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PAGE = Path(__file__).parents[1] / "docs" / "installing.md"
BEGIN = "<!-- made by python -m tests.licences -->\n"
END = "<!-- end -->\n"
CLASSIFIER = "License :: OSI Approved :: "


def dependencies() -> dict[str, Distribution]:
    """Return all packages that flowtui[all] needs and that are installed, by name."""
    found: dict[str, Distribution] = {}
    to_do = [Requirement("flowtui[all]")]
    seen: set[str] = set()
    while to_do:
        wanted = to_do.pop()
        if str(wanted) in seen:
            continue
        seen.add(str(wanted))
        name = canonicalize_name(wanted.name)
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        for text in requires(name) or ():
            needed = Requirement(text)
            environments = [{"extra": extra} for extra in (*wanted.extras, "")]
            if needed.marker is None or any(map(needed.marker.evaluate, environments)):
                to_do.append(needed)
    del found["flowtui"]
    return dict(sorted(found.items()))


def licence(package: Distribution) -> str:
    """Return what a package says of its licence, shortly."""
    metadata = package.metadata
    expression = metadata.get("License-Expression")
    if expression:
        return str(expression)
    named = [
        text.removeprefix(CLASSIFIER).removesuffix(" License")
        for text in metadata.get_all("Classifier") or ()
        if text.startswith(CLASSIFIER)
    ]
    first, *_ = [*named, *str(metadata.get("License") or "not said").splitlines()]
    return re.sub(r"\s+", " ", first)[:60]


def table() -> str:
    """Return the table, a line for each licence."""
    by_licence: dict[str, list[str]] = {}
    for name, package in dependencies().items():
        by_licence.setdefault(licence(package), []).append(name)
    lines = ["| licence | packages |", "|---|---|"]
    lines += [f"| {of} | {', '.join(names)} |" for of, names in sorted(by_licence.items())]
    return "\n".join(lines) + "\n"


def written(text: str) -> str:
    """Return the text of the page with the table as it should be."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
