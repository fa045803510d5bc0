"""The trash: kept for a while, listed page by page, brought back once, and forgotten."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from syncline.config import load
from syncline.core.appointment import Sensitivity
from syncline.errors import SyncError
from syncline.ports import Changes, Mailbox, Origin, Profile, Trashed
from syncline.store import Database, Slice
from syncline.wiring import housekeeping
from tests.store.things import KEY, NOW, appointment, claimed

SINCE = NOW - timedelta(days=30)


def thrown(store: Database, mailbox: Mailbox, *names: str, on: datetime = NOW, private: bool = False) -> None:
    """Put appointments of these names into the trash of a mailbox, as a cycle does."""
    sensitivity = Sensitivity.PRIVATE if private else Sensitivity.NORMAL
    entries = [
        Trashed(
            mailbox_id=mailbox.id,
            side=Origin.CRM,
            appointment=appointment(name, sensitivity=sensitivity),
            deleted_on=on,
        )
        for name in names
    ]
    lease = claimed(store, mailbox.id)
    store.write(lease, Changes(trash=entries))
    store.release(lease, NOW, NOW)


def subjects(found: tuple[Trashed, ...]) -> list[str]:
    """Return the subjects of entries."""
    return [each.appointment.subject for each in found]


def test_pages_go_down_by_number(store: Database, mailbox: Mailbox) -> None:
    """Newest first, each entry on one page, contents whole."""
    thrown(store, mailbox, "a", "b", "c")
    first = store.trash_page(since=SINCE, limit=2)
    second = store.trash_page(since=SINCE, limit=2, after=first.next)

    assert subjects(first.items) == ["c", "b"] and subjects(second.items) == ["a"]
    assert second.next is None
    assert first.items[0].appointment == appointment("c")


def test_only_of_the_mailboxes_that_are_asked_for(store: Database, mailbox: Mailbox) -> None:
    """An entry belongs to its mailbox, and goes with it."""
    other = store.add_mailbox(Mailbox(address="jonas@firm.example", user="jonas", profile_id=mailbox.profile_id))
    thrown(store, mailbox, "hers")
    thrown(store, other, "his")

    assert subjects(store.trash_page([other.id], since=SINCE).items) == ["his"]
    assert subjects(store.trash_page([], since=SINCE).items) == []
    assert subjects(store.trash_slice(Slice(mailbox_ids=[mailbox.id]), SINCE).items) == ["hers"]


def test_private_subjects_are_found_by_their_readers_only(store: Database, mailbox: Mailbox) -> None:
    """Words are looked for in what may be read; content that is private is so whatever the entry says."""
    thrown(store, mailbox, "Review of knees")
    thrown(store, mailbox, "Doctor about the knee", private=True)

    assert subjects(store.trash_page(since=SINCE, words="KNEE").items) == ["Review of knees"]
    assert len(store.trash_page(since=SINCE, words="knee", readable=[mailbox.id]).items) == 2
    assert store.trash_slice(Slice(words="knee"), SINCE).total == 1


@pytest.mark.parametrize(
    ("sort", "descending", "expected"),
    [
        ("", True, ["b", "A", "c"]),
        ("", False, ["c", "A", "b"]),
        ("subject", False, ["A", "b", "c"]),
        ("deleted_on", False, ["c", "A", "b"]),
        ("mailbox", False, ["c", "A", "b"]),
    ],
)
def test_a_table_is_sorted(store: Database, mailbox: Mailbox, sort: str, descending: bool, expected: list[str]) -> None:
    """By subject without case, by time, by mailbox; what is equal stands in one order."""
    thrown(store, mailbox, "c", "A", on=NOW - timedelta(days=2))
    thrown(store, mailbox, "b")

    found = store.trash_slice(Slice(sort=sort, descending=descending), SINCE)
    assert subjects(found.items) == expected
    assert found.total == 3


def test_an_entry_is_restored_once(store: Database, mailbox: Mailbox) -> None:
    """The row's id is fixed by the first who asks, the name by the first who is done; the journal has one line."""
    thrown(store, mailbox, "a")
    (entry,) = store.trash_page(since=SINCE).items

    assert [store.promise_row(entry.id, row_id) for row_id in ("row-1", "row-2")] == ["row-1", "row-1"]
    assert [store.mark_restored(entry.id, by, NOW) for by in ("Maya", "Ines")] == [True, False]
    after = store.trashed(entry.id, SINCE)
    assert (after.restored_as, after.restored_by, after.restored_on) == ("row-1", "Maya", NOW)
    assert store.trash_slice(Slice(state="kept"), SINCE).total == 0
    assert store.trash_slice(Slice(state="restored"), SINCE).total == 1
    with store.reading() as connection:
        lines = connection.exec_driver_sql("SELECT action, detail, mailbox_id FROM journal").all()
    assert [tuple(line) for line in lines] == [("restored", "by Maya", mailbox.id)]


