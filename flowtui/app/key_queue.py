"""Keys act in the order in which they are typed, each on the screen that the one before has opened.

Textual hands a key to the widget that has the focus and takes the next one at once. Over a slow
link, or from somebody who knows the way, keys come faster than screens open: without a queue those
meant for a form would act on the list below it.
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
from flowtui.terminal.keyboard import TakesKeys, TakesText
from flowtui.terminal.textual_private import fires_late

CHECK_KEY_EVERY_S = 0.03
"""How often the queue checks whether the key under way is done, or its widget has gone."""
MOST_CHECKS = int(KEY_PATIENCE_S / CHECK_KEY_EVERY_S)
"""How many checks a key may take before the next one goes ahead of it."""
MOST_CHECKS_WHILE_READING = int(3.0 / CHECK_KEY_EVERY_S)
"""How many checks it may take while what it has opened is still being read."""
ROUNDS = 3
"""How often the message behind a key makes its way, once for each step of the longest chain of
messages that a key sets off: a field submits its text, its line closes, the list gets the focus."""
OPENING = "opening"
"""The group of the workers that open a run, or a dialog for which something is read first."""

LEAVE_ACTIONS = ("app.quit", "quit")
"""Actions that work whatever is on the screen."""
INTERRUPT = "ctrl+c"
LEAVE_KEYS = ("escape", INTERRUPT)
"""Keys that leave a screen, and do not wait until that screen has been read."""


class KeyQueue(Pointing):
    """An app in which a key waits until what the key before it started is done, or is on screen."""

    @dataclass
    class Done(Message):
        """Follows a key from its widget up to the app, and so arrives after the key has acted."""

        number: int
        round: int = 1
        """How often it has made its way, this time included."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self._typed: deque[events.Key] = deque()
        self._number = 0
        self._is_under_way = False
        """Whether a key was handed on and is not done yet."""
        self._checks = 0
        """How many checks the key under way has taken."""
        self._is_check_due = False
        self.typed_at_s = 0.0
        self._target: DOMNode | None = None
        self._had_focus: Widget | None = None
        self._workers_before: frozenset[Worker[object]] = frozenset()
        """The workers that existed before the key under way."""
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
            self._check_later()
        elif self._number == 0:
            # The first key waits for the screen that the start has opened.
            self._number, self._is_under_way, self._target = 1, True, self.screen
            self._check_later()
            await self._go_on_when_open(self._number)
        else:
            await self._take_next()

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        # While the app ends, or before a new screen has its widgets, an action would find nothing
        # to act on and fail.
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
        # A timer that Textual skips would leave the next key waiting for ever.
        return fires_late(super().set_timer(delay, callback, name=name, pause=pause))

    def _check_later(self) -> None:
        if not self._is_check_due:
            self._is_check_due = True
            self.set_timer(CHECK_KEY_EVERY_S, self._give_up_waiting)

    async def _give_up_waiting(self) -> None:
        """Take the next key if the one under way will not be done, or not soon."""
        self._is_check_due = False
        if not self._is_under_way or not self._typed or self.is_over:
            return
        try:
            await self._wait_for_key()
        finally:
            # Also after an error, or the key would wait until another one comes.
            if self._is_under_way:
                self._check_later()

    async def _wait_for_key(self) -> None:
        self._checks += 1
        is_leaving = self._typed[0].key in LEAVE_KEYS
        most = MOST_CHECKS_WHILE_READING if self._is_reading() and not is_leaving else MOST_CHECKS
        if self._is_reading() and self._is_quitting(self._typed[0].key):
            most = 0
        if self._checks > most or self._target is None or not self._target.is_attached:
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
        self._checks = 0
        self._number += 1
        self._was_on = self.screen
        self._has_waited = False
        self._workers_before = frozenset(self.workers)
        self._had_focus = self.focused
        self._target = self._had_focus or self.screen
        key = self._typed.popleft()
        self.typed_at_s = key.time
        screen = self.screen
        if not (isinstance(screen, TakesKeys) and screen.take_key(key)):
            await super().on_event(key)
        if self._target is None or not self._target.post_message(self.Done(self._number)):
            await self._take_next()

    @on(Done)
    async def go_on(self, message: Done) -> None:
        if message.number != self._number or self.is_over:
            return
        if message.round < ROUNDS:
            # What the key has posted meanwhile is behind this message, and ahead of its next round.
            again = self.Done(self._number, message.round + 1)
            if self._target is None or not self._target.post_message(again):
                self.post_message(again)
            return
        if self.screen is not self._was_on:
            # The screen that the key has opened must be there before the next key is handed on.
            self._target = self._was_on = self.screen
            if self.screen.post_message(self.Done(self._number)):
                return
        await self._go_on_when_open(self._number)

    async def _go_on_when_open(self, number: int) -> None:
        """Take the next key when what this one has opened is read and laid out."""
        if number != self._number or not self._is_under_way or self.is_over:
            return
        if self._is_reading():
            self._has_waited = True
            self.set_timer(CHECK_KEY_EVERY_S, partial(self._go_on_when_open, number))
        elif self._has_waited or self.focused is not self._had_focus:
            # What was read is drawn first, and a field is laid out: text typed into a field without
            # a size would be scrolled out of it.
            self._has_waited = False
            self._had_focus = self.focused
            self.call_after_refresh(self._go_on_when_open, number)
        else:
            await self._take_next()

    def _is_reading(self) -> bool:
        """Say whether what the key under way has opened is still being read."""
        if self.screen.is_modal:
            # A dialog waits for keys; the worker that opened it may wait for the answer.
            return False
        if isinstance(self.screen, StoreScreen) and self.screen.is_awaited:
            return True
        return any(
            worker.group == OPENING and worker not in self._workers_before
            for worker in self.workers
            if not worker.is_finished
        )
