"""Tables of the mailbox store and the folders that every new mailbox has. Text only."""

from __future__ import annotations

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT OR IGNORE INTO counter VALUES ('change', 0), ('epoch', 1);
CREATE TABLE IF NOT EXISTS mailbox (
    row INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    password TEXT NOT NULL, zone TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS folder (
    row INTEGER PRIMARY KEY AUTOINCREMENT, mailbox INTEGER NOT NULL REFERENCES mailbox, parent INTEGER NOT NULL,
    distinguished TEXT NOT NULL, folder_class TEXT NOT NULL, name TEXT NOT NULL, change INTEGER NOT NULL,
    created_change INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS folder_by_mailbox ON folder (mailbox, distinguished);
CREATE TABLE IF NOT EXISTS item (
    row INTEGER PRIMARY KEY AUTOINCREMENT, mailbox INTEGER NOT NULL REFERENCES mailbox,
    folder INTEGER NOT NULL REFERENCES folder, change INTEGER NOT NULL, created_change INTEGER NOT NULL,
    kind TEXT NOT NULL, goid BLOB, first_s INTEGER NOT NULL, last_s INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS item_by_folder ON item (folder);
CREATE INDEX IF NOT EXISTS item_by_change ON item (folder, change);
CREATE INDEX IF NOT EXISTS item_by_mailbox ON item (mailbox, change);
CREATE INDEX IF NOT EXISTS item_by_goid ON item (goid, mailbox) WHERE goid IS NOT NULL;
CREATE INDEX IF NOT EXISTS item_by_time ON item (folder, first_s);
CREATE TABLE IF NOT EXISTS tombstone (
    row INTEGER NOT NULL, mailbox INTEGER NOT NULL, folder INTEGER NOT NULL, change INTEGER NOT NULL,
    created_change INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS tombstone_by_folder ON tombstone (folder, change);
CREATE INDEX IF NOT EXISTS tombstone_by_mailbox ON tombstone (mailbox, change);
CREATE TABLE IF NOT EXISTS blob (row INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS note (row INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, text TEXT NOT NULL);
"""

# distinguished name, its parent's, folder class, display name
FOLDERS: tuple[tuple[str, str, str, str], ...] = (
    ("root", "", "", "Root"),
    ("msgfolderroot", "root", "IPF.Note", "Top of Information Store"),
    ("recoverableitemsdeletions", "root", "IPF.Note", "Deletions"),
    ("calendar", "msgfolderroot", "IPF.Appointment", "Calendar"),
    ("contacts", "msgfolderroot", "IPF.Contact", "Contacts"),
    ("deleteditems", "msgfolderroot", "IPF.Note", "Deleted Items"),
    ("drafts", "msgfolderroot", "IPF.Note", "Drafts"),
    ("inbox", "msgfolderroot", "IPF.Note", "Inbox"),
    ("outbox", "msgfolderroot", "IPF.Note", "Outbox"),
    ("sentitems", "msgfolderroot", "IPF.Note", "Sent Items"),
    ("tasks", "msgfolderroot", "IPF.Task", "Tasks"),
)
