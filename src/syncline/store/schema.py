"""The tables of the state, with its invariants: uniqueness, closed lists, one open question per link, append-only.

It knows names, types and constraints; it must not know who reads or writes them. The alembic revisions beside it say
the same in steps; a test holds both equal.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from syncline.core.answering import Facts
from syncline.core.appointment import Appointment, Span
from syncline.core.scheduling import Verdict
from syncline.ports import (
    AlertOutcome,
    AlertState,
    Approval,
    Before,
    Folder,
    LinkState,
    OnSchedulingConflict,
    Origin,
    Seen,
    TestState,
    Track,
    Verb,
)
from syncline.store.columns import Coded, Dates, Instant, Word
from syncline.store.schema_files import attached
from syncline.store.schema_people import (
    AccountRole,
    account,
    answer_link,
    answer_rule,
    first_rows,
    message,
    preference,
    session,
    sync_filter,
    token,
    told,
)
from syncline.store.table_parts import ANSWERS, metadata
from syncline.store.table_parts import counter as _count
from syncline.store.table_parts import flag as _flag
from syncline.store.table_parts import mailbox_number as _mailbox_id
from syncline.store.table_parts import number as _id
from syncline.store.table_parts import one_of as _one_of
from syncline.store.table_parts import words as _text

__all__ = [
    "ANSWERS",
    "APPEND_ONLY",
    "AccountRole",
    "account",
    "alert",
    "answer_link",
    "answer_rule",
    "attached",
    "cycle",
    "decision",
    "first_rows",
    "intent",
    "journal",
    "link",
    "mailbox",
    "mark",
    "message",
    "metadata",
    "preference",
    "profile",
    "session",
    "sync_filter",
    "token",
    "told",
    "trash",
    "triggers",
]


profile = Table(
    "profile",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    _text("type"),
    _text("url"),
    _text("username"),
    _text("auth"),
    _text("ca_file", null=True),
    _text("access"),
    _flag("read_only"),
    _flag("allow_http"),
    Column("secret", LargeBinary),
    _one_of("type", ("exchange",)),
    _one_of("auth", ("negotiate", "ntlm", "basic")),
    _one_of("access", ("impersonation", "delegate", "own")),
    sqlite_autoincrement=True,
)

mailbox = Table(
    "mailbox",
    metadata,
    _id(),
    Column("address", Text, nullable=False, unique=True),
    _text("user"),
    Column("profile_id", Integer, ForeignKey("profile.id", ondelete="RESTRICT"), nullable=False),
    Column("approval", Word(Approval), nullable=False),
    Column("test", Word(TestState), nullable=False),
    _flag("enabled"),
    Column("track", Word(Track), nullable=False),
    Column("on_scheduling_conflict", Word(OnSchedulingConflict)),
    _text("time_zone"),
    Column("next_due", Instant),
    Column("last_sync", Instant),
    _text("last_error", null=True),
    _text("last_error_text"),
    Column("last_error_time", Instant),
    _count("transient_failures"),
    _count("idle_cycles"),
    Column("folders", Coded(tuple[Folder, ...]), nullable=False),
    Column("hierarchy_due", Instant),
    _text("category_id", null=True),
    Column("tracking", Coded(tuple[str, ...]), nullable=False),
    Column("cursors", Coded(dict[str, str]), nullable=False),
    _text("crm_cursor", null=True),
    _flag("first_sync_done"),
    _text("approved_by", null=True),
    Column("approved_on", Instant),
    Column("tested_on", Instant),
    Column("secret", LargeBinary),
    _text("lease_owner", null=True),
    Column("lease_until", Instant),
    _count("fence"),
    _flag("woken"),
    Column("filters", Text, nullable=False, server_default=text("''")),
    _one_of("approval", Approval),
    _one_of("test", TestState),
    _one_of("track", Track),
    _one_of("on_scheduling_conflict", OnSchedulingConflict),
    sqlite_autoincrement=True,
)
Index("ix_mailbox_due", mailbox.c.next_due, sqlite_where=text("enabled = 1"), postgresql_where=text("enabled"))

# A link wants attention while its observation is unsettled, its question stands, its answer is not carried out, or a
# retry is planned. The column is computed by the database, so that no writer can forget it; its partial index makes
# an idle look-up independent of the number of links.
_SETTLED = "revision_settled = revision AND seen_settled = seen"
_ATTENTION_RULE = f"CASE WHEN {_SETTLED} AND state NOT IN ('asked', 'failed') AND answered = 0 THEN 0 ELSE 1 END"

link = Table(
    "link",
    metadata,
    _id(),
    _mailbox_id(),
    _text("ref"),
    _text("folder"),
    _text("global_object_id"),
    Column("original_start", Instant),
    _text("subject"),
    _flag("private"),
    Column("seen", Word(Seen), nullable=False),
    Column("seen_settled", Word(Seen)),
    _text("revision"),
    _text("revision_settled", null=True),
    Column("observed", Coded(Appointment)),
    _text("digest"),
    Column("agreed", Coded(Appointment)),
    _text("crm_id", null=True),
    Column("crm_version", BigInteger, nullable=False),
    Column("crm_version_seen", BigInteger, nullable=False),
    _flag("crm_gone"),
    _flag("writes", value=True),
    _flag("by_request"),
    Column("state", Word(LinkState), nullable=False),
    _text("sync_error", null=True),
    Column("error_params", Coded(dict[str, str]), nullable=False),
    Column("error_time", Instant),
    _count("retries"),
    Column("next_try", Instant),
    _text("decision", null=True),
    _text("decision_by", null=True),
    _text("scheduling_digest"),
    _text("decided_digest"),
    Column("first_seen", Instant, nullable=False),
    Column("created_order", Instant),
    _count("answers"),
    Column("answered", Integer, nullable=False, server_default=text("0")),
    Column("attention", Integer, Computed(_ATTENTION_RULE, persisted=True)),
    Column("left_out", Dates),
    Column("decided_left_out", Dates),
    Column("origin", Word(Origin), nullable=False, server_default=text("'exchange'")),
    _flag("in_scope"),
    Column("crm_settled", BigInteger, nullable=False, server_default=text("0")),
    _flag("doubted"),
    _count("flips"),
    Column("flips_since", Instant),
    Column("withheld", Coded(Appointment)),
    UniqueConstraint("mailbox_id", "ref"),
    _one_of("seen", Seen),
    _one_of("seen_settled", Seen),
    _one_of("state", LinkState),
    _one_of("decision", ANSWERS),
    sqlite_autoincrement=True,
)
Index(None, link.c.global_object_id, link.c.original_start)
Index(None, link.c.crm_id, link.c.mailbox_id)
_ATTENTION = text("attention = 1")
Index("ix_link_attention", link.c.mailbox_id, link.c.id, sqlite_where=_ATTENTION, postgresql_where=_ATTENTION)
_ANSWERED = text("answered = 1")
Index("ix_link_answered", link.c.mailbox_id, link.c.id, sqlite_where=_ANSWERED, postgresql_where=_ANSWERED)
_HELD = text("crm_id IS NOT NULL AND crm_gone = 0 AND seen_settled = 'present'")
Index("ix_link_base", link.c.mailbox_id, sqlite_where=_HELD, postgresql_where=_HELD)
_STUCK = text("state NOT IN ('settled', 'unsettled')")
Index("ix_link_stuck", link.c.mailbox_id, link.c.id, sqlite_where=_STUCK, postgresql_where=_STUCK)
# Narrow, so that a subject is looked for without reading contents.
Index("ix_link_subject", link.c.mailbox_id, link.c.subject)
# What the CRM side has and Exchange has not: an edit, a row that went, one that entered or left the filters.
_OUTGOING = text("crm_id IS NOT NULL AND crm_settled <> crm_version_seen")
Index("ix_link_outgoing", link.c.mailbox_id, link.c.id, sqlite_where=_OUTGOING, postgresql_where=_OUTGOING)
Index("ix_link_stuck_state", link.c.state, link.c.id, sqlite_where=_STUCK, postgresql_where=_STUCK)

alert = Table(
    "alert",
    metadata,
    _id(),
    _mailbox_id(),
    Column("link_id", Integer, ForeignKey("link.id", ondelete="SET NULL")),
    _text("code"),
    _text("subject"),
    Column("span", Coded(Span)),
    _flag("private"),
    Column("params", Coded(dict[str, str]), nullable=False),
    Column("state", Word(AlertState), nullable=False),
    Column("outcome", Word(AlertOutcome)),
    _text("reason"),
    _count("version", 1),
    Column("created", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    _count("count", 1),
    Column("verdict", Coded(Verdict)),
    Column("held", Coded(tuple[int, ...]), nullable=False),
    _text("digest"),
    _text("answer", null=True),
    _text("decided_by", null=True),
    Column("decided_on", Instant),
    _count("answers"),
    Column("question", Integer, nullable=False),
    Column("pending", Integer, nullable=False, server_default=text("0")),
    Column("facts", Coded(Facts)),
    Column("matters", Instant),
    _count("dates"),
    _count("clashing"),
    Column("left_out", Dates),
    Column("before", Coded(Before)),
    _one_of("state", AlertState),
    _one_of("outcome", AlertOutcome),
    _one_of("answer", ANSWERS),
    CheckConstraint("state <> 'answered' OR answer IS NOT NULL", name="answered_by"),
    sqlite_autoincrement=True,
)
_OPEN_QUESTION = text("state = 'open' AND question = 1 AND link_id IS NOT NULL")
_STANDING = text("state = 'open' OR state = 'lapsed' OR pending = 1")
Index(
    "uq_alert_open_question",
    alert.c.link_id,
    unique=True,
    sqlite_where=_OPEN_QUESTION,
    postgresql_where=_OPEN_QUESTION,
)
Index("ix_alert_standing", alert.c.mailbox_id, alert.c.id, sqlite_where=_STANDING, postgresql_where=_STANDING)
Index(None, alert.c.mailbox_id, alert.c.id)
Index(None, alert.c.link_id)
Index("ix_alert_open", alert.c.question, sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'"))
_ASKED = text("question = 1")
Index("ix_alert_asked", alert.c.created, sqlite_where=_ASKED, postgresql_where=_ASKED)
_OPEN = text("state = 'open'")
Index("ix_alert_wall", alert.c.mailbox_id, alert.c.code, alert.c.matters, sqlite_where=_OPEN, postgresql_where=_OPEN)
Index(None, alert.c.decided_on)

intent = Table(
    "intent",
    metadata,
    Column("id", Text, primary_key=True),
    _mailbox_id(),
    Column("link_id", Integer, ForeignKey("link.id", ondelete="CASCADE"), nullable=False),
    Column("verb", Word(Verb), nullable=False),
    _text("crm_id"),
    Column("created", Instant, nullable=False),
    Column("agreed", Coded(Appointment)),
    Column("instead", Text),
    _one_of("verb", Verb),
)
Index(None, intent.c.mailbox_id)
Index(None, intent.c.link_id)

decision = Table(
    "decision",
    metadata,
    _id(),
    Column("time", Instant, nullable=False),
    Column("mailbox_id", Integer, nullable=False),
    Column("alert_id", Integer, nullable=False),
    Column("link_id", Integer),
    _text("code"),
    _text("answer"),
    Column("decided_by", Text, nullable=False),
    Column("version", Integer, nullable=False),
    _text("digest"),
    Column("left_out", Dates),
    _flag("undone"),
    _one_of("answer", ANSWERS),
    sqlite_autoincrement=True,
)
Index(None, decision.c.alert_id)
Index(None, decision.c.link_id)

journal = Table(
    "journal",
    metadata,
    _id(),
    Column("time", Instant, nullable=False),
    Column("mailbox_id", Integer, nullable=False),
    Column("link_id", Integer),
    _text("action"),
    _text("rule"),
    Column("fields", Coded(tuple[str, ...]), nullable=False),
    _text("detail"),
    sqlite_autoincrement=True,
)
Index(None, journal.c.link_id, journal.c.id)

cycle = Table(
    "cycle",
    metadata,
    _id(),
    _mailbox_id(),
    Column("started", Instant, nullable=False),
    Column("finished", Instant, nullable=False),
    *(_count(name) for name in ("saved", "updated", "deleted", "waiting", "skipped", "failed")),
    sqlite_autoincrement=True,
)
Index(None, cycle.c.mailbox_id, cycle.c.id)

# What Syncline has set on items in Exchange; a mark outlives its link, because the category does too.
mark = Table(
    "mark",
    metadata,
    _id(),
    _mailbox_id(),
    Column("link_id", Integer, ForeignKey("link.id", ondelete="SET NULL"), unique=True),
    _text("ref"),
    _text("folder"),
    Column("names", Coded(tuple[str, ...]), nullable=False),
    Column("question", Integer),
    _text("digest"),
    Column("stale", Coded(tuple[str, ...]), nullable=False),
    _text("dealt"),
    _text("revision"),
    _count("tries"),
    Column("next_try", Instant),
    sqlite_autoincrement=True,
)
Index(None, mark.c.mailbox_id, mark.c.id)

trash = Table(
    "trash",
    metadata,
    _id(),
    _mailbox_id(),
    Column("side", Word(Origin), nullable=False),
    _text("subject"),
    _text("global_object_id"),
    Column("appointment", Coded(Appointment), nullable=False),
    _flag("private"),
    _text("reason"),
    Column("deleted_on", Instant, nullable=False),
    Column("restored_on", Instant),
    _text("restored_by", null=True),
    _text("restored_as", null=True),
    _one_of("side", Origin),
    _one_of("reason", ("deleted", "edited")),
    sqlite_autoincrement=True,
)
Index(None, trash.c.mailbox_id, trash.c.id)
Index(None, trash.c.deleted_on)
Index(None, trash.c.global_object_id)
Index(None, trash.c.restored_as)

# One row: which installation this state belongs to.
installation = Table(
    "installation",
    metadata,
    Column("one", Integer, primary_key=True),
    _text("id"),
    CheckConstraint("one = 1", name="one"),
)

APPEND_ONLY = ("decision", "journal")


def triggers(dialect: str) -> tuple[str, ...]:
    """Return the statements that make the tables of `APPEND_ONLY` refuse update and delete ("sqlite" only today)."""
    assert dialect == "sqlite", dialect
    return tuple(
        f"CREATE TRIGGER {name}_refuses_{verb.lower()} BEFORE {verb} ON {name} "
        f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
        for name in APPEND_ONLY
        for verb in ("UPDATE", "DELETE")
    )
