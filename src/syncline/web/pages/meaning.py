"""What Yes and No do about everything that is held, and how such a question stands, in words. Sentences only.

Questions about scheduling conflicts have words of their own (`telling`); nothing here speaks of saving beside others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from syncline.language import _, noted


@dataclass(frozen=True, slots=True)
class Meaning:
    """What each answer to a question does."""

    yes: str
    no: str


OTHERS = Meaning(noted("Carry it out."), noted("Leave %(crm)s as it is."))
# Both sides partners: a row without its item is new to Outlook as soon as it is edited.
_DELETED = Meaning(
    noted("Delete them in %(crm)s too. They stay in the trash for 30 days. No mail is sent."),
    noted(
        "Keep them in %(crm)s. What is edited there later may be made in Outlook anew, which invites its guests. No "
        "mail is sent now."
    ),
)
MEANINGS: Mapping[str, Meaning] = {
    "MassDeletionHeld": _DELETED,
    "EmptiedSideHeld": _DELETED,
    "BothSidesChanged": Meaning(
        noted("Take Outlook’s version and write it to %(crm)s. No mail is sent."),
        noted("Keep the version of %(crm)s and write it to Outlook. Guests hear of it if it concerns them."),
    ),
    "OrganizerChangedHeld": Meaning(
        noted(
            "Call the meeting off in this calendar, which tells its guests, and make it in the calendar of the new "
            "organizer, which invites them."
        ),
        noted("Leave Outlook as it is; %(crm)s keeps the new organizer. No mail is sent."),
    ),
    "DeletedAndEditedHeld": Meaning(
        noted(
            "Delete it on the other side too. The edited version stays in the trash for 30 days; guests of a meeting "
            "that is deleted in Outlook are told."
        ),
        noted(
            "Keep the edited one where it stands; it is kept in step no longer. If that is in %(crm)s and it is edited "
            "there again, it may be made in Outlook anew, which invites its guests. No mail is sent now."
        ),
    ),
    "MassItemDeletionHeld": Meaning(
        noted(
            "Delete them in Outlook too. They stay in the trash for 30 days; guests of what is still to come are told."
        ),
        noted("Keep them in Outlook; they are kept in step no longer. No mail is sent."),
    ),
    "EmptiedCrmHeld": Meaning(
        noted(
            "Delete them in Outlook too. They stay in the trash for 30 days; guests of what is still to come are told."
        ),
        noted("Keep them in Outlook; they are kept in step no longer. No mail is sent."),
    ),
    "MassFileRemovalHeld": Meaning(
        noted("Remove the files on the other side too. They are not in the trash."),
        noted("Keep the files, and give them back to the side that lacks them. No mail is sent."),
    ),
    "FirstPushHeld": Meaning(
        noted("Make and change them in Outlook as %(crm)s has them. No mail is sent."),
        noted("Leave Outlook as it is; %(crm)s keeps what it has. No mail is sent."),
    ),
    "MassCreationHeld": Meaning(
        noted("Make them in Outlook. Guests of what is still to come are invited."),
        noted("Keep them out of Outlook; they stay in %(crm)s. No mail is sent."),
    ),
    "InvitationsHeld": Meaning(
        noted("Carry the changes over to Outlook and let these mails go."),
        noted("Leave Outlook as it is; %(crm)s keeps the changes. No mail is sent."),
    ),
    "RestoredSideHeld": Meaning(
        noted(
            "Delete and overwrite in %(crm)s what differs from Outlook. What is deleted stays in the trash for 30 days."
        ),
        noted(
            "Leave %(crm)s as it is. Nothing changes in Outlook, no mail is sent now. What is missing there and is "
            "edited in %(crm)s later may be made in Outlook anew, which invites its guests."
        ),
    ),
    "RestoredCrmHeld": Meaning(
        noted(
            "Delete and overwrite in Outlook what differs from %(crm)s. What is deleted stays in the trash for 30 "
            "days; guests hear of what concerns them."
        ),
        noted("Leave Outlook as it is. No mail is sent."),
    ),
}
"""By the code of the question; `OTHERS` for every other one."""


def yes_means(code: str, crm: str) -> str:
    """Return what a Yes does."""
    return _(MEANINGS.get(code, OTHERS).yes, crm=crm)


def no_means(code: str, crm: str) -> str:
    """Return what a No does."""
    return _(MEANINGS.get(code, OTHERS).no, crm=crm)


def standing(state: str, answer: str | None, *, time: str, name: str) -> str | None:
    """Return how a question about what is held stands; None where it stands as every other question does."""
    if state == "saving":
        return _("Carrying it out…")
    if state == "saved" and answer is not None:
        return _("Carried out %(time)s by %(name)s", time=time, name=name)
    if state == "not_saved_yet":
        return _("Answered Yes. It could not be carried out yet")
    return None
