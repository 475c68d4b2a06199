"""How this copy of flow-tui was installed, and so what adds an extra to it.

The one place that words such advice: what is installed from a folder or an address is named by
that, since a package of the same name on an index need not be this one.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import sys
import sysconfig
from pathlib import Path
from urllib.parse import unquote, urlsplit

DISTRIBUTION = "flowtui"
"""The name of the package; the command is `flow-tui`."""


def adding(extra: str) -> str:
    """Return the command that adds an extra to this installation."""
    source, is_editable = _source()
    what = f"{source}[{extra}]" if "://" not in source else f"{DISTRIBUTION}[{extra}] @ {source}"
    return f"{_installer()}{' -e' * is_editable} {shlex.quote(what)}"


def _source() -> tuple[str, bool]:
    """Return what it was installed from, a name, folder or address, and whether it is editable.

    Source: direct_url.json of the installed package (PEP 610); an index leaves none.
    """
    # Loading this takes as long as showing a small screen, and few people ever need it.
    from importlib import metadata

    try:
        written = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
        origin = json.loads(written or "{}")
        url = origin.get("url", "")
        parts = urlsplit(url)
        if "dir_info" in origin and parts.scheme == "file":
            return unquote(parts.path), bool(origin["dir_info"].get("editable"))
        if "vcs_info" in origin:
            return f"{origin['vcs_info']['vcs']}+{url}", False
    except (metadata.PackageNotFoundError, ValueError, AttributeError, KeyError, TypeError):
        # A copy that was never installed, or whose record somebody else wrote.
        return DISTRIBUTION, False
    return url or DISTRIBUTION, False


def _installer() -> str:
    prefix = Path(sys.prefix)
    if (prefix / "pipx_metadata.json").exists():
        return "pipx install --force"
    if (prefix / "uv-receipt.toml").exists():
        return "uv tool install --force"
    is_apart = sys.prefix != sys.base_prefix
    if not is_apart and Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists():
        # The system's own Python takes no packages (PEP 668).
        return "pipx install"
    if importlib.util.find_spec("pip") is None:
        return f"uv pip install --python {shlex.quote(sys.executable)}"
    if os.environ.get("VIRTUAL_ENV") == sys.prefix:
        return "pip install"
    return f"{shlex.quote(sys.executable)} -m pip install"
