"""The life of a mailbox: approval, test and enable, back-off, the next due time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from syncline.engine import mailboxes
from syncline.errors import OF_MAILS, OF_WEBHOOKS, SyncError
from syncline.ports import (
    Alert,
    AlertState,
    Approval,
    Category,
    Folder,
    Light,
    Mailbox,
    Observed,
    OrganizationMark,
    Page,
    Profile,
)
from syncline.ports import TestState as Trial
from syncline.store import Database
from tests.store.things import KEY, NOW, question

FOLDERS = (Folder(ref="cal", name="Calendar", main=True), Folder(ref="sub", name="Team"))
READY = Mailbox(id=1, address="a@x.example", user="a", profile_id=1, enabled=True)


@dataclass(frozen=True)
class Standing:
    """A clock that shows one instant."""

    def now(self) -> datetime:
        """Return the instant."""
        return NOW


@dataclass
class Scripted:
    """A calendar that answers, or fails at one named step, and remembers what it was asked."""

    fails: dict[str, SyncError] = field(default_factory=dict)
    folders_: tuple[Folder, ...] = FOLDERS
    asked: list[str] = field(default_factory=list)
    mark_: OrganizationMark | None = None
    meanwhile: OrganizationMark | None = None

    def _do(self, name: str) -> None:
        self.asked.append(name)
        if name in self.fails:
            raise self.fails[name]

    def probe(self) -> tuple[str, ...]:
        """Run the steps."""
        self._do("probe")
        return ("address", "sign-in", "calendar", "categories")

    def folders(self) -> tuple[Folder, ...]:
        """Return the folders."""
        self._do("folders")
        return self.folders_

    def categories(self) -> tuple[Category, ...]:
        """Return the categories."""
        self._do("categories")
        return (Category(id="c1", name="Renamed"), Category(id="c2", name="Other"))

    def changes(self, folder: str, cursor: str | None, limit: int) -> Page:
        """Return an empty page."""
        self._do(f"changes {folder} {cursor} {limit}")
        return Page(items=(Light(ref="r", folder=folder),), cursor="1", more=True)

    def read(self, refs: object) -> list[Observed | SyncError | None]:
        """Read nothing."""
        raise AssertionError(refs)

    def find(self, global_object_ids: object) -> dict[str, tuple[Observed, ...]]:
        """Find nothing."""
        raise AssertionError(global_object_ids)

    def mark(self) -> OrganizationMark | None:
        """Return the mark."""
        self._do("mark")
        return self.mark_

    def set_mark(self, mark: OrganizationMark, over: OrganizationMark | None) -> OrganizationMark:
        """Put a mark in, unless another one has come meanwhile."""
        assert over == self.mark_
        self._do("set_mark")
        self.mark_ = self.meanwhile or mark
        return self.mark_

    def close(self) -> None:
        """Note the end."""
        self.asked.append("close")


@pytest.fixture
def store() -> Database:
    """Give a database with one new mailbox."""
    database = Database(":memory:", key=KEY)
    profile = database.add_profile(Profile(name="p", url="https://x.example", username="u"))
    database.add_mailbox(
        Mailbox(address="a@x.example", user="a", profile_id=profile.id, category_id="c1", tracking=("Tracked",))
    )
    return database


def _test(store: Database, replica: Scripted, *, take_over: bool = False, writes: bool = True) -> Mailbox:
    connect = lambda _: replica  # noqa: E731
    return mailboxes.test_and_enable(
        store,
        connect,  # type: ignore[arg-type,return-value]
        Standing(),
        1,
        crm_name="Contoso CRM",
        writes=writes,
        take_over=take_over,
    )


@pytest.mark.rule("AP-05")
def test_approval_keeps_who_and_when_and_rejection_forgets_it(store: Database) -> None:
    """Approving is audited; rejecting clears it and stops the mailbox."""
    approved = mailboxes.approve(store, Standing(), 1, "ines")
    assert (approved.approval, approved.approved_by, approved.approved_on) == (Approval.APPROVED, "ines", NOW)
    _test(store, Scripted())

    rejected = mailboxes.reject(store, 1)
    assert (rejected.approval, rejected.approved_by, rejected.approved_on) == (Approval.REJECTED, None, None)
    assert not store.mailbox(1).enabled


@pytest.mark.rule("T-07")
@pytest.mark.rule("M-03")
def test_a_mailbox_that_passes_every_step_is_switched_on(store: Database) -> None:
    """Test and enable probes, reads folders and categories, asks for the first page, and makes the mailbox due."""
    mailboxes.approve(store, Standing(), 1, "ines")
    store.report(question(1, None, code="Unauthorized"))
    replica = Scripted()
    tested = _test(store, replica)

    assert replica.asked == ["probe", "folders", "changes cal None 1", "categories", "mark", "set_mark", "close"]
    assert tested == store.mailbox(1)
    assert (tested.test, tested.enabled, tested.tested_on, tested.next_due) == (Trial.SUCCESS, True, NOW, NOW)
    assert tested.folders == FOLDERS
    assert tested.cursors == {}
    assert [each.state for each in store.alerts()] == [AlertState.WITHDRAWN]


@pytest.mark.rule("L-04a")
def test_a_renamed_category_adds_its_name(store: Database) -> None:
    """The known category's new name counts beside the names it has had."""
    mailboxes.approve(store, Standing(), 1, "ines")

    assert _test(store, Scripted()).tracking == ("Tracked", "Renamed")


