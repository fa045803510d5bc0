"""The people's side of the store: records, passwords, listings, accounts, sessions, tokens, requests, figures."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from syncline.engine.alerts import answered
from syncline.errors import SyncError
from syncline.ports import AlertState, Changes, LinkState, Mailbox, Profile
from syncline.store import AccountRole, Counts, CycleRecord, Database, shown_state
from tests.store.things import CONFLICT, KEY, NOW, asked, claimed, link, question, settled

# --- records and passwords ---


def test_names_and_addresses_are_taken_once(store: Database, mailbox: Mailbox) -> None:
    """A second profile of the same name and a second mailbox of the same address, in any case, are refused."""
    profile = store.profile_by_name("office")
    with pytest.raises(SyncError, match="AlreadyExists"):
        store.add_profile(replace(profile, url="https://else.example"))
    with pytest.raises(SyncError, match="AlreadyExists"):
        store.add_mailbox(Mailbox(address="MAYA@firm.example", user="m", profile_id=profile.id))

    assert store.profiles() == (profile,)
    assert store.mailbox_by_address("maya@FIRM.example") == store.mailbox(mailbox.id) == store.mailboxes()[0]


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.mailbox(9),
        lambda store: store.profile(9),
        lambda store: store.profile_by_name("x"),
        lambda store: store.mailbox_by_address("x"),
        lambda store: store.alert(9),
        lambda store: store.account("x"),
        lambda store: store.remove_mailbox(9),
        lambda store: store.claim(9, "o", NOW, 1),
        lambda store: store.set_password("mailbox", 9, "x"),
        lambda store: store.password(9),
        lambda store: store.add_mailbox(Mailbox(address="a", user="a", profile_id=9)),
    ],
)
def test_what_is_not_there_is_said_so(store: Database, call: object) -> None:
    """Every look-up of something unknown raises NotFoundHere."""
    with pytest.raises(SyncError, match="NotFoundHere"):
        call(store)  # type: ignore[operator]


def test_a_value_outside_the_list_is_not_understood(store: Database) -> None:
    """A profile with an unknown way to sign in is refused in our words."""
    with pytest.raises(SyncError, match="InvalidRequest"):
        store.add_profile(Profile(name="p", url="u", username="u", auth="magic"))


@pytest.mark.rule("SEC-09")
def test_a_password_is_the_mailboxs_own_else_the_profiles(store: Database, mailbox: Mailbox) -> None:
    """The mailbox's password wins over its profile's; without either, signing in is refused."""
    with pytest.raises(SyncError, match="Unauthorized"):
        store.password(mailbox.id)
    store.set_password("profile", mailbox.profile_id, "shared ü")
    assert store.password(mailbox.id) == "shared ü"
    store.set_password("mailbox", mailbox.id, "own")
    assert store.password(mailbox.id) == "own"
    store.set_password("mailbox", mailbox.id, None)
    assert store.password(mailbox.id) == "shared ü"


@pytest.mark.rule("SEC-09")
def test_a_stored_password_opens_only_in_its_place_and_with_its_key(tmp_path: Path) -> None:
    """Ciphertext holds no plain text, and does not open elsewhere, changed, or with another key."""
    store = Database(tmp_path / "s.db", key=KEY)
    store.migrate()
    ids = [store.add_profile(Profile(name=name, url="u", username="u")).id for name in ("one", "two")]
    first, second = (store.add_mailbox(Mailbox(address=f"{n}@x", user="u", profile_id=n)).id for n in ids)
    store.set_password("profile", ids[0], "s3cret-word")
    with store.writing() as connection:
        sealed = connection.execute(text("SELECT secret FROM profile WHERE id = 1")).scalar_one()
        connection.execute(text("UPDATE profile SET secret = :it WHERE id = 2"), {"it": sealed})

    assert b"s3cret-word" not in (tmp_path / "s.db").read_bytes() + sealed
    with pytest.raises(SyncError, match="was changed"):
        store.password(second)
    with pytest.raises(SyncError, match="key file"):
        Database(tmp_path / "s.db", key=bytes(32)).password(first)
    with pytest.raises(SyncError, match="DataFolderInvalid"):
        Database(":memory:", key=b"short")
    store.set_password("profile", ids[0], "s3cret-word")
    with store.reading() as connection:
        assert connection.execute(text("SELECT secret FROM profile WHERE id = 1")).scalar_one() != sealed


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """Opening something else than a database ends in DataFolderInvalid, not in a trace."""
    (tmp_path / "s.db").write_bytes(b"not a database, but long enough to be read as one" * 50)

    with pytest.raises(SyncError, match="DataFolderInvalid"):
        Database(tmp_path / "s.db", key=KEY).migrate()


def test_a_full_disk_is_named_and_loses_nothing(store: Database, mailbox: Mailbox) -> None:
    """When the database cannot grow, the transaction ends in DiskFull and what stood there stays."""
    lease = claimed(store, mailbox.id)
    store.write(lease, Changes(links=[link(mailbox.id)]))
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")

    with pytest.raises(SyncError, match="DiskFull"):
        store.write(lease, Changes(links=[link(mailbox.id, str(n)) for n in range(500)]))
    assert len(store.links().items) == 1


def test_a_backup_is_whole_while_others_write(tmp_path: Path) -> None:
    """A copy taken inside somebody's transaction holds what was committed before."""
    store = Database(tmp_path / "s.db", key=KEY)
    store.migrate()
    store.add_profile(Profile(name="one", url="u", username="u"))
    with store.writing() as connection:
        connection.execute(text("UPDATE profile SET name = 'half'"))
        store.backup(tmp_path / "copy.db")

    assert Database(tmp_path / "copy.db", key=KEY).profiles()[0].name == "one"


