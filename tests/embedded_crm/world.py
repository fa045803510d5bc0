"""The embedded CRM in tests: a clock that stands, and the world of the conformance suite."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from syncline.conformance import samples
from syncline.connectors.embedded_crm import EmbeddedCrm
from syncline.core.appointment import Appointment, Status
from syncline.core.merging import canonical
from syncline.core.scheduling import ConflictPolicy, persons
from syncline.ports import Booking, Candidate, Outcome, Result

NAMES = {"ada": "Ada Admin", "bob": "Bob Berg", "cyd": "Cyd Chan"}
POLICY = ConflictPolicy()


class StandingClock:
    """A clock that moves only when told."""

    def __init__(self, now: datetime = samples.MONDAY - timedelta(days=1)) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


def open_crm(path: str | Path = ":memory:", *, people: bool = True, clock: StandingClock | None = None) -> EmbeddedCrm:
    """Open a CRM with Ada, Bob and Cyd, all in UTC."""
    crm = EmbeddedCrm(path, clock=clock or StandingClock())
    if people:
        for name, full_name in NAMES.items():
            crm.add_user(name, full_name=full_name, emails=[f"{name}@example.org"])
    return crm


def candidate(
    appointment: Appointment,
    *,
    user: str | None = "ada",
    check: bool = True,
    since: datetime | None = None,
    row_id: str | None = None,
) -> Candidate:
    """Return the candidate that the engine would make of an item in that user's mailbox."""
    people = persons(appointment, f"{user}@example.org" if user else None)
    content = canonical(appointment)
    return Candidate(appointment=content, persons=people, user=user, check=check, since=since, row_id=row_id)


def book(
    crm: EmbeddedCrm,
    row_id: str,
    appointment: Appointment,
    *,
    user: str | None = "ada",
    check: bool = True,
    since: datetime | None = None,
    status: Status | None = None,
    policy: ConflictPolicy = POLICY,
) -> Outcome:
    """Book one appointment and return what became of it."""
    asked = candidate(appointment, user=user, check=check, since=since)
    (outcome,) = crm.book([Booking(id=row_id, candidate=asked, owner=user, status=status)], policy)
    return outcome


def saved(crm: EmbeddedCrm, row_id: str, appointment: Appointment, *, user: str | None = "ada") -> int:
    """Save one appointment without a check and return its version."""
    outcome = book(crm, row_id, appointment, user=user, check=False)
    assert outcome.result is Result.SAVED, outcome
    return outcome.version


def names(outcome: Outcome) -> set[str]:
    """Return the full names of those who are unavailable."""
    return {person.full_name for person in outcome.verdict.unavailable} if outcome.verdict else set()


class EmbeddedCrmWorld:
    """A fresh embedded CRM in a file, for the conformance suite."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "crm.db"
        self._copy = folder / "copy.db"
        self._crm = open_crm(self._path)

    def crm(self) -> EmbeddedCrm:
        """Return the connector."""
        return self._crm

    def reopen(self) -> EmbeddedCrm:
        """Close the database and open it again."""
        self._crm.close()
        self._crm = open_crm(self._path, people=False)
        return self._crm

    def enter(self, appointment: Appointment) -> str:
        """Save a new row as Bob."""
        outcome = self._crm.create(appointment, by_user="bob", ignore_conflicts=True)
        if outcome.error is not None:
            raise outcome.error
        return outcome.id

    def edit(self, row_id: str, **fields: object) -> None:
        """Save new values as Bob."""
        self._crm.edit(row_id, None, fields, by_user="bob", ignore_conflicts=True)

    def complete(self, row_id: str) -> None:
        """Complete a row."""
        self._crm.edit(row_id, None, {}, by_user="bob", status=Status.COMPLETED)

    def cancel(self, row_id: str) -> None:
        """Cancel a row."""
        self._crm.edit(row_id, None, {}, by_user="bob", status=Status.CANCELED)

    def delete(self, row_id: str) -> None:
        """Delete a row."""
        self._crm.remove(row_id, by_user="bob")

    def spoil(self, row_id: str) -> None:
        """Damage a row behind the CRM's back, as a repair by hand may."""
        with closing(sqlite3.connect(self._path)) as file, file:
            file.execute("UPDATE appointments SET created = 'never' WHERE id = ?", (row_id,))

    def back_up(self) -> None:
        """Keep a copy of the file, as it is between two units of work."""
        self._crm.close()
        shutil.copyfile(self._path, self._copy)
        self.reopen()

    def restore(self) -> EmbeddedCrm:
        """Put the copy back as `syncline restore` does."""
        self._crm.close()
        shutil.copyfile(self._copy, self._path)
        self.reopen().forget_cursors()
        return self._crm

    def close(self) -> None:
        """Give the database back."""
        self._crm.close()
