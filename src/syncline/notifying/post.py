"""The post: one thread for each way out, beside the worker, so that no mail server and no program delays a sync.

A second process on the same data folder sends nothing: who runs the jobs sends. It must not know what is said.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syncline.engine.boundary import contain
from syncline.errors import SyncError
from syncline.notifying.composing import Composer
from syncline.notifying.gathering import gather_events, gather_mails
from syncline.notifying.sending import Way, send_due, settle_unknown
from syncline.store.messages import Channel

if TYPE_CHECKING:
    from syncline.wiring import App

log = logging.getLogger("syncline.notifying")

TICK_S = 1.0
STOP_S = 5.0
PURGED_EVERY = timedelta(days=1)


class Post:
    """Tells people and programs of questions: in the background (`start`), or here and now (`step`)."""

    def __init__(self, app: App, composer: Composer) -> None:
        self._app = app
        found = ((Channel.MAIL, app.mail), (Channel.WEBHOOK, app.webhook))
        self._ways = [
            Way(app=app, channel=channel, notifier=notifier, composer=composer)
            for channel, notifier in found
            if notifier is not None
        ]
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._purged: datetime | None = None

    def start(self) -> None:
        """Begin; without a mail server and a webhook there is nothing to do."""
        self._ended.clear()
        for way in self._ways:
            thread = threading.Thread(target=self._run, args=(way,), name=f"syncline-{way.channel.value}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Begin nothing more; a message on its way gets a few seconds, and is otherwise settled at the next start."""
        self._ended.set()
        for thread in self._threads:
            thread.join(STOP_S)
        self._threads = []

    def settle(self) -> None:
        """Decide about what an earlier process left on its way."""
        for way in self._ways:
            settle_unknown(way)

    def step(self) -> int:
        """Look once on every way, and return how many messages left."""
        return sum(self._look(way) for way in self._ways)

    def _run(self, way: Way) -> None:
        while not self._ended.wait(TICK_S):
            self._contained(lambda: self._look(way), way)

    def _look(self, way: Way) -> int:
        # One thread sends on each way: what is leaving now was left behind, even by this process (a full disk).
        settle_unknown(way)
        self._purge()
        gather = gather_mails if way.channel is Channel.MAIL else gather_events
        gather(self._app)
        return send_due(way)

    def _purge(self) -> None:
        now = self._app.clock.now()
        if self._purged is None or now - self._purged >= PURGED_EVERY:
            self._purged = now
            self._app.store.purge_messages(now)

    def _contained(self, work: Callable[[], object], way: Way) -> None:
        """Go on after whatever happens: the next look finds what this one left."""
        try:
            contain(work, lambda _bug: None, f"the post by {way.channel.value}")
        except SyncError as error:
            log.warning("the post by %s rests: %s", way.channel.value, error.code)
