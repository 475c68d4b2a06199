"""Uploads whose bytes are all in the registry, and which it could not be told so.

They are remembered across sessions, so that `flow-tui upload --resume` can confirm them without
sending anything again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flowtui.registry.errors import EntrySpent, NotVerified, RequestRefused
from flowtui.registry.storage import Storage
from flowtui.registry.values import UPLOADED, Collection, Destination, Orbit, Organization
from flowtui.store.uploaded import LocalType
from flowtui.store.values import JsonValue
from flowtui.widgets import remembered

if TYPE_CHECKING:
    from flowtui.registry.client import Registry

KEY = "upload.unconfirmed"
MOST = 50


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """One entry of a registry that has all its bytes and is not confirmed."""

    base_url: str
    artifact_id: str
    name: str
    size_bytes: int
    to: Destination
    store: Path
    """The folder of the store that the upload is noted in."""
    run_id: str
    noted_as: tuple[tuple[LocalType, str], ...]
    """The records that are marked as uploaded once it is confirmed."""


def keep(entry: Unconfirmed) -> None:
    """Remember an entry."""
    to = entry.to
    written: JsonValue = {
        "registry": entry.base_url,
        "artifact": entry.artifact_id,
        "name": entry.name,
        "size": entry.size_bytes,
        "organization": [to.organization.id, to.organization.name, to.organization.role],
        "orbit": [to.orbit.id, to.orbit.name, *sorted(to.orbit.artifact_permissions)],
        "collection": [to.collection.id, to.collection.name, to.collection.type],
        "store": str(entry.store),
        "run": entry.run_id,
        "noted_as": [[str(kind), local_id] for kind, local_id in entry.noted_as],
    }
    _put([*_rows(besides=entry.artifact_id), written])


def forget(artifact_id: str) -> None:
    """Forget an entry, if it is remembered."""
    rows = _rows(besides=artifact_id)
    if len(rows) != len(_rows()):
        _put(rows)


def entries(base_url: str) -> list[Unconfirmed]:
    """Return the remembered entries of a registry, the oldest first."""
    found = [_entry(row) for row in _rows()]
    return [entry for entry in found if entry is not None and entry.base_url == base_url]


def confirm(registry: Registry, entry: Unconfirmed) -> None:
    """Tell the registry that all bytes of an entry are there, having looked whether they are.

    Raises:
        NotVerified: They are not.
        EntrySpent: The entry was marked as failed, or is gone.
        RegistryError: It could not be told; the entry stays remembered.
    """
    to = entry.to
    try:
        status = registry.artifact_status(to, entry.artifact_id)
        if status == "pending_upload":
            with Storage(registry.patience) as storage:
                size = storage.size_bytes(registry.download_url(to, entry.artifact_id))
            if size != entry.size_bytes:
                forget(entry.artifact_id)
                raise NotVerified(
                    f"the storage holds {size:,} of {entry.size_bytes:,} bytes of {entry.name}:"
                    " upload it again"
                )
            registry.set_status(to, entry.artifact_id, is_uploaded=True)
        elif status != UPLOADED:
            forget(entry.artifact_id)
            message = f"the registry says {status} of {entry.name}, which is final: upload it again"
            raise EntrySpent(message, 400)
    except RequestRefused as refused:
        if refused.status != 404:
            raise
        forget(entry.artifact_id)
        message = f"{entry.name} ({entry.artifact_id}) is not in the registry any more"
        raise EntrySpent(message, 404) from refused
    forget(entry.artifact_id)


def _rows(besides: str = "") -> list[JsonValue]:
    kept = remembered.get(KEY)
    rows = kept if isinstance(kept, list) else []
    return [row for row in rows if isinstance(row, dict) and row.get("artifact") != besides]


def _put(rows: list[JsonValue]) -> None:
    remembered.put(KEY, rows[-MOST:] or None)


def _entry(row: JsonValue) -> Unconfirmed | None:
    """Return an entry as it was kept; None for what was not written by `keep`."""
    match row:
        case {
            "registry": str(base_url), "artifact": str(artifact_id), "name": str(name),
            "size": int(size), "organization": [str(org_id), str(org_name), str(role)],
            "orbit": [str(orbit_id), str(orbit_name), *rights],
            "collection": [str(collection_id), str(collection_name), str(kind)],
            "store": str(store), "run": str(run_id), "noted_as": list(noted),
        }:  # fmt: skip
            to = Destination(
                Organization(org_id, org_name, role),
                Orbit(orbit_id, orbit_name, "", frozenset(map(str, rights))),
                Collection(collection_id, collection_name, kind, ""),
            )
            types = {str(one): one for one in LocalType}
            pairs = tuple(
                (types[str(pair[0])], str(pair[1]))
                for pair in noted
                if isinstance(pair, list) and len(pair) == 2 and str(pair[0]) in types
            )
            return Unconfirmed(base_url, artifact_id, name, size, to, Path(store), run_id, pairs)
        case _:
            return None
