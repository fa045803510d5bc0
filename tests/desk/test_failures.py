"""Failures, explanations, reports and sync at the desk."""

from __future__ import annotations

import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from syncline.desk import alerts, explaining, failures, reports, syncing
from syncline.desk.reading import OPERATOR
from syncline.errors import CATALOGUE, SyncError
from syncline.ports import Changes
from syncline.store import Slice
from syncline.store.statistics import CycleRecord
from tests.desk.office import DOMAIN, Office, at

ADDRESS = f"maya@{DOMAIN}"


def spoil(office: Office) -> str:
    """Let Exchange fail to hand out one item and synchronize; return its address there."""
    ref = office.in_outlook("Broken", at(15))
    office.exchange.spoil(ADDRESS, ref, SyncError("ItemUnreadable", subject="Broken", detail="damaged"))
    office.sync("maya")
    return ref


def test_a_question_is_a_failure_that_waits(office: Office) -> None:
    """The failures list holds the question with its code."""
    office.the_scene()
    (row,) = failures.listing(office.app, OPERATOR)

    assert (row.subject, row.sync_error, row.state) == (
        "Product demo for Alpen Sport",
        "ExchangeSyncSchedulingConflictsError",
        "waiting",
    )
    assert (row.mailbox, row.direction, row.last_sync_error_time) == (ADDRESS, "exchange_to_crm", office.clock.at)
    with pytest.raises(SyncError, match="InvalidRequest"):
        failures.retry(office.app, OPERATOR, row.id)
    with pytest.raises(SyncError, match="InvalidRequest"):
        failures.ignore(office.app, OPERATOR, row.id)


def test_kept_out_is_listed_on_demand(office: Office) -> None:
    """What an answer keeps out is no failure, but can be looked up."""
    question = office.the_scene()
    alerts.carry_out(office.app, [alerts.answer(office.app, OPERATOR, question.id, "no")])
    office.sync()

    assert failures.listing(office.app, OPERATOR) == []
    (row,) = failures.listing(office.app, OPERATOR, every=True)
    assert (row.state, row.sync_error) == ("kept_out", "KeptOut")
    assert "Change the answer to Yes" in CATALOGUE[row.sync_error].what_to_do
    shown = failures.table(office.app, OPERATOR, Slice(state="kept_out"))
    assert [each.item for each in shown.items] == [row] and shown.total == 1


def test_a_failed_item_is_tried_again(office: Office) -> None:
    """A retry tells how it failed again, or nothing once it is synchronized."""
    ref = spoil(office)
    (row,) = failures.listing(office.app, OPERATOR)
    advice = CATALOGUE[row.sync_error].what_to_do
    still = failures.retry(office.app, OPERATOR, row.id)
    office.exchange.spoil(ADDRESS, ref, None)
    healed = failures.retry(office.app, OPERATOR, row.id)

    assert (row.sync_error, row.state) == ("ItemUnreadable", "failed")
    assert "Open the item in Outlook" in advice
    assert still is not None
    assert still.sync_error == "ItemUnreadable"
    assert healed is None
    assert [entry.subject for entry in office.app.crm.listing().items] == ["Broken"]


def test_an_ignored_item_is_left_out(office: Office) -> None:
    """It is no failure any more, and the journal says who left it out."""
    spoil(office)
    (row,) = failures.listing(office.app, OPERATOR)
    told = alerts.listing(office.app, OPERATOR, only_open=True)
    failures.ignore(office.app, OPERATOR, row.id)
    office.clock.at += timedelta(days=1)
    office.sync("maya")
    (story,) = explaining.explain(office.app, OPERATOR, str(row.id))

    assert failures.listing(office.app, OPERATOR) == []
    assert [(each.code, each.unavailable) for each in told] == [("ItemUnreadable", ())]
    assert alerts.listing(office.app, OPERATOR, only_open=True) == []
    assert story.state == "skipped"
    assert "by Command line" in [line.detail for line in story.lines]


