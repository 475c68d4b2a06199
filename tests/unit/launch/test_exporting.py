"""The variables that a program is given, beside those that are set."""

from __future__ import annotations

import pytest

from flowtui.launch.exporting import exporting


def test_a_program_is_told_where_to_send() -> None:
    given = exporting({"PATH": "/bin"}, 4000)
    assert given.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:4000"
    assert given.environ["PATH"] == "/bin"
    assert given.said == ()


def test_what_is_set_already_is_kept_and_said() -> None:
    name = "OTEL_EXPORTER_OTLP_PROTOCOL"
    given = exporting({name: "grpc"}, 4000)
    assert given.environ[name] == "grpc"
    assert given.said == (f"{name}=grpc is set and kept",)


@pytest.mark.parametrize(
    "name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
)
def test_where_spans_go_elsewhere_no_prompt_is_sent_there_that_was_not_before(name: str) -> None:
    environ = {name: "https://example.org"}
    given = exporting(environ, 4000)
    assert given.environ == environ
    assert "https://example.org" in given.said[0]


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")]
)
def test_a_program_that_sends_none_is_told_of(name: str, value: str) -> None:
    (said,) = exporting({name: value}, 4000).said
    assert said == f"{name}={value} is set and kept: the program sends no spans"


def test_without_a_receiver_nothing_is_set() -> None:
    assert exporting({"A": "b"}, None).environ == {"A": "b"}


@pytest.mark.parametrize(
    ("environ", "added"),
    [
        ({}, {}),
        ({"no_proxy": "a"}, {}),
        ({"http_proxy": "p"}, {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}),
        ({"HTTP_PROXY": "p", "NO_PROXY": "a"}, {"NO_PROXY": "a,127.0.0.1"}),
        ({"HTTP_PROXY": "p", "no_proxy": ""}, {"no_proxy": "127.0.0.1"}),
        ({"HTTP_PROXY": "p", "no_proxy": "a, 127.0.0.1"}, {}),
        ({"HTTP_PROXY": "p", "no_proxy": "*"}, {}),
    ],
)
def test_spans_go_past_proxies(environ: dict[str, str], added: dict[str, str]) -> None:
    given = exporting(environ, 4000).environ
    for name in ("no_proxy", "NO_PROXY"):
        assert given.get(name) == added.get(name, environ.get(name))
