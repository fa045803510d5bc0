"""What people have edited and nobody has overwritten since: it must stand on both sides in the end.

A value that somebody gives to a field counts until somebody gives it another. Where both sides give it one before they
have met, either may stand: which, is the policy's. The diary looks at both sides before and after each act of people.
It must not know what Syncline does in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from syncline.connectors.memory import MemoryCrm, MemoryExchange
from syncline.core.appointment import Appointment, Identity
from syncline.core.merging import project
from syncline.ports import Origin
from syncline.simulation.conduct import CATEGORY

FIELDS = ("subject", "location", "description", "importance", "span")

_Values = dict[tuple[Origin, str, str], object]


@dataclass
class Diary:
    """The edits that count: by meeting and field, the value that each side was given last.

    `apart` are items that the server found again after they had been let go, until they are linked again: nothing is
    agreed of them, so that what Outlook shows may stand against what people change in the CRM.
    """

    exchange: MemoryExchange
    crm: MemoryCrm
    edits: dict[tuple[str, str], dict[Origin, object]] = field(default_factory=dict)
    apart: set[Identity] = field(default_factory=set)

    @contextmanager
    def of_an_act(self) -> Iterator[None]:
        """Note what people change inside."""
        before = self._values()
        yield
        after = self._values()
        edits: dict[tuple[str, str], dict[Origin, object]] = {}
        for (side, name, what), value in after.items():
            was = before.get((side, name, what), value)
            if was == value:
                continue
            other = _other(side)
            its = before.get((other, name, what), was)
            # Of sides that differ without a known edit, the other's was forgotten: it may stand as well.
            met = its == was and not (side is Origin.CRM and Identity(name) in self.apart)
            known = {} if met else self.edits.get((name, what), {other: its})
            edits[name, what] = {**known, **edits.get((name, what), {}), side: value}
        self.edits |= edits
        self._forget_deleted(before, after)
        self._forget_untracked()

    def forget(self) -> None:
        """Let nothing count any more, as when a side was put back to an older time.

        Where the sides have not met, what either has now may still stand against an edit that comes later.
        """
        self.edits.clear()

    def forget_item(self, content: Appointment) -> None:
        """What Syncline deletes after its row takes along what was said of it, unless a copy that stays has it."""
        left = self._values()
        for key in _told(Origin.EXCHANGE, content):
            _, name, what = key
            given = self.edits.pop((name, what), {})
            kept = {one: value for one, value in given.items() if value == left.get(key)}
            if kept:
                self.edits[name, what] = kept

    def _forget_deleted(self, before: _Values, after: _Values) -> None:
        """What somebody deletes on a side takes along what was said there, unless the other side has it by now."""
        for side, name, what in before.keys() - after.keys():
            given, left = self.edits.pop((name, what), {}), after.get((_other(side), name, what))
            kept = {one: value for one, value in given.items() if one is not side or value == left}
            if kept:
                self.edits[name, what] = kept

    def _forget_untracked(self) -> None:
        """An item that is not tracked is no partner: what either side does meanwhile may be overwritten later."""
        for address in self.exchange.addresses():
            for item in self.exchange.items(address):
                if CATEGORY not in item.appointment.categories and _organizes(address, item.appointment):
                    self._drop(item.appointment.identity.global_object_id)

    def _drop(self, name: str) -> None:
        for what in FIELDS:
            self.edits.pop((name, what), None)

    def _values(self) -> _Values:
        found: _Values = {}
        for row in self.crm.rows():
            found |= _told(Origin.CRM, row.appointment)
        for address in self.exchange.addresses():
            for item in self.exchange.items(address):
                if _organizes(address, item.appointment):
                    found |= _told(Origin.EXCHANGE, project(item.appointment))
        return found


def _other(side: Origin) -> Origin:
    return Origin.CRM if side is Origin.EXCHANGE else Origin.EXCHANGE


def _organizes(address: str, appointment: Appointment) -> bool:
    return appointment.organizer is None or appointment.organizer.address == address


def _told(side: Origin, appointment: Appointment) -> _Values:
    if appointment.identity.original_start is not None:
        return {}
    name = appointment.identity.global_object_id
    plain = FIELDS if appointment.recurrence is None else FIELDS[:-1]
    return {(side, name, what): getattr(appointment, what) for what in plain}
