"""Artifacts taken apart and put together again, as no program that means well would."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path


def tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as out:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
    return path


def unpacked(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as found:
        return {one.name: found.extractfile(one).read() for one in found}  # type: ignore[union-attr]


def zipped(data: bytes, name: str = "exp.db", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as packed:
        packed.writestr(name, data)
    return out.getvalue()


def claiming(source: Path, path: Path, size_bytes: int = 300_000_000) -> Path:
    """Gives an artifact whose database says that it unpacks to so much."""
    members = unpacked(source)
    packed = bytearray(members["exp.db.zip"])
    # The size in the directory of the zip is what is believed first.
    at = packed.rindex(b"PK\x01\x02") + 24
    packed[at : at + 4] = size_bytes.to_bytes(4, "little")
    return tar(path, members | {"exp.db.zip": bytes(packed)})
