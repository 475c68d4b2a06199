"""Which encodings a text is likely to have, by the library that knows languages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowtui.store.values import JsonValue

EXTRA = ""
LIBRARIES = ("chardet",)
_LARGER = {
    "iso8859-1": "cp1252", "euc_kr": "cp949", "shift_jis_2004": "cp932", "tis-620": "cp874",
}  # fmt: skip
"""Codecs that include an encoding, and so decode what follows the sample too."""


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return codecs with the likelihood of each, 0 to 1, the likeliest first."""
    import chardet

    sample, codecs = arguments["sample"], arguments["codecs"]
    assert isinstance(sample, str)
    assert isinstance(codecs, list)
    found = chardet.detect_all(
        sample.encode("latin-1"),
        ignore_threshold=True,
        compat_names=False,
        prefer_superset=False,
        include_encodings=[*map(str, codecs), *_LARGER],
    )
    shares: dict[str, float] = {}
    for one in found:
        codec = str(one["encoding"])
        shares.setdefault(_LARGER.get(codec, codec), one["confidence"])
    return {}, json.dumps(list(shares.items())).encode()
