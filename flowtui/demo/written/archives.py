"""ZIP files and packed tar files."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from datetime import datetime


def zipped(members: Mapping[str, bytes], at: datetime) -> bytes:
    """Return a ZIP file whose members have one time, and are not compressed.

    How well zlib compresses depends on its version, and so would the size of the file.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, at.timetuple()[:6])
            # Otherwise the mark of the system that wrote it differs between systems.
            info.create_system = 3
            archive.writestr(info, data)
    return out.getvalue()


def tar_gz(members: Mapping[str, bytes], at: datetime) -> bytes:
    """Return a gzipped tar file whose members have one time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mtime = int(at.timestamp())
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue(), mtime=0)
