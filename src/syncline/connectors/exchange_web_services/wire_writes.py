"""Builder of the one writing operation: UpdateItem of the categories of items, and of nothing else.

Every change names the ChangeKey that it was decided on (NeverOverwrite refuses a stale one) and that nobody is mailed
(SendToNone). Every text that comes from outside is escaped here. This module must not know how answers look, nor the
network.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from syncline.connectors.exchange_web_services.wire import Request
from syncline.core.answering_by_category import Categorizing

_FIELD = '<t:FieldURI FieldURI="item:Categories"/>'


def update_categories(changes: Sequence[Categorizing]) -> Request:
    """Build UpdateItem that gives each item the categories it should carry afterwards."""
    items = "".join(
        f"<t:ItemChange><t:ItemId Id={quoteattr(change.ref)} ChangeKey={quoteattr(change.revision)}/>"
        f"<t:Updates>{_update(change.after)}</t:Updates></t:ItemChange>"
        for change in changes
    )
    return Request(
        "UpdateItem",
        '<m:UpdateItem MessageDisposition="SaveOnly" ConflictResolution="NeverOverwrite" '
        f'SendMeetingInvitationsOrCancellations="SendToNone"><m:ItemChanges>{items}</m:ItemChanges></m:UpdateItem>',
    )


def _update(names: Sequence[str]) -> str:
    if not names:
        return f"<t:DeleteItemField>{_FIELD}</t:DeleteItemField>"
    strings = "".join(f"<t:String>{escape(name)}</t:String>" for name in names)
    return (
        f"<t:SetItemField>{_FIELD}<t:CalendarItem><t:Categories>{strings}</t:Categories></t:CalendarItem>"
        "</t:SetItemField>"
    )
