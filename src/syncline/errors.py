"""SyncError, the only exception that crosses a seam, and CATALOGUE: one row per thing that can go wrong.

The command line, the pages, the API, the alerts and docs/ERRORS.md all read the row. This module knows words and
classes; it must not know who raises them. Names and numbers that exist in Dynamics 365 are kept (server-side-sync.md
5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class Scope(StrEnum):
    """How much stands still because of the error."""

    ITEM = "item"
    MAILBOX = "mailbox"
    PROFILE = "profile"
    SYSTEM = "system"


class ErrorClass(StrEnum):
    """What happens next (5.6)."""

    NEEDS_ANSWER = "needs answer"
    WILL_RETRY = "will retry"
    SKIPPED = "skipped by rule"
    TRANSIENT = "transient"
    PERMANENT = "permanent"
    THROTTLED = "throttled"


class Level(StrEnum):
    """Alert level (AL-01)."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


ENDLESS = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kind of failure: `text` is a template over the error's parameters, `what_to_do` is plain.

    `attempts`: how often it is tried, 0 for as often as it is set for all, `ENDLESS` for what is mended unseen.
    """

    code: str
    number: int
    scope: Scope
    error_class: ErrorClass
    level: Level
    title: str
    text: str
    what_to_do: str
    attempts: int = 0

    @property
    def help_link(self) -> str:
        """Return the anchor of the row in docs/ERRORS.md."""
        return f"docs/ERRORS.md#{self.code.lower()}"


def _item(code: str, number: int, error_class: ErrorClass, title: str, text: str, do: str, attempts: int = 0) -> Row:
    level = {
        ErrorClass.NEEDS_ANSWER: Level.ERROR,
        ErrorClass.WILL_RETRY: Level.WARNING,
        ErrorClass.SKIPPED: Level.INFORMATION,
    }.get(error_class, Level.ERROR)
    return Row(
        code=code,
        number=number,
        scope=Scope.ITEM,
        error_class=error_class,
        level=level,
        title=title,
        text=text,
        what_to_do=do,
        attempts=attempts,
    )


def _mailbox(code: str, number: int, error_class: ErrorClass, title: str, text: str, do: str) -> Row:
    transient = error_class in (ErrorClass.TRANSIENT, ErrorClass.THROTTLED)
    return Row(
        code=code,
        number=number,
        scope=Scope.MAILBOX,
        error_class=error_class,
        level=Level.WARNING if transient else Level.ERROR,
        title=title,
        text=text,
        what_to_do=do,
        attempts=10 if error_class is ErrorClass.TRANSIENT else 0,
    )


def _system(code: str, number: int, title: str, text: str, do: str) -> Row:
    return Row(
        code=code,
        number=number,
        scope=Scope.SYSTEM,
        error_class=ErrorClass.PERMANENT,
        level=Level.ERROR,
        title=title,
        text=text,
        what_to_do=do,
    )


_ASK = ErrorClass.NEEDS_ANSWER
_RETRY = ErrorClass.WILL_RETRY
_SKIP = ErrorClass.SKIPPED
_TRANSIENT = ErrorClass.TRANSIENT
_PERMANENT = ErrorClass.PERMANENT

# fmt: off
_ROWS: tuple[Row, ...] = (
    # --- items that need an answer ---------------------------------------------------------------------------
    _item("ExchangeSyncSchedulingConflictsError", 101, _ASK, "Scheduling conflict",
        'A scheduling conflict was found when saving appointment "{subject}" from Exchange to {crm} because {user} '
        'is unavailable at this time. Do you want to ignore the conflict and save anyway?',
        "Answer Yes to save it beside the other appointment, or No to keep it out; or change it in Outlook."),
    _item("MassDeletionHeld", 9101, _ASK, "Many deletions held",
        "{count} of {total} appointments of {mailbox} were deleted in Exchange since the last sync. Delete them in "
        "{crm} too?", "Answer Yes to delete them, or No to keep the rows; nothing is deleted until then."),
    _item("MassUntrackingHeld", 9102, _ASK, "Many items untracked",
        "{count} of {total} appointments of {mailbox} lost the tracking category since the last sync. Stop tracking "
        "them?", "Answer Yes to stop tracking them, or No to keep them tracked; the appointments stay in the CRM."),
    _item("EmptiedSideHeld", 9103, _ASK, "A whole calendar disappeared",
        "The calendar of {mailbox} is empty, and {total} appointments were there at the last sync. Delete them in "
        "{crm} too?", "Check the mailbox first. Answer Yes to delete them, or No to keep the rows."),
    _item("BothSidesChanged", 9104, _ASK, "Changed on both sides",
        '{fields} of "{subject}" changed in Outlook and in {crm}. In Outlook: {exchange}. In {crm}: {row}. Take what '
        'Outlook has?', "Answer Yes to take Outlook's version, or No to take the CRM's; nothing is overwritten until "
        "then."),
    _item("OrganizerChangedHeld", 9105, _ASK, "Another organizer",
        'In {crm} "{subject}" is organized by {detail} now. Move the meeting to that calendar? The meeting of '
        '{mailbox} is called off then, and a new one is made.',
        "Answer Yes to call it off here and make it there, or No to leave Outlook as it is."),
    _item("DeletedAndEditedHeld", 9106, _ASK, "Deleted on one side, edited on the other",
        '"{subject}" was deleted in {deleted} and edited in {edited}. Delete it there too?',
        "Answer Yes to delete it, or No to keep the edited one; what is deleted stays in the trash for 30 days."),
    _item("MassItemDeletionHeld", 9107, _ASK, "Many deletions held",
        "{count} of {total} appointments of {mailbox} were deleted in {crm} since the last sync. Delete them in "
        "Outlook too?", "Answer Yes to delete them, or No to keep the appointments; nothing is deleted until then."),
    _item("EmptiedCrmHeld", 9108, _ASK, "All appointments disappeared",
        "{crm} holds none of the {total} appointments of {mailbox} any more. Delete them in Outlook too?",
        "Check the CRM first. Answer Yes to delete them, or No to keep the appointments."),
    _item("MassCreationHeld", 9109, _ASK, "Many new appointments held",
        "{count} new appointments would be made in the calendar of {mailbox} at once. Make them?",
        "Answer Yes to make them, or No to keep them out of Outlook; the CRM keeps them either way."),
    _item("InvitationsHeld", 9110, _ASK, "Mails held",
        "{count} changes of {mailbox} would make Exchange send {mails} mails to {people}. Send them?",
        "Answer Yes to carry the changes over and let the mails go, or No to leave Outlook as it is."),
    _item("RestoredSideHeld", 9111, _ASK, "The mailbox may have been restored",
        "Nobody knows what changed since {mailbox} was last read. {count} of {total} appointments differ or are "
        "missing. Carry that over to {crm}?",
        "Check whether the mailbox was restored from a backup. Answer Yes to delete and overwrite in the CRM what "
        "differs, or No to leave the CRM as it is."),
    _item("RestoredCrmHeld", 9112, _ASK, "The CRM may have been restored",
        "Nobody knows what changed in {crm} since {mailbox} was last kept in step. {count} of {total} appointments "
        "differ or are missing. Carry that over to Outlook?",
        "Check whether the CRM was restored from a backup. Answer Yes to delete and overwrite in Outlook what differs, "
        "or No to leave Outlook as it is."),
    _item("MassFileRemovalHeld", 9114, _ASK, "Many removed files held",
        "Files were removed from {count} of {total} appointments of {mailbox} on one side since the last sync. Remove "
        "them on the other side too?",
        "Answer Yes to remove them, or No to keep them and give them back; no further file is removed until then."),
    _item("FirstPushHeld", 9113, _ASK, "Writing to this calendar begins",
        "{count} appointments of {mailbox} were entered or changed in {crm} before Syncline wrote to this calendar. "
        "Carry them over to Outlook?",
        "Look at the preview of the mailbox. Answer Yes to make and change them in Outlook, which mails nobody, or No "
        "to leave Outlook as it is. What is entered in the CRM from now on goes over either way."),
    # --- items that are retried ------------------------------------------------------------------------------
    _item("ItemUnreadable", 9201, _RETRY, "Exchange cannot hand out the item",
        'Exchange answered with an error when "{subject}" was read: {detail}',
        "Open the item in Outlook. If it opens, save it again; if not, repair or delete it. Syncline tries again by "
        "itself.", 5),
    _item("ErrorIrresolvableConflict", 9202, _RETRY, "Changed meanwhile",
        '"{subject}" was changed by somebody else while it was being written.',
        "Nothing to do: it is read again and tried again.", 5),
    _item("CrmRefused", 9203, _RETRY, "The CRM refused the item", '{crm} could not save "{subject}": {detail}',
        "Read the detail, mend the item in Outlook or the rule in the CRM. Syncline tries again by itself.", 5),
    _item("AppointmentScheduleNotSet", -2147220875, _RETRY, "Start or end is missing",
        '"{subject}" has no start or no end.', "Set both times in Outlook and save the item.", 5),
    _item("EndBeforeStart", 9204, _RETRY, "Ends before it starts", '"{subject}" ends before it starts.',
        "Correct the times in Outlook and save the item.", 5),
    _item("RecurrenceNotSupported", 9205, _RETRY, "This repetition cannot be taken",
        'The repetition of "{subject}" cannot be taken: {detail}',
        "Change the repetition in Outlook to a daily, weekly, monthly or yearly one.", 5),
    _item("UnknownTimeZone", 9206, _RETRY, "Unknown time zone",
        '"{subject}" uses the time zone "{detail}", whose rules are not known.',
        "Choose another time zone with the same clock in Outlook and save the item.", 5),
    _item("ItemTooLarge", 9207, _RETRY, "Too large", '"{subject}" is larger than {detail}.',
        "Shorten the text or remove people, then save the item.", 5),
    _item("DoubtfulMatch", 9208, _RETRY, "Cannot tell which item this is",
        '"{subject}" could be more than one appointment: {detail}',
        "Delete the surplus copy in Outlook, or untrack one of them.", 5),
    _item("InternalItemError", 9209, _RETRY, "Syncline failed on this item",
        'Syncline itself failed on "{subject}" ({detail}). Other items went on.',
        "Please report it with the details; it is tried again by itself.", 5),
    _item("OrganizerMissing", 9210, _RETRY, "No organizer",
        '"{subject}" has no organizer in {crm}, so nobody can invite to it.',
        "Choose an organizer in the CRM and save the appointment.", 1),
    _item("ChangesBackAndForth", 9211, _RETRY, "Changes back and forth",
        '"{subject}" is changed back again and again, by turns in Outlook and in {crm}; it is left alone now.',
        "Look for a rule or another program that changes one side, then try again under Failures.", 1),
    _item("CrmRowUnreadable", 9212, _RETRY, "The CRM cannot hand out the appointment",
        'The appointment "{subject}" of {crm} (row {row}) cannot be read: {detail}',
        "Open the appointment in the CRM. If it opens, save it again; if not, mend or delete the row. Syncline tries "
        "again by itself, and leaves its item in Outlook as it is meanwhile.", ENDLESS),
    _item("ItemNotWritable", 9221, _RETRY, "May not write to the calendar",
        'Exchange does not let this account save or delete "{subject}" in the calendar of {mailbox}: {detail}',
        "Give the account the right to edit items of the calendar. Syncline tries again by itself.", 5),
    _item("ItemRefused", 9222, _RETRY, "Exchange refused the item", 'Exchange could not save "{subject}": {detail}',
        "Read the detail and mend the appointment in the CRM. Syncline tries again by itself.", 5),
    _item("ErrorOccurrenceCrossingBoundary", 9223, _RETRY, "Moved past its neighbour",
        'A date of "{subject}" was moved to or past the day of the date before or after it, which Exchange does not '
        "allow.", "Move that date back between its neighbours. Syncline tries again by itself.", 5),
    # --- items skipped by a rule -----------------------------------------------------------------------------
    _item("ClosedInCrm", 9301, _SKIP, "Closed in the CRM", '"{subject}" is completed, canceled or gone in {crm}.',
        "Nothing."),
    _item("CopiedItemIgnored", 9302, _SKIP, "Copy of a tracked item",
        '"{subject}" is a copy of an item that is tracked. {crm} follows the other one: '
        "what is changed here stays here.",
        "Change the other one, or delete the copy if nobody needs it."),
    _item("NotOrganizerSkipped", 9303, _SKIP, "Organized by somebody else",
        '"{subject}" is organized by {detail}; tracking by attendees is switched off.',
        "The organizer can track it, or an administrator can allow attendees to."),
    _item("NotTracked", 9305, _SKIP, "Not tracked", '"{subject}" does not carry the tracking category.',
        "Set the category to track it."),
    _item("PrivateSkipped", 9306, _SKIP, "Private", "A private appointment is left out by the setting.", "Nothing."),
    _item("KeptOut", 9307, _SKIP, "Kept out by an answer", '"{subject}" was kept out of {crm}.',
        "Change the answer to Yes under Failures, Kept out."),
    _item("AwaitsInvitation", 9308, _SKIP, "Waits for the invitation",
        '"{subject}" reaches this calendar by the invitation of its organizer.', "Nothing."),
    _item("OrganizedElsewhere", 9309, _SKIP, "Organized by somebody whose calendar is not kept in step",
        '"{subject}" is organized by somebody whose mailbox is not kept in step, so nobody can invite to it.',
        "Add and enable the organizer's mailbox."),
    _item("UntrackedInOutlook", 9310, _SKIP, "Untracked in Outlook",
        '"{subject}" stands in the calendar, but its tracking category was taken off.',
        "Set the category again to keep it in step."),
    _item("OutOfFilters", 9313, _SKIP, "Selected by no sync filter any more",
        '"{subject}" stands in Outlook, but no sync filter selects it any more, so Syncline tracks it no longer.',
        "Nothing. It is tracked again once a filter selects it, or when its category is set in Outlook."),
    _item("PastNotMade", 9311, _SKIP, "Over already", '"{subject}" was over before it could be made in Outlook.',
        "Nothing."),
    _item("DraftNotMade", 9315, _SKIP, "Draft",
        '"{subject}" is a draft in the CRM, so it is not made in Outlook and nobody is invited.',
        "Take its mark Draft off in the CRM once it is to go to Outlook."),
    _item("KeptFromOutlook", 9312, _SKIP, "Kept out of Outlook by an answer",
        '"{subject}" was kept as it is in Outlook by an answer.', "Change it in the CRM to be asked again."),
    replace(_item("AttachmentBlocked", 0x80043E09 - 2**32, _SKIP, "File not taken",
        '"{subject}" was saved, but not every file of it was taken: {detail}',
        "Save the file in another form or make it smaller, or ask an administrator which files are taken."),
        level=Level.WARNING),
    replace(_item("AttachmentInvalidFileName", 0x80044A08 - 2**32, _SKIP, "File name not taken",
        '"{subject}" was saved, but not every file of it was taken: {detail}',
        "Give the file a name without \\ / : * ? \" < > | and attach it again."), level=Level.WARNING),
    _item("FieldTooLong", 9314, _SKIP, "Shortened in Outlook",
        '"{subject}" was saved, but Outlook has room only for the beginning of: {fields}. {crm} keeps all of it.',
        "Nothing, or shorten it in the CRM. Edit it there only: what is edited in Outlook replaces all of it."),
    # --- mailbox and profile ---------------------------------------------------------------------------------
    _mailbox("MailboxNotApproved", 9401, _PERMANENT, "Not approved", "The address {mailbox} is not approved.",
        "A System Administrator approves it on the mailbox page."),
    _mailbox("Unauthorized", 401, _PERMANENT, "Sign-in refused",
        "Exchange refused the user name or password for {mailbox}.",
        "Enter the password again in the profile or mailbox, then Test and enable."),
    _mailbox("Forbidden", 403, _PERMANENT, "Access refused",
        "Exchange does not let this account use {mailbox}: {detail}",
        "Allow EWS for the mailbox and give the service account the impersonation role, then Test and enable."),
    _mailbox("ErrorImpersonateUserDenied", 9402, _PERMANENT, "May not impersonate",
        "The service account may not act for {mailbox}.",
        "Give the account the role ApplicationImpersonation for this mailbox, then Test and enable."),
    _mailbox("ErrorNonExistentMailbox", 9403, _PERMANENT, "No such mailbox", "Exchange knows no mailbox {mailbox}.",
        "Correct the address, then Test and enable."),
    _mailbox("NotFound", 404, _PERMANENT, "No EWS at this address",
        "The server answered, but there is no Exchange Web Service at {detail}.",
        "Correct the URL of the profile; it usually ends in /EWS/Exchange.asmx."),
    _mailbox("CalendarUnreadable", 9404, _PERMANENT, "Calendar not readable",
        "The calendar of {mailbox} cannot be read: {detail}",
        "Give the account the right to read the calendar, then Test and enable."),
    _mailbox("UserDisabled", 9405, _PERMANENT, "CRM user missing",
        "The user {detail} of {mailbox} is missing or disabled in {crm}.",
        "Add or enable the user, then Test and enable."),
    _mailbox("ServiceUnavailable", 503, _TRANSIENT, "Exchange is not available",
        "Exchange is not available at the moment: {detail}", "Nothing to do: it is tried again by itself."),
    _mailbox("ServerUnreachable", 9406, _TRANSIENT, "Server not reached", "The server could not be reached: {detail}",
        "Check the URL, the name and the network; it is tried again by itself."),
    _mailbox("ServerTimeout", 9407, _TRANSIENT, "Server too slow", "The server did not answer within {detail}.",
        "Nothing to do: it is tried again by itself."),
    _mailbox("ServerAnswerInvalid", 9408, _TRANSIENT, "Answer not understood",
        "The server sent an answer that is not valid: {detail}",
        "Check that the URL leads to Exchange and not to a proxy; it is tried again by itself."),
    _mailbox("ErrorInternalServerTransientError", 9409, _TRANSIENT, "Exchange had an internal error",
        "Exchange had an internal error: {detail}", "Nothing to do: it is tried again by itself."),
    _mailbox("CertificateUntrusted", 9410, _PERMANENT, "Certificate not trusted",
        "The certificate of the server is not trusted: {detail}",
        "Add the issuing authority with --ca-file, or renew the certificate, then Test and enable."),
    _mailbox("HttpRefused", 9411, _PERMANENT, "Unencrypted address",
        "{detail} is not encrypted, and the password would be readable on the way.",
        "Use https, or allow it for a trial with --allow-http."),
    _mailbox("ReadOnlyRefused", 9412, _PERMANENT, "Profile is read-only",
        "The operation {detail} writes, and the profile is read-only.",
        "Nothing was written. Use a profile without --read-only to write."),
    Row(code="ThrottledByExchange", number=9413, scope=Scope.MAILBOX, error_class=ErrorClass.THROTTLED,
        level=Level.INFORMATION, title="Exchange asks to wait",
        text="Exchange asks to wait {detail} before the next request.",
        what_to_do="Nothing to do: Syncline waits and goes on."),
    _mailbox("CrmUnavailable", 9414, _TRANSIENT, "CRM not available", "{crm} cannot be reached: {detail}",
        "Nothing to do: it is tried again by itself."),
    _mailbox("InternalMailboxError", 9415, _TRANSIENT, "Syncline failed on this mailbox",
        "Syncline itself failed on {mailbox} ({detail}). Other mailboxes went on.",
        "Please report it with the details; it is tried again by itself."),
    Row(code="CursorExpired", number=9416, scope=Scope.MAILBOX, error_class=ErrorClass.WILL_RETRY,
        level=Level.INFORMATION, title="Reading starts again",
        text="The server no longer knows how far {mailbox} was read; it is read again from the beginning.",
        what_to_do="Nothing to do: nothing is lost and nothing is doubled."),
    Row(code="LeaseLost", number=9417, scope=Scope.MAILBOX, error_class=ErrorClass.WILL_RETRY, level=Level.INFORMATION,
        title="Taken over by another process", text="Another process has taken over {mailbox}.",
        what_to_do="Nothing to do: the other process goes on."),
    Row(code="CategoriesNotWritable", number=9418, scope=Scope.MAILBOX, error_class=ErrorClass.PERMANENT,
        level=Level.WARNING, title="Categories cannot be set",
        text="Waiting appointments of {mailbox} cannot be marked by a category, and answers given there stay on them: "
        "{detail}",
        what_to_do="Give the account the right to edit items of the calendar, or switch outlook.answer_by_category "
        "off. Syncing goes on, and the questions are answered in Syncline."),
    _mailbox("ExchangeSyncIncorrectCrmOrgError", 9419, _PERMANENT, "Kept in step by another installation",
        "Another installation of Syncline ({other}) keeps {mailbox} in step, since {since}.",
        "Leave it there; or take the mailbox over, on its page or with syncline mailboxes test ADDRESS --take-over, "
        "and the other installation stops by itself."),
    _mailbox("OrganizationMarkNotWritable", 9420, _PERMANENT, "Mark cannot be set",
        "Syncline cannot leave in {mailbox} the mark by which another installation would know it: {detail}",
        "Give the account full access to the mailbox or impersonation, or use a profile with --read-only, then Test "
        "and enable."),
    # --- answers and requests --------------------------------------------------------------------------------
    _system("AlreadyAnswered", 9501, "Already answered", "{detail}", "Nothing: the first answer stands."),
    _system("AnswerOutdated", 9502, "Changed meanwhile", "The appointment changed since you saw it.",
        "Look again and answer."),
    _system("AlreadyBegun", 9520, "Carried out already", "{detail} That is being carried out, or has been.",
        "Look at the question again. What was kept out can be changed to Yes."),
    _system("NotAnswered", 9521, "Not answered", "Nobody has answered this question.", "Answer it, or leave it open."),
    _system("NothingWouldRemain", 9522, "No date would remain", "Every date of this series overlaps something.",
        "Answer Yes to save all dates anyway, or No to keep the series out."),
    _system("AlreadyRestored", 9523, "Restored already", "It was restored already. {detail}",
        "Open the appointment that is in the CRM again."),
    _system("NotAllowed", 9503, "Not allowed", "{detail}", "Ask a System Administrator."),
    _system("NotFoundHere", 9504, "Not found", "There is no {detail}.", "Check the name or id."),
    _system("InvalidRequest", 9505, "Not understood", "{detail}", "Correct the request."),
    _system("AlreadyExists", 9506, "Exists already", "{detail} exists already.", "Use another name."),
    _system("RowChanged", 9507, "Changed meanwhile", "The appointment was changed by somebody else.",
        "Read it again and repeat."),
    _system("SignInRequired", 9508, "Sign in first", "Sign in, or send a valid token.", "Sign in, or make a token."),
    _system("SignInRefused", 9509, "Not signed in", "User name or password is wrong.", "Try again."),
    _system("SignInSlowed", 9510, "Too many wrong passwords", "Wait {detail} before the next try.",
        "Wait, then try again."),
    _system("SignInUnsafe", 9511, "Sign-in is not safe here", "A password sent to {detail} could be read on the way.",
        "Use https (a reverse proxy named in trusted_proxies), open Syncline on its own machine, or set "
        "insecure_http for a trial."),
    _system("RequestForged", 9512, "Request not from our pages", "{detail}", "Open the page again and repeat."),
    # --- the installation ------------------------------------------------------------------------------------
    _system("SettingInvalid", 9601, "Setting not valid", "{detail}", "Correct the setting."),
    _system("DiskFull", 9602, "Disk full", "The disk of the data folder is full: {detail}",
        "Free some space; nothing was lost."),
    _system("DataFolderBusy", 9603, "Data folder in use", "Another Syncline runs jobs on {detail}.",
        "Stop it, or use another --data."),
    _system("DataFolderInvalid", 9604, "Data folder not usable", "{detail}",
        "Run syncline init, or name another --data."),
    _system("MailboxHeld", 9605, "Mailbox in use", "Another process holds {mailbox}.",
        "Wait, or stop the other process."),
    _system("PortInUse", 9606, "Port in use", "Port {detail} is in use.",
        "Choose another with --port; for make run: make run PORT=0."),
    _system("CalendarFileInvalid", 9607, "Calendar file not readable", "{detail}", "Correct or leave out the file."),
    # --- mails, their links, and messages to programs ----------------------------------------------------------
    _mailbox("MailRefused", 9701, _PERMANENT, "Mail refused", "The mail to {address} was refused for good: {detail}",
        "Correct the address of the person or the settings of section mail, then syncline mail test ADDRESS."),
    _mailbox("MailServerUnavailable", 9702, _TRANSIENT, "Mail not sent", "The mail server {host} failed: {detail}",
        "Check the settings of section mail with syncline mail test ADDRESS; it is tried again by itself."),
    _mailbox("MailServerRefused", 9703, _PERMANENT, "Mail server refused",
        "The mail server {host} does not take mails from Syncline: {detail}",
        "Correct name, password, security or sender in the section mail; it is tried again by itself."),
    _mailbox("MailUnclear", 9704, _PERMANENT, "Mail perhaps not sent",
        "It is not known whether the mail to {address} has arrived; a mail is sent twice at most.",
        "Nothing: the question stands on the Alerts page."),
    _system("MailNotSet", 9705, "No mail server", "No mail server is set.",
        "Set host, sender and the rest in the section mail, and base_url in the section web."),
    _mailbox("WebhookFailed", 9706, _TRANSIENT, "Webhook failed", "The webhook's target failed: {detail}",
        "Check the settings of section webhook and the target; it is tried again by itself."),
    _mailbox("WebhookRefused", 9707, _PERMANENT, "Webhook refused", "The webhook cannot be used: {detail}",
        "Correct webhook.url: an https address outside the own network (or set webhook.allow_private) that takes it."),
    _system("AnswerLinkUnknown", 9711, "Not known", "This is no Yes or No that Syncline sent, or it is incomplete.",
        "Open it again from the mail, or copy the whole address; or sign in and answer under Alerts."),
    _system("AnswerLinkUsed", 9712, "Used already", "A Yes or No of this mail was used already; it works once.",
        "Sign in to see what became of the answer, or to change it."),
    _system("AnswerLinkExpired", 9713, "Too old", "The Yes and No of a mail work for {detail}.",
        "Sign in and answer under Alerts."),
    _system("AnswerLinkForeign", 9714, "No longer yours",
        "This Yes or No was sent to somebody who cannot answer for this mailbox any more.",
        "Sign in as somebody who can, and answer under Alerts."),
    _system("AnswerLinkSlowed", 9715, "Too many wrong tries", "Wait {detail} before the next try.",
        "Wait, then open it again from the mail, or sign in."),
)
# fmt: on

CATALOGUE: Mapping[str, Row] = {row.code: row for row in _ROWS}
OF_MAILS = ("MailRefused", "MailServerRefused", "MailServerUnavailable", "MailUnclear")
OF_WEBHOOKS = ("WebhookFailed", "WebhookRefused")
"""What keeps mails and messages about questions from leaving; whether a mailbox syncs says nothing of it."""
LASTING = ("FieldTooLong",)
"""What is told of an item that is in step, and stays true until its row says something else."""
TOLD_WHEN_SKIPPED = ("CopiedItemIgnored",)
"""What is told although it is no failure: nobody sees that Syncline follows the other one of two equal items."""


class _Named(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "the CRM" if key == "crm" else key


class SyncError(Exception):
    """A failure in the words of the catalogue.

    `params` fill the row's templates (strings; `detail` never holds secrets or bodies); `retry_after_s` is the
    server's own wish in seconds; `ref` names the item in its replica, if one is at fault.
    """

    def __init__(self, code: str, *, retry_after_s: float | None = None, ref: str | None = None, **params: str) -> None:
        self.row = CATALOGUE[code]
        self.params = dict(params)
        self.retry_after_s = retry_after_s
        self.ref = ref
        super().__init__(f"{code}: {self.text}")

    @property
    def code(self) -> str:
        """Return the catalogue code."""
        return self.row.code

    @property
    def text(self) -> str:
        """Return the row's text with the parameters filled in."""
        return self.row.text.format_map(_Named(self.params))


def render(code: str, params: Mapping[str, str]) -> str:
    """Return the text of `code` filled with `params`; unknown names stay readable."""
    return filled(CATALOGUE[code].text, params)


def filled(text: str, params: Mapping[str, str]) -> str:
    """Return the text of a row, in whatever language, filled with `params`."""
    return text.format_map(_Named(params))
