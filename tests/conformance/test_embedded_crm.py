"""The embedded CRM passes the suite that every CRM connector must pass."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncline.conformance.crm import CrmConformance
from syncline.connectors.embedded_crm import EmbeddedCrm
from syncline.core.appointment import Status
from syncline.ports import Outcome, Result

NOW = datetime(2031, 3, 1, tzinfo=UTC)
PEOPLE = {"ada": "Ada Admin", "bob": "Bob Berg", "cyd": "Cyd Chan"}


class StandingClock:
    """A clock that stands before the suite's week."""

    def now(self) -> datetime:
        return NOW


class EmbeddedCrmWorld:
    """A fresh CRM in a file, and Bob on its Calendar page."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: list[EmbeddedCrm] = []
        self._crm = self.reopen()
        for name, full_name in PEOPLE.items():
            self._crm.add_user(name, full_name=full_name, emails=[f"{name}@example.org"])

    def crm(self) -> EmbeddedCrm:
        return self._crm

    def reopen(self) -> EmbeddedCrm:
        self._opened.append(EmbeddedCrm(self._path, clock=StandingClock()))
        return self._opened[-1]

    def edit(self, row_id: str, **fields: object) -> None:
        self._saved(self._crm.edit(row_id, None, fields, by_user="bob", ignore_conflicts=True))

    def complete(self, row_id: str) -> None:
        self._saved(self._crm.edit(row_id, None, {}, by_user="bob", status=Status.COMPLETED))

    def cancel(self, row_id: str) -> None:
        self._saved(self._crm.edit(row_id, None, {}, by_user="bob", status=Status.CANCELED))

    def delete(self, row_id: str) -> None:
        self._saved(self._crm.remove(row_id, by_user="bob"))

    def close(self) -> None:
        for crm in self._opened:
            crm.close()

    def _saved(self, outcome: Outcome) -> None:
        assert outcome.result is Result.SAVED, outcome


class TestEmbeddedCrm(CrmConformance):
    @pytest.fixture
    def crm_world(self, tmp_path: Path) -> Iterator[EmbeddedCrmWorld]:
        """Make a fresh embedded CRM."""
        world = EmbeddedCrmWorld(tmp_path / "crm.db")
        yield world
        world.close()
