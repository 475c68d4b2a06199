"""`collect --env`: what a shell makes of it, and that it says what is listened on."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.util.re import parse_env_headers
from typer.testing import CliRunner

from flowtui.cli.commands import cli

TOKEN = "it's a $ecret, and=more"


def told(*arguments: str) -> str:
    done = CliRunner().invoke(cli, ["collect", "--env", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("arguments", [[], ["--port", "5000", "--token", TOKEN]])
def test_a_shell_has_the_same_variables_as_the_json(arguments: list[str]) -> None:
    shown = json.loads(told(*arguments, "--json"))
    script = (
        told(*arguments) + 'exec python3 -c "import json, os; print(json.dumps(dict(os.environ)))"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    has = json.loads(done.stdout)
    assert {name: has.get(name) for name in shown} == shown


def test_an_exporter_reads_address_and_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in json.loads(told("--json", "--port", "5000", "--token", TOKEN)).items():
        monkeypatch.setenv(name, value)
    exporter = OTLPSpanExporter()
    assert exporter._endpoint == "http://127.0.0.1:5000/v1/traces"
    exporter.shutdown()
    headers = parse_env_headers(os.environ["OTEL_EXPORTER_OTLP_HEADERS"], liberal=True)
    assert headers == {"authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("host", "url"),
    [("::1", "http://[::1]:4318"), ("localhost", "http://localhost:4318")],
)
def test_hosts_of_any_form_make_an_address(host: str, url: str) -> None:
    assert json.loads(told("--json", "--host", host))["OTEL_EXPORTER_OTLP_ENDPOINT"] == url


@pytest.mark.parametrize("arguments", [["--env", "--port", "0"], ["run", "--json"]])
def test_what_makes_no_sense_is_said(arguments: list[str]) -> None:
    assert CliRunner().invoke(cli, ["collect", *arguments]).exit_code != 0
