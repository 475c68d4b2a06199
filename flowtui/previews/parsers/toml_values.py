"""The values of TOML; dates and times are texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowtui.store.values import JsonValue

EXTRA = ""
LIBRARIES = ("tomllib",)


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return the value, or what is wrong with the text."""
    import tomllib

    source = arguments["source"]
    assert isinstance(source, str)
    try:
        value = tomllib.loads(source)
        return {}, json.dumps(value, default=str).encode()
    except tomllib.TOMLDecodeError as error:
        return {"problem": f"is not TOML: {str(error).rstrip('.')}"}, b""
    except RecursionError:
        return {"problem": "nests too deeply to be shown as a tree"}, b""
    except ValueError:
        # Python refuses to write a whole number of thousands of digits.
        return {"problem": "has a number that is too long"}, b""
