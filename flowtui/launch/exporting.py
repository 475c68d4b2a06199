"""The variables that have a program send its spans here; what is set already is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flowtui.collector.listening import HOST, Listening
from flowtui.collector.variables import variables

_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_ELSEWHERE = (_ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""If one of them is set, spans go where it says, and nothing must be changed about that."""
_OFF = {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "none"}
"""What keeps a program from sending any, if it is set so."""

_PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "grpc_proxy", "https_proxy")
"""The proxies that exporters of HTTP and gRPC obey, for this machine's own addresses too."""
_NO_PROXY = ("no_proxy", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class Exporting:
    """What a program is given."""

    environ: Mapping[str, str]
    said: tuple[str, ...] = ()
    """Sentences on what was set already."""


def exporting(environ: Mapping[str, str], port: int | None) -> Exporting:
    """Return the environment of a program.

    Args:
        environ: What it would have otherwise.
        port: Of the receiver; None where there is none.
    """
    if port is None:
        return Exporting(dict(environ))
    for name in _ELSEWHERE:
        if where := environ.get(name):
            elsewhere = f"{name} is set and kept: spans go to {where}, and not into a run here"
            return Exporting(dict(environ), (elsewhere,))
    ours = variables(Listening(HOST, port))
    kept = {name: environ[name] for name in ours if environ.get(name)}
    # Most of what may be set says the same, or only how much is sent.
    said = [
        f"{name}={value} is set and kept: the program sends no spans"
        for name, value in _OFF.items()
        if environ.get(name, "").strip().lower() == value
    ]
    said += [
        f"{name}={value} is set and kept"
        for name, value in kept.items()
        if value != ours[name] and name.startswith("OTEL_") and name not in _OFF
    ]
    return Exporting({**environ, **ours, **kept, **_past_proxies(environ)}, tuple(said))


def _past_proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what keeps a program from sending its spans to a proxy, which would lose them."""
    if not any(environ.get(name) for name in _PROXIES):
        return {}
    present = [name for name in _NO_PROXY if name in environ]
    if not present:
        return dict.fromkeys(_NO_PROXY, HOST)
    return {
        name: f"{environ[name]},{HOST}".lstrip(",")
        for name in present
        if not {HOST, "*"} & {host.strip() for host in environ[name].split(",")}
    }
