"""Rows into values and values into rows, for the values of ports.py.

It knows both forms; it must not run a statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple
from sqlalchemy import Column, Table

from syncline.core.appointment import Identity
from syncline.errors import CATALOGUE, ErrorClass
from syncline.ports import Alert, AlertOutcome, AlertState, Entry, Intent, Link, LinkState, Mailbox, Profile, Trashed
from syncline.store import schema

PROFILE_FIELDS = Profile.__struct_fields__
MAILBOX_FIELDS = Mailbox.__struct_fields__
ALERT_FIELDS = Alert.__struct_fields__
TRASH_FIELDS = Trashed.__struct_fields__
_LINK_FIELDS = tuple(name for name in Link.__struct_fields__ if name != "identity")
LINK_ROW = (*_LINK_FIELDS, "global_object_id", "original_start", "answered")
_HEAVY = frozenset({"observed", "agreed", "withheld"})

# Columns of a mailbox that people write, and `release`, `wake` and `claim` own: a cycle never overwrites them.
PEOPLE_FIELDS = frozenset(
    {
        "id", "address", "user", "profile_id", "approval", "approved_by", "approved_on", "enabled", "track",
        "on_scheduling_conflict", "time_zone", "test", "tested_on", "next_due",
    }
)  # fmt: skip


def columns(table: Table, names: tuple[str, ...]) -> list[Column[Any]]:
    """Return the columns with these names."""
    return [table.c[name] for name in names]


PROFILE = columns(schema.profile, PROFILE_FIELDS)
MAILBOX = columns(schema.mailbox, MAILBOX_FIELDS)
ALERT = columns(schema.alert, ALERT_FIELDS)
LINK = [*columns(schema.link, _LINK_FIELDS), schema.link.c.global_object_id, schema.link.c.original_start]
LIGHT_LINK = [column for column in LINK if column.name not in _HEAVY]
_LIGHT_FIELDS = tuple(name for name in _LINK_FIELDS if name not in _HEAVY)
INTENT = columns(schema.intent, Intent.__struct_fields__)
TRASH = columns(schema.trash, TRASH_FIELDS)
ENTRY = columns(schema.journal, Entry.__struct_fields__)


def to_link(row: Mapping[str, Any]) -> Link:
    """Return the link of a row of `LINK`, or of `LIGHT_LINK` (its contents are None then)."""
    return links_of([(value,) for value in row.values()])[0]


def links_of(columns: Sequence[Sequence[Any]]) -> list[Link]:
    """Return the links of such rows, given column by column in their order."""
    *values, names, starts = columns
    fields = _LINK_FIELDS if len(values) == len(_LINK_FIELDS) else _LIGHT_FIELDS
    found: dict[str, Iterable[Any]] = dict(zip(fields, values, strict=True))
    found["identity"] = map(Identity, names, starts)
    return list(map(Link, *(found.get(name, repeat(None)) for name in Link.__struct_fields__)))


def link_columns(links: Sequence[Link]) -> list[Sequence[Any]]:
    """Return the columns of links in the order of `LINK_ROW`, with `answered` as each link itself implies it."""
    found = dict(zip(Link.__struct_fields__, by_column(links), strict=True))
    identities = found.pop("identity")
    names, starts = [each.global_object_id for each in identities], [each.original_start for each in identities]
    return [*found.values(), names, starts, [int(waits_for_engine(each)) for each in links]]


def by_column(values: Sequence[Struct]) -> list[tuple[Any, ...]]:
    """Return the values of one or more structs of one kind by field: no step in Python for any of them."""
    return list(zip(*map(astuple, values), strict=True))


def waits_for_engine(link: Link) -> bool:
    """Return whether the link carries an answer that is not carried out: any on a question, Yes on what is kept out."""
    if link.state is LinkState.ASKED:
        return link.decision is not None
    return link.state in (LinkState.KEPT_OUT, LinkState.PARKED) and link.decision == "yes"


def to_alert(row: Mapping[str, Any]) -> Alert:
    """Return the alert of a row of `ALERT`."""
    return Alert(**row)


def alert_values(alert: Alert) -> dict[str, Any]:
    """Return the columns of an alert but its id."""
    values = {name: getattr(alert, name) for name in ALERT_FIELDS if name != "id"}
    values["question"] = int(is_question(alert.code))
    values["pending"] = int(alert.state is AlertState.ANSWERED and alert.outcome in _UNDER_WAY)
    values["matters"] = _matters(alert)
    values["dates"] = alert.verdict.occurrences if alert.verdict is not None else 0
    values["clashing"] = len(alert.verdict.clashing) if alert.verdict is not None else 0
    return values


def _matters(alert: Alert) -> datetime:
    """Return from when on a question matters: its first date that clashes, else its start; a notice from its begin."""
    if alert.verdict is not None and alert.verdict.occurrences > 1 and alert.verdict.clashing:
        return alert.verdict.clashing[0]
    return alert.span.start if alert.span is not None else alert.created


def decision_values(alert: Alert) -> dict[str, Any]:
    """Return the columns of the decision that an answered alert carries."""
    return {
        "time": alert.decided_on,
        "mailbox_id": alert.mailbox_id,
        "alert_id": alert.id,
        "link_id": alert.link_id,
        "code": alert.code,
        "answer": alert.answer,
        "decided_by": alert.decided_by,
        "version": alert.version,
        "digest": alert.digest,
        "left_out": alert.left_out,
    }


_UNDER_WAY = (None, AlertOutcome.SAVING, AlertOutcome.NOT_SAVED_YET)


def is_question(code: str) -> bool:
    """Return whether alerts of this code ask for Yes or No."""
    row = CATALOGUE.get(code)
    return row is not None and row.error_class is ErrorClass.NEEDS_ANSWER


def mailbox_values(mailbox: Mailbox) -> dict[str, Any]:
    """Return all columns of a mailbox but its id."""
    return {name: getattr(mailbox, name) for name in MAILBOX_FIELDS if name != "id"}


def trash_values(trashed: Trashed) -> dict[str, Any]:
    """Return the columns of a trashed content but its id."""
    values = {name: getattr(trashed, name) for name in TRASH_FIELDS if name != "id"}
    content = trashed.appointment
    return values | {
        "subject": content.subject,
        "global_object_id": content.identity.global_object_id,
        "private": trashed.private or content.private,
    }
