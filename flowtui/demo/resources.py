"""The texts, tables and files in data/ that the demo is made of."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

_PLACE = re.compile(r"\{(\w+)\}")


def read_bytes(name: str) -> bytes:
    """Return the bytes of a file in data/."""
    return files("flowtui.demo").joinpath("data", name).read_bytes()


def read_text(name: str) -> str:
    """Return the text of a file in data/."""
    return read_bytes(name).decode()


def read_json(name: str) -> dict[str, Any]:
    """Return the object in a JSON file in data/."""
    content: dict[str, Any] = json.loads(read_bytes(name))
    return content


def read_toml(name: str) -> dict[str, Any]:
    """Return the tables of a TOML file in data/."""
    return tomllib.loads(read_text(name))


def filled(template: Any, values: Mapping[str, object]) -> Any:
    """Fill {name} in, in texts at any depth; a text that is nothing but a name becomes its value.

    Raises:
        KeyError: There is no value of that name.
    """
    match template:
        case str():
            if whole := _PLACE.fullmatch(template):
                return values[whole[1]]
            return _PLACE.sub(lambda place: str(values[place[1]]), template)
        case list():
            return [filled(item, values) for item in template]
        case dict():
            return {key: filled(item, values) for key, item in template.items()}
    return template
