"""Keys act in the order in which they are typed, each where the one before has led.

Textual hands a key to what has the focus and goes on to the next one at once. Over a slow link, or
by somebody who knows the way, keys come faster than screens open: those meant for a form would act
on the list that is still below it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from textual import events, on
from textual.actions import ActionParseResult
from textual.dom import DOMNode
from textual.events import Event
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer, TimerCallback
from textual.widget import Widget
from textual.worker import Worker

from flowtui.app.pointing import Pointing
from flowtui.screens.base import KEY_PATIENCE_S, StoreScreen
from flowtui.terminal.keyboard import TakesText
from flowtui.terminal.textual_private import fires_late

LOOK_EVERY_S = 0.03
"""How often it is looked whether the widget that has a key is still there to pass it on."""
MOST_LOOKS = int(KEY_PATIENCE_S / LOOK_EVERY_S)
MOST_LOOKS_AT_READING = int(3.0 / LOOK_EVERY_S)
"""So long it may take to read what a key opens."""
ROUNDS = 3
"""Of the message behind a key, one for each link of the longest chain of messages that the key sets
off: Enter in a field is submitted, its line is left, and the list that it is over has the focus."""
OPENING = "opening"
"""Group of the workers that open a run, or ask something once they know what."""

LEAVE_ACTIONS = ("app.quit", "quit")
"""What needs nothing on the screen."""
INTERRUPT = "ctrl+c"
LEAVE_KEYS = ("escape", INTERRUPT)
"""What waits no longer until what it leaves is read."""


class KeyQueue(Pointing):
    """An app in which a key waits until what the key before it does is done, or is on screen."""

    @dataclass
    class Done(Message):
        """Follows a key from the widget that it went to up to the app: the key is there by then."""

        number: int
        round: int = 1
        """Which time it makes its way."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self._typed: deque[events.Key] = deque()
        self._number = 0
        self._is_under_way = False
        """Whether a key is under way."""
        self._looks = 0
        """How often it was looked for the one that is."""
        self._is_look_due = False
        self.typed_at_s = 0.0
        self._target: DOMNode | None = None
        self._had_focus: Widget | None = None
        self._workers_before: frozenset[Worker[object]] = frozenset()
        """Those that were there before the key that is under way."""
        self._has_waited = False
        self._was_on: Screen[object] | None = None

    @property
    def has_keys_to_take(self) -> bool:
        """Whether a key waits for one that is under way."""
        return bool(self._typed)

    async def on_event(self, event: Event) -> None:
        if isinstance(event, events.Key) and self.is_over:
            return
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        if event.key == INTERRUPT and self._is_under_way and self._is_reading():
            # As a terminal does: what was typed before it, and waits, is not wanted any more.
            self._typed.clear()
        self._typed.append(event)
        if self._is_under_way:
            self._look_later()
        elif self._number == 0:
            # The first one waits for what the start has opened.
            self._number, self._is_under_way, self._target = 1, True, self.screen
            self._look_later()
            await self._go_on_when_open(self._number)
        else:
            await self._take_next()

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        # A key that comes while the app ends, or while a screen has just taken the place of the one
        # that it was typed on, would find nothing on it.
        if self.is_over or not (self.screen.is_mounted or action in LEAVE_ACTIONS):
            return False
        return await super().run_action(action, default_namespace, namespaces)

    def set_timer(
        self,
        delay: float,
        callback: TimerCallback | None = None,
        *,
        name: str | None = None,
        pause: bool = False,
    ) -> Timer:
        # One that is left out would leave the next key waiting for ever.
        return fires_late(super().set_timer(delay, callback, name=name, pause=pause))

    def _look_later(self) -> None:
        if not self._is_look_due:
            self._is_look_due = True
            self.set_timer(LOOK_EVERY_S, self._give_up_waiting)

    async def _give_up_waiting(self) -> None:
        """Go on without the key that is under way if it will not come back, or not soon."""
        self._is_look_due = False
        if not self._is_under_way or not self._typed or self.is_over:
            return
        try:
            await self._wait_for_key()
        finally:
            # Also after an error, or the key would wait until another one comes.
            if self._is_under_way:
                self._look_later()

    async def _wait_for_key(self) -> None:
        self._looks += 1
        is_leaving = self._typed[0].key in LEAVE_KEYS
        most = MOST_LOOKS_AT_READING if self._is_reading() and not is_leaving else MOST_LOOKS
        if self._is_reading() and self._is_quitting(self._typed[0].key):
            most = 0
        if self._looks > most or self._target is None or not self._target.is_attached:
            await self._take_next()

    def _is_quitting(self, key: str) -> bool:
        """Say whether a key leaves the app, whatever the key under way has opened."""
        found = self.screen.active_bindings.get(key)
        is_text = isinstance(self.focused, TakesText)
        return found is not None and found.binding.action in LEAVE_ACTIONS and not is_text

    async def _take_next(self) -> None:
        self._is_under_way = False
        if not self._typed or self.is_over:
            return
        self._is_under_way = True
        self._looks = 0
        self._number += 1
        self._was_on = self.screen
        self._has_waited = False
        self._workers_before = frozenset(self.workers)
        self._had_focus = self.focused
        self._target = self._had_focus or self.screen
        key = self._typed.popleft()
        self.typed_at_s = key.time
        await super().on_event(key)
        if self._target is None or not self._target.post_message(self.Done(self._number)):
            await self._take_next()

    @on(Done)
    async def go_on(self, message: Done) -> None:
        if message.number != self._number or self.is_over:
            return
        if message.round < ROUNDS:
            # What has been posted since is behind this message, and ahead of its next round.
            again = self.Done(self._number, message.round + 1)
            if self._target is None or not self._target.post_message(again):
                self.post_message(again)
            return
        if self.screen is not self._was_on:
            # What the key has opened takes the next one when it is there.
            self._target = self._was_on = self.screen
            if self.screen.post_message(self.Done(self._number)):
                return
        await self._go_on_when_open(self._number)

    async def _go_on_when_open(self, number: int) -> None:
        """Take the next key when what this one has opened is read and in its place."""
        if number != self._number or not self._is_under_way or self.is_over:
            return
        if self._is_reading():
            self._has_waited = True
            self.set_timer(LOOK_EVERY_S, partial(self._go_on_when_open, number))
        elif self._has_waited or self.focused is not self._had_focus:
            # What was read is drawn first, and a field gets its place: what is typed into one that
            # has none would be scrolled out of it.
            self._has_waited = False
            self._had_focus = self.focused
            self.call_after_refresh(self._go_on_when_open, number)
        else:
            await self._take_next()

    def _is_reading(self) -> bool:
        """Whether what the key under way has opened is still read."""
        if self.screen.is_modal:
            # What is asked waits for keys, and what opens something may wait for the answer.
            return False
        if isinstance(self.screen, StoreScreen) and self.screen.is_awaited:
            return True
        return any(
            worker.group == OPENING and worker not in self._workers_before
            for worker in self.workers
            if not worker.is_finished
        )
