"""What the tests of the store share: a database, a profile, a mailbox, and links in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncline.ports import Mailbox, Profile
from syncline.store import Database
from tests.store.things import KEY, NOW


@pytest.fixture
def store() -> Iterator[Database]:
    database = Database(":memory:", key=KEY)
    yield database
    database.close()


@pytest.fixture
def mailbox(store: Database) -> Mailbox:
    profile = store.add_profile(Profile(name="office", url="https://mail.example/EWS", username="svc"))
    return store.add_mailbox(
        Mailbox(address="Maya@firm.example", user="maya", profile_id=profile.id, enabled=True, next_due=NOW)
    )
