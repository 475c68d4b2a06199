"""The receiver over gRPC, each case in a process of its own.

grpcio's thread serves one event loop for the life of a process, as `flow-tui collect` has it, and
not loops that come and go, as tests have them.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from flowtui.collector.listening import CollectFailed, Listening

CASES = Path(__file__).with_name("grpc_receiving_cases.py")
NAMES = [
    node.name
    for node in ast.parse(CASES.read_text("utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
]
PATIENCE_S = 100.0


@pytest.mark.parametrize("name", NAMES)
def test_calls(name: str) -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{CASES}::{name}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_grpcio_it_is_said_and_http_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    place = Listening().grpc_place()
    assert place is not None
    assert place.problem.startswith("grpcio is not installed; ")
    assert Listening(port=5000).grpc_place() is None
    with pytest.raises(CollectFailed, match="grpcio is not installed"):
        Listening(grpc_port=4317).grpc_place()
