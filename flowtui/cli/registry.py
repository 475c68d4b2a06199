"""`flow-tui registry`: the runs in a registry as a list, and downloads of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowtui import format as fmt
from flowtui.cli import remote
from flowtui.cli.progress_line import ProgressLine
from flowtui.cli.stores import located, open_store
from flowtui.registry import artifacts, cache
from flowtui.registry.artifacts import SORTS, ArtifactQuery, RegistryArtifact, reference
from flowtui.registry.client import Registry
from flowtui.registry.errors import NotAllowed
from flowtui.registry.opening import download
from flowtui.registry.values import Orbit, Organization
from flowtui.reports import runs as run_report
from flowtui.reports.data_output import data_out, write_array
from flowtui.reports.saving import file_stem
from flowtui.reports.usage import WrongUsage
from flowtui.store import runs as run_rows
from flowtui.store.archive.importing import into_store
from flowtui.store.errors import StoreError

HEADER = ("NAME", "ORBIT / COLLECTION", "SIZE", "UPLOADED", "BY", "HERE", "TAGS", "ID")
PULL = "pull"


@dataclass(frozen=True, slots=True)
class RegistryListing:
    """What the command line says about a list."""

    organization: str | None = None
    orbit: str | None = None
    collection: str | None = None
    """Names or ids; None stands for all of them."""
    search: str = ""
    sort: str = "-created_at"
    limit: int | None = None
    as_json: bool = False


def print_listing(wanted: RegistryListing, store: str | None) -> None:
    """Print the runs of the registry that the key's owner may see.

    Raises:
        RegistryError: It cannot be asked, or no orbit may be looked into.
        WrongUsage: There is no such organization, orbit, collection or column.
    """
    column = wanted.sort.removeprefix("-")
    if column not in SORTS:
        raise WrongUsage(f"--sort {column!r} is not one of {', '.join(SORTS)}")
    registry = remote.connected()
    known = _local_runs(store)
    rows = _limited(_listed(registry, wanted), wanted.limit)
    if wanted.as_json:
        documents = (run_report.dumps(_document(one, known)) for one in rows)
        write_array(documents, data_out())
        return
    table = [HEADER, *(_cells(one, known) for one in rows)]
    if len(table) == 1:
        print("no runs that you may see", file=sys.stderr)
        return
    for line in run_report.table(table):
        print(line)


def pull(word: str, out: Path | None, store: str | None, is_for_store: bool, large: bool) -> None:
    """Download an artifact whole, compare its checksum, and make it a run of a store if wanted.

    Raises:
        RegistryError: It cannot be downloaded.
        StoreError: It cannot be written into the store.
        WrongUsage: The word names nothing in a registry, or the file is there already.
    """
    wanted = reference(word)
    if wanted is None:
        raise WrongUsage(
            f"{word!r} names nothing in the registry: give luml:ORBIT/COLLECTION/NAME, luml:ID,"
            " an id, or the address of its page"
        )
    if out is not None and is_for_store:
        raise WrongUsage("-o names a file, and --into-store makes a run of a store: give one")
    registry = remote.connected()
    one = artifacts.find(registry, wanted)
    kept = cache.folder(registry.base_url, one) / "whole.luml"
    target = kept if is_for_store else _target(one, out)
    line = ProgressLine()
    name = fmt.plain(one.name, 60)

    def show(done: int, total: int) -> None:
        line.show(f"Downloading {name}", done, total)

    try:
        if not (is_for_store and target.exists()):
            download(registry, one, target, show)
    finally:
        line.end()
    if not is_for_store:
        print(f"{fmt.plain(str(target), 1_000)}  {fmt.size(one.size_bytes)}")
        return
    directory = located(store).directory
    run_id = into_store(target, directory, artifacts.when(one), large)
    target.unlink(missing_ok=True)
    print(f"{fmt.plain(run_id, 100)}  {name}, in {fmt.plain(str(directory), 1_000)}")
    print("its time of creation is that of the upload; its duration is not known", file=sys.stderr)


def _target(one: RegistryArtifact, out: Path | None) -> Path:
    if out is not None and not out.is_dir():
        if out.exists() and not out.is_file():
            # As root, a rename would put the run in the place of /dev/null.
            raise WrongUsage(f"{out} is not a file, so it is not replaced")
        return out.resolve() if out.is_symlink() else out
    target = (out or Path()) / f"{file_stem(one.name, fmt.short_id(one.id))}.luml"
    if target.exists():
        raise WrongUsage(f"{target} is there already; name a file with -o")
    return target


def _listed(registry: Registry, wanted: RegistryListing) -> Iterator[RegistryArtifact]:
    refused: NotAllowed | None = None
    is_any_open = False
    for organization, orbit in _orbits(registry, wanted):
        try:
            ids = _collection_ids(registry, organization, orbit, wanted.collection)
            if wanted.collection is not None and not ids:
                continue
            query = ArtifactQuery(
                collection_ids=ids,
                search=wanted.search,
                sort_by=wanted.sort.removeprefix("-"),
                is_descending=wanted.sort.startswith("-"),
            )
            yield from artifacts.every(registry, organization, orbit, query)
            is_any_open = True
        except NotAllowed as error:
            refused = error
            name = fmt.plain(orbit.name, 80)
            print(f"orbit {name} is left out: {fmt.plain(str(error), 300)}", file=sys.stderr)
    if refused is not None and not is_any_open:
        raise refused
    if wanted.collection is not None and not is_any_open:
        raise WrongUsage(f"--collection {wanted.collection!r} is not there")


def _orbits(registry: Registry, wanted: RegistryListing) -> list[tuple[Organization, Orbit]]:
    found = [
        (organization, orbit)
        for organization in registry.organizations()
        if wanted.organization is None
        or _is_called(wanted.organization, organization.id, organization.name)
        for orbit in registry.orbits(organization.id)
        if wanted.orbit is None or _is_called(wanted.orbit, orbit.id, orbit.name)
    ]
    if not found and (wanted.organization or wanted.orbit):
        words = " / ".join(word for word in (wanted.organization, wanted.orbit) if word)
        raise WrongUsage(f"there is no orbit {words!r} that you may see")
    return found


def _collection_ids(
    registry: Registry, organization: Organization, orbit: Orbit, word: str | None
) -> tuple[str, ...]:
    if word is None:
        return ()
    known = registry.all_collections(organization.id, orbit.id, None)
    return tuple(one.id for one in known if _is_called(word, one.id, one.name))


def _is_called(word: str, id: str, name: str) -> bool:
    return word == id or word.casefold() == name.casefold()


def _limited(rows: Iterator[RegistryArtifact], limit: int | None) -> Iterator[RegistryArtifact]:
    for number, one in enumerate(rows):
        if limit is not None and number >= limit:
            return
        yield one


def _cells(one: RegistryArtifact, known: frozenset[str] | None) -> Sequence[str]:
    here = {True: "yes", False: "no", None: "?"}[_is_local(one, known)]
    status = "" if one.is_there else f" ({one.status})"
    place = f"{one.to.orbit.name} / {one.to.collection.name}"
    return (
        fmt.plain(one.name + status, 60),
        fmt.plain(place, 60),
        fmt.size(one.size_bytes),
        fmt.when_sent(one.created_at),
        fmt.plain(one.created_by, 30),
        here,
        fmt.plain(", ".join(one.tags), 40),
        fmt.plain(one.id, 40),
    )


def _document(one: RegistryArtifact, known: frozenset[str] | None) -> dict[str, object]:
    to = one.to
    return {
        "id": one.id,
        "name": one.name,
        "reference": one.label,
        "status": one.status,
        "size_bytes": one.size_bytes,
        "created_at": one.created_at,
        "created_by": one.created_by,
        "description": one.description,
        "tags": list(one.tags),
        "organization": {"id": to.organization.id, "name": to.organization.name},
        "orbit": {"id": to.orbit.id, "name": to.orbit.name},
        "collection": {"id": to.collection.id, "name": to.collection.name},
        "run_id": one.run_id or None,
        "is_in_store": _is_local(one, known),
    }


def _local_runs(option: str | None) -> frozenset[str] | None:
    """Return the ids of the runs in the local store; None where it cannot be read."""
    try:
        return frozenset(run_id for run_id, _ in open_store(option).ask(run_rows.identities))
    except StoreError:
        return None


def _is_local(one: RegistryArtifact, known: frozenset[str] | None) -> bool | None:
    """Say whether the run of an artifact is in the local store; None where that is not known."""
    return None if known is None or not one.run_id else one.run_id in known
