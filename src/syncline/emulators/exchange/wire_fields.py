"""Item to XML: one table of fields per kind of item, each with its property path, in the order of the schema.

A field renders itself as text from a `View`, empty when the item has no such value. The tables are also the list
of what AdditionalProperties may name. Source of order: types.xsd; of paths: the page FieldURI of the EWS reference.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from syncline.emulators.exchange.identifiers import attachment_id, change_key, item_id
from syncline.emulators.exchange.model import Attachment, Attendee, Person, ZoneRef
from syncline.emulators.exchange.view import EXCEPTION, MASTER, OCCURRENCE, View
from syncline.emulators.exchange.wire import escape, instant
from syncline.emulators.exchange.wire_recurrence import occurrence_lists, recurrence_xml
from syncline.emulators.exchange.zones import display_name, to_wall

Render = Callable[[View], str]


@dataclass(frozen=True, slots=True)
class Field:
    """One property: its path, its renderer, and whether summaries (FindItem, SyncFolderItems) carry it."""

    uri: str
    render: Render
    summary: bool = True
    default: bool = False
    on_request: bool = False


def _name(uri: str) -> str:
    return uri.partition(":")[2]


def _text(uri: str, get: Callable[[View], str], **flags: bool) -> Field:
    name = _name(uri)

    def render(view: View) -> str:
        value = get(view)
        return f"<t:{name}>{escape(value)}</t:{name}>" if value else ""

    return Field(uri, render, **flags)


def _flag(uri: str, get: Callable[[View], bool], **flags: bool) -> Field:
    name = _name(uri)
    yes, no = f"<t:{name}>true</t:{name}>", f"<t:{name}>false</t:{name}>"
    return Field(uri, lambda view: yes if get(view) else no, **flags)


def _time(uri: str, get: Callable[[View], datetime | None], **flags: bool) -> Field:
    name = _name(uri)

    def render(view: View) -> str:
        value = get(view)
        return f"<t:{name}>{instant(value)}</t:{name}>" if value else ""

    return Field(uri, render, **flags)


def _number(uri: str, get: Callable[[View], int], **flags: bool) -> Field:
    name = _name(uri)
    return Field(uri, lambda view: f"<t:{name}>{get(view)}</t:{name}>", **flags)


# -- values


def person_xml(person: Person) -> str:
    """Return a mail address element."""
    return (
        f"<t:Mailbox><t:Name>{escape(person.name or person.address)}</t:Name>"
        f"<t:EmailAddress>{escape(person.address)}</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType>"
        "<t:MailboxType>Mailbox</t:MailboxType></t:Mailbox>"
    )


def _attendee_xml(attendee: Attendee) -> str:
    when = f"<t:LastResponseTime>{instant(attendee.responded)}</t:LastResponseTime>" if attendee.responded else ""
    mailbox = person_xml(Person(attendee.address, attendee.name))
    return f"<t:Attendee>{mailbox}<t:ResponseType>{attendee.response}</t:ResponseType>{when}</t:Attendee>"


def _attendees(uri: str, role: str) -> Field:
    name = _name(uri)

    def render(view: View) -> str:
        found = "".join(_attendee_xml(a) for a in view.item.attendees if a.role == role)
        return f"<t:{name}>{found}</t:{name}>" if found else ""

    return Field(uri, render, summary=False)


def _person(uri: str, get: Callable[[View], Person | None], **flags: bool) -> Field:
    name = _name(uri)

    def render(view: View) -> str:
        person = get(view)
        return f"<t:{name}>{person_xml(person)}</t:{name}>" if person else ""

    return Field(uri, render, **flags)


def _people(uri: str, get: Callable[[View], tuple[Person, ...]]) -> Field:
    name = _name(uri)

    def render(view: View) -> str:
        found = "".join(person_xml(p) for p in get(view))
        return f"<t:{name}>{found}</t:{name}>" if found else ""

    return Field(uri, render, summary=False)


def attachment_xml(ident: str, attachment: Attachment, content: str | None = None, root: str = "") -> str:
    """Return a FileAttachment element; `content` is base64, `root` the attributes that name the item it is on."""
    kind = f"<t:ContentType>{escape(attachment.content_type)}</t:ContentType>" if attachment.content_type else ""
    name = f"<t:ContentId>{escape(attachment.content_id)}</t:ContentId>" if attachment.content_id else ""
    inner = f"<t:Content>{content}</t:Content>" if content is not None else ""
    return (
        f'<t:FileAttachment><t:AttachmentId Id="{ident}"{root}/><t:Name>{escape(attachment.name)}</t:Name>{kind}{name}'
        f"<t:Size>{attachment.size}</t:Size><t:LastModifiedTime>{instant(attachment.modified)}</t:LastModifiedTime>"
        f"<t:IsInline>{str(attachment.inline).lower()}</t:IsInline><t:IsContactPhoto>false</t:IsContactPhoto>{inner}"
        "</t:FileAttachment>"
    )


def _attachments(view: View) -> str:
    stored = view.stored
    found = "".join(
        attachment_xml(attachment_id(stored.mailbox, stored.row, each.blob), each) for each in view.item.attachments
    )
    return f"<t:Attachments>{found}</t:Attachments>" if found else ""


def _zone(uri: str, get: Callable[[View], ZoneRef]) -> Field:
    name = _name(uri)

    @lru_cache(maxsize=256)
    def render(zone: ZoneRef) -> str:
        title = zone.name or (zone.id if zone.definition else display_name(zone.id))
        return f'<t:{name} Id="{escape(zone.id)}" Name="{escape(title)}">{zone.definition}</t:{name}>'

    return Field(uri, lambda view: render(get(view)), summary=False)


_TAG = re.compile(r"<[^>]*>")
_BLOCK = re.compile(r"(?i)<\s*(br|/p|/div|/li|/tr)[^>]*>")
_HIDDEN = re.compile(r"(?is)<(head|style|script)\b.*?</\1\s*>")


def body_text(body: str, body_type: str) -> str:
    """Return a body as plain text."""
    if body_type != "HTML":
        return body
    return html.unescape(_TAG.sub("", _BLOCK.sub("\n", _HIDDEN.sub("", body)))).strip()


def body_html(body: str, body_type: str) -> str:
    """Return a body as HTML."""
    if body_type == "HTML":
        return body
    lines = html.escape(body, quote=False).replace("\n", "<br>\n")
    return f"<html><head></head><body><div>{lines}</div></body></html>"


def _body(view: View) -> str:
    item = view.item
    kind = item.body_type if view.body_type == "Best" else view.body_type
    text = body_html(item.body, item.body_type) if kind == "HTML" else body_text(item.body, item.body_type)
    return f'<t:Body BodyType="{kind}">{escape(text)}</t:Body>'


def _text_body(view: View) -> str:
    text = body_text(view.item.body, view.item.body_type)
    return f'<t:TextBody BodyType="Text">{escape(text)}</t:TextBody>'


def _categories(view: View) -> str:
    found = "".join(f"<t:String>{escape(c)}</t:String>" for c in view.item.categories)
    return f"<t:Categories>{found}</t:Categories>" if found else ""


def _responses(view: View) -> str:
    item = view.item
    if not item.is_calendar or not item.is_meeting:
        return "<t:ResponseObjects><t:ForwardItem/></t:ResponseObjects>"
    if item.my_response == "Organizer":
        return "<t:ResponseObjects><t:CancelCalendarItem/><t:ForwardItem/></t:ResponseObjects>"
    answers = "<t:AcceptItem/><t:TentativelyAcceptItem/><t:DeclineItem/>"
    return f"<t:ResponseObjects>{answers}<t:ReplyToItem/><t:ReplyAllToItem/><t:ForwardItem/></t:ResponseObjects>"


_RIGHT_NAMES = (
    "CreateAssociated", "CreateContents", "CreateHierarchy", "Delete", "Modify", "Read", "ViewPrivateItems",
)  # fmt: skip
RIGHTS = "".join(f"<t:{right}>true</t:{right}>" for right in _RIGHT_NAMES)


def _duration(view: View) -> str:
    minutes = int((view.item.end - view.item.start).total_seconds()) // 60
    return f"PT{minutes}M"


def _state(view: View) -> int:
    item = view.item
    received = item.my_response not in ("Unknown", "Organizer")
    return (1 if item.is_meeting else 0) | (2 if received else 0) | (4 if item.cancelled else 0)


def _wall(uri: str, get: Callable[[View], tuple[datetime, ZoneRef]]) -> Field:
    name = _name(uri)

    def render(view: View) -> str:
        value, zone = get(view)
        wall = to_wall(value, zone)
        return f"<t:{name}>{wall.isoformat()[:19]}</t:{name}>"

    return Field(uri, render, summary=False)


# -- tables in schema order

ITEM_ID = Field("item:ItemId", lambda v: f'<t:ItemId Id="{v.id}" ChangeKey="{v.change_key}"/>', default=True)

ITEM_FIELDS: tuple[Field, ...] = (
    ITEM_ID,
    Field(
        "item:ParentFolderId",
        lambda v: f'<t:ParentFolderId Id="{v.folder_id}" ChangeKey="{change_key(1)}"/>',
    ),
    _text("item:ItemClass", lambda v: v.item.item_class),
    _text("item:Subject", lambda v: v.item.subject, default=True),
    _text("item:Sensitivity", lambda v: v.item.sensitivity, default=True),
    Field("item:Body", _body, summary=False, default=True),
    Field("item:Attachments", _attachments, summary=False),
    _time("item:DateTimeReceived", lambda v: v.item.created),
    _number("item:Size", lambda v: 2_000 + len(v.item.subject) + len(v.item.body)),
    Field("item:Categories", _categories),
    _text("item:Importance", lambda v: v.item.importance),
    _flag("item:IsSubmitted", lambda _: False),
    _flag("item:IsDraft", lambda v: v.item.is_draft),
    _flag("item:IsFromMe", lambda _: False),
    _flag("item:IsResend", lambda _: False),
    _flag("item:IsUnmodified", lambda _: False),
    _time("item:DateTimeSent", lambda v: v.item.created),
    _time("item:DateTimeCreated", lambda v: v.item.created),
    Field("item:ResponseObjects", _responses, default=True),
    _time("item:ReminderDueBy", lambda v: v.item.start if v.item.is_calendar else None),
    _flag("item:ReminderIsSet", lambda v: v.item.reminder_set),
    _number("item:ReminderMinutesBeforeStart", lambda v: v.item.reminder_minutes),
    _text("item:DisplayCc", lambda v: "; ".join(a.name or a.address for a in v.item.attendees if a.role == "Optional")),
    _text("item:DisplayTo", lambda v: "; ".join(a.name or a.address for a in v.item.attendees if a.role == "Required")),
    _flag("item:HasAttachments", lambda v: v.item.has_files, default=True),
    Field("item:ExtendedProperty", lambda _: "", on_request=True),
    _text("item:Culture", lambda _: "en-US"),
    Field("item:EffectiveRights", lambda v: f"<t:EffectiveRights>{RIGHTS}</t:EffectiveRights>"),
    _text("item:LastModifiedName", lambda v: v.mailbox.name),
    _time("item:LastModifiedTime", lambda v: v.item.modified),
    _flag("item:IsAssociated", lambda _: False, default=True),
    Field("item:TextBody", _text_body, summary=False, on_request=True),
)


def _uid(uri: str) -> Field:
    return _text(uri, lambda v: v.item.uid)


def _recurrence_id(view: View) -> datetime | None:
    return view.item.original_start if view.type in (OCCURRENCE, EXCEPTION) else view.item.recurrence_id


def _series(name: str, uri: str) -> Field:
    return Field(uri, lambda v: occurrence_lists(v)[name] if v.type == MASTER else "", summary=False)


_TIMES: tuple[Field, ...] = (
    _time("calendar:Start", lambda v: v.item.start, default=True),
    _time("calendar:End", lambda v: v.item.end, default=True),
    _time("calendar:OriginalStart", lambda v: v.item.original_start),
    _flag("calendar:IsAllDayEvent", lambda v: v.item.all_day),
    _text("calendar:LegacyFreeBusyStatus", lambda v: v.item.show_as, default=True),
    _text("calendar:Location", lambda v: v.item.location, default=True),
)
_MEETING: tuple[Field, ...] = (
    _flag("calendar:IsMeeting", lambda v: v.item.is_meeting),
    _flag("calendar:IsCancelled", lambda v: v.item.cancelled),
    _flag("calendar:IsRecurring", lambda v: v.type in (OCCURRENCE, EXCEPTION)),
    _flag("calendar:MeetingRequestWasSent", lambda v: v.item.request_sent),
)
_PEOPLE: tuple[Field, ...] = (
    _text("calendar:CalendarItemType", lambda v: v.type, default=True),
    _text("calendar:MyResponseType", lambda v: v.item.my_response),
    _person("calendar:Organizer", lambda v: v.item.organizer, default=True),
    _attendees("calendar:RequiredAttendees", "Required"),
    _attendees("calendar:OptionalAttendees", "Optional"),
    _attendees("calendar:Resources", "Resource"),
    _text("calendar:Duration", _duration),
    _text("calendar:TimeZone", lambda v: v.item.start_zone.name or v.item.start_zone.id),
    _time("calendar:AppointmentReplyTime", lambda v: v.item.reply_time),
    _number("calendar:AppointmentSequenceNumber", lambda v: v.item.sequence),
    _number("calendar:AppointmentState", _state),
    Field("calendar:Recurrence", lambda v: recurrence_xml(v) if v.type == MASTER else "", summary=False),
    _series("FirstOccurrence", "calendar:FirstOccurrence"),
    _series("LastOccurrence", "calendar:LastOccurrence"),
    _series("ModifiedOccurrences", "calendar:ModifiedOccurrences"),
    _series("DeletedOccurrences", "calendar:DeletedOccurrences"),
    _zone("calendar:StartTimeZone", lambda v: v.item.start_zone),
    _zone("calendar:EndTimeZone", lambda v: v.item.end_zone),
    _flag("calendar:AllowNewTimeProposal", lambda _: True),
    _flag("calendar:IsOnlineMeeting", lambda _: False),
)
_WALL: tuple[Field, ...] = (
    _wall("calendar:StartWallClock", lambda v: (v.item.start, v.item.start_zone)),
    _wall("calendar:EndWallClock", lambda v: (v.item.end, v.item.end_zone)),
    _text("calendar:StartTimeZoneId", lambda v: v.item.start_zone.id),
    _text("calendar:EndTimeZoneId", lambda v: v.item.end_zone.id),
)

CALENDAR_FIELDS: tuple[Field, ...] = (
    _uid("calendar:UID"),
    _time("calendar:RecurrenceId", _recurrence_id),
    _time("calendar:DateTimeStamp", lambda v: v.item.modified),
    *_TIMES,
    *_MEETING,
    _flag("calendar:IsResponseRequested", lambda v: v.item.response_requested),
    *_PEOPLE,
    *_WALL,
    _text("calendar:IntendedFreeBusyStatus", lambda v: v.item.show_as),
    _flag("calendar:IsOrganizer", lambda v: v.item.my_response in ("Organizer", "Unknown")),
)

MESSAGE_FIELDS: tuple[Field, ...] = (
    _person("message:Sender", lambda v: v.item.sender),
    _people("message:ToRecipients", lambda v: v.item.recipients),
    _flag("message:IsReadReceiptRequested", lambda _: False),
    _flag("message:IsDeliveryReceiptRequested", lambda _: False),
    _text("message:ConversationTopic", lambda v: v.item.subject),
    _person("message:From", lambda v: v.item.sender, default=True),
    _text("message:InternetMessageId", lambda v: f"<{v.stored.row}.{v.stored.mailbox}@exchange.invalid>"),
    _flag("message:IsRead", lambda v: v.item.is_read, default=True),
    _flag("message:IsResponseRequested", lambda v: v.item.response_requested),
)


def _associated(view: View) -> str:
    row = view.item.associated
    if not row:
        return ""
    return f'<t:AssociatedCalendarItemId Id="{item_id(view.stored.mailbox, row)}"/>'


MEETING_MESSAGE_FIELDS: tuple[Field, ...] = (
    Field("meeting:AssociatedCalendarItemId", _associated, default=True),
    _flag("meeting:IsDelegated", lambda _: False),
    _flag("meeting:IsOutOfDate", lambda _: False),
    _flag("meeting:HasBeenProcessed", lambda _: True),
    _text("meeting:ResponseType", lambda v: v.item.response_type, default=True),
    _uid("calendar:UID"),
    _time("calendar:RecurrenceId", lambda v: v.item.recurrence_id),
    _time("calendar:DateTimeStamp", lambda v: v.item.modified),
)

_REQUEST_FIELDS: tuple[Field, ...] = (
    _text("meetingRequest:MeetingRequestType", lambda v: v.item.request_type, default=True),
    _text("meetingRequest:IntendedFreeBusyStatus", lambda v: v.item.show_as),
    *_TIMES,
    *_MEETING,
    *_PEOPLE,
    *_WALL,
)

_ANSWER_FIELDS: tuple[Field, ...] = (
    _time("calendar:Start", lambda v: v.item.start),
    _time("calendar:End", lambda v: v.item.end),
    _text("calendar:Location", lambda v: v.item.location),
)

FIELDS: dict[str, tuple[Field, ...]] = {
    "CalendarItem": ITEM_FIELDS + CALENDAR_FIELDS,
    "Message": ITEM_FIELDS + MESSAGE_FIELDS,
    "MeetingRequest": ITEM_FIELDS + MESSAGE_FIELDS + MEETING_MESSAGE_FIELDS + _REQUEST_FIELDS,
    "MeetingResponse": ITEM_FIELDS + MESSAGE_FIELDS + MEETING_MESSAGE_FIELDS + _ANSWER_FIELDS,
    "MeetingCancellation": ITEM_FIELDS + MESSAGE_FIELDS + MEETING_MESSAGE_FIELDS + _ANSWER_FIELDS,
}
