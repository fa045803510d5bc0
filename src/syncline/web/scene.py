"""What a day picture shows, as values, and the same in words: its text alternative.

Times are aware instants, so that a day on which the clocks change is as long as it really is. It must not know how
anything is drawn, nor where the appointments come from.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from babel.dates import get_day_names

from syncline.core.appointment import Span
from syncline.core.free_times import WorkingHours
from syncline.core.times import blocking, wall
from syncline.language import _, current, ngettext

LANES_MAX = 6
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
# Marks that turn the direction of whatever follows them, and what no XML document may hold.
_MARKS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
_UNSAID: dict[int, str | None] = {ord(mark): None for mark in _MARKS}
_UNSAID |= dict.fromkeys((*range(32), 127, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), None)
_UNSAID |= {ord(mark): " " for mark in "\t\r\n\u2028\u2029"}
_RIGHT_TO_LEFT = ("R", "AL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One appointment in the picture; `all_day` ones (dates at 00:00 UTC), and those of a day or more, are bars."""

    label: str
    start: datetime
    end: datetime
    all_day: bool = False

    @property
    def bar(self) -> bool:
        """Return whether it is drawn as a bar on top."""
        return self.all_day or self.end - self.start >= _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What stands in one person's calendar."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the picture shows; the first `waiting` block is the one asked about, others also wait for an answer.

    `key` makes element ids unique on a page, `zone` is the one in which hours are told.
    """

    key: str
    crm: str
    zone: str
    lanes: tuple[Lane, ...]
    waiting: tuple[Block, ...]
    hours: WorkingHours = field(default_factory=WorkingHours)

    @property
    def drawn(self) -> tuple[Lane, ...]:
        """Return the lanes that there is room for."""
        return self.lanes[:LANES_MAX]

    @property
    def undrawn(self) -> int:
        """Return how many people more there are."""
        return max(0, len(self.lanes) - LANES_MAX)

    def times(self, block: Block) -> tuple[datetime, datetime]:
        """Return the instants between which a block stands; whole days are days of the picture's zone."""
        return blocking(Span(block.start, block.end, block.all_day), self.zone)

    def overlap_minutes(self, one: Block, other: Block) -> int:
        """Return for how many minutes two blocks really overlap."""
        (start, end), (from_, until) = self.times(one), self.times(other)
        return max(0, int((min(end, until) - max(start, from_)) / _MINUTE))

    @property
    def longest_overlap(self) -> int:
        """Return for how many minutes the block that is asked about overlaps another at most."""
        blocks = [block for lane in self.lanes for block in lane.blocks]
        return max((self.overlap_minutes(block, main) for main in self.waiting[:1] for block in blocks), default=0)

    def span(self, block: Block) -> str:
        """Return from when to when, such as "10:00 to 11:00"."""
        if block.all_day:
            last = block.end - _DAY
            if last <= block.start:
                return _("all day")
            return _("all day, %(first)s to %(last)s", first=day_name(block.start), last=day_name(last))
        start, end = wall(block.start, self.zone), wall(block.end, self.zone)
        if start.date() == end.date():
            return _("%(start)s to %(end)s", start=f"{start:%H:%M}", end=f"{end:%H:%M}")
        days = day_name(start), day_name(end)
        return _("%(start)s to %(end)s", start=f"{days[0]} {start:%H:%M}", end=f"{days[1]} {end:%H:%M}")


def alternative(scene: Scene) -> str:
    """Return in words what the picture shows."""
    said = [_("All times: %(zone)s.", zone=scene.zone)]
    said += _standing(scene)
    said += _waiting(scene)
    longest = scene.longest_overlap
    if longest:
        said.append(_("They overlap %(time)s.", time=lasting(longest)))
    if scene.undrawn:
        said.append(
            ngettext("And %(num)s more person, in the list.", "And %(num)s more people, in the list.", scene.undrawn)
        )
    return " ".join(said)


def lasting(minutes: int) -> str:
    """Return a length of time in words, such as "1 h 30 min"."""
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    said = [ngettext("%(num)s day", "%(num)s days", days) if days else "", f"{hours} h" if hours else ""]
    return " ".join(part for part in (*said, f"{minutes} min" if minutes else "") if part) or "0 min"


def day_name(at: datetime) -> str:
    """Return a day in short, such as "Tue 24"."""
    weekday = get_day_names("abbreviated", locale=current())[at.weekday()].rstrip(".")
    return f"{weekday} {at.day}"


def plain(text: str) -> str:
    """Return a foreign text for the middle of a sentence: no marks of direction that would turn the rest around."""
    said = text.translate(_UNSAID)
    if any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in said):
        return f"\u2068{said}\u2069"
    return said


def _standing(scene: Scene) -> Iterator[str]:
    for lane in scene.drawn:
        for block in lane.blocks:
            yield _(
                "In %(crm)s, %(user)s: %(subject)s, %(time)s.",
                crm=scene.crm,
                user=plain(lane.title),
                subject=plain(block.label),
                time=scene.span(block),
            )


def _waiting(scene: Scene) -> Iterator[str]:
    for number, block in enumerate(scene.waiting):
        subject, time = plain(block.label), scene.span(block)
        if number:
            yield _("Also waits for an answer: %(subject)s, %(time)s.", subject=subject, time=time)
        else:
            yield _("Waiting, from Outlook: %(subject)s, %(time)s.", subject=subject, time=time)
