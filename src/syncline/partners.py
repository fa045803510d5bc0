"""Settings of the way to Exchange, of what happens where both sides changed something, and of files.

They are read with all others (`config`); here is only what they are, and how the core understands them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from syncline.core.attachments import KILOBYTE, Limits
from syncline.core.guards import Invitations
from syncline.core.merging import SCHEDULING_FIELDS, TEXT_FIELDS, Winner
from syncline.core.merging import PrivatePolicy as Private
from syncline.core.pushing import SETTABLE, Direction, Policy
from syncline.meant import Meant

_FIELDS = (*TEXT_FIELDS, *(name for name in SCHEDULING_FIELDS if name not in ("organizer", "deleted")), "exceptions")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSettings:
    """What is written to Exchange, and whom that mails."""

    write: Annotated[
        bool,
        Meant(
            "Carry the CRM's appointments and changes over to Exchange (3.4). Off: only Exchange's come to the CRM. "
            "Never for profiles that only read."
        ),
    ] = True
    distinct_physical_and_logical_deletes: Annotated[
        bool,
        Meant(
            "A row that only leaves the sync filters is unlinked; off: it is deleted in Exchange like a deleted one."
        ),
    ] = True
    propagate_cancellations: Annotated[
        bool, Meant("A meeting that is canceled in the CRM is called off in Exchange (A-13); off: it shows as free.")
    ] = False
    invitations: Annotated[
        bool, Meant("Exchange may mail invitations, updates and cancellations about what the CRM changes (A-06).")
    ] = True
    mail_about_past: Annotated[bool, Meant("Guests hear of changes of meetings that are over, too (A-08).")] = False
    mails_max: Annotated[
        int, Meant("Most mails that one sync of one mailbox may cause unasked.", low=0, high=1_000_000)
    ] = 100
    mail_domains: Annotated[
        tuple[str, ...],
        Meant("Domains that may be mailed unasked, such as example.com; none named: all. Others are asked about."),
    ] = ()
    creations_max: Annotated[
        int,
        Meant("Most new appointments in one calendar by one sync, after the first, unasked.", low=0, high=1_000_000),
    ] = 100


class BothChanged(StrEnum):
    """Whose value stands where both sides changed one field."""

    EXCHANGE = "exchange"
    CRM = "crm"
    ASK = "ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergingSettings:
    """What happens where both sides changed the same, and which way single fields flow."""

    both_changed: Annotated[
        BothChanged, Meant("Whose value stands where both sides changed one field: exchange, crm, or ask (3.1).")
    ] = BothChanged.EXCHANGE
    both_changed_fields: Annotated[
        tuple[str, ...], Meant(f"Exceptions of it by field, such as subject=ask; fields: {', '.join(_FIELDS)}.")
    ] = ()
    directions: Annotated[
        tuple[str, ...],
        Meant(
            f"Fields that do not flow both ways, such as description=to_crm (3.9); fields: {', '.join(SETTABLE)}; "
            f"directions: {', '.join(Direction)}."
        ),
    ] = ()
    ask_before_overruling: Annotated[
        bool,
        Meant(
            "Ask before a whole appointment or series is deleted on one side that was edited on the other (A-25); "
            "about single dates of a series nobody is asked, and what was edited is in the trash."
        ),
    ] = False
    flips_max: Annotated[
        int,
        Meant("An appointment that both sides overwrite by turns is left alone after so many within an hour.", low=2,
              high=1000),
    ] = 8  # fmt: skip


# What Windows or a browser would run, and what changes how they work.
_BLOCKED = (
    "ade", "adp", "app", "asp", "aspx", "bas", "bat", "cer", "chm", "cmd", "com", "cpl", "crt", "csh", "dll", "exe",
    "fxp", "hlp", "hta", "htm", "html", "inf", "ins", "isp", "jar", "js", "jse", "ksh", "lnk", "mda", "mdb", "mde",
    "mdt", "mdw", "mdz", "mht", "mhtml", "msc", "msi", "msp", "mst", "ops", "pcd", "pif", "prf", "prg", "ps1", "ps1xml",
    "ps2", "psc1", "psc2", "pst", "reg", "scf", "scr", "sct", "shb", "shs", "svg", "tmp", "url", "vb", "vbe", "vbs",
    "vsw", "ws", "wsc", "wsf", "wsh", "xap", "xll",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentSettings:
    """Whether files of single appointments are kept in step, and which."""

    enabled: Annotated[
        bool,
        Meant(
            "Keep files attached to single appointments in step, both ways (D-05); never those of series. Off: nothing "
            "is read or written, and the CRM's pages show no files; what stands in Exchange stays."
        ),
    ] = False
    size_max_kb: Annotated[int, Meant("Largest file that is taken, in KB (D-06).", low=1, high=32_768)] = 5_120
    blocked: Annotated[
        tuple[str, ...],
        Meant("Endings of files that are not taken, such as exe; the appointment is saved anyway."),
    ] = _BLOCKED

    def limits(self) -> Limits | None:
        """Return which files are taken as the core understands it; None if files are not kept in step."""
        if not self.enabled:
            return None
        blocked = frozenset(ending.strip().lower().removeprefix(".") for ending in self.blocked)
        return Limits(size_max=self.size_max_kb * KILOBYTE, blocked=blocked)


def winners(merging: MergingSettings) -> Mapping[str, Winner]:
    """Return whose value stands, by field, where it is not the general rule."""
    return {name: Winner(word) for name, word in _pairs(merging.both_changed_fields)}


def pushing_policy(exchange: ExchangeSettings, merging: MergingSettings, private: Private) -> Policy:
    """Return the settings as the core understands them."""
    return Policy(
        private=private,
        distinct_deletes=exchange.distinct_physical_and_logical_deletes,
        propagate_cancellations=exchange.propagate_cancellations,
        mail_about_past=exchange.mail_about_past,
        ask_before_overruling=merging.ask_before_overruling,
        send=exchange.invitations,
        directions={name: Direction(word) for name, word in _pairs(merging.directions)},
    )


def invitations(exchange: ExchangeSettings) -> Invitations:
    """Return how many mails may leave unasked, and where to."""
    return Invitations(mails_max=exchange.mails_max, domains=exchange.mail_domains)


def unmergeable(merging: MergingSettings) -> Iterator[str]:
    """Say what is wrong with settings by field."""
    for setting, given, fields, words in (
        ("both_changed_fields", merging.both_changed_fields, _FIELDS, tuple(Winner)),
        ("directions", merging.directions, SETTABLE, tuple(Direction)),
    ):
        for pair in given:
            name, _, word = pair.partition("=")
            if name not in fields or word not in [each.value for each in words]:
                known = ", ".join(each.value for each in words)
                yield f"merging.{setting}: {pair} is not FIELD=WORD with a field of {', '.join(fields)} and {known}."


def _pairs(given: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for pair in given:
        name, _, word = pair.partition("=")
        yield name, word
