"""How long the server works on each page of a large installation, and how much a browser loads.

10,000 mailboxes and people, 100,000 tracked items, 5,000 open questions, and what a month of that leaves behind. The
state is written straight into the databases; each question has its appointment in the way in the CRM. Times are the
processor's, for the whole request inside this process, without a network; the first request of a page is not counted.
"""

from __future__ import annotations

import dataclasses
import re
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness import Row, Size, run, timed
from msgspec.structs import replace
from sqlalchemy import Connection, Table, insert, text
from starlette.testclient import TestClient

from syncline.connectors.embedded_crm import schema as crm_schema
from syncline.core.appointment import Address, Appointment, Identity, Span
from syncline.core.scheduling import ConflictPolicy, persons
from syncline.desk import signing, users
from syncline.desk.reading import OPERATOR
from syncline.engine.questions import CONFLICT, unavailable
from syncline.ports import (
    Alert,
    Approval,
    Booking,
    Candidate,
    Link,
    LinkState,
    Mailbox,
    Profile,
    TestState,
)
from syncline.store import schema
from syncline.store.rows import LINK_ROW, alert_values, link_columns, mailbox_values
from syncline.web.app import create_app
from syncline.wiring import App, make_folder, open_app

BENCH = "pages"
PAGE_MS_MAX = 150.0
FIRST_KB_MAX, AFTER_KB_MAX = 300.0, 30.0
NOW = datetime.now(UTC).replace(microsecond=0)
TOMORROW = NOW.replace(hour=8, minute=0, second=0) + timedelta(days=2)
HOUR = timedelta(hours=1)
PASSWORD = "moss-otter-41"
HTML = {"accept": "text/html"}
TEXT = "Talk about it. " * 35
STUCK = {LinkState.FAILED: 2_000, LinkState.KEPT_OUT: 2_000, LinkState.SKIPPED: 3_000}
"""Beside the questions: how many of 100,000 items are in the states that people see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much there is."""

    mailboxes: int
    links: int
    questions: int

    def part(self, of_hundred_thousand: int) -> int:
        """Return the same part of these links."""
        return max(1, of_hundred_thousand * self.links // 100_000)

    @property
    def each(self) -> int:
        """Return how many questions stand in a mailbox that has some."""
        return 10


def measure(size: Size) -> Iterator[Row]:
    """Measure every page."""
    scale = Scale(mailboxes=size.of(10_000, 60), links=size.of(100_000, 600), questions=size.of(5_000, 40))
    rounds = size.of(7, 2)
    with large_installation(scale) as app, TestClient(create_app(app), base_url="http://127.0.0.1") as client:
        alert_id = app.store.alerts()[0].id
        pages = paths(alert_id)
        secret, _session = signing.open_session(app, "ines")
        client.cookies.set("syncline", secret)
        for path in pages:
            yield _page(client, path, rounds)
        yield from _weight(client, "/alerts")


def paths(alert_id: int) -> tuple[str, ...]:
    """Return the addresses that are measured."""
    return (
        "/alerts",
        "/alerts?view=list",
        "/alerts?q=4711",
        "/alerts/together?match=state%3Dopen",
        f"/alerts/{alert_id}",
        "/mailboxes",
        "/mailboxes?sort=questions&down=1",
        "/mailboxes?q=person-00042&page=1",
        "/mailboxes?page=150",
        "/mailboxes/1",
        "/mailboxes/1?tab=alerts",
        "/mailboxes/1?tab=failures",
        "/mailboxes/1?tab=statistics",
        "/failures",
        "/failures?state=all&sort=subject",
        "/failures?state=all&sort=mailbox&page=40",
        "/failures?state=all&q=4711",
        "/calendar",
        "/calendar?view=list",
        "/explain?q=4711",
        "/explain?q=Meeting+4711",
        "/email-configuration",
        "/settings",
    )


def _page(client: TestClient, path: str, rounds: int) -> Row:
    first = client.get(path, headers=HTML, follow_redirects=False)
    if first.status_code != 200:
        raise SystemExit(f"{path} answered {first.status_code}")
    times = []
    for _ in range(rounds):
        with timed() as took:
            client.get(path, headers=HTML)
        times.append(took)
    worked = statistics.median(each.cpu_s for each in times) * 1_000
    passed = statistics.median(each.wall_s for each in times) * 1_000
    note = f"wall clock {passed:,.0f} ms, {len(first.content) / 1024:,.0f} KB"
    return Row(bench=BENCH, what=f"page {path}", value=worked, unit="ms", target=PAGE_MS_MAX, note=note)


def _weight(client: TestClient, path: str) -> Iterator[Row]:
    """Yield what a browser loads for a page: everything at first, the page alone later."""
    page = client.get(path, headers=HTML)
    sources = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    loaded = {source: client.get(source, headers={"accept-encoding": "gzip"}) for source in sources}
    sent = sum(int(answer.headers.get("content-length", len(answer.content))) for answer in loaded.values())
    kept = all("immutable" in answer.headers["cache-control"] for answer in loaded.values())
    body = client.get(path, headers={**HTML, "accept-encoding": "gzip"})
    small = int(body.headers.get("content-length", len(body.content))) / 1024
    note = f"{len(loaded)} files, kept by the browser: {'yes' if kept else 'no'}"
    first = Row(bench=BENCH, what=f"{path}: first load", value=small + sent / 1024, unit="KB", target=FIRST_KB_MAX)
    yield dataclasses.replace(first, note=note)
    unpacked = f"{len(page.content) / 1024:,.0f} KB unpacked"
    yield Row(bench=BENCH, what=f"{path}: every load after", value=small, unit="KB", target=AFTER_KB_MAX, note=unpacked)


# --- the state ---------------------------------------------------------------------------------------------------


@contextmanager
def large_installation(scale: Scale) -> Iterator[App]:
    """Yield an installation of this size; nobody works on it."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        make_folder(data)
        app = open_app(data)
        try:
            _people(app, scale)
            _mailboxes(app, scale)
            _questions(app, scale)
            _items(app, scale)
            yield app
        finally:
            app.close()


def _name(number: int) -> str:
    return f"person-{number:05d}"


def _address(number: int) -> str:
    return f"{_name(number)}@example.org"


def _people(app: App, scale: Scale) -> None:
    ines = users.NewUser(
        name="ines",
        full_name="Ines Brandt",
        emails=("ines@example.org",),
        role="System Administrator",
        password=PASSWORD,
    )
    users.add(app, OPERATOR, ines)
    known = [
        {"id": n + 100, "name": _name(n), "full_name": f"Person {n}", "time_zone": "Europe/Copenhagen", "enabled": True}
        for n in range(1, scale.mailboxes + 1)
    ]
    emails = [{"address": _address(n), "user_id": n + 100, "position": 0} for n in range(1, scale.mailboxes + 1)]
    with app.crm._database.writing() as connection:  # ten thousand calls would take minutes
        connection.execute(insert(crm_schema.users), known)
        connection.execute(insert(crm_schema.user_emails), emails)
    accounts = [
        {"name": _name(n), "role": "User", "password_hash": "!", "created": NOW} for n in range(1, scale.mailboxes + 1)
    ]
    with app.store.writing() as connection:
        connection.execute(insert(schema.account), accounts)


def _mailboxes(app: App, scale: Scale) -> None:
    profile = app.store.add_profile(Profile(name="exchange", url="https://mail.example.org/", username="svc"))
    sample = Mailbox(
        address="",
        user="",
        profile_id=profile.id,
        approval=Approval.APPROVED,
        test=TestState.SUCCESS,
        enabled=True,
        first_sync_done=True,
        time_zone="Europe/Copenhagen",
        cursors={"calendar": "H4sIAAAA" * 40},
    )
    rows = []
    for number in range(1, scale.mailboxes + 1):
        each = replace(
            sample,
            address=_address(number),
            user=_name(number),
            enabled=number % 50 != 0,
            approval=Approval.PENDING if number % 40 == 0 else Approval.APPROVED,
            last_error="Unauthorized" if number % 50 == 0 else None,
            last_sync=NOW - timedelta(seconds=number),
            next_due=NOW + timedelta(days=1),
        )
        rows.append(mailbox_values(each))
    with app.store.writing() as connection:
        connection.execute(insert(schema.mailbox), rows)


def _appointment(name: str, start: datetime, mailbox: int) -> Appointment:
    return Appointment(
        identity=Identity(name),
        subject=f"Meeting {name}",
        description=TEXT,
        span=Span(start, start + HOUR),
        organizer=Address(_address(mailbox), f"Person {mailbox}"),
    )


def _questions(app: App, scale: Scale) -> None:
    """Write questions whose items are in the way of what the CRM holds, ten in each of the first mailboxes."""
    policy = ConflictPolicy()
    places = [(n // scale.each + 1, TOMORROW + (n % scale.each) * 24 * HOUR) for n in range(scale.questions)]
    standing = [_appointment(f"standing-{n}", start, box) for n, (box, start) in enumerate(places)]
    app.crm.book(
        [
            Booking(
                id=each.identity.global_object_id, candidate=Candidate(appointment=each, persons=persons(each, None))
            )
            for each in standing
        ],
        policy,
    )
    asked = [_appointment(f"asked-{n}", start + HOUR / 2, box) for n, (box, start) in enumerate(places)]
    candidates = [Candidate(appointment=each, persons=persons(each, None)) for each in asked]
    verdicts = app.crm.validate(candidates, policy)
    links, alerts = [], []
    for number, ((box, _start), found, verdict) in enumerate(zip(places, asked, verdicts, strict=True), start=1):
        created = NOW - timedelta(minutes=number)
        link = _link(found, box, LinkState.ASKED, sync_error=CONFLICT, error_time=created)
        params = {"subject": found.subject, "crm": app.settings.crm.name, "user": unavailable(verdict)}
        alert = Alert(
            mailbox_id=box,
            link_id=number,
            code=CONFLICT,
            subject=found.subject,
            span=found.span,
            params=params,
            created=created,
            last_seen=created,
            verdict=verdict,
            digest=f"d{number}",
        )
        links.append(_values(link))
        alerts.append(alert_values(alert))
    with app.store.writing() as connection:
        connection.execute(insert(schema.link), links)
        connection.execute(insert(schema.alert), alerts)


def _values(link: Link) -> dict[str, Any]:
    columns = zip(LINK_ROW, link_columns([link]), strict=True)
    return {name: column[0] for name, column in columns if name != "id"}


def _link(found: Appointment, mailbox: int, state: LinkState, **more: Any) -> Link:  # noqa: ANN401
    return Link(
        mailbox_id=mailbox,
        ref=f"AAMk-{found.identity.global_object_id}",
        folder="calendar",
        identity=found.identity,
        subject=found.subject,
        observed=found,
        digest="d",
        revision="1",
        revision_settled="1",
        state=state,
        first_seen=NOW - timedelta(days=20),
        **more,
    )


def _items(app: App, scale: Scale) -> None:
    """Copy one item of each state as often as wanted, over all mailboxes, and what a month leaves behind."""
    with app.store.writing() as connection:
        rest = scale.links - scale.questions
        for state, many in STUCK.items():
            error = {"sync_error": "ItemUnreadable", "error_time": NOW} if state is LinkState.FAILED else {}
            _copies(connection, state, scale.part(many), scale, error)
            rest -= scale.part(many)
        _copies(connection, LinkState.SETTLED, rest, scale, {"agreed": _appointment("agreed", TOMORROW, 1)})
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many) "
        now = int(NOW.timestamp()) * 1_000_000
        values = {"many": scale.links, "boxes": scale.mailboxes, "now": now}
        connection.execute(
            text(
                "INSERT INTO cycle (mailbox_id, started, finished, saved, updated, deleted, waiting, skipped, failed) "
                + numbers
                + "SELECT i % :boxes + 1, :now - i * 1000000, :now - i * 1000000 + 900000, i % 3, 0, 0, 0, 0, 0 FROM n"
            ),
            values,
        )
        connection.execute(
            text(
                "INSERT INTO journal (time, mailbox_id, link_id, action, rule, fields, detail) "
                + numbers
                + "SELECT :now, i % :boxes + 1, i, 'create', 'A-01', '[]', '' FROM n"
            ),
            values,
        )


def _copies(connection: Connection, state: LinkState, many: int, scale: Scale, more: Mapping[str, Any]) -> None:
    sample = _values(_link(_appointment(f"{state}-0", TOMORROW, 1), 1, state, **more))
    first = connection.execute(insert(schema.link).values(sample).returning(schema.link.c.id)).scalar_one()
    own = {
        "mailbox_id": "n.i * 7919 % :boxes + 1",
        "ref": "ref || n.i",
        "global_object_id": "global_object_id || n.i",
        "subject": "'Meeting ' || n.i || ' with a customer'",
        "error_time": "error_time - n.i * 1000000",
    }
    names = [column.name for column in _written(schema.link)]
    columns = ", ".join(own.get(name, name) for name in names)
    connection.execute(
        text(
            f"INSERT INTO link ({', '.join(names)}) "
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many) "
            f"SELECT {columns} FROM link, n WHERE link.id = :first"
        ),
        {"many": many - 1, "boxes": scale.mailboxes, "first": first},
    )


def _written(table: Table) -> list[Any]:
    return [column for column in table.columns if column.computed is None and column.name != "id"]


if __name__ == "__main__":
    sys.exit(run(measure))
