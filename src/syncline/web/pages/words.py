"""The words of the pages for what the product calls by short names. Tables only; who shows a word calls `_` on it."""

from __future__ import annotations

from collections.abc import Mapping

from syncline.language import noted

SHOW_AS: Mapping[str, str] = {
    "free": noted("Free"),
    "tentative": noted("Tentative"),
    "busy": noted("Busy"),
    "out_of_office": noted("Out of office"),
    "working_elsewhere": noted("Working elsewhere"),
}
STATUS: Mapping[str, str] = {
    "open": noted("Open"),
    "scheduled": noted("Scheduled"),
    "completed": noted("Completed"),
    "canceled": noted("Canceled"),
}
MAILBOX_STATES: Mapping[str, str] = {
    "needs_approval": noted("Needs approval"),
    "rejected": noted("Rejected"),
    "needs_test": noted("Needs a test"),
    "ready": noted("Enabled"),
    "backoff": noted("Enabled, waiting to try again"),
    "disabled": noted("Disabled"),
}
APPROVALS: Mapping[str, str] = {
    "pending": noted("Not approved yet"),
    "approved": noted("Approved"),
    "rejected": noted("Rejected"),
}
TESTS: Mapping[str, str] = {"not_run": noted("Not tested"), "success": noted("Success"), "failure": noted("Failure")}
TEST_STEPS: Mapping[str, str] = {
    "reached": noted("The server was reached"),
    "signed_in": noted("Signed in"),
    "address_found": noted("The address was found"),
    "calendar_read": noted("The calendar was read"),
    "categories_read": noted("The categories were read"),
    "mark_kept": noted("No other installation keeps it in step"),
}
PLANNED: Mapping[str, str] = {
    "save": noted("would be saved in the CRM"),
    "ask": noted("would wait for an answer"),
    "update": noted("would be updated"),
    "link": noted("stand in the CRM already"),
    "wait": noted("would wait for another mailbox"),
    "keep out": noted("would be kept out"),
    "skip": noted("would be left out by a rule"),
    "cancel": noted("would be canceled"),
    "delete": noted("would be deleted"),
    "unlink": noted("would be left alone from now on"),
    "forget": noted("would be left alone from now on"),
    "update texts": noted("would get new texts only"),
    "fail": noted("could not be saved"),
    "hold": noted("would be held until somebody answers"),
}
"""What a preview says of items, by the word of the plan."""
PLANNED_IN_OUTLOOK: Mapping[str, str] = {
    "make": noted("would be made in Outlook"),
    "update": noted("would be updated in Outlook"),
    "delete": noted("would be deleted in Outlook"),
    "hold": noted("would be held until somebody answers"),
    "ask": noted("would wait for an answer"),
    "untrack": noted("would be tracked no longer"),
    "track": noted("would be tracked again"),
    "link": noted("stand in Outlook already"),
    "await": noted("wait for the organizer’s invitation"),
    "unlink": noted("would be left alone from now on"),
    "skip": noted("would be left out by a rule"),
    "fail": noted("could not be carried over"),
}
"""The same of what would be carried over to Outlook."""
MAIL_KINDS: Mapping[str, str] = {
    "request": noted("Invitation"),
    "update": noted("Update"),
    "cancellation": noted("Cancellation"),
}
UNMAILED: Mapping[str, str] = {
    "first sync": noted("Nobody is mailed: the first sync never invites anybody."),
    "invitations off": noted("Nobody is mailed: mails are switched off."),
    "A-08": noted("Nobody is mailed: it is over."),
}
"""Why a plan mails nobody, by what decided."""
START_STEPS: Mapping[str, str] = {
    "profile": noted("Exchange server"),
    "mailbox": noted("Mailbox"),
    "test": noted("Test"),
    "preview": noted("Preview"),
    "sync": noted("First sync"),
}
TRACKS: Mapping[str, str] = {
    "category": noted("Only items with the tracking category"),
    "all": noted("Every item of the calendars"),
}
ON_CONFLICT: Mapping[str, str] = {
    "ask": noted("Ask a person"),
    "save_anyway": noted("Save anyway"),
    "keep_out": noted("Keep out"),
}
FAILURE_STATES: Mapping[str, str] = {
    "waiting": noted("Waiting for an answer"),
    "failed": noted("Failed"),
    "kept_out": noted("Kept out"),
    "skipped": noted("Left out by a rule"),
}
LEVELS: Mapping[str, str] = {"error": noted("Error"), "warning": noted("Warning"), "information": noted("Information")}
AUTHENTICATION: Mapping[str, str] = {"negotiate": "Negotiate", "ntlm": "NTLM", "basic": "Basic"}
ACCESS: Mapping[str, str] = {
    "impersonation": noted("Impersonation"),
    "delegate": noted("Delegate"),
    "own": noted("Each mailbox signs in itself"),
}

MESSAGE_KINDS: Mapping[str, str] = {
    "question": noted("One question"),
    "digest": noted("Several questions"),
    "opened": noted("Opened"),
    "answered": noted("Answered"),
    "withdrawn": noted("Needs no answer any more"),
}
MESSAGE_STATES: Mapping[str, str] = {
    "waiting": noted("Waiting"),
    "leaving": noted("On its way"),
    "sent": noted("Sent"),
    "failed": noted("Given up"),
    "dropped": noted("Not needed any more"),
}

NOTICES: Mapping[str, str] = {
    "approved": noted("The address is approved. Test and enable the mailbox next."),
    "rejected": noted("The address is rejected; the mailbox does not synchronize."),
    "enabled": noted("The test succeeded, and the mailbox is enabled. The first sync has begun."),
    "on": noted("The mailbox is enabled."),
    "disabled": noted("The mailbox is disabled. Nothing was deleted."),
    "changed": noted("Saved."),
    "removed": noted("The mailbox is removed. Its appointments stay in Exchange and in the CRM."),
    "syncing": noted("The mailbox synchronizes now."),
    "answered": noted("Your answers are being carried out."),
    "retried": noted("It was tried again, and it is synchronized."),
    "failed-again": noted("It was tried again, and it failed again."),
    "ignored": noted("It is left out until it changes in Exchange."),
    "added": noted("Added."),
    "entered": noted("The appointment is in the calendar."),
    "edited": noted("The appointment is changed."),
    "moved": noted("The appointment is moved."),
    "deleted": noted("The appointment is deleted."),
    "ended": noted("The series is ended."),
    "file-added": noted("The file is attached."),
    "file-removed": noted("The file is taken off."),
    "restored": noted("The appointment is in the calendar again."),
    "role": noted("The role is changed."),
    "revoked": noted("The token is revoked."),
    "signed-out": noted("You are signed out."),
    "session-over": noted("Your session had ended: nothing was sent. Sign in to answer."),
}
"""What a page says after an action that led to it (`?said=`); anything else in the address is not shown."""
