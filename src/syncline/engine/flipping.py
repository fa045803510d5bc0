"""Which way the last writes of a link went: one that is changed back and forth by both sides is left alone.

hard-problems.md 4, item 3. It must not know what was written.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from syncline.engine.run import Run
from syncline.ports import Link

OUTWARD = "crm_to_exchange"
"""Says in the parameters of a failure that it failed on the way to Exchange."""
FLIP_SPAN = timedelta(hours=1)


def turned(run: Run, link: Link, *, outward: bool) -> Link:
    """Return the link after a write: `flips` is odd after one to Exchange, and counts changes within an hour."""
    now = run.now()
    if link.flips_since is None or now - link.flips_since >= FLIP_SPAN:
        return replace(link, flips=1 if outward else 0, flips_since=now)
    return replace(link, flips=link.flips + 1) if (link.flips % 2 == 0) is outward else link


def flips_too_often(run: Run, link: Link) -> bool:
    """Return whether the link changed direction so often within an hour that nobody can mean it."""
    lately = link.flips_since is not None and run.now() - link.flips_since < FLIP_SPAN
    return lately and link.flips >= run.rules.flips_max
