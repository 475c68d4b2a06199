"""Keys act in the order in which they are typed, each where the one before has led.

Textual hands a key to what has the focus and goes on to the next one at once. Over a slow link, or
by somebody who knows the way, keys come faster than screens open: those meant for a form would act
on the list that is still below it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from time import monotonic

from textual import events, on
from textual.app import App
from textual.dom import DOMNode
from textual.events import Event
from textual.message import Message
from textual.screen import Screen

PATIENCE_S = 0.5
"""A key that takes longer holds up the next one no more."""
LOOK_EVERY_S = 0.03
"""How often it is looked whether the widget that has a key is still there to pass it on."""


class TypedAhead(App[None]):
    """An app in which a key waits until what the key before it does is done, or is on screen."""

    @dataclass
    class Done(Message):
        """Follows a key from the widget that it went to up to the app: the key is there by then."""

        number: int

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]  # handed through as they are
        self._typed: deque[events.Key] = deque()
        self._number = 0
        self._since_s: float | None = None
        """Since when a key is under way; None if none is."""
        self.typed_at_s = 0.0
        """When the key that is under way was typed, by the monotonic clock."""
        self._target: DOMNode | None = None
        self._was_on: Screen[object] | None = None

    @property
    def has_keys_to_take(self) -> bool:
        """Whether a key waits for one that is under way."""
        return bool(self._typed)

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        self._typed.append(event)
        if self._since_s is None:
            await self._take_next()
        else:
            self.set_timer(LOOK_EVERY_S, self._give_up_waiting)

    async def _give_up_waiting(self) -> None:
        """Go on without the key that is under way if it will not come back, or not soon."""
        if self._since_s is None or not self._typed:
            return
        is_late = monotonic() - self._since_s > PATIENCE_S
        if is_late or self._target is None or not self._target.is_attached:
            await self._take_next()
        else:
            self.set_timer(LOOK_EVERY_S, self._give_up_waiting)

    async def _take_next(self) -> None:
        self._since_s = None
        if not self._typed:
            return
        self._since_s = monotonic()
        self._number += 1
        self._was_on = self.screen
        self._target = self.focused or self.screen
        key = self._typed.popleft()
        self.typed_at_s = key.time
        await super().on_event(key)
        if self._target is None or not self._target.post_message(self.Done(self._number)):
            await self._take_next()

    @on(Done)
    async def go_on(self, message: Done) -> None:
        if message.number != self._number:
            return
        if self.screen is not self._was_on:
            # What the key has opened takes the next one when it is there.
            self._target = self._was_on = self.screen
            if self.screen.post_message(self.Done(self._number)):
                return
        await self._take_next()
