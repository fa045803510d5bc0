"""Words for what only a person can decide about one item: both sides changed it, or one deleted what the other edited.

It shows both versions; it must not know what an answer does.
"""

from __future__ import annotations

from hashlib import sha256

from syncline.core.appointment import Appointment
from syncline.engine.deciding import Decided
from syncline.engine.holding import About
from syncline.engine.observing import row_content
from syncline.engine.run import Run

SHOWN_MAX = 120
PRIVATE = "a private appointment"


def about_divergence(run: Run, decided: Decided) -> About:  # noqa: ARG001 (the questions of one family are made alike)
    """Return what to ask about fields that both sides changed: both versions, side by side (3.1).

    Beside the sentence's own words each value stands by itself ("exchange.span"), so that whoever shows the question
    words it in the reader's language and zone. Of what is private nothing is kept.
    """
    assert decided.row is not None and decided.candidate is not None
    row = row_content(decided.row)
    names = sorted(decided.torn)
    params = {
        "fields": ", ".join(names),
        "exchange": _version(decided.candidate, names, private=decided.link.private),
        "row": _version(row, names, private=decided.link.private),
    }
    if not decided.link.private:
        for side, version in (("exchange", decided.candidate), ("row", row)):
            params |= {f"{side}.{name}": _value(version, name) for name in names}
    digest = _digest(*((getattr(side, name, None)) for side in (decided.candidate, row) for name in names))
    return About(link=decided.link, digest=digest, params=params)


def about_deletion(run: Run, decided: Decided) -> About:
    """Return what to ask about an item that was deleted in Outlook while its row was edited."""
    params = {"deleted": "Outlook", "edited": run.rules.crm_name}
    row = row_content(decided.row) if decided.row is not None else None
    return About(link=decided.link, digest=_digest(row), params=params)


def _version(side: Appointment, names: list[str], *, private: bool) -> str:
    if private:
        return PRIVATE
    return "; ".join(_told(side, name) for name in names)[:SHOWN_MAX]


def _value(side: Appointment, name: str) -> str:
    """Return one value as it can be read again: a span as start, end (ISO) and whether of whole days."""
    if name == "span":
        return f"{side.span.start.isoformat()}/{side.span.end.isoformat()}/{int(side.span.all_day)}"
    if name in ("exceptions", "exception_texts", "deleted"):
        return f"{len(side.exceptions)}/{len(side.deleted)}"
    if name == "attendees":
        return ", ".join(person.address for person in side.attendees)[:SHOWN_MAX]
    return str(getattr(side, name, "") or "")[:SHOWN_MAX]


def _told(side: Appointment, name: str) -> str:
    if name == "span":
        return f"{side.span.start:%Y-%m-%d %H:%M} to {side.span.end:%Y-%m-%d %H:%M} UTC"
    if name == "attendees":
        return ", ".join(person.address for person in side.attendees) or "nobody"
    if name in ("exceptions", "exception_texts", "deleted"):
        return f"{len(side.exceptions)} changed and {len(side.deleted)} deleted dates"
    return str(getattr(side, name, "") or "nothing")


def _digest(*values: object) -> str:
    return sha256(repr(values).encode()).hexdigest()