@pytest.mark.rule("T-06")
@pytest.mark.parametrize(
    ("replica", "code"),
    [
        (Scripted({"probe": SyncError("Unauthorized", mailbox="a@x.example")}), "Unauthorized"),
        (Scripted({"probe": SyncError("ServerTimeout", detail="30 s")}), "ServerTimeout"),
        (Scripted({"categories": SyncError("ServiceUnavailable", detail="x")}), "ServiceUnavailable"),
        (Scripted(folders_=()), "CalendarUnreadable"),
    ],
)
def test_a_failing_step_is_stored_raised_and_alerted(store: Database, replica: Scripted, code: str) -> None:
    """The mailbox says what failed, stays off, and one alert says it too, counted when it fails again."""
    mailboxes.approve(store, Standing(), 1, "ines")
    for _ in range(2):
        with pytest.raises(SyncError, match=code):
            _test(store, replica)

    failed = store.mailbox(1)
    assert (failed.test, failed.enabled, failed.last_error, failed.tested_on) == (
        Trial.FAILURE, False, code, NOW,
    )  # fmt: skip
    assert replica.asked[-1] == "close"
    (alert,) = store.alerts()
    assert (alert.code, alert.count, alert.params["mailbox"]) == (code, 2, "a@x.example")


@pytest.mark.rule("M-02")
@pytest.mark.rule("AP-04")
def test_a_mailbox_that_is_not_approved_is_not_tested(store: Database) -> None:
    """Without approval nothing is asked of the server, and the alert says what is missing."""
    replica = Scripted()
    with pytest.raises(SyncError, match="MailboxNotApproved"):
        _test(store, replica)
    with pytest.raises(SyncError, match="MailboxNotApproved"):
        mailboxes.enable(store, Standing(), 1)

    assert replica.asked == []
    assert [each.code for each in store.alerts()] == ["MailboxNotApproved"]


@pytest.mark.rule("M-03")
def test_only_a_tested_mailbox_can_be_switched_on(store: Database) -> None:
    """Enable needs a successful test; disable and enable then work without another one."""
    mailboxes.approve(store, Standing(), 1, "ines")
    with pytest.raises(SyncError, match="InvalidRequest"):
        mailboxes.enable(store, Standing(), 1)
    _test(store, Scripted())

    assert not mailboxes.disable(store, 1).enabled
    assert mailboxes.enable(store, Standing(), 1).enabled
    assert store.due(NOW, 5) == (1,)


# --- the organization mark ---

THEIRS = OrganizationMark(installation="theirs", crm_name="Fabrikam CRM", since=NOW - timedelta(days=40))
FOREIGN = "ExchangeSyncIncorrectCrmOrgError"


@pytest.mark.rule("M-06")
@pytest.mark.rule("T-02")
def test_the_first_test_leaves_our_mark_and_the_next_one_finds_it(store: Database) -> None:
    """The mark names this installation, its CRM and since when; it is set once."""
    mailboxes.approve(store, Standing(), 1, "ines")
    replica = Scripted()
    _test(store, replica)
    ours = OrganizationMark(installation=store.installation(), crm_name="Contoso CRM", since=NOW)
    assert replica.mark_ == ours

    replica.asked.clear()
    _test(store, replica)
    assert replica.asked[-2:] == ["mark", "close"]


