"""The registry that a session uploads to, and the key that it uses."""

from __future__ import annotations

import os

from flowtui import person
from flowtui.registry.client import Registry, base_url
from flowtui.registry.credentials import Credential, find_key


class Connection:
    """A registry and the key in use, which can be replaced by another key."""

    def __init__(self, credential: Credential, where: str) -> None:
        """Prepare to ask the registry; nothing is sent yet.

        Raises:
            KeyRefused: The key does not have the form of a key.
        """
        self.base_url = where
        self.registry = Registry(credential.key, where)
        self.source = credential.source
        self._given_up: list[Registry] = []

    def take(self, credential: Credential) -> None:
        """Use another key from now on; requests under way with the old key end by themselves."""
        self._given_up.append(self.registry)
        self.registry = Registry(credential.key, self.base_url)
        self.source = credential.source

    def close(self) -> None:
        for registry in (*self._given_up, self.registry):
            registry.close()


def where() -> str:
    """Return the base URL of the registry."""
    return base_url(os.environ)


def found_key() -> Credential | None:
    """Return the key to use, or None if there is none; this reads files, and may block."""
    return find_key(os.environ, person.cwd(), person.home())