# --- listings ---


def test_alerts_are_listed_by_state_and_page(store: Database, mailbox: Mailbox) -> None:
    """Listings hold each alert once, newest first in pages, by mailbox and state."""
    lease = claimed(store, mailbox.id)
    alerts = [asked(store, lease, str(n))[1] for n in range(5)]
    store.decide([alerts[1].id], lambda old, _: answered(old, "no", "maya", NOW))

    opened = (AlertState.OPEN,)
    first = store.alert_page([mailbox.id], opened, limit=3)
    second = store.alert_page([mailbox.id], opened, after=first.next, limit=3)
    assert [each.id for each in (*first.items, *second.items)] == [alerts[n].id for n in (4, 3, 2, 0)]
    assert second.next is None
    assert [each.id for each in store.alerts()] == [each.id for each in alerts]
    assert store.alerts([mailbox.id + 1]) == ()
    assert store.alert_page(code="Unauthorized").items == ()
    assert store.question_ids(mailbox.id, CONFLICT) == tuple(alerts[n].id for n in (0, 2, 3, 4))
    assert store.alerts_of_links([alerts[1].link_id or 0]) == {alerts[1].link_id: store.alert(alerts[1].id)}


@pytest.mark.rule("F-07")
def test_failures_hold_what_needs_people_and_on_demand_everything(store: Database, mailbox: Mailbox) -> None:
    """Waiting and failed items are listed by default; kept-out and skipped ones are added on demand."""
    states = (LinkState.ASKED, LinkState.FAILED, LinkState.KEPT_OUT, LinkState.PARKED, LinkState.SKIPPED)
    links = [settled(mailbox.id, state.value, state=state) for state in (*states, LinkState.SETTLED)]
    store.write(claimed(store, mailbox.id), Changes(links=links))
    store.report(question(mailbox.id, None, code="Unauthorized"))

    assert [each.subject for each in store.failures().items] == ["failed", "asked"]
    assert {each.subject for each in store.failures([mailbox.id], everything=True).items} == set(states)
    counts = store.counts_by_mailbox()[mailbox.id]
    assert counts == Counts(open_alerts=1, questions=0, waiting=1, failed=1, kept_out=2, skipped=1)
    assert counts.failures == 2


def test_a_crm_side_edit_shows_as_unsettled(store: Database, mailbox: Mailbox) -> None:
    """A settled link whose row has moved since is listed and counted as unsettled."""
    edited = settled(mailbox.id, "edited", crm_id="1", crm_version=1, crm_version_seen=2)
    store.write(claimed(store, mailbox.id), Changes(links=[edited, settled(mailbox.id, "same", crm_id="2")]))

    listed = {each.subject: shown_state(each) for each in store.links([mailbox.id]).items}
    assert listed == {"edited": LinkState.UNSETTLED, "same": LinkState.SETTLED}
    assert store.link_states(mailbox.id) == {LinkState.SETTLED: 1, LinkState.UNSETTLED: 1}
    assert [each.subject for each in store.links_of_rows(["1", "9"])["1"]] == ["edited"]


def test_links_are_found_by_what_people_know(store: Database, mailbox: Mailbox) -> None:
    """An id of any kind finds exactly its link, words find subjects, and wildcards are plain text."""
    links = [settled(mailbox.id, name, crm_id=f"row-{name}") for name in ("Budget round", "100% done")]
    first, second = store.write(claimed(store, mailbox.id), Changes(links=links))

    def found(words: str) -> list[int]:
        return [each.id for each in store.find_links(words)]

    assert found("Budget round@firm") == found("row-Budget round") == found("budget") == found(str(first)) == [first]
    assert found("0%") == [second]
    assert found("%") == [second]
    assert found("nothing") == []


# --- accounts ---


