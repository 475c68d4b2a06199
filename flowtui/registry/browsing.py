"""The artifacts that a person may see, orbit after orbit, read as far as they look."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from flowtui.registry import artifacts
from flowtui.registry.artifacts import ArtifactQuery, RegistryArtifact
from flowtui.registry.client import PAGE, Registry
from flowtui.registry.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class MoreArtifacts:
    """Some more artifacts."""

    artifacts: tuple[RegistryArtifact, ...]
    is_last: bool
    left_out: tuple[str, ...]
    """The orbits so far that may not be looked into, with the reasons."""


class Browsing:
    """One search through all orbits."""

    def __init__(self, registry: Registry, query: ArtifactQuery) -> None:
        """Prepare to search; nothing is sent yet."""
        self._registry = registry
        self._query = query
        self._left_out: list[str] = []
        self._rows = self._all()
        self._lock = threading.Lock()

    def more(self) -> MoreArtifacts:
        """Return the next artifacts, a page at most; blocks.

        Raises:
            RegistryError: The registry cannot be asked.
        """
        with self._lock:
            found = tuple(islice(self._rows, PAGE))
            return MoreArtifacts(found, len(found) < PAGE, tuple(self._left_out))

    def _all(self) -> Iterator[RegistryArtifact]:
        for organization in self._registry.organizations():
            for orbit in self._registry.orbits(organization.id):
                try:
                    yield from artifacts.every(self._registry, organization, orbit, self._query)
                except NotAllowed as refused:
                    self._left_out.append(f"{orbit.name}: {refused}")
