"""Time that moves only when it is told to.

It must not know what happens in it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

MONDAY = datetime(2031, 3, 3, 8, tzinfo=UTC)
"""Where every simulation begins: a Monday morning, 08:00 UTC."""


class VirtualClock:
    """The clock of one simulated world (`syncline.ports.Clock`); `latest` is the furthest it has ever stood."""

    def __init__(self, start: datetime = MONDAY) -> None:
        self._now = start
        self.latest = start

    def now(self) -> datetime:
        """Return the present instant of the world."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass, or set the clock back by a negative number."""
        self._now += timedelta(seconds=seconds)
        self.latest = max(self.latest, self._now)
