"""The embedded CRM between threads and processes: a check and its write are one transaction (CD-14)."""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import event

from syncline.conformance.samples import at, single
from syncline.connectors.embedded_crm import EmbeddedCrm
from syncline.core.appointment import Appointment
from syncline.ports import Booking, Result
from tests.embedded_crm.world import POLICY, StandingClock, book, candidate, open_crm, saved

BOOKINGS = 500
CHUNK = 5
FRESH = multiprocessing.get_context("spawn")


def item(name: str, dice: random.Random) -> Appointment:
    """Return half an hour to two hours of Ada's somewhere in four crowded weeks."""
    return single(name, at(dice.randrange(0, 48) / 2, dice.choice((0.5, 1, 2)), day=dice.randrange(28)))


def book_many(path: str, name: str, begin: object) -> None:
    """Book Ada 500 times in small chunks, as one of two processes."""
    crm = EmbeddedCrm(path, clock=StandingClock())
    dice = random.Random(name)
    begin.wait()  # type: ignore[attr-defined]
    for start in range(0, BOOKINGS, CHUNK):
        names = [f"{name}-{number}" for number in range(start, start + CHUNK)]
        crm.book([Booking(id=each, candidate=candidate(item(each, dice))) for each in names], POLICY)
    crm.close()


def create(path: str, begin: object) -> None:
    """Open a database that may not exist yet, at the same time as others."""
    begin.wait()  # type: ignore[attr-defined]
    crm = EmbeddedCrm(path, clock=StandingClock())
    crm.users()
    crm.close()


def die_before_the_commit(path: str) -> None:
    """Book a chunk and end, as by a power cut, when its rows are written and not yet committed."""
    crm = EmbeddedCrm(path, clock=StandingClock())

    def cut(_connection: object) -> None:
        os._exit(9)

    event.listen(crm._database._writer, "commit", cut)
    crm.book([Booking(id=f"row-{n}", candidate=candidate(single(f"row-{n}", at(9 + n)))) for n in range(5)], POLICY)


def overlaps(crm: EmbeddedCrm) -> list[tuple[str, str]]:
    """Return the pairs of rows that overlap."""
    spans = sorted((entry.start, entry.end, entry.id) for entry in crm.listing(limit=10_000).items)
    return [(one[2], two[2]) for one, two in pairwise(spans) if two[0] < one[1]]


@pytest.mark.rule("CD-14")
def test_two_processes_never_book_one_person_twice(tmp_path: Path) -> None:
    """Of 1,000 bookings of one person from two processes, no two that overlap are saved, and both get some in."""
    path = str(tmp_path / "crm.db")
    crm = open_crm(path)
    begin = FRESH.Barrier(2)
    workers = [FRESH.Process(target=book_many, args=(path, name, begin)) for name in ("left", "right")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    rows = crm.listing(limit=10_000).items
    assert overlaps(crm) == []
    assert {row.id.partition("-")[0] for row in rows} == {"left", "right"}
    assert len(rows) > 100
    assert len(crm.changes(None, 10_000).changes) == len(rows)
    crm.close()


def test_processes_that_open_a_new_database_at_once_all_find_it_ready(tmp_path: Path) -> None:
    """Creation is idempotent and safe for several processes at once."""
    path = str(tmp_path / "crm.db")
    begin = FRESH.Barrier(3)
    workers = [FRESH.Process(target=create, args=(path, begin)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]


def test_a_process_that_dies_before_its_commit_leaves_nothing(tmp_path: Path) -> None:
    """What was not committed is not there, nothing is locked, and the same chunk can be booked again."""
    path = str(tmp_path / "crm.db")
    crm = open_crm(path)
    saved(crm, "before", single("before", at(20)))
    worker = FRESH.Process(target=die_before_the_commit, args=(path,))
    worker.start()
    worker.join(60)
    assert worker.exitcode == 9
    assert [entry.id for entry in crm.listing().items] == ["before"]
    assert [change.id for change in crm.changes(None, 10).changes] == ["before"]
    assert book(crm, "row-0", single("row-0", at(9))).result is Result.SAVED
    crm.close()


@pytest.mark.rule("CD-14")
@pytest.mark.parametrize("place", [":memory:", "file"])
def test_threads_share_one_crm(tmp_path: Path, place: str) -> None:
    """Threads that book one person through one object never save an overlap, in memory and in a file."""
    crm = open_crm(place if place == ":memory:" else tmp_path / "crm.db")
    results: list[Result] = []

    def work(name: str) -> None:
        dice = random.Random(name)
        for number in range(30):
            results.append(book(crm, f"{name}-{number}", item(f"{name}-{number}", dice)).result)
            crm.changes(None, 5)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps(crm) == []
    assert results.count(Result.SAVED) == len(crm.listing().items)
    assert set(results) == {Result.SAVED, Result.UNAVAILABLE}
    crm.close()
