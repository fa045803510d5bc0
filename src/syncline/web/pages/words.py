"""The words of the pages for what the product calls by short names. Tables only."""

from __future__ import annotations

from collections.abc import Mapping

SHOW_AS: Mapping[str, str] = {
    "free": "Free",
    "tentative": "Tentative",
    "busy": "Busy",
    "out_of_office": "Out of office",
    "working_elsewhere": "Working elsewhere",
}
STATUS: Mapping[str, str] = {
    "open": "Open",
    "scheduled": "Scheduled",
    "completed": "Completed",
    "canceled": "Canceled",
}
MAILBOX_STATES: Mapping[str, str] = {
    "needs_approval": "Needs approval",
    "rejected": "Rejected",
    "needs_test": "Needs a test",
    "ready": "Enabled",
    "backoff": "Enabled, waiting to try again",
    "disabled": "Disabled",
}
APPROVALS: Mapping[str, str] = {"pending": "Not approved yet", "approved": "Approved", "rejected": "Rejected"}
TESTS: Mapping[str, str] = {"not_run": "Not tested", "success": "Success", "failure": "Failure"}
TRACKS: Mapping[str, str] = {
    "category": "Only items with the tracking category",
    "all": "Every item of the calendars",
}
ON_CONFLICT: Mapping[str, str] = {
    "ask": "Ask a person",
    "save_anyway": "Save anyway",
    "keep_out": "Keep out",
}
FAILURE_STATES: Mapping[str, str] = {
    "waiting": "Waiting for an answer",
    "failed": "Failed",
    "kept_out": "Kept out",
    "skipped": "Left out by a rule",
}
LEVELS: Mapping[str, str] = {"error": "Error", "warning": "Warning", "information": "Information"}
AUTHENTICATION: Mapping[str, str] = {"negotiate": "Negotiate", "ntlm": "NTLM", "basic": "Basic"}
ACCESS: Mapping[str, str] = {
    "impersonation": "Impersonation",
    "delegate": "Delegate",
    "own": "Each mailbox signs in itself",
}

NOTICES: Mapping[str, str] = {
    "approved": "The address is approved. Test and enable the mailbox next.",
    "rejected": "The address is rejected; the mailbox does not synchronize.",
    "enabled": "The test succeeded, and the mailbox is enabled. The first sync has begun.",
    "on": "The mailbox is enabled.",
    "disabled": "The mailbox is disabled. Nothing was deleted.",
    "changed": "Saved.",
    "removed": "The mailbox is removed. Its appointments stay in Exchange and in the CRM.",
    "syncing": "The mailbox synchronizes now.",
    "answered": "Your answers are being carried out.",
    "retried": "It was tried again, and it is synchronized.",
    "failed-again": "It was tried again, and it failed again.",
    "ignored": "It is left out until it changes in Exchange.",
    "added": "Added.",
    "entered": "The appointment is in the calendar.",
    "edited": "The appointment is changed.",
    "moved": "The appointment is moved.",
    "deleted": "The appointment is deleted.",
    "role": "The role is changed.",
    "revoked": "The token is revoked.",
    "signed-out": "You are signed out.",
}
"""What a page says after an action that led to it (`?said=`); anything else in the address is not shown."""


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun, such as "1 question" or "4 questions"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
