"""Reads config.toml; whatever is wrong in it costs only the setting that it is about."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from flowtui.format import plain
from flowtui.settings.lines import line_of
from flowtui.settings.values import PICTURES, THEMES, Mistake, Settings
from flowtui.store.closest import closest

MAX_BYTES = 200_000
"""A larger file is not one that a person wrote."""
MOST_MISTAKES = 50
_SHOWN = 60
"""How many characters of a wrong value are shown."""
_PLACE = re.compile(r" ?\(at (?:line (\d+), column (\d+)|end of document)\)")
_STORE = re.compile(r"(sqlite://)?(/|~/|~$)")
_MEANT = {"slow": "is_slow", "mouse": "takes_mouse"}
_KINDS: Mapping[type, str] = {
    str: "a text", bool: "true or false", int: "a whole number", float: "a number",
    list: "a list", dict: "a table",
}  # fmt: skip


class _Wrong(Exception):
    """A value, or the file, cannot be used; `str()` says why."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.line = line


def read(path: Path) -> Settings:
    """Return what a file says, with its mistakes."""
    try:
        text = _text(path)
    except _Wrong as wrong:
        return Settings(path, exists=True, mistakes=(Mistake(wrong.line, "", str(wrong)),))
    try:
        document = tomllib.loads(text)
    except RecursionError:
        deep = Mistake(0, "", "this is nested too deeply, so nothing in the file is used")
        return Settings(path, exists=True, mistakes=(deep,))
    except ValueError as error:
        return Settings(path, exists=True, mistakes=(_not_toml(str(error), text),))
    return _understood(path, text, document)


def _text(path: Path) -> str:
    try:
        # A pipe would otherwise wait for somebody who writes into it.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _Wrong("this is not a file but a pipe or a device")
            raw = file.read(MAX_BYTES + 1)
    except IsADirectoryError as error:
        raise _Wrong("this is a folder, not a file") from error
    except OSError as error:
        raise _Wrong(f"the file cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise _Wrong(f"the file has more than {MAX_BYTES:,} bytes, and is not read")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _Wrong("this is not UTF-8, so nothing in the file is used", line) from error


def _not_toml(said: str, text: str) -> Mistake:
    found = _PLACE.search(said)
    line = int(found[1]) if found and found[1] else text.count("\n") + 1 if found else 0
    reason = plain(_PLACE.sub("", said), 200)
    reason = reason[:1].lower() + reason[1:]
    return Mistake(line, "", f"this is not TOML ({reason}), so nothing in the file is used")


def _understood(path: Path, text: str, document: Mapping[str, Any]) -> Settings:
    values: dict[str, Any] = {}
    mistakes: list[Mistake] = []

    def wrong(name: tuple[str, ...], why: str) -> None:
        if len(mistakes) < MOST_MISTAKES:
            mistakes.append(Mistake(line_of(text, name), plain(".".join(name), _SHOWN), why))

    for name, value in document.items():
        try:
            if name == "keys":
                values["keys"] = dict(_keys(value, wrong))
                continue
            if name not in _READERS:
                near = closest(name, (*_READERS, "keys"), 1)
                raise _Wrong(f"is not a setting{f'; closest: {near[0]}' if near else ''}")
            values[_MEANT.get(name, name)] = _READERS[name](value)
        except _Wrong as why:
            wrong((name,), str(why))
    return Settings(path, exists=True, **values, mistakes=tuple(mistakes), text=text)


def _keys(
    value: object, wrong: Callable[[tuple[str, ...], str], None]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the keys by the id of a binding: `runs.sort` may be quoted, or a key in a table."""
    if not isinstance(value, dict):
        raise _Wrong(f"is {_kind(value)}, and must be a table: [keys]")

    def walk(table: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
        for name, inner in table.items():
            if isinstance(inner, dict):
                yield from walk(inner, f"{above}{name}.")
            else:
                yield f"{above}{name}", inner

    for name, found in walk(value, ""):
        keys = found if isinstance(found, list) else [found]
        if keys and all(isinstance(key, str) and _parted(key) for key in keys):
            yield name, tuple(part for key in keys for part in _parted(key))
        else:
            wrong(("keys", name), 'must be a key, or a list of keys: "S", ["S", "f5"]')


def _parted(keys: str) -> list[str]:
    """Return the keys of a text, in which commas part them; a comma alone is a key."""
    return [","] if keys == "," else [part.strip() for part in keys.split(",") if part.strip()]


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a date or a time")


def _one_of(known: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if (text := _a_text(value)) not in known:
            raise _Wrong(f"{plain(text, _SHOWN)!r} is not one of {', '.join(known)}")
        return text

    return read


def _a_text(value: object) -> str:
    if not isinstance(value, str):
        raise _Wrong(f"is {_kind(value)}, and must be a text")
    if not value.strip():
        raise _Wrong("is empty")
    return value.strip()


def _a_store(value: object) -> str:
    text = _a_text(value)
    if not _STORE.match(text):
        raise _Wrong(f"{plain(text, _SHOWN)!r} must be a folder that begins with / or ~/")
    return text


def _a_switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(f"is {_kind(value)}, and must be true or false")
    return value


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise _Wrong('must be a list of names: ["name", "lr", "val/loss"]')
    names = tuple(dict.fromkeys(name.strip() for name in value if name.strip()))
    if not names:
        raise _Wrong("names no column")
    return names


_READERS: Mapping[str, Callable[[object], Any]] = {
    "theme": _one_of(THEMES),
    "user": _a_text,
    "store": _a_store,
    "columns": _names,
    "slow": _a_switch,
    "pictures": _one_of(PICTURES),
    "mouse": _a_switch,
}
