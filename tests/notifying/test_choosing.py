"""When a mail leaves and about which questions: gathering, pauses, quiet hours, and what somebody chose."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from syncline.notifying.choosing import Patience, Reader, next_mail
from syncline.ports import AlertState
from syncline.store import Mails, Preferences
from syncline.store.messages import Told

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PATIENCE = Patience(gather_s=60, pause_min_s=120)
BERLIN = "Europe/Berlin"


def waiting(count: int, since: datetime = NOW) -> list[Told]:
    """Return questions that opened one second after the other."""
    return [
        Told(
            alert_id=number,
            mailbox_id=1,
            recipient="maya",
            since=since + timedelta(seconds=number - 1),
            state=AlertState.OPEN,
        )
        for number in range(1, count + 1)
    ]


def reader(mails: Mails = Mails.EACH, **members: object) -> Reader:
    """Return somebody who never had a mail."""
    given = {"preferences": Preferences(mails=mails), "zone": "UTC"} | members
    return Reader(**given)  # type: ignore[arg-type]


def numbers(questions: tuple[Told, ...]) -> list[int]:
    """Return the questions' numbers."""
    return [each.alert_id for each in questions]


@pytest.mark.parametrize(
    ("mails", "count", "expected"),
    [
        (Mails.EACH, 1, [1]),
        (Mails.EACH, 3, [1]),
        (Mails.EACH, 4, [1, 2, 3, 4]),
        (Mails.DIGEST, 1, [1]),
        (Mails.DIGEST, 3, [1, 2, 3]),
    ],
)
def test_one_by_one_or_together(mails: Mails, count: int, expected: list[int]) -> None:
    """Up to three come one by one to who wants each by itself, more come together; a digest is always together."""
    assert numbers(next_mail(waiting(count), reader(mails), NOW + timedelta(minutes=5), PATIENCE)) == expected


@pytest.mark.parametrize(("after_s", "leaves"), [(59.9, False), (60, True)])
def test_new_questions_are_gathered_first(after_s: float, leaves: bool) -> None:
    """The first mail waits until the oldest question has waited long enough, for those that follow it."""
    assert bool(next_mail(waiting(2), reader(), NOW + timedelta(seconds=after_s), PATIENCE)) is leaves


@pytest.mark.parametrize(("last_s", "leaves"), [(-119, False), (-120, True)])
def test_mails_have_a_pause_between_them(last_s: float, leaves: bool) -> None:
    """Nobody gets two mails within the pause."""
    now = NOW + timedelta(minutes=5)
    rested = reader(last=now + timedelta(seconds=last_s))
    assert bool(next_mail(waiting(9), rested, now, PATIENCE)) is leaves


def test_one_mail_is_under_way_at_a_time() -> None:
    """While a mail waits to be sent the next one is not begun: by then it may hold more."""
    assert next_mail(waiting(9), reader(under_way=True), NOW + timedelta(days=1), PATIENCE) == ()


@pytest.mark.parametrize(
    ("wall", "quiet"), [((21, 59), False), ((22, 0), True), ((3, 0), True), ((6, 59), True), ((7, 0), False)]
)
def test_no_mail_in_quiet_hours(wall: tuple[int, int], quiet: bool) -> None:
    """Quiet hours pass midnight, and end when they say."""
    chosen = Preferences(mails=Mails.EACH, quiet_from=time(22), quiet_to=time(7))
    now = NOW.replace(hour=wall[0], minute=wall[1]) + timedelta(days=1)
    assert bool(next_mail(waiting(1), reader(preferences=chosen), now, PATIENCE)) is not quiet


@pytest.mark.parametrize(
    ("evening", "end"),
    [
        # The clocks go forward: the night is an hour shorter.
        (datetime(2026, 3, 28, 21, 0, tzinfo=UTC), datetime(2026, 3, 29, 5, 0, tzinfo=UTC)),
        # The clocks go back: the night is an hour longer.
        (datetime(2026, 10, 24, 20, 0, tzinfo=UTC), datetime(2026, 10, 25, 6, 0, tzinfo=UTC)),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(evening: datetime, end: datetime) -> None:
    """From 22:00 to 07:00 in Berlin stays so in the nights in which the clocks change."""
    chosen = Preferences(mails=Mails.EACH, quiet_from=time(22), quiet_to=time(7))
    sleeper = reader(preferences=chosen, zone=BERLIN)
    asked = waiting(1, evening - timedelta(hours=1))
    minute = timedelta(minutes=1)

    assert next_mail(asked, sleeper, evening - minute, PATIENCE)
    at = evening
    while at < end:
        assert not next_mail(asked, sleeper, at, PATIENCE), at
        at += timedelta(minutes=15)
    assert next_mail(asked, sleeper, end, PATIENCE)


def test_nothing_waits() -> None:
    """Without a question there is no mail."""
    assert next_mail([], reader(), NOW, PATIENCE) == ()