@pytest.mark.rule("T-05")
def test_somebody_else_s_mark_fails_the_test_until_it_is_taken_over(store: Database) -> None:
    """The alert says who keeps the mailbox in step since when; with the flag our mark replaces theirs."""
    mailboxes.approve(store, Standing(), 1, "ines")
    replica = Scripted(mark_=THEIRS)
    with pytest.raises(SyncError, match=r"Fabrikam CRM.*keeps a@x\.example in step, since 2026-"):
        _test(store, replica)
    assert "set_mark" not in replica.asked
    assert not store.mailbox(1).enabled
    assert [(each.code, each.params["other"]) for each in store.alerts()] == [(FOREIGN, "Fabrikam CRM")]

    assert _test(store, replica, take_over=True).enabled
    assert replica.mark_ is not None
    assert replica.mark_.installation == store.installation()
    assert [each.state for each in store.alerts()] == [AlertState.WITHDRAWN]


@pytest.mark.rule("M-06")
@pytest.mark.parametrize("take_over", [False, True])
def test_of_two_at_the_same_moment_one_is_refused(store: Database, take_over: bool) -> None:
    """A mark that comes between looking and writing is somebody else's, whatever was asked for."""
    mailboxes.approve(store, Standing(), 1, "ines")
    with pytest.raises(SyncError, match=FOREIGN):
        _test(store, Scripted(meanwhile=THEIRS), take_over=take_over)


@pytest.mark.rule("T-05")
@pytest.mark.parametrize("read_only", [True, False])
def test_where_nothing_is_written_the_test_only_looks(store: Database, read_only: bool) -> None:
    """By profile or setting. It fails on somebody else's mark too; told to go on, it leaves that mark where it is."""
    profile = store.add_profile(Profile(name="reading", url="https://x.example", username="u", read_only=read_only))
    store.change_mailbox(1, lambda old: replace(old, profile_id=profile.id))
    mailboxes.approve(store, Standing(), 1, "ines")
    replica = Scripted(mark_=THEIRS)
    with pytest.raises(SyncError, match=FOREIGN):
        _test(store, replica, writes=read_only)
    assert _test(store, replica, writes=read_only, take_over=True).enabled
    replica.mark_ = None
    assert _test(store, replica, writes=read_only).enabled
    assert "set_mark" not in replica.asked


def test_a_mark_that_nobody_can_read_is_somebody_else_s(store: Database) -> None:
    """The words then say that it is not known whose it is."""
    mailboxes.approve(store, Standing(), 1, "ines")
    with pytest.raises(SyncError, match=r"\(\?\) keeps a@x.example in step, since \?\."):
        _test(store, Scripted(mark_=OrganizationMark(installation="", crm_name="", since=None)))


def test_where_the_mark_may_not_be_set_the_test_says_so(store: Database) -> None:
    """A writable mailbox that cannot carry the mark is not switched on."""
    mailboxes.approve(store, Standing(), 1, "ines")
    refused = SyncError("OrganizationMarkNotWritable", mailbox="a@x.example", detail="no right")
    with pytest.raises(SyncError, match="OrganizationMarkNotWritable"):
        _test(store, Scripted({"set_mark": refused}))
    assert not store.mailbox(1).enabled


# --- failures ---


@pytest.mark.rule("B-02")
@pytest.mark.parametrize("code", ["Unauthorized", "ErrorImpersonateUserDenied", "CertificateUntrusted"])
def test_a_permanent_failure_switches_the_mailbox_off_at_once(code: str) -> None:
    """One permanent failure is enough: off, never due, one alert."""
    after = mailboxes.after_failure(READY, SyncError(code, mailbox="a@x.example", detail="d"), NOW)

    assert (after.disable, after.next_due, after.mailbox.last_error) == (True, None, code)
    assert after.alert is not None
    assert (after.alert.code, after.alert.link_id) == (code, None)


