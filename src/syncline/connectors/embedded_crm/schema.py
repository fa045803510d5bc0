"""Tables of the embedded CRM: a database of its own, with its own ids, versions and change log.

Instants are whole seconds since 1970-01-01 UTC. One table holds singles, series and exceptions, as the product does
(server-side-sync.md 1.7-1.9); what repeats stands in `recurrences`, who takes part in `parties`, and whom a row makes
busy in `busy_spans` (singles and exceptions) and `busy_series` (series, by rule: CD-09). It must not know how a row is
read or written.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
)

from syncline.core.appointment import DESCRIPTION_MAX, LOCATION_MAX, SUBJECT_MAX

SCHEMA_VERSION = 1
NO_ORIGINAL_START = text("-99999999999")
"""Stands for "no original start" in the identity key: NULLs would never be equal to each other."""

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

epoch = Table("epoch", metadata, Column("id", Text, primary_key=True))
"""One row: a random id that cursors carry. It is made with the database and made new when a backup is put back."""

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("full_name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
)

user_emails = Table(
    "user_emails",
    metadata,
    Column("address", Text, primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("full_name", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
)

contact_emails = Table(
    "contact_emails",
    metadata,
    Column("address", Text, primary_key=True),
    Column("contact_id", ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True),
)

appointments = Table(
    "appointments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("series_id", ForeignKey("appointments.id", ondelete="CASCADE")),
    Column("kind", Text, nullable=False),
    Column("global_object_id", Text, nullable=False),
    Column("original_start", Integer),
    Column("subject", Text, CheckConstraint(f"length(subject) <= {SUBJECT_MAX}"), nullable=False),
    Column("description", Text, CheckConstraint(f"length(description) <= {DESCRIPTION_MAX}"), nullable=False),
    Column("location", Text, CheckConstraint(f"length(location) <= {LOCATION_MAX}"), nullable=False),
    Column("starts_at", Integer, nullable=False),
    Column("ends_at", Integer, nullable=False),
    Column("length_class", Integer, nullable=False),
    Column("all_day", Boolean, nullable=False),
    Column("zone", Text, nullable=False),
    Column("show_as", Text, nullable=False),
    Column("sensitivity", Text, nullable=False),
    Column("ismapiprivate", Boolean, nullable=False),
    Column("prioritycode", Integer, nullable=False),
    Column("statecode", Integer, nullable=False),
    Column("statuscode", Integer, nullable=False),
    Column("created", Integer),
    Column("version", Integer, nullable=False),
    Column("owner", Text),
    Column("modified_by", Text, nullable=False),
    Column("modified_at", Integer, nullable=False),
    Column("isdraft", Boolean, nullable=False, server_default=false()),
    CheckConstraint("ends_at >= starts_at"),
    CheckConstraint("(kind = 'exception') = (series_id IS NOT NULL)"),
    CheckConstraint("kind <> 'exception' OR original_start IS NOT NULL"),
    UniqueConstraint("series_id", "original_start"),
)

Index(
    "appointments_identity",
    appointments.c.global_object_id,
    func.coalesce(appointments.c.original_start, NO_ORIGINAL_START),
    unique=True,
    sqlite_where=appointments.c.series_id.is_(None),
    postgresql_where=appointments.c.series_id.is_(None),
)
Index("appointments_by_time", appointments.c.starts_at, appointments.c.id)
Index("appointments_by_length", appointments.c.length_class, appointments.c.starts_at)

recurrences = Table(
    "recurrences",
    metadata,
    Column("id", ForeignKey("appointments.id", ondelete="CASCADE"), primary_key=True),
    Column("recurrencepatterntype", Integer, nullable=False),
    Column("interval", Integer, nullable=False),
    Column("daysofweekmask", Integer, nullable=False),
    Column("dayofmonth", Integer, nullable=False),
    Column("monthofyear", Integer, nullable=False),
    Column("instance", Integer, nullable=False),
    Column("isnthmonthly", Boolean, nullable=False),
    Column("isnthyearly", Boolean, nullable=False),
    Column("isweekdaypattern", Boolean, nullable=False),
    Column("firstdayofweek", Integer, nullable=False),
    Column("patternstartdate", Text, nullable=False),
    Column("patternendtype", Integer, nullable=False),
    Column("patternenddate", Text),
    Column("occurrences", Integer),
    Column("effectivestart", Integer, nullable=False),
    Column("effectiveend", Integer),
    Column("deletedexceptionslist", Text, nullable=False),
    CheckConstraint("interval BETWEEN 1 AND 1000"),
    CheckConstraint("occurrences IS NULL OR occurrences BETWEEN 1 AND 999"),
)
Index("recurrences_by_time", recurrences.c.effectivestart)

parties = Table(
    "parties",
    metadata,
    Column("appointment_id", ForeignKey("appointments.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("participationtypemask", Integer, nullable=False),
    Column("address", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("user_id", ForeignKey("users.id")),
    Column("contact_id", ForeignKey("contacts.id")),
    Column("busy", Boolean, nullable=False),
    Column("implied", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
Index("parties_by_user", parties.c.user_id, parties.c.appointment_id)

busy_spans = Table(
    "busy_spans",
    metadata,
    Column("user_id", ForeignKey("users.id"), primary_key=True),
    Column("length_class", Integer, primary_key=True),
    Column("starts_at", Integer, primary_key=True),
    Column("appointment_id", ForeignKey("appointments.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("ends_at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

busy_series = Table(
    "busy_series",
    metadata,
    Column("user_id", ForeignKey("users.id"), primary_key=True),
    Column("series_id", ForeignKey("appointments.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("first_at", Integer, nullable=False),
    Column("last_at", Integer),
    sqlite_with_rowid=False,
)

change_log = Table(
    "change_log",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("appointment_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("gone", Boolean, nullable=False),
    Column("global_object_id", Text, nullable=False),
    Column("original_start", Integer),
    Column("at", Integer, nullable=False),
    sqlite_autoincrement=True,
)
Index("change_log_by_row", change_log.c.appointment_id, change_log.c.seq)

# Files of singles, with their contents; the same file is kept once.
attachments = Table(
    "attachments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("appointment_id", ForeignKey("appointments.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", Integer, nullable=False),
    UniqueConstraint("appointment_id", "name", "digest"),
)

# Rows whose item has files that could not be taken (attachmenterrors).
attachment_errors = Table(
    "attachment_errors",
    metadata,
    Column("appointment_id", ForeignKey("appointments.id", ondelete="CASCADE"), primary_key=True),
)

# The key of the last reschedule of a row that had one; what people edit does not change it.
last_keys = Table(
    "last_keys",
    metadata,
    Column("appointment_id", ForeignKey("appointments.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, nullable=False),
)

LATER = (epoch, attachments, attachment_errors, last_keys)
"""Tables that came after version 1 was first released; databases from before get them when they are opened."""

LATER_COLUMNS = (appointments.c.isdraft,)
"""Columns that came later, with a default for the rows from before, so that older programs go on too."""
