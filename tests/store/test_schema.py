"""The tables: their invariants, their indexes, and that alembic makes the same ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from syncline.core.appointment import Span
from syncline.core.scheduling import Verdict
from syncline.engine.alerts import answered
from syncline.ports import Changes, Entry, LinkState, Mailbox, Profile
from syncline.store import Database
from syncline.store.links import DUE_LINKS
from syncline.store.migrations import upgrade
from tests.store.things import KEY, NOW, asked, claimed, link, question, settled

_PROFILE = (
    "INSERT INTO profile (name, type, url, username, auth, access)"
    " VALUES (:name, 'exchange', 'https://x.example', 'u', :auth, 'own')"
)


def _shape(connection: Connection) -> dict[str, object]:
    """Return every table with its columns, keys and checks, and every index and trigger, as SQLite sees them."""
    shape: dict[str, object] = {}
    listed = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    for kind, name, table, sql in connection.execute(text(listed)).all():
        words = " ".join((sql or "").replace('"', "").split())
        if kind == "table":
            columns = [tuple(row) for row in connection.execute(text(f"PRAGMA table_xinfo({name})"))]
            keys = sorted(tuple(row)[2:] for row in connection.execute(text(f"PRAGMA foreign_key_list({name})")))
            inside = words[words.index("(") + 1 : words.rindex(")")]
            checks = sorted(part.strip() for part in inside.split("CONSTRAINT")[1:])
            checks = sorted(part.rstrip(", ") for part in checks)
            shape[name] = (columns, keys, checks, "AUTOINCREMENT" in words)
        else:
            shape[name] = (kind, table, words)
    return shape


def test_alembic_makes_the_same_tables(store: Database) -> None:
    """The revisions and the metadata lead to the same columns, keys, checks, indexes and triggers."""
    engine = create_engine("sqlite://")
    with engine.connect() as migrated, migrated.begin():
        upgrade(migrated)
        by_steps = _shape(migrated)
    with store.reading() as connection:
        at_once = _shape(connection)

    assert by_steps == at_once


@pytest.mark.parametrize("dates", [0, 1, 12])
def test_questions_of_before_stand_on_the_wall_as_new_ones(store: Database, mailbox: Mailbox, dates: int) -> None:
    """What waits when the tables are brought up to date matters when it takes place, and is a series if it was one."""
    clashing = (NOW + timedelta(days=21, microseconds=5),) * min(dates, 1)
    verdict = Verdict(occurrences=dates, clashing=clashing) if dates else None
    span = Span(NOW + timedelta(days=7), NOW + timedelta(days=7, hours=1))
    waiting = question(mailbox.id, None, subject="Visit", span=span, verdict=verdict)
    store.write(claimed(store, mailbox.id), Changes(alerts=[waiting, question(mailbox.id, None, code="NotFound")]))
    with store.reading() as connection:
        now = connection.execute(text("SELECT * FROM alert ORDER BY id")).mappings().all()

    engine = create_engine("sqlite://")
    with engine.connect() as old, old.begin():
        upgrade(old, "0001")
        known = [row[1] for row in old.execute(text("PRAGMA table_info(alert)"))]
        insert = f"INSERT INTO alert ({', '.join(known)}) VALUES ({', '.join(f':{name}' for name in known)})"
        old.execute(text(insert), [{name: row[name] for name in known} for row in now])
        upgrade(old)
        then = old.execute(text("SELECT matters, dates, clashing FROM alert ORDER BY id")).all()

    assert then == [(row["matters"], row["dates"], row["clashing"]) for row in now]


def test_migrate_creates_once_and_then_changes_nothing(tmp_path: Path) -> None:
    """A file is created by the first `migrate`, and a second one, from another process too, finds nothing to do."""
    path = tmp_path / "state.db"
    Database(path, key=KEY).migrate()
    again = Database(f"sqlite:///{path}", key=KEY)
    again.migrate()

    with again.reading() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == ["0010"]
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_an_item_has_one_link_per_mailbox(store: Database, mailbox: Mailbox) -> None:
    """A second link to the same item of the same mailbox is refused by the schema."""
    lease = claimed(store, mailbox.id)
    store.write(lease, Changes(links=[link(mailbox.id)]))

    with pytest.raises(IntegrityError):
        store.write(lease, Changes(links=[link(mailbox.id)]))


def test_a_link_has_one_open_question(store: Database, mailbox: Mailbox) -> None:
    """A second open question about the same link is refused by the schema."""
    lease = claimed(store, mailbox.id)
    waiting, _ = asked(store, lease)

    with pytest.raises(IntegrityError):
        store.write(lease, Changes(alerts=[question(mailbox.id, waiting.id)]))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE link SET state = 'lost'",
        "UPDATE link SET decision = 'maybe'",
        "UPDATE alert SET state = 'closed'",
        "UPDATE alert SET state = 'answered'",
        "UPDATE mailbox SET approval = 'sure'",
        "UPDATE profile SET auth = 'anonymous'",
        "UPDATE mailbox SET profile_id = 99",
    ],
)
def test_words_outside_the_list_are_refused(store: Database, mailbox: Mailbox, statement: str) -> None:
    """The schema refuses states, answers and references that do not exist."""
    asked(store, claimed(store, mailbox.id))

    with pytest.raises(IntegrityError), store.writing() as connection:
        connection.execute(text(statement))


@pytest.mark.rule("SEC-12")
@pytest.mark.parametrize("table", ["decision", "journal"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET mailbox_id = 0", "DELETE FROM {}"])
def test_what_was_decided_and_done_cannot_be_changed(store: Database, mailbox: Mailbox, table: str, verb: str) -> None:
    """Decisions and the journal are append-only, even for somebody who writes SQL."""
    lease = claimed(store, mailbox.id)
    _, alert = asked(store, lease)
    store.decide([alert.id], lambda old, _: answered(old, "yes", "maya", NOW))

    with pytest.raises(DBAPIError, match="append-only"), store.writing() as connection:
        connection.execute(text(verb.format(table)))


def _steps(store: Database, call: Callable[[], object]) -> int:
    """Count SQLite's own steps, in tens, that a call takes: a measure without a clock."""
    counted = [0]

    def tick() -> int:
        counted[0] += 1
        return 0

    with store.engine.connect() as connection:
        driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.set_progress_handler(tick, 10)
    try:
        call()
    finally:
        driver.set_progress_handler(None, 0)
    return counted[0]


