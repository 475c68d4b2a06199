"""The registry as this session talks to it: where it is, and with which key."""

from __future__ import annotations

import os

from flowtui import person
from flowtui.registry.client import Registry, base_url
from flowtui.registry.credentials import Credential, find_key


class Connection:
    """A registry with the key that is in use, which another may take the place of."""

    def __init__(self, credential: Credential, where: str) -> None:
        """Prepare to ask; nothing is sent yet.

        Raises:
            KeyRefused: the key cannot be one.
        """
        self.base_url = where
        self.registry = Registry(credential.key, where)
        self.source = credential.source
        self._given_up: list[Registry] = []

    def take(self, credential: Credential) -> None:
        """Use another key from now on; what is still under way with the old one ends by itself."""
        self._given_up.append(self.registry)
        self.registry = Registry(credential.key, self.base_url)
        self.source = credential.source

    def close(self) -> None:
        for registry in (*self._given_up, self.registry):
            registry.close()


def where() -> str:
    """Return where the registry is."""
    return base_url(os.environ)


def found_key() -> Credential | None:
    """Return the key that is to be used, None where there is none; reads files, and may block."""
    return find_key(os.environ, person.cwd(), person.home())
