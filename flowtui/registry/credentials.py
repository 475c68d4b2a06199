"""The key: where it is looked for, and where one that was typed is kept.

Looked for in this order: LUML_API_KEY in the environment and in ./.env, the keyring (if the extra
is installed), ~/.luml.json. The last two are where lumlflow, the browser app, keeps and finds it.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from flowtui.person import NO_HOME
from flowtui.registry.client import Registry, checked_key
from flowtui.registry.errors import KeyRefused, NotKept
from flowtui.registry.values import Secret

VARIABLE = "LUML_API_KEY"
SERVICE = "lumlflow"
USER = "api_key"
FILE = ".luml.json"
IN_ENVIRONMENT = f"{VARIABLE} in the environment"
IN_DOTENV = f"{VARIABLE} in ./.env"
IN_KEYRING = "the keyring"
IN_FILE = f"~/{FILE}"
NO_KEY = (
    "no key for the registry: make one in LUML under your profile, API keys, and set LUML_API_KEY"
)


@dataclass(frozen=True, slots=True)
class Credential:
    """A key and where it was found, for a person."""

    key: Secret
    source: str


def find_key(environ: Mapping[str, str], cwd: Path, home: Path | None) -> Credential | None:
    """Return the key to use, None where there is none; nothing is sent.

    With the keyring extra, on a host without a keyring, this takes about 130 ms.
    """
    places: tuple[tuple[str, Callable[[], str | None]], ...] = (
        (IN_ENVIRONMENT, lambda: environ.get(VARIABLE)),
        (IN_DOTENV, lambda: _in_dotenv(cwd / ".env")),
        (IN_KEYRING, _in_keyring),
        (IN_FILE, lambda: None if home is None else _in_file(home / FILE)),
    )
    for source, look in places:
        if key := (look() or "").strip():
            return Credential(Secret(key), source)
    return None


def require_key(environ: Mapping[str, str], cwd: Path, home: Path | None) -> Credential:
    """Return the key to use.

    Raises:
        KeyRefused: There is none; says how to get one.
    """
    found = find_key(environ, cwd, home)
    if found is None:
        raise KeyRefused(NO_KEY)
    return found


def keep_key(typed: str, base_url: str, home: Path | None) -> Credential:
    """Ask the registry whether it knows a key, and only then keep it; return where it is.

    Args:
        typed: The key as it was typed or pasted.
        base_url: The registry's.
        home: The user's home folder, where one is known.

    Raises:
        KeyRefused: It cannot be a key, or the registry does not know it; nothing was changed.
        Unreachable: Nobody could be asked; nothing was changed.
        NotKept: The key is good, and there is no place to keep it.
    """
    key = checked_key(typed)
    with Registry(key, base_url) as registry:
        registry.validate_key()
    if _keep_in_keyring(key):
        return Credential(key, IN_KEYRING)
    if home is None:
        raise NotKept(f"the key is good, and there is no place to keep it: {NO_HOME}")
    _keep_in_file(key, home / FILE)
    return Credential(key, IN_FILE)


def _in_dotenv(path: Path) -> str | None:
    try:
        words = path.read_text("utf-8", "replace")
    except OSError:
        return None
    from dotenv import dotenv_values

    return dotenv_values(stream=StringIO(words), interpolate=False).get(VARIABLE)


def _in_keyring() -> str | None:
    if importlib.util.find_spec("keyring") is None:
        return None
    keyring = importlib.import_module("keyring")
    with suppress(_keyring_error(), RuntimeError):
        found = keyring.get_password(SERVICE, USER)
        return found if isinstance(found, str) else None
    return None


def _keep_in_keyring(key: Secret) -> bool:
    if importlib.util.find_spec("keyring") is None:
        return False
    keyring = importlib.import_module("keyring")
    with suppress(_keyring_error(), RuntimeError):
        keyring.set_password(SERVICE, USER, key.reveal())
        return True
    return False


def _keyring_error() -> type[Exception]:
    error: type[Exception] = importlib.import_module("keyring.errors").KeyringError
    return error


def _in_file(path: Path) -> str | None:
    key = _settings(path).get("api_key")
    return key if isinstance(key, str) else None


def _keep_in_file(key: Secret, path: Path) -> None:
    """Write the key beside what else the file says, readable for its owner alone from the start."""
    target = Path(os.path.realpath(path))
    text = json.dumps({**_settings(target), "api_key": key.reveal()}, indent=2)
    part = target.with_name(f".luml-{secrets.token_hex(4)}.part")
    reason = ""
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(text + "\n")
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        reason = error.strerror or "it cannot be written"
    if reason:
        raise NotKept(f"the key is good, and cannot be kept in {path}: {reason}")


def _settings(path: Path) -> dict[str, object]:
    try:
        stored = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return stored if isinstance(stored, dict) else {}
