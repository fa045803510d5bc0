"""Claims on mailboxes: one owner at a time, a dead one holds nothing, a late one can do no harm."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from syncline.errors import SyncError
from syncline.ports import Changes, Lease, Mailbox, Profile
from syncline.store import Database
from tests.store.things import KEY, NOW, claimed, link

LATER = NOW + timedelta(seconds=400)

CLAIM_AND_DIE = """
import os, sys
from datetime import datetime
from syncline.store import Database
store = Database(sys.argv[1], key=bytes(range(32)))
assert store.claim(1, "dead", datetime.fromisoformat(sys.argv[2]), 300) is not None
os._exit(9)
"""


def _on_disk(folder: Path) -> Database:
    store = Database(folder / "state.db", key=KEY)
    store.migrate()
    return store


def _with_mailbox(store: Database) -> int:
    profile = store.add_profile(Profile(name="p", url="https://x.example", username="u"))
    return store.add_mailbox(Mailbox(address="a@x.example", user="a", profile_id=profile.id, enabled=True)).id


def test_a_claimed_mailbox_is_refused_until_it_is_released(store: Database, mailbox: Mailbox) -> None:
    """A second owner gets nothing while the first lives, and the mailbox once it was given back."""
    first = claimed(store, mailbox.id, "one")

    assert store.claim(mailbox.id, "two", NOW, 300) is None
    assert store.holder(mailbox.id, NOW) == "one"
    store.release(first, NOW, NOW)
    assert store.claim(mailbox.id, "two", NOW, 300) == Lease(mailbox_id=mailbox.id, owner="two", fence=2)


def test_a_lease_ends_by_its_clock(store: Database, mailbox: Mailbox) -> None:
    """After its time another owner may claim, and the first one's writes are refused from then on."""
    first = claimed(store, mailbox.id, "one")
    second = store.claim(mailbox.id, "two", LATER, 300)

    assert second is not None
    for late in (
        lambda: store.write(first, Changes(links=[link(mailbox.id)])),
        lambda: store.renew(first, LATER, 300),
        lambda: store.release(first, None, None),
    ):
        with pytest.raises(SyncError, match="LeaseLost"):
            late()
    assert store.claim(mailbox.id, "three", LATER, 300) is None
    assert store.links().items == ()
    assert store.write(second, Changes(links=[link(mailbox.id)])) == (1,)


def test_a_renewed_lease_goes_on(store: Database, mailbox: Mailbox) -> None:
    """Renewing moves the end of the lease."""
    first = claimed(store, mailbox.id, "one")
    store.renew(first, NOW + timedelta(seconds=200), 300)

    assert store.claim(mailbox.id, "two", LATER, 300) is None


YESTERDAY = NOW - timedelta(days=1)


def test_what_was_claimed_in_the_future_is_due_at_once(store: Database, mailbox: Mailbox) -> None:
    """A clock that was set back by a day does not let a mailbox rest for a day; one that rests long is left alone."""
    store.release(claimed(store, mailbox.id), NOW + timedelta(hours=2), NOW)

    assert store.due(NOW, 10) == ()
    assert store.due(YESTERDAY, 10) == (mailbox.id,)


def test_a_lease_taken_in_the_future_holds_nothing(store: Database, mailbox: Mailbox) -> None:
    """Another process may claim what somebody holds until tomorrow by a clock that was set back."""
    first = claimed(store, mailbox.id, "one")

    assert store.holder(mailbox.id, YESTERDAY) is None
    assert store.claim(mailbox.id, "two", YESTERDAY, 300) is not None
    assert store.claim(mailbox.id, "three", YESTERDAY, 300) is None
    with pytest.raises(SyncError, match="LeaseLost"):
        store.renew(first, NOW, 300)


@pytest.mark.emulator
def test_a_mailbox_of_a_dead_process_is_free_at_once(tmp_path: Path) -> None:
    """The operating system shows that the holder died, so nobody waits for the clock."""
    store = _on_disk(tmp_path)
    mailbox_id = _with_mailbox(store)
    died = subprocess.run([sys.executable, "-c", CLAIM_AND_DIE, str(store.path), NOW.isoformat()])

    assert died.returncode == 9
    assert store.claim(mailbox_id, "next", NOW, 300) == Lease(mailbox_id=mailbox_id, owner="next", fence=2)
    store.close()


def test_two_databases_on_one_file_exclude_each_other(tmp_path: Path) -> None:
    """A living holder behind another connection keeps its mailbox; closing its database frees it."""
    store = _on_disk(tmp_path)
    mailbox_id = _with_mailbox(store)
    other = Database(tmp_path / "state.db", key=KEY)
    claimed(other, mailbox_id, "other")

    assert store.claim(mailbox_id, "mine", NOW, 300) is None
    other.close()
    assert store.claim(mailbox_id, "mine", NOW, 300) is not None
    store.close()


def test_of_many_threads_one_claims(tmp_path: Path) -> None:
    """Ten threads that claim at the same moment get one lease."""
    store = _on_disk(tmp_path)
    mailbox_id = _with_mailbox(store)
    leases: list[Lease | None] = []
    threads = [
        threading.Thread(target=lambda n=n: leases.append(store.claim(mailbox_id, f"t{n}", NOW, 300)))
        for n in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [lease is None for lease in leases].count(False) == 1
    store.close()


@pytest.mark.rule("S-01")
def test_release_sets_the_next_due_time(store: Database, mailbox: Mailbox) -> None:
    """The next due time is the one given at the end of the cycle."""
    store.release(claimed(store, mailbox.id), LATER, NOW)

    assert store.mailbox(mailbox.id).next_due == LATER
    assert store.due(NOW, 10) == ()
    assert store.due(LATER, 10) == (mailbox.id,)


@pytest.mark.parametrize("at", [NOW, NOW + timedelta(seconds=5)])
def test_a_wake_during_the_cycle_is_kept(store: Database, mailbox: Mailbox, at: object) -> None:
    """Whoever wakes a mailbox that is being worked on, even at the very instant it was due, is heard afterwards."""
    lease = claimed(store, mailbox.id)
    store.wake(mailbox.id, at)  # type: ignore[arg-type]
    store.release(lease, LATER, NOW)

    assert store.mailbox(mailbox.id).next_due == NOW


def test_the_longest_waiting_mailbox_comes_first(store: Database, mailbox: Mailbox) -> None:
    """Due mailboxes come in the order of their due time; those switched off do not come."""
    for name, minutes, enabled in (("b", 1, True), ("c", 5, True), ("d", 9, False)):
        due = NOW - timedelta(minutes=minutes)
        other = Mailbox(
            address=f"{name}@x.example", user=name, profile_id=mailbox.profile_id, next_due=due, enabled=enabled
        )
        store.add_mailbox(other)

    assert [store.mailbox(number).user for number in store.due(NOW, 10)] == ["c", "b", "maya"]
    assert len(store.due(NOW, 1)) == 1


def test_waking_never_delays(store: Database, mailbox: Mailbox) -> None:
    """A mailbox that is due already stays due since then."""
    store.wake(mailbox.id, LATER)

    assert store.mailbox(mailbox.id).next_due == NOW