def test_two_at_the_same_time_get_one_row(tmp_path: Path) -> None:
    """Of many who restore at once from connections of their own, all hear the same id and one is told that he did."""
    store = Database(tmp_path / "state.db", key=KEY)
    store.migrate()
    profile = store.add_profile(Profile(name="office", url="https://mail.example/EWS", username="svc"))
    mailbox = store.add_mailbox(Mailbox(address="Maya@firm.example", user="maya", profile_id=profile.id))
    thrown(store, mailbox, "a")
    (entry,) = store.trash_page(since=SINCE).items
    start, rows, done = threading.Barrier(8), [], []

    def restore(name: str) -> None:
        start.wait()
        rows.append(store.promise_row(entry.id, f"row of {name}"))
        done.append(store.mark_restored(entry.id, name, NOW))

    people = [threading.Thread(target=restore, args=(f"p{number}",)) for number in range(8)]
    for each in people:
        each.start()
    for each in people:
        each.join()
    store.close()

    assert len(rows) == 8 and len(set(rows)) == 1
    assert sorted(done) == [False] * 7 + [True]


def test_what_is_too_old_is_never_shown(store: Database, mailbox: Mailbox) -> None:
    """Also while it is not forgotten yet, an entry of before does not exist for anybody."""
    thrown(store, mailbox, "old", on=SINCE - timedelta(seconds=1))
    thrown(store, mailbox, "kept", on=SINCE)
    (kept,) = store.trash_page(since=SINCE).items

    assert kept.appointment.subject == "kept"
    assert subjects(store.trash_slice(Slice(), SINCE).items) == ["kept"]
    assert store.find_trashed("old", since=SINCE) == ()
    with pytest.raises(SyncError, match="NotFoundHere"):
        store.trashed(kept.id - 1, SINCE)
    with pytest.raises(SyncError, match="NotFoundHere"):
        store.promise_row(99, "row")


def test_an_entry_is_found_by_ids_and_subject(store: Database, mailbox: Mailbox) -> None:
    """Global object id, number, id of the new row, or a part of the subject."""
    thrown(store, mailbox, "Bike fair", "Bike tour")
    fair = store.find_trashed("fair", since=SINCE)
    store.promise_row(fair[0].id, "row-1")

    assert subjects(store.find_trashed("BIKE", since=SINCE)) == ["Bike tour", "Bike fair"]
    for words in ("Bike fair@firm", str(fair[0].id), "row-1"):
        assert subjects(store.find_trashed(words, since=SINCE)) == ["Bike fair"], words
    assert store.find_trashed("bike", since=SINCE, mailbox_ids=[]) == ()


@pytest.mark.parametrize(("days", "kept"), [(29, 1), (31, 0)])
def test_the_daily_forgetting_empties_it(
    store: Database, mailbox: Mailbox, tmp_path: Path, days: int, kept: int
) -> None:
    """After trash.keep_days (30) nothing of it is in the database any more."""
    thrown(store, mailbox, "a")
    housekeeping(store, load(tmp_path, environ={}))(NOW + timedelta(days=days))

    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM trash").scalar_one() == kept


def test_how_long_is_a_setting(store: Database, mailbox: Mailbox, tmp_path: Path) -> None:
    """trash.keep_days says when."""
    thrown(store, mailbox, "a")
    housekeeping(store, load(tmp_path, environ={"SYNCLINE_TRASH_KEEP_DAYS": "3"}))(NOW + timedelta(days=4))

    assert store.trash_page(since=SINCE).items == ()
