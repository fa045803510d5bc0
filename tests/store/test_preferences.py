"""What people choose for themselves: defaults, keeping, quiet hours."""

from __future__ import annotations

from datetime import time

import pytest

from syncline.errors import SyncError
from syncline.store import AccountRole, Database, Mails, Preferences
from tests.store.things import NOW


def test_who_chose_nothing_has_the_defaults(store: Database) -> None:
    """Everybody gets a digest and no quiet hours until he says otherwise; nobody has to be known for that."""
    assert store.preferences("maya") == Preferences(language="", mails=Mails.DIGEST)


def test_a_choice_is_kept_and_replaced(store: Database) -> None:
    """The last choice counts, for its person alone."""
    for name in ("maya", "jonas"):
        store.add_account(name, AccountRole.USER, "moss-otter-41", NOW)
    store.set_preferences("maya", Preferences(language="en", mails=Mails.EACH))
    last = Preferences(language="de", mails=Mails.OFF, quiet_from=time(22), quiet_to=time(6, 30))
    store.set_preferences("maya", last)

    assert store.preferences("maya") == last
    assert store.all_preferences() == {"maya": last}
    with pytest.raises(SyncError, match="account nobody"):
        store.set_preferences("nobody", last)


@pytest.mark.parametrize(
    ("begin", "end", "at", "quiet"),
    [
        (None, None, time(3), False),
        (time(22), time(6), time(21, 59), False),
        (time(22), time(6), time(22), True),
        (time(22), time(6), time(3), True),
        (time(22), time(6), time(6), False),
        (time(12), time(13), time(12, 30), True),
        (time(12), time(13), time(13), False),
    ],
)
def test_quiet_hours_may_pass_midnight(begin: time | None, end: time | None, at: time, quiet: bool) -> None:
    """Quiet from 22 to 6 is quiet at 3, and no longer at 6."""
    assert Preferences(quiet_from=begin, quiet_to=end).quiet(at) is quiet
