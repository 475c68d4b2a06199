"""Stores for conformance tests: written live by the real luml-sdk, and the committed golden ones.

A machine without a Python >= 3.12 or without a package index skips what needs the live SDK; golden
stores need neither. With FLOW_TUI_TEST_SDK=required, as in CI, such a test fails instead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.sdk.environments import SdkUnavailable, environment, environment_with, run_writer

LUMLFLOW = "0.2.0"
GOLDEN = Path(__file__).with_name("golden")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what runs the live SDK: its environment may have to be made first."""
    for item in items:
        if isinstance(item, pytest.Function) and "sdk_python" in item.fixturenames:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def sdk_python() -> Callable[[str], Path]:
    """Gives the Python of an environment with that luml-sdk: `sdk_python("0.4.0")`.

    Run a script or `-c` code with it; the first call of a machine installs the SDK.
    """
    outcomes: dict[str, Path | SdkUnavailable] = {}

    def python(version: str) -> Path:
        if version not in outcomes:
            # A failed install takes minutes, so it is tried once and not once a test.
            try:
                outcomes[version] = environment(version)
            except SdkUnavailable as reason:
                outcomes[version] = reason
        outcome = outcomes[version]
        if isinstance(outcome, SdkUnavailable):
            go_without(str(outcome))
        return outcome

    return python


@pytest.fixture(scope="session")
def lumlflow_python(sdk_python: Callable[[str], Path]) -> Path:
    """Gives the Python of an environment with lumlflow, the browser app, which it may make."""
    try:
        return environment_with(f"lumlflow=={LUMLFLOW} httpx", f"lumlflow-{LUMLFLOW}")
    except SdkUnavailable as reason:
        go_without(str(reason))


@pytest.fixture(scope="session")
def sdk_store(
    sdk_python: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Gives a store that this luml-sdk has just written: `sdk_store("0.3.0")`.

    Made once a session and version, so a test that changes it works on a copy (`shutil.copytree`).
    `environments.expected(sdk_store("0.3.0"))` is what was written.
    """
    stores: dict[str, Path] = {}

    def store(version: str) -> Path:
        if version not in stores:
            python = sdk_python(version)
            stores[version] = run_writer(python, tmp_path_factory.mktemp(f"sdk-{version}-"))
        return stores[version]

    return store


@pytest.fixture(scope="session")
def golden_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives a copy of a committed store: `golden_store("0.1.0")`, or "pre2" for the oldest schema.

    Every call makes a new copy, so a test may change it. `environments.expected(...)` of the
    returned folder is what was written.
    """

    def store(version: str) -> Path:
        copy = tmp_path_factory.mktemp(f"golden-{version}-") / version
        shutil.copytree(GOLDEN / version, copy)
        return copy / "store"

    return store


def go_without(reason: str) -> NoReturn:
    """Skips the test for want of an SDK, or fails it where FLOW_TUI_TEST_SDK says "required"."""
    if os.environ.get("FLOW_TUI_TEST_SDK") == "required":
        pytest.fail(f"FLOW_TUI_TEST_SDK=required, but there is {reason}", pytrace=False)
    pytest.skip(reason)
