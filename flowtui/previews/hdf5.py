"""HDF5 files as trees, read by h5py in a child process."""

from __future__ import annotations

import json

from flowtui.previews import isolated
from flowtui.previews.values import JsonTree, Opened, Part, Request


def shown(opened: Opened, request: Request) -> JsonTree:
    """Return the groups and datasets.

    Raises:
        MissingExtra, PreviewFailed, PreviewCancelled.
    """
    reply = isolated.ask("hdf5", opened.path, {}, opened.cancelled)
    nodes = reply.values["nodes"]
    assert isinstance(nodes, int)
    is_whole = bool(reply.values["is_whole"])
    part = Part("node", 0, nodes, nodes if is_whole else None, None)
    note = "" if is_whole else f"the first {nodes - 1:,} groups and datasets"
    return JsonTree(json.loads(reply.data), part, note)
