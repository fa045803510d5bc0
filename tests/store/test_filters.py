"""Sync filters as they are kept: whose they are, the copy that new users get, and which mailboxes become due (1.11)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import create_engine, text

from syncline.core.filters import DEFAULT_CONDITIONS, DEFAULT_NAME, Condition, Field, SyncFilter
from syncline.errors import SyncError
from syncline.ports import Mailbox
from syncline.store import Database
from syncline.store.migrations import upgrade
from tests.store.things import NOW

LATER = NOW + timedelta(hours=1)
BUSY = (Condition(field=Field.SHOW_AS, words=("busy", "out_of_office"), negated=True),)


def names(store: Database, user: str) -> list[str]:
    """Return the names of the filters that count for a user."""
    return [each.name for each in store.sync_filters(user)]


def another(store: Database, mailbox: Mailbox, user: str) -> Mailbox:
    """Add a mailbox of another user, due later."""
    new = replace(mailbox, id=0, address=f"{user}@firm.example", user=user, next_due=LATER)
    return store.add_mailbox(new)


@pytest.mark.rule("1.11")
def test_the_first_mailbox_brings_a_copy_of_the_template(store: Database, mailbox: Mailbox) -> None:
    """It is the user's own from then on: another change of the template is for those who come later."""
    template = store.filters()[0]
    store.change_filter(template.id, lambda old: replace(old, name="Busy ones", conditions=BUSY), NOW)
    another(store, mailbox, "jonas")

    assert (template.template, template.conditions) == (True, DEFAULT_CONDITIONS)
    assert [(each.name, each.conditions) for each in store.sync_filters("maya")] == [(DEFAULT_NAME, DEFAULT_CONDITIONS)]
    assert [(each.name, each.conditions) for each in store.sync_filters("jonas")] == [("Busy ones", BUSY)]
    assert store.sync_filters("nobody") == ()


@pytest.mark.rule("1.11")
def test_a_second_mailbox_brings_nothing(store: Database, mailbox: Mailbox) -> None:
    """Who has a mailbox has chosen his filters; also if he chose none."""
    (own,) = store.sync_filters("maya")
    store.remove_filter(own.id, NOW)
    store.add_mailbox(replace(mailbox, id=0, address="second@firm.example", user="Maya"))

    assert store.sync_filters("maya") == ()


@pytest.mark.rule("1.11")
def test_everybodys_filters_count_beside_the_own_ones(store: Database, mailbox: Mailbox) -> None:
    """System filters come first, foreign and switched off ones do not count, sign-in names have no case."""
    another(store, mailbox, "jonas")
    store.add_filter(SyncFilter(name="All hands", conditions=BUSY), NOW)
    store.add_filter(SyncFilter(name="Off", enabled=False), NOW)
    kept = store.add_filter(SyncFilter(name="Trips", user="maya", conditions=BUSY), NOW)

    assert names(store, "MAYA") == ["All hands", DEFAULT_NAME, "Trips"]
    assert names(store, "jonas") == ["All hands", DEFAULT_NAME]
    assert [each.user for each in store.filters()] == [None, None, None, "jonas", "maya", "maya"]
    assert store.filters()[-1] == kept


@pytest.mark.rule("1.11")
def test_filters_are_reset_to_the_template(store: Database, mailbox: Mailbox) -> None:
    """The own ones go, a fresh copy comes; everybody's and other people's stay."""
    another(store, mailbox, "jonas")
    store.add_filter(SyncFilter(name="All hands"), NOW)
    for user in ("maya", "jonas"):
        store.add_filter(SyncFilter(name="Trips", user=user), NOW)
    (fresh,) = store.reset_filters("maya", NOW)

    assert (fresh.name, fresh.user, fresh.template) == (DEFAULT_NAME, "maya", False)
    assert names(store, "maya") == ["All hands", DEFAULT_NAME]
    assert names(store, "jonas") == ["All hands", DEFAULT_NAME, "Trips"]


@pytest.mark.rule("1.11")
def test_a_change_makes_its_mailboxes_due(store: Database, mailbox: Mailbox) -> None:
    """A user's filter wakes his mailboxes, everybody's wakes all that are on, the template none."""
    jonas = another(store, mailbox, "jonas")
    off = another(store, mailbox, "priya")
    store.change_mailbox(off.id, lambda old: replace(old, enabled=False))

    def due() -> list[bool]:
        return [(store.mailbox(number).next_due or LATER) < LATER for number in (jonas.id, off.id)]

    template = store.filters()[0]
    store.change_filter(template.id, lambda old: replace(old, name="x"), NOW)
    store.add_filter(SyncFilter(name="m", user="maya"), NOW)
    assert due() == [False, False]
    own = store.add_filter(SyncFilter(name="own", user="Jonas"), NOW)
    assert due() == [True, False]
    for step in (
        lambda: store.change_filter(own.id, lambda old: replace(old, enabled=False), NOW),
        lambda: store.remove_filter(own.id, NOW),
        lambda: store.reset_filters("jonas", NOW),
        lambda: store.add_filter(SyncFilter(name="all"), NOW),
    ):
        store.change_mailbox(jonas.id, lambda old: replace(old, next_due=LATER))
        step()
        assert due() == [True, False]


def test_what_is_not_there_is_said(store: Database) -> None:
    """A filter that is gone cannot be changed or removed."""
    for call in (lambda: store.remove_filter(99, NOW), lambda: store.change_filter(99, lambda old: old, NOW)):
        with pytest.raises(SyncError, match="filter 99"):
            call()


@pytest.mark.rule("1.11")
def test_users_of_before_get_their_copy(store: Database, mailbox: Mailbox) -> None:
    """Bringing the tables up to date gives every user with a mailbox the default, once, and leaves a template."""
    with store.reading() as connection:
        tables = {name: connection.execute(text(f"SELECT * FROM {name}")).mappings().all() for name in ("profile",)}
        row = dict(connection.execute(text("SELECT * FROM mailbox")).mappings().one())
    engine = create_engine("sqlite://")
    with engine.connect() as old, old.begin():
        upgrade(old, "0003")
        rows = [row | {"id": number, "address": f"{number}@x", "user": user} for number, user in enumerate("aAb", 1)]
        for name, values in (*tables.items(), ("mailbox", rows)):
            insert = f"INSERT INTO {name} ({', '.join(values[0])}) VALUES ({', '.join(f':{key}' for key in values[0])})"
            old.execute(text(insert), [dict(each) for each in values])
        upgrade(old)
        got = old.execute(text("SELECT name, user, conditions, enabled, template FROM sync_filter ORDER BY id")).all()
    with store.reading() as connection:
        now = connection.execute(text("SELECT conditions FROM sync_filter WHERE template = 1")).scalar_one()

    assert [(name, user, bool(on), bool(template)) for name, user, _, on, template in got] == [
        (DEFAULT_NAME, None, True, True),
        (DEFAULT_NAME, "A", True, False),
        (DEFAULT_NAME, "b", True, False),
    ]
    assert {conditions for _, _, conditions, _, _ in got} == {now}