@pytest.mark.rule("B-03")
def test_a_transient_failure_is_tried_ten_times_five_minutes_apart() -> None:
    """Nine failures are waited out, the tenth switches the mailbox off; one alert counts them."""
    error = SyncError("ServerUnreachable", detail="x")
    mailbox, alerts = READY, list[Alert]()
    for tries in range(1, 10):
        after = mailboxes.after_failure(mailbox, error, NOW, alerts)
        assert (after.disable, after.next_due) == (False, NOW + timedelta(minutes=5))
        assert after.mailbox.transient_failures == tries
        assert after.alert is not None
        assert after.alert.count == tries
        mailbox, alerts = after.mailbox, [replace(after.alert, id=1)]
    last = mailboxes.after_failure(mailbox, error, NOW, alerts)

    assert (last.disable, last.next_due) == (True, None)


@pytest.mark.rule("B-06")
def test_a_success_forgets_the_failures() -> None:
    """After a whole cycle the count starts from nothing and notices about the mailbox are withdrawn."""
    after = mailboxes.after_failure(READY, SyncError("ServerUnreachable", detail="x"), NOW)
    well = mailboxes.after_success(after.mailbox, NOW, worked=False)
    assert after.alert is not None
    item = replace(after.alert, link_id=3)
    ended = mailboxes.withdrawn_notices([after.alert, item, question(1, None, held=(1,))], NOW)

    assert (well.transient_failures, well.last_error, well.last_error_text, well.last_sync) == (0, None, "", NOW)
    assert [(each.code, each.state) for each in ended] == [("ServerUnreachable", AlertState.WITHDRAWN)]


@pytest.mark.parametrize("code", [*OF_MAILS, *OF_WEBHOOKS])
def test_a_success_says_nothing_about_mails(code: str) -> None:
    """A mail server that refuses goes on refusing while the mailbox syncs: people go on reading of it."""
    notice = Alert(mailbox_id=1, id=1, code=code, created=NOW, last_seen=NOW)

    assert mailboxes.withdrawn_notices([notice], NOW) == []


@pytest.mark.rule("B-07")
@pytest.mark.parametrize(("wish", "wait"), [(90.0, 90), (None, 60)])
def test_throttling_waits_as_long_as_the_server_wishes_and_counts_nothing(wish: float | None, wait: int) -> None:
    """The server's delay is honoured; it is no failure and nobody is alerted."""
    before = replace(READY, transient_failures=9)
    after = mailboxes.after_failure(before, SyncError("ThrottledByExchange", detail="90 s", retry_after_s=wish), NOW)

    assert after == mailboxes.Failure(mailbox=before, next_due=NOW + timedelta(seconds=wait))


@pytest.mark.rule("B-04")
def test_what_mends_itself_is_no_failure() -> None:
    """An expired cursor needs no action and counts nothing; a short pause keeps it from spinning."""
    after = mailboxes.after_failure(READY, SyncError("CursorExpired", mailbox="a"), NOW)

    assert after == mailboxes.Failure(mailbox=READY, next_due=NOW + timedelta(seconds=60))


@pytest.mark.rule("B-01")
def test_a_transient_failure_with_a_wish_waits_for_it() -> None:
    """A server that says when to come back is asked again then, and the try counts."""
    after = mailboxes.after_failure(READY, SyncError("ServiceUnavailable", detail="x", retry_after_s=42), NOW)

    assert after.next_due == NOW + timedelta(seconds=42)
    assert after.mailbox.transient_failures == 1


@pytest.mark.rule("S-06")
@pytest.mark.parametrize(("idle", "minutes"), [(0, 5), (1, 6), (7, 12), (50, 12)])
def test_an_idle_mailbox_is_asked_less_often(idle: int, minutes: int) -> None:
    """Five minutes and one more for each empty cycle, at most twelve."""
    due = mailboxes.next_due_after(replace(READY, idle_cycles=idle), NOW, min_s=300, step_s=60, max_s=720)

    assert due == NOW + timedelta(minutes=minutes)


@pytest.mark.rule("S-06")
def test_work_resets_the_idle_count() -> None:
    """An empty cycle is counted, one that did something starts the count anew."""
    idle = mailboxes.after_success(mailboxes.after_success(READY, NOW, worked=False), NOW, worked=False)

    assert idle.idle_cycles == 2
    assert mailboxes.after_success(idle, NOW, worked=True).idle_cycles == 0