def test_five_wrong_passwords_slow_an_account_down(store: Database) -> None:
    """After the fifth wrong password even the right one has to wait, and once right it starts from nothing."""
    store.add_account("ines", AccountRole.ADMINISTRATOR, "right", NOW)
    for _ in range(5):
        with pytest.raises(SyncError, match="is wrong"):
            store.sign_in("ines", "wrong", NOW)
    with pytest.raises(SyncError, match="Too many") as slowed:
        store.sign_in("ines", "right", NOW)

    assert slowed.value.retry_after_s == 30
    assert store.sign_in("ines", "right", NOW + timedelta(seconds=31)).administrator
    with pytest.raises(SyncError, match="is wrong"):
        store.sign_in("ines", "wrong", NOW)
    assert store.sign_in("ines", "right", NOW).name == "ines"
    with pytest.raises(SyncError, match="is wrong"):
        store.sign_in("nobody", "right", NOW)


def test_an_account_keeps_one_administrator(store: Database) -> None:
    """Roles change, but the last System Administrator stays one; names are taken once."""
    store.add_account("ines", AccountRole.ADMINISTRATOR, "x", NOW)
    store.add_account("maya", AccountRole.USER, "x", NOW)
    with pytest.raises(SyncError, match="last System Administrator"):
        store.set_role("ines", AccountRole.USER)
    with pytest.raises(SyncError, match="AlreadyExists"):
        store.add_account("maya", AccountRole.USER, "y", NOW)

    assert store.set_role("maya", AccountRole.ADMINISTRATOR).administrator
    assert not store.set_role("ines", AccountRole.USER).administrator
    assert [each.name for each in store.accounts()] == ["ines", "maya"]


def test_sessions_end_and_are_stored_as_digests(store: Database) -> None:
    """A session lives until it expires, is closed, or the password changes; its secret is stored nowhere."""
    store.add_account("maya", AccountRole.USER, "x", NOW)
    secret, session = store.open_session("maya", NOW, 3600)
    other, _ = store.open_session("maya", NOW, 3600)

    assert store.session(secret, NOW) == session
    assert store.session(secret, NOW + timedelta(hours=1)) is None
    assert store.session("guess", NOW) is None
    with store.reading() as connection:
        assert secret not in str(connection.execute(text("SELECT * FROM session")).all())
    store.close_session(secret)
    assert store.session(secret, NOW) is None
    store.reset_password("maya", "y")
    assert store.session(other, NOW) is None
    assert store.sign_in("maya", "y", NOW).name == "maya"


def test_tokens_are_shown_once_and_can_be_revoked(store: Database) -> None:
    """A token opens its account until it is revoked; the list never holds the secret."""
    store.add_account("maya", AccountRole.USER, "x", NOW)
    secret, made = store.create_token("maya", "script", NOW)

    assert store.account_of_token(secret) == store.account("maya")
    assert store.tokens("maya") == (made,)
    assert secret not in repr(store.tokens())
    store.revoke_token("maya", "script", NOW)
    assert store.account_of_token(secret) is None
    with pytest.raises(SyncError, match="NotFoundHere"):
        store.revoke_token("maya", "script", NOW)


# --- figures ---


@pytest.mark.rule("AL-13")
def test_what_is_over_is_forgotten_after_thirty_days(store: Database, mailbox: Mailbox) -> None:
    """Old cycles and withdrawn alerts go; open, lapsed and kept-out questions stay."""
    lease = claimed(store, mailbox.id)
    alerts = [asked(store, lease, str(n))[1] for n in range(4)]
    store.decide([alerts[1].id], lambda old, _: answered(old, "no", "maya", NOW))
    ended = [
        replace(alerts[2], state=AlertState.LAPSED),
        replace(alerts[3], state=AlertState.WITHDRAWN),
    ]
    store.write(lease, Changes(alerts=ended))
    store.record_cycle(CycleRecord(mailbox_id=mailbox.id, started=NOW, finished=NOW + timedelta(seconds=2), saved=3))
    store.record_cycle(CycleRecord(mailbox_id=mailbox.id, started=NOW, finished=NOW + timedelta(seconds=4), failed=1))

    totals = store.totals()[mailbox.id]
    assert (totals.cycles, totals.processed, totals.failed, totals.average_s, totals.longest_s) == (2, 3, 1, 3, 4)
    assert [each.saved for each in store.cycles(mailbox.id)] == [0, 3]
    assert [each.failed for each in store.cycles_since(mailbox.id, store.last_cycle_id(mailbox.id) - 1)] == [1]
    store.purge(NOW + timedelta(days=31))
    assert [each.id for each in store.alerts()] == [alerts[n].id for n in (0, 1, 2)]
    assert store.cycles(mailbox.id) == ()
