"""The table of licences has every package that comes along."""

from __future__ import annotations

import re
import tomllib

from tests import licences
from tests.pages import TOP


def named() -> set[str]:
    _, _, rest = licences.PAGE.read_text("utf-8").partition(licences.BEGIN)
    rows = re.findall(r"(?m)^\| [^|]+ \| ([^|]+) \|$", rest.partition(licences.END)[0])
    return {name for row in rows for name in row.split(", ")}


def test_every_package_that_is_installed_here_is_named() -> None:
    assert len(licences.dependencies()) > 20
    assert licences.dependencies().keys() - named() == set()


def test_every_package_that_is_asked_for_is_named() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(text for extra in extras for text in extra)]
    names = {re.split(r"[\[<>=;]", text)[0] for text in wanted}
    assert names - named() == {"flowtui"}


def test_licences_are_said_shortly() -> None:
    said = {licences.licence(package) for package in licences.dependencies().values()}
    assert {"MIT", "Apache-2.0", "BSD-3-Clause"} <= said
    assert max(map(len, said)) <= 60
