"""The artifacts that a person may see, orbit after orbit, read as far as they look."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from flowtui.registry import artifacts, cache
from flowtui.registry.artifacts import ArtifactQuery, RegistryArtifact
from flowtui.registry.client import PAGE, Registry
from flowtui.registry.errors import NotAllowed, RegistryError, Unreachable


@dataclass(frozen=True, slots=True)
class MoreArtifacts:
    """Some more artifacts."""

    artifacts: tuple[RegistryArtifact, ...]
    is_last: bool
    left_out: tuple[str, ...]
    """The orbits so far that may not be looked into, with the reasons."""
    out_of_reach: str = ""
    """Why the registry cannot be asked, where these are what was kept of it; else empty."""


class Browsing:
    """One search through all orbits."""

    def __init__(self, registry: Registry, query: ArtifactQuery) -> None:
        """Prepare to search; nothing is sent yet."""
        self._registry = registry
        self._query = query
        self._left_out: list[str] = []
        self._failure: RegistryError | None = None
        self._is_begun = False
        self._rows = self._all()
        self._lock = threading.Lock()

    def more(self) -> MoreArtifacts:
        """Return the next artifacts, a page at most; blocks.

        Where the registry is out of reach from the first on, these are all that something is kept
        of. After a failure there are no more: to search anew takes another one of these.

        Raises:
            RegistryError: The registry cannot be asked.
        """
        with self._lock:
            # What broke off must not read as the end of the list.
            if self._failure is not None:
                raise self._failure
            try:
                found = tuple(islice(self._rows, PAGE))
            except RegistryError as failed:
                self._failure = failed
                kept = () if self._is_begun else self._kept()
                if isinstance(failed, Unreachable) and kept:
                    return MoreArtifacts(kept, True, (), str(failed))
                raise
            self._is_begun = True
            return MoreArtifacts(found, len(found) < PAGE, tuple(self._left_out))

    def _kept(self) -> tuple[RegistryArtifact, ...]:
        query = self._query
        found = [
            one.artifact
            for one in cache.kept(self._registry.base_url)
            if one.artifact.type in query.types
            and query.search.casefold() in one.artifact.name.casefold()
        ]
        match query.sort_by:
            case "name":
                found.sort(key=lambda one: one.name.casefold(), reverse=query.is_descending)
            case "size":
                found.sort(key=lambda one: one.size_bytes, reverse=query.is_descending)
            case _:
                found.sort(key=lambda one: one.created_at, reverse=query.is_descending)
        return tuple(found)

    def _all(self) -> Iterator[RegistryArtifact]:
        for organization in self._registry.organizations():
            for orbit in self._registry.orbits(organization.id):
                try:
                    yield from artifacts.every(self._registry, organization, orbit, self._query)
                except NotAllowed as refused:
                    self._left_out.append(f"{orbit.name}: {refused}")
