"""The lists of organizations, orbits and collections; each depends on the choice before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer

from flowtui import format as fmt
from flowtui.registry.client import Registry
from flowtui.registry.errors import KeyRefused
from flowtui.registry.threads import interruptible
from flowtui.registry.values import (
    ArtifactType,
    Collection,
    CollectionPage,
    Destination,
    Orbit,
    Organization,
)
from flowtui.screens.upload.lists import PickList, PlaceEntry
from flowtui.widgets import remembered
from flowtui.widgets.asking import Asks

T = TypeVar("T")

SEARCH_AFTER_S = 0.25
"""How long after the last typed letter the registry is asked."""
LAST_PLACE = "upload.place"
KIND_WORDS = {"experiment": "experiments", "model": "models"}


@dataclass(frozen=True, slots=True)
class PlaceQuery:
    """The choice that an answer belongs to; if the choice has changed, the answer is dropped."""

    organization_id: str = ""
    orbit_id: str = ""
    kinds: tuple[ArtifactType, ...] = ()
    needle: str = ""


@dataclass(frozen=True, slots=True)
class LastPlace:
    """The destination of the last upload.

    The name of the collection is needed to search for it, if it is not on the first page.
    """

    organization_id: str = ""
    orbit_id: str = ""
    collection_id: str = ""
    collection_name: str = ""


class Places(Asks, Horizontal):
    """Shows the three lists side by side. Posts `Changed` when another destination is chosen."""

    @dataclass
    class Changed(Message):
        """Sent by Places when another destination is chosen, or when none is chosen any more."""

        to: Destination | None

    @dataclass
    class Refused(Message):
        """Sent by Places when the registry refuses the key."""

        reason: str

    @dataclass
    class Unread(Message):
        """Sent by Places when one of the lists cannot be read."""

        reason: str

    def __init__(self, registry: Registry, kinds: tuple[ArtifactType, ...]) -> None:
        super().__init__(id="places")
        self._registry = registry
        self._kinds = kinds
        self._organizations: dict[str, Organization] = {}
        self._orbits: dict[str, Orbit] = {}
        self._collections: dict[str, Collection] = {}
        self._next_cursor: str | None = None
        self._searching: Timer | None = None
        self.last = last_place(registry.base_url)
        self.to: Destination | None = None

    def compose(self) -> ComposeResult:
        yield PickList("Organization", id="organization")
        yield PickList("Orbit", id="orbit")
        yield PickList("Collection", id="collection")

    def on_mount(self) -> None:
        self._list("organization").want(self.last.organization_id)
        self._list("orbit").want(self.last.orbit_id)
        self._list("collection").want(self.last.collection_id)
        self.read()

    def use(self, registry: Registry) -> None:
        """Read everything again with another key."""
        self._registry = registry
        self.read()

    def take_kinds(self, kinds: tuple[ArtifactType, ...]) -> None:
        """Show the collections that take these kinds of artifact."""
        if kinds != self._kinds:
            self._kinds = kinds
            chosen = self._list("collection").entry
            if chosen is not None:
                self._list("collection").want(chosen.id)
            self._read_collections()

    def _list(self, name: str) -> PickList:
        return self.query_one(f"#{name}", PickList)

    def _chosen(self, name: str) -> str:
        entry = self._list(name).entry
        return "" if entry is None else entry.id

    # Reading ---------------------------------------------------------------------------------

    def read(self) -> None:
        """Read the organizations again, and then what is in the chosen one."""
        registry = self._registry
        self._list("organization").show_note("reading…")
        self._ask("organization", registry.organizations, self._show_organizations)

    def _show_organizations(self, organizations: tuple[Organization, ...]) -> None:
        self._organizations = {one.id: one for one in organizations}
        entries = [PlaceEntry(one.id, one.name, one.role) for one in organizations]
        note = "the owner of this key is not a member of an organization"
        self._list("organization").show_entries(entries, note)

    @on(PickList.Picked, "#organization")
    def read_orbits(self) -> None:
        asked = PlaceQuery(self._chosen("organization"))
        if not asked.organization_id:
            self._list("orbit").show_note("")
            return
        registry = self._registry
        self._list("orbit").show_note("reading…")
        self._ask(
            "orbit",
            lambda: registry.orbits(asked.organization_id),
            partial(self._show_orbits, asked),
        )

    def _show_orbits(self, asked: PlaceQuery, orbits: tuple[Orbit, ...]) -> None:
        if asked.organization_id != self._chosen("organization"):
            return
        self._orbits = {one.id: one for one in orbits}
        entries = [
            PlaceEntry(one.id, one.name, "no rights" if one.why_not else one.role, one.why_not)
            for one in orbits
        ]
        self._list("orbit").show_entries(entries, "there is no orbit that you may see")

    @on(PickList.Picked, "#orbit")
    def take_orbit(self) -> None:
        self._read_collections()

    def _read_collections(self) -> None:
        self._collections.clear()
        self._next_cursor = None
        orbit = self._orbits.get(self._chosen("orbit"))
        collections = self._list("collection")
        if orbit is None or orbit.why_not:
            collections.show_note("" if orbit is None else f"▲ {orbit.why_not}")
            return
        collections.show_note("reading…")
        self._read_page("", None)
        if orbit.id == self.last.orbit_id and self.last.collection_name:
            # The last collection may be on a later page, and so is searched for by its name.
            self._read_page(self.last.collection_name, None)

    def _read_page(self, needle: str, cursor: str | None) -> None:
        asked = PlaceQuery(self._chosen("organization"), self._chosen("orbit"), self._kinds, needle)
        registry, kinds = self._registry, self._kinds

        def read() -> CollectionPage:
            at = cursor
            while True:
                page = registry.collections(
                    asked.organization_id, asked.orbit_id, kinds[0], needle, at
                )
                fitting = tuple(
                    one for one in page.collections if all(one.takes(kind) for kind in kinds)
                )
                if fitting or page.next_cursor in (None, at):
                    return CollectionPage(fitting, page.next_cursor)
                at = page.next_cursor

        group = "search" if needle else "collection"
        self._ask(group, read, partial(self._show_collections, asked))

    def _show_collections(self, asked: PlaceQuery, page: CollectionPage) -> None:
        now = (self._chosen("organization"), self._chosen("orbit"), self._kinds)
        if (asked.organization_id, asked.orbit_id, asked.kinds) != now:
            return
        self._collections |= {one.id: one for one in page.collections}
        if not asked.needle:
            self._next_cursor = page.next_cursor
        entries = [PlaceEntry(one.id, one.name, _filled(one)) for one in self._collections.values()]
        words = " and ".join(KIND_WORDS[kind] for kind in self._kinds)
        note = f"no collection takes {words}: create one in LUML, of that type or mixed"
        self._list("collection").show_entries(entries, note, self._next_cursor is not None)
        self._take_destination()

    @on(PickList.Picked, "#collection")
    def take_collection(self) -> None:
        collections = self._list("collection")
        if collections.is_at_end and not collections.needle and self._next_cursor is not None:
            cursor, self._next_cursor = self._next_cursor, None
            self._read_page("", cursor)
        self._take_destination()

    @on(PickList.Narrowed, "#collection")
    def search_soon(self) -> None:
        if self._searching is not None:
            self._searching.stop()
        if self._next_cursor is not None and self._list("collection").needle:
            self._searching = self.set_timer(SEARCH_AFTER_S, self._search)

    def _search(self) -> None:
        needle = self._list("collection").needle
        if needle:
            self._read_page(needle, None)

    def _take_destination(self) -> None:
        organization = self._organizations.get(self._chosen("organization"))
        orbit = self._orbits.get(self._chosen("orbit"))
        collection = self._collections.get(self._chosen("collection"))
        to = None
        if organization and orbit and collection and not orbit.why_not:
            to = Destination(organization, orbit, collection)
        if to != self.to:
            self.to = to
            self.post_message(self.Changed(to))

    def _ask(self, list_id: str, ask: Callable[[], T], then: Callable[[T], None]) -> None:
        """Ask the registry in a thread; for each list only the last question's answer counts."""

        def answer() -> T | KeyRefused:
            try:
                return interruptible(ask)
            except KeyRefused as error:
                return error

        def take(answer: T | KeyRefused) -> None:
            if isinstance(answer, KeyRefused):
                self.post_message(self.Refused(str(answer)))
                self._show_failure(list_id, str(answer))
            else:
                then(answer)

        self.ask(answer, take, partial(self._show_failure, list_id), group=f"registry.{list_id}")

    def _show_failure(self, list_id: str, reason: str) -> None:
        # The reason is posted, because a list is too narrow to show it.
        if list_id != "search":
            self._list(list_id).show_note("✗ not read")
        self.post_message(self.Unread(fmt.plain(reason, 300)))


def last_place(base_url: str) -> LastPlace:
    """Return the destination of the last upload to a registry; empty if there was none."""
    kept = remembered.get(LAST_PLACE)
    if not isinstance(kept, dict) or kept.get("registry") != base_url:
        return LastPlace()
    names = ("organization", "orbit", "collection", "collection_name")
    return LastPlace(*(str(kept.get(name, "")) for name in names))


def remember_place(base_url: str, to: Destination) -> None:
    """Remember a destination, so that it is chosen at first for the next upload."""
    remembered.put(
        LAST_PLACE,
        {
            "registry": base_url,
            "organization": to.organization.id,
            "orbit": to.orbit.id,
            "collection": to.collection.id,
            "collection_name": to.collection.name,
        },
    )


def _filled(collection: Collection) -> str:
    count = collection.total_artifacts
    return collection.type if count is None else f"{count:,}"
