"""Users and contacts of the embedded CRM, and who an address is.

An address resolves to an enabled user first, then to one enabled contact; several contacts of one address, or none,
leave it unresolved (AT-01, AT-02, AT-03). It must not know appointments beyond the addresses it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from syncline.connectors.embedded_crm.schema import contact_emails, contacts, user_emails, users
from syncline.errors import SyncError
from syncline.ports import User

KEYS_PER_QUERY_MAX = 5_000
Key = TypeVar("Key", int, str)


class Known(Struct, frozen=True):
    """An enabled user as the check needs him; `number` is his key in the tables."""

    number: int
    name: str
    full_name: str
    time_zone: str


class Resolved(Struct, frozen=True):
    """Whom an address stands for: a user, a contact, or nobody that the CRM knows."""

    user: Known | None = None
    contact_id: int | None = None


UNRESOLVED = Resolved()

_users_by_address = (
    select(user_emails.c.address, users.c.id, users.c.name, users.c.full_name, users.c.time_zone)
    .join(users, users.c.id == user_emails.c.user_id)
    .where(users.c.enabled, user_emails.c.address.in_(bindparam("wanted", expanding=True)))
)
_contacts_by_address = (
    select(contact_emails.c.address, func.min(contact_emails.c.contact_id).label("contact_id"))
    .join(contacts, contacts.c.id == contact_emails.c.contact_id)
    .where(contacts.c.enabled, contact_emails.c.address.in_(bindparam("wanted", expanding=True)))
    .group_by(contact_emails.c.address)
    .having(func.count() == 1)
)


_addresses = select(user_emails.c.user_id, user_emails.c.address).order_by(
    user_emails.c.user_id, user_emails.c.position
)
_by_name = select(users).order_by(users.c.name)
_numbers_by_name = select(users.c.id).where(users.c.name.in_(bindparam("wanted", expanding=True)))
_numbers_by_address = select(user_emails.c.user_id).where(
    user_emails.c.address.in_(bindparam("wanted", expanding=True))
)


def known_users(connection: Connection, addresses: Iterable[str]) -> dict[str, Known]:
    """Return the enabled user of each address (lower case) that has one."""
    return {
        row[0]: Known(row[1], row[2], row[3], row[4])
        for named in _portions(addresses)
        for row in connection.execute(_users_by_address, named)
    }


def resolve(connection: Connection, addresses: Iterable[str]) -> Mapping[str, Resolved]:
    """Return whom each address (lower case) stands for; the unresolved are left out."""
    wanted = set(addresses)
    found = {address: Resolved(user) for address, user in known_users(connection, wanted).items()}
    for named in _portions(wanted - found.keys()):
        found |= {a: Resolved(None, contact) for a, contact in connection.execute(_contacts_by_address, named)}
    return found


def all_users(connection: Connection) -> tuple[User, ...]:
    """Return all users by name, the disabled ones too."""
    return _users(connection.execute(_addresses).all(), connection.execute(_by_name).all())


def user_count(connection: Connection) -> int:
    """Return how many users there are, the disabled ones too."""
    return int(connection.scalar(select(func.count()).select_from(users)) or 0)


def some_users(connection: Connection, names: Iterable[str], emails: Iterable[str]) -> tuple[User, ...]:
    """Return the users with one of these names or addresses (lower case) by name, the disabled ones too."""
    wanted = {number for named in _portions(names) for number in connection.scalars(_numbers_by_name, named)}
    for named in _portions(emails):
        wanted |= set(connection.scalars(_numbers_by_address, named))
    found: list[User] = []
    for part in _portions(wanted):
        addresses = connection.execute(_addresses.where(user_emails.c.user_id.in_(part["wanted"]))).all()
        people = connection.execute(_by_name.where(users.c.id.in_(part["wanted"]))).all()
        found += _users(addresses, people)
    return tuple(sorted(found, key=lambda user: user.name))


def named(connection: Connection, words: str, limit: int) -> tuple[str, ...]:
    """Return the names of users whose full name or mail address holds these words."""
    with_address = select(user_emails.c.user_id).where(user_emails.c.address.icontains(words, autoescape=True))
    where = or_(users.c.full_name.icontains(words, autoescape=True), users.c.id.in_(with_address))
    return tuple(connection.scalars(select(users.c.name).where(where).order_by(users.c.name).limit(limit)))


def _users(addresses: Iterable[Any], people: Iterable[Any]) -> tuple[User, ...]:
    emails: dict[int, list[str]] = {}
    for row in addresses:
        emails.setdefault(row.user_id, []).append(row.address)
    return tuple(
        User(
            id=str(row.id),
            name=row.name,
            full_name=row.full_name,
            emails=tuple(emails.get(row.id, ())),
            time_zone=row.time_zone,
            enabled=row.enabled,
        )
        for row in people
    )


def insert_user(connection: Connection, name: str, full_name: str, emails: Sequence[str], time_zone: str) -> int:
    """Add an enabled user; SyncError("AlreadyExists") if the name or an address is taken."""
    try:
        with connection.begin_nested():
            columns = {"name": name, "full_name": full_name, "time_zone": time_zone, "enabled": True}
            number: int = connection.execute(insert(users).returning(users.c.id), columns).scalar_one()
            _insert_emails(connection, number, emails)
    except IntegrityError as error:
        raise SyncError("AlreadyExists", detail=f"A user {name} or one of the addresses {', '.join(emails)}") from error
    return number


def update_user(connection: Connection, name: str, columns: Mapping[str, object], emails: Sequence[str] | None) -> int:
    """Change a user and return his number; SyncError("NotFoundHere") if there is none of that name."""
    number = connection.scalar(select(users.c.id).where(users.c.name == name))
    if number is None:
        raise SyncError("NotFoundHere", detail=f"user {name}")
    if columns:
        connection.execute(update(users).where(users.c.id == number), dict(columns))
    if emails is not None:
        try:
            with connection.begin_nested():
                connection.execute(delete(user_emails).where(user_emails.c.user_id == number))
                _insert_emails(connection, number, emails)
        except IntegrityError as error:
            raise SyncError("AlreadyExists", detail=f"One of the addresses {', '.join(emails)}") from error
    return int(number)


def insert_contact(connection: Connection, full_name: str, emails: Sequence[str], *, enabled: bool) -> int:
    """Add a contact; several contacts may share an address and leave it unresolved."""
    columns = {"full_name": full_name, "enabled": enabled}
    number: int = connection.execute(insert(contacts).returning(contacts.c.id), columns).scalar_one()
    rows = [{"address": address, "contact_id": number} for address in lower(emails)]
    if rows:
        connection.execute(insert(contact_emails), rows)
    return number


def lower(emails: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses in lower case, each once, in their order."""
    return tuple(dict.fromkeys(address.strip().lower() for address in emails if address.strip()))


def _portions(keys: Iterable[Key]) -> Iterator[dict[str, list[Key]]]:
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), KEYS_PER_QUERY_MAX):
        yield {"wanted": wanted[start : start + KEYS_PER_QUERY_MAX]}


def _insert_emails(connection: Connection, user_id: int, emails: Sequence[str]) -> None:
    rows = [{"address": a, "user_id": user_id, "position": n} for n, a in enumerate(lower(emails))]
    if rows:
        connection.execute(insert(user_emails), rows)
