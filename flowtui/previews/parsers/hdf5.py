"""The groups and datasets of an HDF5 file, as a tree; MATLAB writes such files since 7.3.

Nothing outside the file is read: links to other files are named, and the values of datasets that
lie in other files are not asked for. The file is not locked.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from flowtui.previews.errors import PreviewFailed

if TYPE_CHECKING:
    from flowtui.store.values import JsonValue

EXTRA = "hdf5"
# No filter of a plugin is loaded to read a file.
os.environ["HDF5_PLUGIN_PATH"] = "::"
LIBRARIES = ("h5py",)
MAX_NODES = 5_000
MAX_DEPTH = 30
FIRST_VALUES = 10
MAX_READ_BYTES = 16_000_000
"""The largest chunk that is unpacked for the first values."""
TEXT_CHARS = 500
MAX_ATTRIBUTES = 50
_BROKEN = (
    OSError,
    RuntimeError,
    ValueError,
    KeyError,
    TypeError,
    UnicodeError,
    NotImplementedError,
)
# h5py has no types of its own.
_Node: TypeAlias = Any


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return the tree: groups as objects, a dataset as what is known of it."""
    import h5py  # type: ignore[import-untyped]

    try:
        with h5py.File(path, "r", locking=False) as file:
            reader = _HdfReader()
            tree = reader.group(file, 0)
    except _BROKEN as error:
        raise PreviewFailed("The HDF5 file is broken, or cut off.") from error
    values: dict[str, JsonValue] = {"nodes": reader.nodes, "is_whole": reader.nodes <= MAX_NODES}
    return values, json.dumps(tree).encode()


class _HdfReader:
    def __init__(self) -> None:
        self.nodes = 0
        self._above: list[int] = []

    def group(self, group: _Node, depth: int) -> JsonValue:
        import h5py

        found: dict[str, JsonValue] = dict(_attributes(group))
        place = h5py.h5o.get_info(group.id).addr
        if place in self._above:
            return {**found, "…": "a group that it lies in"}
        self._above.append(place)
        for name in group:
            self.nodes += 1
            if self.nodes > MAX_NODES or depth >= MAX_DEPTH:
                found["…"] = "more"
                break
            found[name] = self._node(group, name, depth)
        self._above.pop()
        return found

    def _node(self, group: _Node, name: str, depth: int) -> JsonValue:
        import h5py

        try:
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                return f"link to another file: {link.filename}:{link.path}"[:TEXT_CHARS]
            if isinstance(link, h5py.SoftLink):
                return f"link to {link.path}"[:TEXT_CHARS]
            node = group[name]
            if isinstance(node, h5py.Group):
                return self.group(node, depth + 1)
            if isinstance(node, h5py.Dataset):
                return _dataset(node)
        except _BROKEN:
            return "unreadable"
        return "a type"


def _dataset(dataset: _Node) -> JsonValue:
    shape = "scalar" if dataset.shape == () else " × ".join(f"{n:,}" for n in dataset.shape or ())
    said: dict[str, JsonValue] = {
        "type": str(dataset.dtype)[:TEXT_CHARS],
        "shape": shape or "empty",
    }
    if dataset.compression:
        said["compression"] = str(dataset.compression)
    values = _first(dataset)
    if values is not None:
        said["values"] = values
    return {**said, **_attributes(dataset)}


def _first(dataset: _Node) -> JsonValue:
    """Return the first values; None where they would take much, or lie in another file."""
    if dataset.is_virtual or dataset.external or dataset.shape is None or not all(dataset.shape):
        return None
    chunk = dataset.chunks or ()
    size = dataset.dtype.itemsize
    for length in chunk:
        size *= length
    if size > MAX_READ_BYTES:
        return None
    if not dataset.shape:
        return _plain(dataset[()])
    inner = tuple(0 for _ in dataset.shape[:-1])
    first = dataset[(*inner, slice(0, FIRST_VALUES))]
    count = 1
    for length in dataset.shape:
        count *= length
    shown = [_plain(value) for value in first]
    return shown + ([f"… {count - len(shown):,} more"] if count > len(shown) else [])


def _attributes(node: _Node) -> Mapping[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for name in list(node.attrs)[:MAX_ATTRIBUTES]:
        try:
            value = node.attrs[name]
        except _BROKEN:
            value = "unreadable"
        found[name] = _plain(value)
    return {"attributes": found} if found else {}


def _plain(value: _Node) -> JsonValue:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value[:TEXT_CHARS]
    if hasattr(value, "tolist"):
        value = value[:FIRST_VALUES] if getattr(value, "ndim", 0) else value
        value = value.tolist()
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value[:FIRST_VALUES]]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")[:TEXT_CHARS]
    return str(value)[:TEXT_CHARS]