def test_failures_of_others_do_not_exist_for_a_user(office: Office) -> None:
    """A User sees and retries his own only."""
    spoil(office)
    (row,) = failures.listing(office.app, OPERATOR)
    jonas = office.viewer("jonas")

    assert failures.listing(office.app, jonas) == []
    for act in (failures.retry, failures.ignore):
        with pytest.raises(SyncError, match="NotFoundHere"):
            act(office.app, jonas, row.id)


def test_explain_tells_rule_state_and_next_try(office: Office) -> None:
    """By subject or id, the story of an item says what happened and why."""
    office.the_scene()
    (story,) = explaining.explain(office.app, OPERATOR, "product demo")
    (same,) = explaining.explain(office.app, OPERATOR, "uid-Product demo for Alpen Sport")

    assert story == same
    assert (story.state, story.sync_error) == ("asked", "ExchangeSyncSchedulingConflictsError")
    assert "waits for an answer" in story.text
    assert story.lines[0].action == "asked"
    assert story.lines[0].rule
    assert explaining.explain(office.app, OPERATOR, "nothing like it") == []
    assert explaining.explain(office.app, OPERATOR, " ") == []


def test_explain_does_not_tell_what_may_not_be_read(office: Office) -> None:
    """A private item is not found by its subject, and a foreign one not at all."""
    office.the_scene(private=True)
    (story,) = explaining.explain(office.app, OPERATOR, "uid-Product demo for Alpen Sport")

    assert explaining.explain(office.app, OPERATOR, "Alpen") == []
    assert len(explaining.explain(office.app, office.viewer("maya"), "Alpen")) == 1
    assert explaining.explain(office.app, office.viewer("jonas"), "Alpen") == []
    assert "Alpen" not in story.text
    assert (story.subject, story.global_object_id) == ("Private appointment", "")


def test_explain_tells_of_what_was_entered_in_the_crm(office: Office) -> None:
    """An appointment without a mailbox is told as such, masked like everywhere."""
    entry = office.in_crm("Review", at(10), private=True)
    (own,) = explaining.explain(office.app, office.viewer("maya"), entry)
    (other,) = explaining.explain(office.app, OPERATOR, entry)

    assert (own.subject, own.appointment_id) == ("Review", entry)
    assert "entered in Syncline CRM" in own.text
    assert "Review" not in other.text


@pytest.mark.rule("L-04")
def test_explain_names_the_category_that_an_unknown_item_lacks(office: Office) -> None:
    """Where mailboxes track by category, that is the likely reason."""
    from syncline.desk import mailboxes

    assert "NotTracked" not in explaining.unknown(office.app, OPERATOR, "Dentist")
    mailboxes.change(office.app, OPERATOR, ADDRESS, track="category")
    text = explaining.unknown(office.app, OPERATOR, "Dentist")

    assert "NotTracked" in text
    assert '"Tracked to Syncline CRM"' in text


def test_sync_counts_what_it_did(office: Office) -> None:
    """The report sums up over mailboxes."""
    office.in_crm("Review", at(10))
    office.in_outlook("Demo", at(10.5))
    office.in_outlook("Lunch", at(12))
    office.in_outlook("Call", at(12), owner="jonas")
    report = syncing.sync(office.app, OPERATOR, [])

    assert (report.saved, report.waiting, report.failed) == (2, 1, 0)
    assert {each.mailbox: each.saved for each in report.mailboxes} == {ADDRESS: 1, f"jonas@{DOMAIN}": 1}


def test_a_dry_run_writes_nothing_and_masks(office: Office) -> None:
    """The plan tells what would be asked and saved; a private item stays private."""
    office.in_crm("Review", at(10))
    office.in_outlook("Demo", at(10.5))
    office.in_outlook("Salary", at(12), private=True)
    (mailbox,) = syncing.sync(office.app, OPERATOR, [ADDRESS], dry_run=True).mailboxes

    assert {(line.action, line.subject) for line in mailbox.plan} == {("ask", "Demo"), ("save", "Private appointment")}
    assert [entry.subject for entry in office.app.crm.listing().items] == ["Review"]


