"""The one place that builds the parts: a data folder and its settings in, a ready `App` out.

It knows every concrete class and no rule. Nothing else opens a database or chooses a connector.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import structs

from syncline.config import Settings, load
from syncline.connectors.embedded_crm import EmbeddedCrm
from syncline.connectors.exchange_web_services import open_replica
from syncline.connectors.smtp import Relay, SmtpNotifier
from syncline.connectors.webhook import Target, WebhookNotifier
from syncline.core.merging import PrivatePolicy, Winner
from syncline.core.planning import Policy
from syncline.engine.cycle import CycleResult
from syncline.engine.jobs import MemoryQueue
from syncline.engine.run import Connect, Parts, Rules
from syncline.engine.worker import Finished, Housekeeping, Worker
from syncline.errors import SyncError
from syncline.partners import invitations, pushing_policy, winners
from syncline.ports import Clock, Mailbox, Notifier, OnSchedulingConflict, Replica, User
from syncline.store import CycleRecord, Database

KEY_FILE = "secret.key"
STATE_FILE = "state.db"
CRM_FILE = "crm.db"
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock, shifted by SYNCLINE_CLOCK_OFFSET_S for tests."""

    offset: timedelta = timedelta(0)

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC) + self.offset


@dataclass(frozen=True)
class App:
    """Everything that commands and pages work with.

    `known` are users by sign-in name as the CRM told of them last: names and zones for while it cannot be asked.
    """

    data: Path
    settings: Settings
    clock: Clock
    store: Database
    crm: EmbeddedCrm
    connect: Callable[[Mailbox], Replica]
    worker: Worker
    parts: Parts
    mail: Notifier | None = None
    webhook: Notifier | None = None
    known: dict[str, User] = field(default_factory=dict)

    def close(self) -> None:
        """Give back the databases."""
        self.store.close()
        self.crm.close()


def open_app(data: Path, settings: Settings | None = None) -> App:
    """Open an existing data folder; SyncError("DataFolderInvalid") if `syncline init` has not been there."""
    if not (data / KEY_FILE).is_file():
        raise SyncError("DataFolderInvalid", detail=f"{data} is not a data folder of Syncline.")
    settings = settings or load(data)
    clock = SystemClock(timedelta(seconds=settings.clock_offset_s))
    for name in (STATE_FILE, CRM_FILE):
        _own(data / name)
    store = Database(data / STATE_FILE, key=(data / KEY_FILE).read_bytes())
    store.migrate()
    installation = store.installation()
    crm = EmbeddedCrm(data / CRM_FILE, clock=clock, name=settings.crm.name)
    connect = connector(store)
    parts = Parts(
        store=store, crm=crm, clock=clock, rules=rules(settings), new_id=_random_id, installation=installation
    )
    worker = Worker(
        parts,
        connect,
        MemoryQueue(),
        owner=_owner(),
        finished=recorder(store),
        housekeeping=housekeeping(store, settings),
    )
    return App(
        data=data,
        settings=settings,
        clock=clock,
        store=store,
        crm=crm,
        connect=connect,
        worker=worker,
        parts=parts,
        mail=mail_of(settings),
        webhook=webhook_of(settings),
    )