def test_an_idle_look_up_does_not_grow_with_the_links(store: Database, mailbox: Mailbox) -> None:
    """Looking for due and answered links takes the same steps beside 10 and beside 5,000 settled links."""
    lease = claimed(store, mailbox.id)
    links = [settled(mailbox.id, str(number), observed=None) for number in range(5000)]
    store.write(lease, Changes(links=links[:10]))

    def idle() -> None:
        assert store.due_links(mailbox.id, NOW, 0, 500) == ()
        assert store.answered_links(mailbox.id, 200) == ()
        assert store.open_alerts(mailbox.id) == ()
        assert store.due(NOW, 10) == (mailbox.id,)

    idle()
    few = _steps(store, idle)
    store.write(lease, Changes(links=links[10:]))

    assert _steps(store, idle) <= few + 5


def test_looking_for_an_id_does_not_grow_with_the_links(store: Database, mailbox: Mailbox) -> None:
    """An item is found by what names it in the same steps beside 10 and beside 5,000 that are in no CRM row yet."""
    lease = claimed(store, mailbox.id)
    links = [link(mailbox.id, str(number)) for number in range(5000)]
    store.write(lease, Changes(links=[*links[:10], settled(mailbox.id, "saved", crm_id="row-4")]))

    def looked_for() -> None:
        assert len(store.find_links("3@firm")) == len(store.find_links("row-4")) == len(store.find_links("7")) == 1

    looked_for()
    few = _steps(store, looked_for)
    store.write(lease, Changes(links=links[10:]))
    with store.writing() as connection:
        connection.exec_driver_sql("ANALYZE")

    assert _steps(store, looked_for) <= few + 20


def test_due_look_ups_use_their_partial_indexes(store: Database) -> None:
    """The plans of the queries that run all the time name their own index and no scan of a table."""
    queries = {
        "ix_link_attention": DUE_LINKS.params(mailbox_id=1, now=NOW, furthest=NOW, after=0, limit=10).compile(
            dialect=store.engine.dialect, compile_kwargs={"literal_binds": True}
        ),
        "ix_mailbox_due": "SELECT id FROM mailbox WHERE enabled = 1 AND next_due <= 5 ORDER BY next_due, id LIMIT 9",
        "ix_link_answered": "SELECT id FROM link WHERE mailbox_id = 1 AND link.answered = 1 ORDER BY id LIMIT 9",
        "ix_link_base": "SELECT count(*) FROM link WHERE mailbox_id = 1 AND crm_id IS NOT NULL"
        " AND link.crm_gone = 0 AND link.seen_settled = 'present'",
    }
    with store.reading() as connection:
        plans = {
            name: " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}"))
            for name, query in queries.items()
        }

    assert all(name in plan and "TEMP B-TREE" not in plan for name, plan in plans.items()), plans


def test_a_journal_line_outlives_its_link(store: Database, mailbox: Mailbox) -> None:
    """Removing a link and its mailbox leaves the journal as it was."""
    lease = claimed(store, mailbox.id)
    (number,) = store.write(lease, Changes(links=[link(mailbox.id, state=LinkState.UNSETTLED)]))
    entry = Entry(time=NOW, mailbox_id=mailbox.id, link_id=number, action="saved", rule="A-20", fields=("subject",))
    store.write(lease, Changes(entries=[entry], removed_links=[number]))
    store.remove_mailbox(mailbox.id)

    (kept,) = store.journal(number).items
    assert (kept.action, kept.rule, kept.fields) == ("saved", "A-20", ("subject",))


def test_a_profile_in_use_stays(store: Database, mailbox: Mailbox) -> None:
    """A profile that a mailbox uses cannot be deleted behind its back."""
    store.add_profile(Profile(name="other", url="https://other.example", username="u"))

    with pytest.raises(IntegrityError), store.writing() as connection:
        connection.execute(text(f"DELETE FROM profile WHERE id = {mailbox.profile_id}"))


def test_checks_hold_and_nothing_is_lost_when_they_are_written_anew(tmp_path: Path) -> None:
    """A file of before keeps its rows, is sound, and refuses the same words as a new one."""
    engine = create_engine(f"sqlite:///{tmp_path / 'state.db'}")
    with engine.connect() as old, old.begin():
        upgrade(old, "0008")
        old.execute(text(_PROFILE), {"name": "of before", "auth": "basic"})
        before = old.execute(text("SELECT * FROM profile")).all()
        upgrade(old)

    with engine.connect() as now, now.begin():
        assert now.execute(text("SELECT * FROM profile")).all() == before
        assert now.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"]
        now.execute(text(_PROFILE), {"name": "new", "auth": "ntlm"})
        with pytest.raises(IntegrityError):
            now.execute(text(_PROFILE), {"name": "wrong", "auth": "magic"})
    engine.dispose()