def test_a_mailbox_that_fails_is_told_by_its_code(office: Office) -> None:
    """One bad mailbox does not stop the others."""
    office.in_outlook("Call", at(12), owner="jonas")
    office.refusal = SyncError("ServerUnreachable", detail="no route")
    report = syncing.sync(office.app, OPERATOR, [ADDRESS])

    assert [(each.error, each.text) for each in report.mailboxes] == [
        ("ServerUnreachable", "The server could not be reached: no route")
    ]


def test_a_mailbox_in_use_is_waited_for_and_then_told(office: Office) -> None:
    """Another living holder means MailboxHeld after the wait."""
    mailbox = office.mailbox("maya")
    lease = office.app.store.claim(mailbox.id, "other", office.clock.at, 300.0)
    assert lease is not None
    report = syncing.sync(office.app, OPERATOR, [ADDRESS], wait_s=0.0)

    assert [each.error for each in report.mailboxes] == ["MailboxHeld"]


def test_a_sync_by_the_server_is_one_that_began_after_it_was_asked_for(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cycle that runs already may have read before the change: it is not taken for the one that was asked for."""
    store, mailbox, began = office.app.store, office.mailbox("maya"), office.clock.at
    lease = store.claim(mailbox.id, "server", began, 300.0)
    assert lease is not None
    office.clock.at += timedelta(seconds=1)

    def the_running_one_ends() -> None:
        office.clock.at += timedelta(seconds=1)
        store.write(lease, Changes(mailbox=replace(mailbox, last_sync=office.clock.at)))
        store.release(lease, office.clock.at, mailbox.next_due)
        store.record_cycle(CycleRecord(mailbox_id=mailbox.id, started=began, finished=office.clock.at))

    def the_next_one_runs() -> None:
        office.clock.at += timedelta(seconds=1)
        office.sync("maya")
        store.record_cycle(
            CycleRecord(mailbox_id=mailbox.id, started=office.clock.at, finished=office.clock.at, saved=1)
        )

    server = iter((the_running_one_ends, the_next_one_runs))
    waiting = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: next(server)())
    monkeypatch.setattr(syncing, "time", waiting)
    monkeypatch.setattr(syncing, "jobs_run", lambda _: True)
    assert syncing.sync(office.app, OPERATOR, [ADDRESS]).saved == 1


def test_sync_wants_an_enabled_mailbox(office: Office) -> None:
    """A mailbox that is switched off is not synchronized by asking."""
    from syncline.desk import mailboxes

    mailboxes.disable(office.app, OPERATOR, ADDRESS)
    for act in (
        lambda: syncing.sync(office.app, OPERATOR, [ADDRESS]),
        lambda: syncing.wake(office.app, OPERATOR, ADDRESS),
    ):
        with pytest.raises(SyncError, match="InvalidRequest"):
            act()


def test_waking_makes_a_mailbox_due(office: Office) -> None:
    """Due now, whatever was planned."""
    office.sync("maya")
    office.clock.at += timedelta(seconds=5)

    assert syncing.wake(office.app, office.viewer("maya"), ADDRESS).next_due == office.clock.at


def test_reports_hold_links_figures_and_changes(office: Office) -> None:
    """Links and figures are one's own, the change log is an administrator's and ends with a cursor to go on from."""
    office.the_scene()
    links, following = reports.links(office.app, OPERATOR)
    figures = reports.statistics(office.app, OPERATOR)
    first = reports.changes(office.app, OPERATOR, None, 200)
    office.in_crm("Later", at(16))
    then = reports.changes(office.app, OPERATOR, first.next, 200)

    assert [(link.mailbox, link.state, link.appointment_id) for link in links] == [(ADDRESS, "asked", None)]
    assert following is None
    assert (figures.enabled, figures.questions, figures.failures) == (2, 1, 1)
    assert (len(first.items), len(then.items)) == (1, 1)
    assert reports.links(office.app, office.viewer("jonas"))[0] == ()
    assert len(reports.statistics(office.app, office.viewer("jonas")).mailboxes) == 1
    with pytest.raises(SyncError, match="NotAllowed"):
        reports.changes(office.app, office.viewer("jonas"), None, 200)
