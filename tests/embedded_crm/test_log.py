"""Change log, repeated creates, and failures of the database itself."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from syncline.conformance.samples import at, daily, single
from syncline.connectors.embedded_crm import EmbeddedCrm
from syncline.connectors.embedded_crm.database import Database
from syncline.core.appointment import Identity
from syncline.errors import SyncError
from syncline.ports import Deletion, Reschedule, Result
from tests.embedded_crm.world import POLICY, StandingClock, book, candidate, open_crm, saved


def test_cursors_survive_a_restart(tmp_path: Path) -> None:
    """A cursor of before a restart goes on with exactly what came after it."""
    path = tmp_path / "crm.db"
    crm = open_crm(path)
    saved(crm, "one", single("one", at(9)))
    cursor = crm.changes(None, 10).cursor
    crm.close()
    crm = open_crm(path, people=False)
    assert crm.changes(cursor, 10).changes == ()
    saved(crm, "two", single("two", at(10)))
    assert [change.id for change in crm.changes(cursor, 10).changes] == ["two"]
    crm.close()


def test_any_name_of_a_file_will_do(tmp_path: Path) -> None:
    """A path with signs that mean something in addresses is only a path."""
    path = tmp_path / "100 % crm?mode=x#1.db"
    open_crm(path).close()
    assert path.is_file()


def test_a_later_change_supersedes_the_earlier_ones_of_its_row(crm: EmbeddedCrm) -> None:
    """A row changed three times stands once in the log, with its newest version, at its newest place."""
    version = saved(crm, "one", single("one", at(9)))
    saved(crm, "two", single("two", at(10)))
    for hour in (11, 12):
        change = Reschedule(id="one", version=version, candidate=candidate(single("one", at(hour))))
        version = crm.reschedule([change], POLICY)[0].version
    page = crm.changes(None, 10)
    assert [(change.id, change.version) for change in page.changes] == [("two", 1), ("one", version)]


def test_deletions_stand_in_the_log_with_their_identity(crm: EmbeddedCrm) -> None:
    """A tombstone says which meeting is gone, and its identity may be used again under another id."""
    version = saved(crm, "one", daily("series", at(9)))
    crm.delete([Deletion(id="one", version=version)])
    (change,) = crm.changes(None, 10).changes
    assert (change.id, change.gone, change.identity) == ("one", True, Identity("series"))
    assert book(crm, "two", daily("series", at(9))).result is Result.SAVED


def test_an_older_file_put_back_by_hand_is_noticed(tmp_path: Path) -> None:
    """Whoever copies an old file back without `syncline restore` is noticed too, when the log has grown again."""
    path, copy = tmp_path / "crm.db", tmp_path / "copy.db"
    crm = open_crm(path)
    saved(crm, "one", single("one", at(9)))
    early = crm.changes(None, 10).cursor
    crm.close()
    shutil.copyfile(path, copy)
    crm = open_crm(path, people=False)
    saved(crm, "lost", single("lost", at(10)))
    cursor = crm.changes(None, 10).cursor
    crm.close()
    shutil.copyfile(copy, path)
    crm = open_crm(path, people=False)
    for number in (1, 2):
        saved(crm, f"new-{number}", single(f"new-{number}", at(10 + number)))
    with pytest.raises(SyncError) as caught:
        crm.changes(cursor, 10)
    assert caught.value.code == "CursorExpired"
    assert [change.id for change in crm.changes(early, 10).changes] == ["new-1", "new-2"]
    crm.close()


def test_a_database_of_before_epochs_gets_one(tmp_path: Path) -> None:
    """A database without an epoch opens, and keeps the one that it gets."""
    path = tmp_path / "crm.db"
    crm = open_crm(path)
    saved(crm, "one", single("one", at(9)))
    crm.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE epoch")
    cursors = []
    for _ in range(2):
        crm = open_crm(path, people=False)
        cursors.append(crm.changes("1", 10).cursor)
        crm.close()
    assert cursors[0] == cursors[1] != "1"


@pytest.mark.rule("A-09")
def test_a_database_of_before_drafts_gets_the_column(tmp_path: Path) -> None:
    """Its rows are no drafts, and new ones can be."""
    path = tmp_path / "crm.db"
    crm = open_crm(path)
    saved(crm, "old", single("old", at(9)))
    crm.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE appointments DROP COLUMN isdraft")
    for _ in range(2):
        crm = open_crm(path, people=False)
        assert not crm.read(["old"])["old"].draft
        crm.close()
    crm = open_crm(path, people=False)
    new = crm.create(single("new", at(11)), by_user="ada", draft=True).id
    assert crm.read([new])[new].draft
    crm.edit(new, None, {"subject": "Edited"}, by_user="ada")
    assert crm.read([new])[new].draft
    crm.edit(new, None, {}, by_user="ada", release=True)
    assert not crm.read([new])[new].draft
    crm.close()


@pytest.mark.parametrize("cursor", ["99", "not a cursor", "-1"])
def test_a_cursor_of_another_log_has_expired(crm: EmbeddedCrm, cursor: str) -> None:
    """A cursor beyond the end (an older backup was put back) or in no known form starts the reading again."""
    with pytest.raises(SyncError) as caught:
        crm.changes(cursor, 10)
    assert caught.value.code == "CursorExpired"


def test_a_repeated_create_answers_exists_even_after_changes(tmp_path: Path) -> None:
    """The lost answer of a create is found again by its id, after a restart and after people moved the row."""
    path = tmp_path / "crm.db"
    crm = open_crm(path)
    saved(crm, "one", single("one", at(9)))
    crm.edit("one", None, {"span": at(15)}, by_user="bob")
    crm.close()
    crm = open_crm(path, people=False)
    again = book(crm, "one", single("one", at(9)))
    assert (again.result, again.id, again.version) == (Result.EXISTS, "one", 2)
    assert crm.read(["one"])["one"].appointment.span == at(15)
    crm.close()


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full the write fails as DiskFull, nothing of it is there, and reading goes on."""
    crm = open_crm(tmp_path / "crm.db")
    saved(crm, "one", single("one", at(9)))
    full = Database.writing

    def limited(self: Database) -> object:
        unit = full(self)
        connection = unit.__enter__()
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        return _Entered(unit, connection)

    monkeypatch.setattr(Database, "writing", limited)
    with pytest.raises(SyncError) as caught:
        book(crm, "two", single("two", at(10), description="x" * 1_000_000))
    assert caught.value.code == "DiskFull"
    assert list(crm.read(["one", "two"])) == ["one"]
    crm.close()


