"""The course of a visit to the registry: the key, the list, and the run that is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowtui import format as fmt
from flowtui.screens.registry.screen import KeyProblem, RegistryScreen, Visit
from flowtui.screens.upload.connecting import ask_for_key, connect
from flowtui.screens.upload.connection import Connection

if TYPE_CHECKING:
    from flowtui.store.store import Store
    from flowtui.widgets.host import Host


class Visits:
    """Keeps the connection of a session, and the stores of the runs that were opened."""

    def __init__(self, app: Host) -> None:
        self._app = app
        self._connection: Connection | None = None
        self._stores: list[Store] = []
        self._is_open = False

    async def open(self, store: Store) -> None:
        """Show the list, and the run that is chosen; needs a worker."""
        if self._is_open:
            return
        self._is_open = True
        try:
            found = await self._chosen(store)
        finally:
            self._is_open = False
        if found is not None:
            self._stores.append(found.store)
            if found.offline_since_s is not None:
                ago = fmt.duration(found.offline_since_s)
                self._app.notify(
                    f"Opened as it was when it was last read, {ago} ago.",
                    title="The registry is out of reach",
                    severity="warning",
                    markup=False,
                )
            self._app.open_run(found.run, found.store)

    async def _chosen(self, store: Store) -> Visit | None:
        connection = self._connection or await connect(self._app, "No registry")
        while connection is not None:
            self._connection = connection
            found = await self._app.push_screen_wait(RegistryScreen(connection, store))
            if not isinstance(found, KeyProblem):
                return found
            reason = f"{found.reason} (the key is from {connection.source})"
            credential = await ask_for_key(self._app, connection.base_url, reason)
            if credential is None:
                return None
            connection.take(credential)
        return None

    def close(self) -> None:
        """Close the stores and the connection."""
        for store in self._stores:
            store.close()
        if self._connection is not None:
            self._connection.close()