def _own(database: Path) -> None:
    """Create a database file that only its owner reads; SQLite gives its side files the same rights."""
    try:
        os.close(os.open(database, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise SyncError("DataFolderInvalid", detail=f"{database} cannot be opened: {error.strerror}.") from error


def forget_crm_cursors(database: Path) -> None:
    """Make the cursors that a CRM database gave out unknown; SyncError if the file is not one of this version."""
    crm = EmbeddedCrm(database, clock=SystemClock())
    try:
        crm.forget_cursors()
    finally:
        crm.close()


def make_folder(data: Path) -> bool:
    """Create the data folder with a new key (0600) unless it has one; return whether it was made now."""
    key = data / KEY_FILE
    if key.exists():
        return False
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
    except OSError as error:
        raise SyncError("DataFolderInvalid", detail=f"{data} cannot be created: {error.strerror}.") from error
    return True


def connector(store: Database) -> Connect:
    """Return the function that opens a mailbox's calendar by its profile."""

    def connect(mailbox: Mailbox) -> Replica:
        profile = store.profile(mailbox.profile_id)
        return open_replica(profile, store.password(mailbox.id), mailbox.address, time_zone=mailbox.time_zone)

    return connect


def mail_of(settings: Settings) -> Notifier | None:
    """Return the way out by mail, None if no server is set."""
    mail = settings.mail
    if not mail.host:
        return None
    relay = Relay(
        host=mail.host,
        port=mail.port,
        security=mail.security.value,
        sender=mail.sender,
        username=mail.username,
        password=mail.password or _first_line(mail.password_file, "mail.password_file"),
        ca_file=mail.ca_file,
        timeout_s=mail.timeout_s,
    )
    return SmtpNotifier(relay)


def webhook_of(settings: Settings) -> Notifier | None:
    """Return the way out to a program, None if no address is set; SyncError("SettingInvalid") without a secret."""
    webhook = settings.webhook
    if not webhook.url:
        return None
    secret = webhook.secret or _first_line(webhook.secret_file, "webhook.secret_file")
    if not secret:
        raise SyncError("SettingInvalid", detail="webhook.secret is missing: nobody could tell who sends.")
    target = Target(
        url=webhook.url,
        secret=secret,
        allow_private=webhook.allow_private,
        ca_file=webhook.ca_file,
        timeout_s=webhook.timeout_s,
    )
    return WebhookNotifier(target)


def _first_line(file: str, setting: str) -> str:
    if not file:
        return ""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SyncError("SettingInvalid", detail=f"The file of {setting} cannot be read.") from error
    return lines[0] if lines else ""


def recorder(store: Database) -> Finished:
    """Return the function that keeps the figures of each cycle."""

    def record(result: CycleResult, started: datetime, finished: datetime) -> None:
        figures = dataclasses.asdict(result.counts)
        store.record_cycle(CycleRecord(mailbox_id=result.mailbox_id, started=started, finished=finished, **figures))

    return record


def housekeeping(store: Database, settings: Settings) -> Housekeeping:
    """Return the function that forgets once a day what is over."""

    def keep_house(now: datetime) -> None:
        store.purge(now)
        store.purge_trash(settings.trash.since(now))

    return keep_house


def rules(settings: Settings) -> Rules:
    """Return the settings as the engine's rules."""
    sync = settings.sync
    return Rules(
        crm_name=settings.crm.name,
        conflict=settings.conflict.policy(),
        on_scheduling_conflict=OnSchedulingConflict(sync.on_scheduling_conflict),
        policy=Policy(
            private=PrivatePolicy(settings.private.policy),
            track_from_non_organizer=settings.organization.track_appointments_from_non_organizer,
            ignore_copies=settings.organization.ignore_copied_items,
            ask_before_overruling=settings.merging.ask_before_overruling,
        ),
        limits=structs.replace(settings.guards.limits(), creations_max=settings.exchange.creations_max),
        outgoing=settings.exchange.write,
        pushing=pushing_policy(settings.exchange, settings.merging, PrivatePolicy(settings.private.policy)),
        invitations=invitations(settings.exchange),
        winner=Winner(settings.merging.both_changed),
        winners=winners(settings.merging),
        flips_max=settings.merging.flips_max,
        chunk_max=sync.chunk_max,
        page_size_max=sync.page_size_max,
        attempts_max=settings.item.max_retries,
        interval_min_s=sync.interval_min_s,
        interval_step_s=sync.interval_step_s,
        interval_max_s=sync.interval_max_s,
        floor_s=sync.floor_s,
        keep_crm_organizer=settings.organization.use_crm_organizer_for_empty_exchange_organizer,
        outlook=settings.outlook.names(),
        attachments=settings.attachments.limits(),
    )


def _random_id() -> str:
    return secrets.token_hex(16)


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
