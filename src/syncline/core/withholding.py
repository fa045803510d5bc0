"""What a row says that must not reach Exchange: refused by an answer, or from before anything was written there.

It is kept as the content that the row had then. A field is withheld as long as neither side has touched it since; what
is changed later flows as ever. Pure; it must not know why something is withheld.
"""

from __future__ import annotations

from syncline.core.appointment import Appointment
from syncline.core.merging import EXCEPTIONS, advance, differences

# They say one thing together: dates of a pattern mean nothing under another one.
_TIME = frozenset({"span", "zone", "recurrence", "deleted", EXCEPTIONS})


def withheld_fields(agreed: Appointment, withheld: Appointment, row: Appointment) -> frozenset[str]:
    """Return the fields of the row that stay where they are: they differ from *agreed* as they did then."""
    moved = differences(withheld, row)
    kept = differences(agreed, withheld) - moved
    return kept - _TIME if moved & _TIME else kept


def withholding(agreed: Appointment, withheld: Appointment, row: Appointment) -> Appointment | None:
    """Return what is withheld from now on, with nothing in it but that and what is agreed; None if nothing is."""
    kept = withheld_fields(agreed, withheld, row)
    return advance(agreed, withheld, kept) if kept else None


def still_withheld(before: Appointment, withheld: Appointment, agreed: Appointment) -> Appointment | None:
    """Return what is withheld once Exchange's changes made *agreed* of `before`: nothing of what they touched."""
    kept = differences(before, withheld) - differences(before, agreed)
    return advance(agreed, withheld, kept) if kept else None
