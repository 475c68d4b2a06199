"""The questions before a registry is asked: which key, and another one if it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowtui import format as fmt
from flowtui.failures import Failure, NoLongerWanted
from flowtui.registry.credentials import Credential
from flowtui.registry.errors import KeyRefused
from flowtui.screens.upload.connection import Connection, found_key, where
from flowtui.screens.upload.key import KeyScreen
from flowtui.widgets.asking import begin

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

NO_KEY = "No key for the registry was found."


async def connect(app: Host, title: str) -> Connection | None:
    """Return a connection with the key that is found or typed; None if there is no key.

    Args:
        app: The app that shows the questions; needs a worker.
        title: The title of a notification of a failure.
    """
    base_url = where()
    try:
        credential = await begin(app, found_key).answer()
    except NoLongerWanted:
        return None
    except Failure as error:
        app.notify(fmt.plain(str(error), 300), title=title, markup=False)
        return None
    reason = NO_KEY
    while True:
        if credential is None:
            credential = await ask_for_key(app, base_url, reason)
        if credential is None:
            return None
        try:
            return Connection(credential, base_url)
        except KeyRefused as refused:
            reason = f"{refused} (the key is from {credential.source})"
            credential = None


async def ask_for_key(app: Host, base_url: str, reason: str) -> Credential | None:
    """Return a key that the registry knows, which the person has typed; None if they left."""
    return await app.push_screen_wait(KeyScreen(base_url, fmt.plain(reason, 300)))
