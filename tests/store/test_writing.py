"""The one transaction of a cycle: whole or not at all, and people's words survive it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError

from syncline.core.appointment import Identity
from syncline.engine.alerts import answered
from syncline.ports import (
    AlertOutcome,
    AlertState,
    Changes,
    Entry,
    Folder,
    Intent,
    LinkState,
    Mailbox,
    OnSchedulingConflict,
    Seen,
    Verb,
)
from syncline.store import Database
from tests.store.things import NOW, appointment, asked, claimed, link, question, settled


def test_what_was_written_is_read_back_whole(store: Database, mailbox: Mailbox) -> None:
    """A link comes back equal by reference, identity, row and id, contents and all."""
    lease = claimed(store, mailbox.id)
    value = link(
        mailbox.id,
        agreed=appointment("b"),
        crm_id="row-1",
        crm_version=3,
        crm_version_seen=4,
        error_params={"subject": "x"},
        next_try=NOW,
        created_order=NOW,
        private=True,
        retries=2,
        seen=Seen.UNTRACKED,
    )
    (number,) = store.write(lease, Changes(links=[value]))
    stored = replace(value, id=number)

    assert store.links_by_ref(mailbox.id, [value.ref, "other"]) == {value.ref: stored}
    light = replace(stored, observed=None, agreed=None)
    assert store.links_by_identity([value.identity, Identity("none")]) == (light,)
    assert store.links_by_identity([value.identity], but=[number]) == ()
    assert store.links_by_identity([value.identity], but=[number + 1]) == (light,)
    assert store.links_by_identity([replace(value.identity, original_start=NOW)]) == ()
    assert store.links_by_crm_id(mailbox.id, ["row-1"]) == (stored,)
    assert store.links_by_id([number, 99]) == (stored,)


def test_ids_come_back_in_the_order_given(store: Database, mailbox: Mailbox) -> None:
    """Inserted links get their ids in order, beside updates in the same call."""
    lease = claimed(store, mailbox.id)
    (first,) = store.write(lease, Changes(links=[link(mailbox.id, "first")]))
    old = store.links_by_id([first])[0]
    many = [link(mailbox.id, f"n{number}") for number in range(1500)]
    ids = store.write(lease, Changes(links=[many[0], replace(old, subject="renamed"), *many[1:]]))

    found = store.links_by_ref(mailbox.id, [each.ref for each in many])
    assert [found[each.ref].id for each in many] == list(ids)
    assert store.links_by_id([first])[0].subject == "renamed"


def test_a_failing_statement_undoes_the_whole_transaction(store: Database, mailbox: Mailbox) -> None:
    """When one part cannot be written, nothing of the call is."""
    lease = claimed(store, mailbox.id)
    intent = Intent(id="i", mailbox_id=mailbox.id, link_id=999, verb=Verb.BOOK, crm_id="c", created=NOW)
    entry = Entry(time=NOW, mailbox_id=mailbox.id, link_id=1, action="saved")

    with pytest.raises(IntegrityError):
        store.write(lease, Changes(links=[link(mailbox.id)], entries=[entry], intents=[intent]))

    assert store.links().items == ()
    assert store.journal(1).items == ()


def test_intents_stay_until_they_are_dropped(store: Database, mailbox: Mailbox) -> None:
    """An intent is found again after a crash and gone once its outcome is stored."""
    lease = claimed(store, mailbox.id)
    (number,) = store.write(lease, Changes(links=[link(mailbox.id)]))
    intent = Intent(id="i", mailbox_id=mailbox.id, link_id=number, verb=Verb.BOOK, crm_id="c", created=NOW)
    store.write(lease, Changes(intents=[intent]))

    assert store.intents(mailbox.id) == (intent,)
    store.write(lease, Changes(dropped_intents=["i"]))
    assert store.intents(mailbox.id) == ()


def test_a_cycle_never_overwrites_what_people_set(store: Database, mailbox: Mailbox) -> None:
    """The mailbox row of a cycle moves cursors and statistics, not approval, switches, policy or due time."""
    lease = claimed(store, mailbox.id)
    stale = store.mailbox(mailbox.id)
    store.change_mailbox(
        mailbox.id,
        lambda old: replace(old, enabled=False, on_scheduling_conflict=OnSchedulingConflict.KEEP_OUT, time_zone="X"),
    )
    folders = (Folder(ref="f", name="Calendar", main=True),)
    store.write(lease, Changes(mailbox=replace(stale, cursors={"f": "c1"}, folders=folders, idle_cycles=3)))

    now = store.mailbox(mailbox.id)
    assert (now.cursors, now.folders, now.idle_cycles) == ({"f": "c1"}, folders, 3)
    assert (now.enabled, now.on_scheduling_conflict, now.time_zone) == (False, OnSchedulingConflict.KEEP_OUT, "X")


def test_a_cycle_can_switch_its_mailbox_off(store: Database, mailbox: Mailbox) -> None:
    """`disable` takes the mailbox out of the due ones in the same transaction."""
    store.write(claimed(store, mailbox.id), Changes(disable=True))

    assert not store.mailbox(mailbox.id).enabled
    assert store.due(NOW, 10) == ()


@pytest.mark.parametrize(
    ("members", "due"),
    [
        ({}, False),
        ({"revision": "r2"}, True),
        ({"revision_settled": None}, True),
        ({"seen": Seen.GONE}, True),
        ({"seen_settled": None}, True),
        ({"state": LinkState.ASKED}, True),
        ({"state": LinkState.FAILED, "next_try": NOW}, True),
        ({"state": LinkState.FAILED, "next_try": NOW + timedelta(seconds=1)}, False),
        ({"state": LinkState.FAILED, "next_try": NOW + timedelta(days=1)}, True),
        ({"state": LinkState.FAILED, "next_try": None}, False),
        ({"state": LinkState.FAILED, "next_try": None, "revision": "r2"}, True),
        ({"state": LinkState.KEPT_OUT, "decision": "no"}, False),
        ({"state": LinkState.KEPT_OUT, "decision": "yes"}, True),
        ({"state": LinkState.PARKED, "decision": "no"}, False),
        ({"state": LinkState.SKIPPED}, False),
        ({"crm_version": 1, "crm_version_seen": 2}, False),
    ],
)
def test_links_that_need_planning_are_due(
    store: Database, mailbox: Mailbox, members: dict[str, object], due: bool
) -> None:
    """A link is due when its observation is unsettled, its question stands, its answer waits or its retry has come."""
    store.write(claimed(store, mailbox.id), Changes(links=[settled(mailbox.id, **members)]))

    assert bool(store.due_links(mailbox.id, NOW, 0, 10)) is due


def test_due_links_come_in_pages_by_id(store: Database, mailbox: Mailbox) -> None:
    """Going on after the last id reaches every due link once."""
    ids = store.write(claimed(store, mailbox.id), Changes(links=[link(mailbox.id, str(n)) for n in range(7)]))
    seen: list[int] = []
    while page := store.due_links(mailbox.id, NOW, seen[-1] if seen else 0, 3):
        seen += [each.id for each in page]

    assert seen == list(ids)


@pytest.mark.rule("Q-09")
def test_new_links_are_those_due_ones_that_were_read_and_never_tried(store: Database, mailbox: Mailbox) -> None:
    """They come by id with what orders them, and together with the other due ones they are all that are due."""
    made = NOW - timedelta(days=3)
    others: dict[str, dict[str, object]] = {
        "linked": {"crm_id": "row-1"},
        "unread": {"observed": None},
        "gone": {"seen": Seen.GONE},
        "asked": {"state": LinkState.ASKED},
        "failed": {"state": LinkState.FAILED},
        "kept": {"state": LinkState.KEPT_OUT, "decision": "yes"},
    }
    fresh = [replace(link(mailbox.id, "first"), created_order=made), link(mailbox.id, "second")]
    links = [fresh[0], *(replace(link(mailbox.id, ref), **more) for ref, more in others.items()), fresh[1]]
    store.write(claimed(store, mailbox.id), Changes(links=links))
    due = store.due_links(mailbox.id, NOW, 0, 10)
    new = store.new_links(mailbox.id, 0, 10)

    assert [each.id for each in new] == [each.id for each in due if each.ref in ("ref-first", "ref-second")]
    assert [each.created_order for each in new] == [made, None]
    assert [each.start for each in new] == [each.observed.span.start for each in fresh if each.observed is not None]
    assert {each.global_object_id for each in new} == {each.identity.global_object_id for each in fresh}
    assert store.new_links(mailbox.id, new[0].id, 1) == new[1:]
    rest = store.due_links(mailbox.id, NOW, 0, 10, but_new=True)
    assert {each.ref for each in rest} == {each.ref for each in due} - {"ref-first", "ref-second"}


def test_the_base_of_the_guards_counts_living_rows(store: Database, mailbox: Mailbox) -> None:
    """Links without a row, whose row is gone, or that were not present do not count."""
    held = [settled(mailbox.id, "a", crm_id="1"), settled(mailbox.id, "b", crm_id="2", seen=Seen.GONE)]
    others = [
        settled(mailbox.id, "c"),
        settled(mailbox.id, "d", crm_id="3", crm_gone=True),
        settled(mailbox.id, "e", crm_id="4", seen_settled=Seen.UNTRACKED),
    ]
    store.write(claimed(store, mailbox.id), Changes(links=[*held, *others]))

    assert store.link_count(mailbox.id) == 2


@pytest.mark.rule("Q-02")
def test_an_answer_that_comes_while_a_cycle_runs_survives(store: Database, mailbox: Mailbox) -> None:
    """Writing a link and its question as they were read before the answer leaves the answer in place."""
    lease = claimed(store, mailbox.id)
    before, alert = asked(store, lease)
    store.decide([alert.id], lambda old, _: answered(old, "yes", "maya", NOW))
    store.write(lease, Changes(links=[replace(before, subject="new")], alerts=[replace(alert, count=2, last_seen=NOW)]))

    (waiting,) = store.answered_links(mailbox.id, 10)
    assert (waiting.subject, waiting.decision, waiting.decision_by, waiting.decided_digest) == (
        "new", "yes", "maya", "d1",
    )  # fmt: skip
    now = store.alert(alert.id)
    assert (now.state, now.outcome, now.count) == (AlertState.ANSWERED, AlertOutcome.SAVING, 2)


def test_a_carried_out_answer_is_no_longer_waiting(store: Database, mailbox: Mailbox) -> None:
    """Once the cycle has read the answer, its link and question say themselves whether it is carried out."""
    lease = claimed(store, mailbox.id)
    _, alert = asked(store, lease)
    store.decide([alert.id], lambda old, _: answered(old, "no", "maya", NOW))
    (waiting,) = store.answered_links(mailbox.id, 10)
    assert [each.id for each in store.open_alerts(mailbox.id)] == [alert.id]

    store.write(lease, Changes(links=[replace(waiting, state=LinkState.KEPT_OUT, sync_error=None)]))

    assert store.answered_links(mailbox.id, 10) == ()
    assert store.open_alerts(mailbox.id) == ()
    assert store.due_links(mailbox.id, NOW, 0, 10) == ()


@pytest.mark.rule("Q-05")
@pytest.mark.parametrize(("answer", "state"), [("yes", AlertState.ANSWERED), ("no", AlertState.WITHDRAWN)])
def test_an_answer_that_comes_while_its_item_is_saved_is_over(
    store: Database, mailbox: Mailbox, answer: str, state: AlertState
) -> None:
    """The clash went away and the item was saved just before the answer: nothing is left to carry out."""
    lease = claimed(store, mailbox.id)
    before, alert = asked(store, lease)
    store.decide([alert.id], lambda old, _: answered(old, answer, "maya", NOW))  # type: ignore[arg-type]
    withdrawn = replace(alert, state=AlertState.WITHDRAWN, reason="the clash is gone")
    store.write(lease, Changes(links=[replace(before, state=LinkState.SETTLED, crm_id="1")], alerts=[withdrawn]))

    now = store.alert(alert.id)
    assert (now.state, now.outcome, now.answer) == (state, AlertOutcome.SAVED, answer)
    assert store.answered_links(mailbox.id, 10) == ()
    assert store.open_alerts(mailbox.id) == ()


@pytest.mark.rule("Q-02")
def test_a_question_asked_anew_ends_the_older_one(store: Database, mailbox: Mailbox) -> None:
    """When an answer became void, its question is withdrawn by the new one."""
    lease = claimed(store, mailbox.id)
    waiting, alert = asked(store, lease)
    store.decide([alert.id], lambda old, _: answered(old, "yes", "maya", NOW))
    store.write(lease, Changes(alerts=[question(mailbox.id, waiting.id, digest="d2")]))

    assert store.alert(alert.id).state is AlertState.WITHDRAWN
    assert [each.digest for each in store.open_alerts(mailbox.id)] == ["d2"]


def test_a_removed_link_leaves_its_withdrawn_question(store: Database, mailbox: Mailbox) -> None:
    """A link and the end of its question may be written together."""
    lease = claimed(store, mailbox.id)
    gone, alert = asked(store, lease)
    store.write(
        lease, Changes(removed_links=[gone.id], alerts=[replace(alert, state=AlertState.WITHDRAWN, reason="deleted")])
    )

    now = store.alert(alert.id)
    assert (now.link_id, now.state, now.reason) == (None, AlertState.WITHDRAWN, "deleted")


@pytest.mark.rule("AL-10")
def test_a_repeated_notice_is_counted(store: Database, mailbox: Mailbox) -> None:
    """The same problem of the same mailbox updates the open alert instead of adding one."""
    lease = claimed(store, mailbox.id)
    first = question(mailbox.id, None, code="ServerUnreachable", params={"detail": "a"})
    later = replace(first, last_seen=NOW + timedelta(minutes=5), params={"detail": "b"})
    store.write(lease, Changes(alerts=[first]))
    store.write(lease, Changes(alerts=[later]))
    store.report(later)

    (only,) = store.alerts()
    assert (only.count, only.params, only.created, only.last_seen) == (3, {"detail": "b"}, NOW, later.last_seen)
    store.withdraw_notices(mailbox.id, "It works again.")
    assert store.alert(only.id).state is AlertState.WITHDRAWN