class _Entered:
    """A unit of work that was entered before, so that a limit could be set in it."""

    def __init__(self, unit: object, connection: object) -> None:
        self._unit = unit
        self._connection = connection

    def __enter__(self) -> object:
        return self._connection

    def __exit__(self, *error: object) -> bool | None:
        return self._unit.__exit__(*error)  # type: ignore[attr-defined]


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    """A broken database file is CrmUnavailable, with the reason."""
    path = tmp_path / "crm.db"
    path.write_bytes(b"this is no database, and never was one " * 100)
    with pytest.raises(SyncError) as caught:
        EmbeddedCrm(path, clock=StandingClock())
    assert caught.value.code == "CrmUnavailable"
    assert "not a database" in caught.value.text


def test_a_database_of_another_version_is_left_alone(tmp_path: Path) -> None:
    """Tables of a version that this program does not know are not touched."""
    path = tmp_path / "crm.db"
    open_crm(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(SyncError) as caught:
        EmbeddedCrm(path, clock=StandingClock())
    assert caught.value.code == "DataFolderInvalid"


def test_commits_are_durable_and_keys_are_enforced(tmp_path: Path) -> None:
    """Connections write ahead, synchronise fully, enforce foreign keys, and hold the write lock from the start."""
    database = Database(tmp_path / "crm.db", crm_name="Test")
    with database.writing() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
        other = sqlite3.connect(tmp_path / "crm.db", timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    database.close()
