"""The one transaction in which a cycle writes (ports.Changes), behind the fence.

What people wrote meanwhile survives: answers on links and alerts, and the columns of a mailbox that are theirs. It
must not decide anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import (
    Column,
    Connection,
    Update,
    bindparam,
    case,
    delete,
    exists,
    insert,
    or_,
    select,
    text,
    update,
)

from syncline.ports import Alert, AlertOutcome, AlertState, Changes, Entry, Intent, Lease, Link, LinkState, Mailbox
from syncline.store.attachments import forget_agreed, write_attached
from syncline.store.columns import listed
from syncline.store.leases import Leases
from syncline.store.links import STANDING, chunks
from syncline.store.marks import keep_places, write_marks
from syncline.store.prepared import Prepared
from syncline.store.rows import (
    LINK_ROW,
    MAILBOX_FIELDS,
    PEOPLE_FIELDS,
    alert_values,
    by_column,
    decision_values,
    is_question,
    link_columns,
    mailbox_values,
    trash_values,
)
from syncline.store.schema import alert, decision, intent, journal, link, mailbox, trash
from syncline.store.standing import fix_answers, standing_answers, still_decided

_PREFIX = "new_"

# Columns that an answer writes: kept as they are when one was given after the value was read.
_LINK_ANSWER = ("decision", "decision_by", "decided_digest", "decided_left_out", "answered")
_ALERT_ANSWER = ("state", "outcome", "reason", "answer", "decided_by", "decided_on", "left_out", "pending")
# What the person saw who answered: the answer holds for that and for nothing that was found out since.
_ALERT_SEEN = ("subject", "span", "params", "version", "verdict", "held", "digest")


class Writing(Leases):
    """Writes what a cycle found and did."""

    def write(self, lease: Lease, changes: Changes) -> tuple[int, ...]:
        """Apply one transaction and return the ids of the inserted links, in order; all or nothing."""
        with self.fenced(lease) as connection:
            if changes.decided:
                changes = still_decided(connection, changes)
            orphans = _remove_links(connection, changes.removed_links)
            _note_overtaken(connection, changes)
            ids = _write_links(connection, changes.links)
            new = tuple(number for number, each in zip(ids, changes.links, strict=True) if each.id == 0)
            _write_alerts(connection, _with_links(changes, ids))
            _withdraw_orphans(connection, orphans)
            _write_intents(connection, changes.dropped_intents, changes.intents)
            told = {at: ids[of] for at, of in changes.entry_links.items()}
            lines = list(changes.entries)
            for at, number in told.items():
                lines[at] = replace(lines[at], link_id=number)
            _write_entries(connection, lines)
            named = {at: ids[of] for at, of in changes.mark_links.items()}
            marks = [replace(each, link_id=named.get(at, each.link_id)) for at, each in enumerate(changes.marks)]
            write_marks(connection, marks, changes.removed_marks)
            if changes.files_anew:
                of = None if isinstance(changes.files_anew, bool) else changes.files_anew
                forget_agreed(connection, lease.mailbox_id, of)
            write_attached(connection, changes.attached)
            if changes.trash:
                connection.execute(insert(trash), [trash_values(each) for each in changes.trash])
            if changes.mailbox is not None:
                _write_mailbox(connection, changes.mailbox)
            if changes.disable:
                connection.execute(update(mailbox).where(mailbox.c.id == lease.mailbox_id).values(enabled=False))
            return new

    def begin(
        self, lease: Lease, intents: Sequence[Intent], rests_on: Mapping[str, Sequence[tuple[int, int]]]
    ) -> frozenset[str]:
        """Store the intents of a chunk and fix the answers that they carry out: from now on none is taken back.

        `rests_on` names those answers by intent, as the link that carries the answer and its number. Returns the
        intents stored; the others rest on an answer that does not stand any more.
        """
        with self.fenced(lease) as connection:
            standing = standing_answers(connection, link, {pair for pairs in rests_on.values() for pair in pairs})
            stored = [each for each in intents if standing.issuperset(rests_on.get(each.id, ()))]
            fix_answers(connection, alert.c.link_id, {at for each in stored for at, _ in rests_on.get(each.id, ())})
            _write_intents(connection, (), stored)
        return frozenset(each.id for each in stored)

    def take_up(self, lease: Lease, answers: Mapping[int, int]) -> None:
        """Fix these answers by alert and number: from now on none is taken back."""
        with self.fenced(lease) as connection:
            standing = standing_answers(connection, alert, set(answers.items()))
            fix_answers(connection, alert.c.id, {at for at, _ in standing})


def _remove_links(connection: Connection, ids: Sequence[int]) -> list[int]:
    """Delete links and return the alerts that lose theirs."""
    orphans: list[int] = []
    keep_places(connection, ids)
    for part in chunks(ids):
        orphans.extend(connection.scalars(_ALERTS_OF_LINKS, {"ids": part}))
        connection.execute(_DELETE_LINKS, {"ids": part})
    return orphans


def _withdraw_orphans(connection: Connection, ids: Sequence[int]) -> None:
    """Withdraw the questions that were answered while their item was dropped, or whose answer was taken back."""
    for part in chunks(ids):
        connection.execute(_WITHDRAW_ANSWERED, {"ids": part})


def _write_links(connection: Connection, links: Sequence[Link]) -> list[int]:
    old = [each for each in links if each.id]
    new = [each for each in links if not each.id]
    if old:
        _update_links(connection, old)
        _settle_alerts(connection, [each.id for each in old])
    numbers: Iterator[int] = iter(())
    if new:
        # Nobody else writes until this is committed, and no number is given twice.
        last = connection.scalar(_LAST_LINK) or 0
        numbers = iter(range(last + 1, last + 1 + len(new)))
        _INSERT_LINK.run(connection, link_columns([replace(each, id=last + at) for at, each in enumerate(new, 1)]))
    return [each.id or next(numbers) for each in links]


def _update_links(connection: Connection, links: Sequence[Link]) -> None:
    """Write links over what is stored; where the address is the same its columns, and their indexes, stay untouched."""
    if _UPDATE_LINK_IN_PLACE.run(connection, link_columns(links)) < len(links):
        known = {found for part in chunks(each.id for each in links) for found in _addresses(connection, part)}
        moved = [each for each in links if _address(each) not in known]
        if moved:
            _UPDATE_LINK.run(connection, link_columns(moved))


def _addresses(connection: Connection, ids: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    yield from map(tuple, connection.execute(_ADDRESSES, {"ids": ids}).all())


def _address(each: Link) -> tuple[Any, ...]:
    identity = each.identity
    return each.id, each.mailbox_id, each.ref, each.subject, identity.global_object_id, identity.original_start


def _note_overtaken(connection: Connection, changes: Changes) -> None:
    """An answer that came while its item was being saved has nothing left to do: say so on its question.

    The links read before the answer are about to be written as settled. Yes became true without it; No came too late,
    because the clash was gone and the item saved (Q-05).
    """
    done = {each.id: each.answers for each in changes.links if each.id and each.state is LinkState.SETTLED}
    for part in chunks(done):
        found = connection.execute(_ANSWERS, {"ids": part}).all()
        late = [number for number, answers in found if answers != done[number]]
        if not late:
            continue
        mine = (alert.c.link_id.in_(late), alert.c.pending == 1)
        saved = {"outcome": AlertOutcome.SAVED, "pending": 0, "answers": alert.c.answers + 1, "left_out": ()}
        too_late = {"state": AlertState.WITHDRAWN, "reason": "It was saved before the answer came."}
        connection.execute(update(alert).where(*mine, alert.c.answer == "no").values(saved | too_late))
        connection.execute(update(alert).where(*mine, alert.c.answer == "yes").values(saved))
        over = {"answered": 0, "decision": None, "decision_by": None, "decided_digest": "", "decided_left_out": ()}
        connection.execute(update(link).where(link.c.id.in_(late)).values(over))


def _settle_alerts(connection: Connection, link_ids: list[int]) -> None:
    """An answer is carried out when its link says so; alerts whose outcome is final need no further look."""
    for part in chunks(link_ids):
        connection.execute(_SETTLE_ALERTS, {"ids": part})


def _with_links(changes: Changes, ids: list[int]) -> list[Alert]:
    removed = set(changes.removed_links)
    named = {at: ids[of] for at, of in changes.alert_links.items()}
    targets = [named.get(at, each.link_id) for at, each in enumerate(changes.alerts)]
    return [
        replace(each, link_id=None if target in removed else target)
        for each, target in zip(changes.alerts, targets, strict=True)
    ]


def _write_alerts(connection: Connection, alerts: Sequence[Alert]) -> None:
    old = [_named(alert_values(each), each.id) for each in alerts if each.id]
    notices = [each for each in alerts if not each.id and not is_question(each.code)]
    counted = {id(each) for each in notices if count_again(connection, each) is not None}
    new = [each for each in alerts if not each.id and id(each) not in counted]
    if old:
        connection.execute(_UPDATE_ALERT, old)
    if new:
        _end_older_questions(connection, [each.link_id for each in new if each.link_id and is_question(each.code)])
        _insert_alerts(connection, new)


def _insert_alerts(connection: Connection, new: Sequence[Alert]) -> None:
    """Insert alerts; one that comes with its answer (by a rule) is a decision like any other."""
    asking = [alert_values(each) for each in new if each.answer is None]
    if asking:
        connection.execute(insert(alert), asking)
    for each in new:
        if each.answer is not None:
            number = connection.execute(insert(alert).values(alert_values(each)).returning(alert.c.id)).scalar_one()
            connection.execute(insert(decision).values(decision_values(replace(each, id=number))))


def count_again(connection: Connection, value: Alert) -> int | None:
    """Count a notice on the open one of the same mailbox, link and code (AL-10) and return its id; None if none is."""
    same = (
        alert.c.mailbox_id == value.mailbox_id,
        alert.c.link_id.is_not_distinct_from(value.link_id),
        alert.c.code == value.code,
        alert.c.state == AlertState.OPEN,
    )
    found = connection.scalar(select(alert.c.id).where(*same).order_by(alert.c.id).limit(1))
    if found is None:
        return None
    seen = {"last_seen": value.last_seen, "count": alert.c.count + 1, "params": value.params}
    connection.execute(update(alert).where(alert.c.id == found).values(seen))
    return int(found)


def _end_older_questions(connection: Connection, link_ids: list[int]) -> None:
    """A question asked anew ends the one that lapsed or whose answer became void (Q-02)."""
    again = "It changed and was asked anew."
    ended = {"state": AlertState.WITHDRAWN, "outcome": None, "pending": 0, "reason": again}
    for part in chunks(link_ids):
        older = (alert.c.link_id.in_(part), alert.c.question == 1, STANDING)
        connection.execute(update(alert).where(*older, alert.c.state != AlertState.OPEN).values(ended))


def _write_intents(connection: Connection, dropped: Sequence[str], new: Sequence[Intent]) -> None:
    for part in chunks(dropped):
        connection.execute(_DELETE_INTENTS, {"ids": part})
    if new:
        _INSERT_INTENT.run(connection, by_column(new))


def _write_entries(connection: Connection, entries: Sequence[Entry]) -> None:
    if entries:
        _INSERT_ENTRY.run(connection, by_column(entries)[:-1])  # the database makes the id, the last field


def entry_values(entry: Entry) -> dict[str, Any]:
    """Return the columns of a line of the journal but its id."""
    return {name: getattr(entry, name) for name in _ENTRY_FIELDS}


def _write_mailbox(connection: Connection, value: Mailbox) -> None:
    connection.execute(_UPDATE_MAILBOX, _named(mailbox_values(value), value.id))


def _named(values: dict[str, Any], number: int) -> dict[str, Any]:
    return {_PREFIX + name: value for name, value in values.items()} | {_PREFIX + "id": number}


def _update_keeping(
    columns: Sequence[Column[Any]], answers: Column[Any], kept: tuple[str, ...], same: tuple[str, ...] = ()
) -> Update:
    """Return an update by id that leaves the columns `kept` alone when an answer was given since the value was read.

    A row that holds something else in the columns `same` is not written.
    """
    table = answers.table
    current = answers == bindparam(_PREFIX + "answers", type_=answers.type)
    values: dict[str, Any] = {}
    for column in columns:
        new = bindparam(_PREFIX + column.name, type_=column.type)
        values[column.name] = case((current, new), else_=column) if column.name in kept else new
    here = (table.c[name].is_not_distinct_from(bindparam(_PREFIX + name, type_=table.c[name].type)) for name in same)
    return update(table).where(table.c.id == bindparam(_PREFIX + "id"), *here).values(values)


_OWN = ("id", "answers", "attention", "before")
# What an item is called and where it is: most updates leave it alone, and each of these columns is in an index.
_ADDRESS = ("mailbox_id", "ref", "subject", "global_object_id", "original_start")


def _update_link(same: tuple[str, ...] = ()) -> Prepared:
    written = [each for each in link.c if each.name not in (*_OWN, *same)]
    statement = _update_keeping(written, link.c.answers, _LINK_ANSWER, same)
    return Prepared(statement, [_PREFIX + name for name in LINK_ROW])


_UPDATE_LINK = _update_link()
_UPDATE_LINK_IN_PLACE = _update_link(_ADDRESS)
_UPDATE_ALERT = _update_keeping(
    [each for each in alert.c if each.name not in _OWN], alert.c.answers, _ALERT_ANSWER + _ALERT_SEEN
)
_IDS = listed("ids")
_ADDRESSES = select(link.c.id, *(link.c[name] for name in _ADDRESS)).where(link.c.id.in_(_IDS))
_DELETE_LINKS = delete(link).where(link.c.id.in_(_IDS))
_DELETE_INTENTS = delete(intent).where(intent.c.id.in_(_IDS))
_ALERTS_OF_LINKS = select(alert.c.id).where(alert.c.link_id.in_(_IDS))
_WITHDRAW_ANSWERED = (
    update(alert)
    .where(alert.c.id.in_(_IDS), alert.c.question == 1, or_(alert.c.pending == 1, alert.c.state == AlertState.OPEN))
    .values(
        state=AlertState.WITHDRAWN,
        outcome=None,
        pending=0,
        answers=alert.c.answers + 1,
        reason="It was deleted or untracked before the answer came.",
    )
)
_INSERT_LINK = Prepared(insert(link), LINK_ROW)
_LAST_LINK = text("SELECT seq FROM sqlite_sequence WHERE name = 'link'")
_INTENT_FIELDS = Intent.__struct_fields__
_INSERT_INTENT = Prepared(insert(intent), _INTENT_FIELDS)
_ENTRY_FIELDS = tuple(name for name in Entry.__struct_fields__ if name != "id")
_INSERT_ENTRY = Prepared(insert(journal), _ENTRY_FIELDS)
_ANSWERS = select(link.c.id, link.c.answers).where(link.c.id.in_(_IDS), link.c.answered == 1)
_SETTLE_ALERTS = (
    update(alert)
    .where(
        alert.c.link_id.in_(_IDS),
        alert.c.pending == 1,
        alert.c.outcome.in_((AlertOutcome.SAVED, AlertOutcome.KEPT_OUT)),
        ~exists().where(link.c.id == alert.c.link_id, link.c.answered == 1),
    )
    .values(pending=0, before=None)
)
_UPDATE_MAILBOX = (
    update(mailbox)
    .where(mailbox.c.id == bindparam(_PREFIX + "id"))
    .values(
        {
            name: bindparam(_PREFIX + name, type_=mailbox.c[name].type)
            for name in MAILBOX_FIELDS
            if name not in PEOPLE_FIELDS
        }
    )
)
