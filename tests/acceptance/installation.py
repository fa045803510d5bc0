"""A whole installation for tests: an Exchange server over HTTP, a data folder, the EWS connector, the embedded CRM.

Everything is real but the clock, which stands still until a test moves it, and the cost of hashing a password. What is
opened here is what `syncline serve` opens: `wiring.open_app`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from syncline import wiring
from syncline.config import ConflictSettings, Settings
from syncline.core.appointment import Identity
from syncline.desk import appointments, mailboxes, profiles, users
from syncline.desk.objects import AppointmentObject
from syncline.desk.reading import OPERATOR, AccessRole
from syncline.emulators.exchange import ExchangeEmulator
from syncline.engine.cycle import CycleResult
from syncline.ports import Link
from syncline.store import accounts
from syncline.wiring import App

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DOMAIN = "example.org"
SERVICE = ("svc-syncline", "service-secret")
PASSWORD = "moss-otter-41"
PROFILE = "exchange"
CHEAP = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))


class StandingClock:
    """The clock of the installation: of Syncline and, as far as items are stamped, of the Exchange server."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the instant it shows."""
        return self.at


@dataclass(frozen=True)
class Installation:
    """An open installation; people are named by the part of their address before the @."""

    app: App
    exchange: ExchangeEmulator
    clock: StandingClock

    def hire(self, *names: str, administrator: bool = False) -> None:
        """Make people users of the CRM."""
        for name in names:
            role = AccessRole.ADMINISTRATOR if administrator else AccessRole.USER
            wanted = users.NewUser(
                name=name, emails=(address(name),), full_name=name.title(), role=role.value, password=PASSWORD
            )
            users.add(self.app, OPERATOR, wanted)

    def add_profile(self, name: str = PROFILE, **fields: object) -> None:
        """Add a profile that signs in with the service account, or as the fields say."""
        given = {"url": self.exchange.ews_url, "username": SERVICE[0], "password": SERVICE[1], "auth": "basic"}
        profiles.add(self.app, OPERATOR, profiles.NewProfile(name=name, **{**given, **fields}))  # type: ignore[arg-type]

    def enable(self, *names: str, track: str = "all", profile: str = PROFILE) -> None:
        """Add the mailboxes of these people, approve, test and enable them."""
        for name in names:
            wanted = mailboxes.NewMailbox(address=address(name), profile=profile, user=name, track=track)
            mailboxes.add(self.app, OPERATOR, wanted)
            mailboxes.approve(self.app, OPERATOR, address(name))
            tested = mailboxes.test(self.app, OPERATOR, address(name))
            if tested.error is not None:
                raise tested.error

    def sync(self, *names: str) -> list[CycleResult]:
        """Run these mailboxes to the end of every cursor, or all that are enabled."""
        wanted = {address(name) for name in names}
        ids = [m.id for m in self.app.store.mailboxes() if m.enabled and (not wanted or m.address in wanted)]
        return self.app.worker.run_now(ids)

    def links(self) -> dict[Identity, Link]:
        """Return all links by identity; a second link of the same identity fails the test."""
        found: dict[Identity, Link] = {}
        for mailbox in self.app.store.mailboxes():
            for folder in mailbox.folders:
                refs = self.app.store.refs_in(mailbox.id, folder.ref)
                for link in self.app.store.links_by_ref(mailbox.id, refs).values():
                    assert link.identity not in found, f"two links of {link.identity}"
                    found[link.identity] = link
        return found

    def calendar(self, window: tuple[datetime, datetime] | None = None) -> list[AppointmentObject]:
        """Return the CRM's calendar."""
        return appointments.listing(self.app, OPERATOR, window=window)

    def move_clock(self, at: datetime) -> None:
        """Let Syncline's and the server's clock show `at`."""
        self.exchange.site.clock.advance((at - self.exchange.site.clock.now()).total_seconds())
        self.clock.at = at

    def advance(self, **delta: float) -> None:
        """Move both clocks on."""
        self.move_clock(self.clock.at + timedelta(**delta))


@contextmanager
def installed(
    data: Path,
    *,
    now: datetime = NOW,
    conflict: ConflictSettings | None = None,
    people: tuple[str, ...] = ("maya",),
    change: Callable[[Settings], Settings] = lambda settings: settings,
    **exchange: object,
) -> Iterator[Installation]:
    """Open an installation in the new folder `data`; `people` have mailboxes on the server, nothing else is set up."""
    clock = StandingClock(now)
    passwords = {address(name): f"pw-{name}" for name in people}
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(wiring, "SystemClock", lambda *_offset: clock)
        patch.setattr(accounts, "_hashing", lambda: CHEAP)
        options = {"mailboxes": passwords, "service": SERVICE, "frozen_clock": now, **exchange}
        server = stack.enter_context(ExchangeEmulator(**options))  # type: ignore[arg-type]
        wiring.make_folder(data)
        settings = change(Settings(data=data, conflict=conflict or ConflictSettings()))
        app = wiring.open_app(data, settings)
        stack.callback(app.close)
        yield Installation(app, server, clock)


def address(name: str) -> str:
    """Return a person's address."""
    return name if "@" in name else f"{name}@{DOMAIN}"


def checking_past() -> ConflictSettings:
    """Return the settings in which past occurrences are compared too."""
    return replace(ConflictSettings(), check_past=True)
