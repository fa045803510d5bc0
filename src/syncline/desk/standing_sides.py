"""How far each side of an item is dealt with: revisions seen and settled, and what that means in a sentence.

It must not know how a story is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncline.engine import holding
from syncline.errors import CATALOGUE
from syncline.language import _, noted
from syncline.ports import AlertState, Link, Origin, Seen

if TYPE_CHECKING:
    from syncline.wiring import App

HELD = frozenset((*holding.MANY, *holding.SINGLE, holding.RESTORED, holding.FILES))
SHORT = 12
SEEN = {
    Seen.GONE: noted("It is gone from Outlook."),
    Seen.UNTRACKED: noted("It is not tracked in Outlook any more (rule L-04)."),
    Seen.ABSENT: noted("It was entered in the CRM and is not in Outlook."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The revisions of an item: what was seen last on each side, and up to where it is dealt with.

    `exchange` are Exchange's revisions (change keys), "" where the item is not there; `crm` are versions of the row.
    None: nothing of that side is dealt with, or there is no row.
    """

    exchange_seen: str
    exchange_settled: str | None
    crm_seen: int | None
    crm_settled: int | None

    @property
    def exchange_waits(self) -> bool:
        """Return whether something of Exchange is still to be brought in."""
        return bool(self.exchange_seen) and self.exchange_seen != self.exchange_settled

    @property
    def crm_waits(self) -> bool:
        """Return whether something of the CRM is still to be carried over."""
        return self.crm_seen is not None and self.crm_seen != self.crm_settled


def sides_of(link: Link) -> Sides:
    """Return how far both sides of a link are dealt with."""
    there = link.crm_id is not None
    return Sides(
        exchange_seen="" if link.seen is Seen.ABSENT else link.revision,
        exchange_settled=link.revision_settled if link.seen is not Seen.ABSENT else None,
        crm_seen=link.crm_version_seen if there else None,
        crm_settled=link.crm_settled if there and link.crm_settled >= 0 else None,
    )


def standing(app: App, link: Link) -> list[str]:
    """Return sentences about what stands between the two sides of a link."""
    said = [_(SEEN[link.seen])] if link.seen in SEEN else []
    said += [_question(code) for code in _held(app, link)]
    if link.crm_id is None:
        return said
    if link.crm_gone:
        said.append(_("Its row in the CRM is gone."))
    if link.origin is Origin.CRM and not link.in_scope and not link.crm_gone:
        said.append(_("No sync filter selects it any more (rule 1.11)."))
    mailbox = app.store.mailbox(link.mailbox_id)
    if app.store.profile(mailbox.profile_id).read_only:
        if sides_of(link).crm_waits:
            said.append(_("The profile of %(mailbox)s only reads; nothing is written there.", mailbox=mailbox.address))
    elif not app.parts.rules.outgoing:
        if sides_of(link).crm_waits and link.seen is Seen.ABSENT:
            said.append(_("What is entered in the CRM is not sent to Exchange: exchange.write is off."))
    elif not link.writes:
        said.append(_("The copy in another mailbox decides what the CRM and Outlook hold (rule A-33a)."))
    elif sides_of(link).crm_waits:
        said.append(_("Its change in the CRM is still to be carried over to Outlook."))
    return said


def told(sides: Sides) -> list[str]:
    """Return the revisions in words: what was seen, and whether that is dealt with."""
    said = []
    if sides.exchange_seen:
        said.append(_side(_("Exchange revision %(seen)s", seen=_short(sides.exchange_seen)), sides.exchange_waits,
                          _short(sides.exchange_settled or "")))  # fmt: skip
    if sides.crm_seen is not None:
        settled = "" if sides.crm_settled is None else str(sides.crm_settled)
        said.append(_side(_("CRM version %(seen)s", seen=sides.crm_seen), sides.crm_waits, settled))
    return said


def _side(name: str, waits: bool, settled: str) -> str:
    if not waits:
        return _("%(side)s: dealt with", side=name)
    if not settled:
        return _("%(side)s: not dealt with yet", side=name)
    return _("%(side)s: not dealt with yet, %(settled)s was", side=name, settled=settled)


def _short(revision: str) -> str:
    return revision if len(revision) <= SHORT else f"…{revision[-SHORT:]}"


def _held(app: App, link: Link) -> list[str]:
    """Return the codes of the open questions that hold a link back."""
    standing = app.store.open_alerts(link.mailbox_id)
    return [
        alert.code
        for alert in standing
        if alert.code in HELD and alert.state is AlertState.OPEN and link.id in alert.held
    ]


def _question(code: str) -> str:
    return _("It waits for an answer: %(title)s (%(code)s).", title=_(CATALOGUE[code].title), code=code)
