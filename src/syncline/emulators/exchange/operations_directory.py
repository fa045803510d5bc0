"""The directory: ResolveNames, GetServerTimeZones."""

from __future__ import annotations

from lxml import etree

from syncline.emulators.exchange.call import Call, person_of
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import Mailbox
from syncline.emulators.exchange.wire import M, children, escape, failure, response, success
from syncline.emulators.exchange.wire_fields import person_xml
from syncline.emulators.exchange.zones import definition, display_name, known_ids


def resolve_names(call: Call, request: etree._Element) -> str:
    """Return the mailboxes that a name, a part of one or an address means."""
    entry = (request.findtext(f"{M}UnresolvedEntry") or "").strip().lower().removeprefix("smtp:")
    full = request.get("ReturnFullContactData") in ("true", "1")
    found = [m for m in call.store.mailboxes() if entry and _means(m, entry)]
    if not found:
        return response("ResolveNames", [failure("ResolveNames", EwsError("ErrorNameResolutionNoResults"))])
    body = "".join(
        f"<t:Resolution>{person_xml(person_of(m))}{_contact(m) if full else ''}</t:Resolution>" for m in found
    )
    attributes = f'TotalItemsInView="{len(found)}" IncludesLastItemInRange="true"'
    content = f"<m:ResolutionSet {attributes}>{body}</m:ResolutionSet>"
    if len(found) > 1:
        message = success("ResolveNames", content).replace(
            'ResponseClass="Success"><m:ResponseCode>NoError',
            'ResponseClass="Warning"><m:MessageText>Multiple results were found.</m:MessageText>'
            "<m:ResponseCode>ErrorNameResolutionMultipleResults",
            1,
        )
        return response("ResolveNames", [message])
    return response("ResolveNames", [success("ResolveNames", content)])


def _means(mailbox: Mailbox, entry: str) -> bool:
    if "@" in entry:
        return mailbox.address == entry
    name = mailbox.name.lower()
    return any(text.startswith(entry) for text in (mailbox.address, name, *name.split()))


def _contact(mailbox: Mailbox) -> str:
    given, _, surname = mailbox.name.partition(" ")
    return (
        f"<t:Contact><t:DisplayName>{escape(mailbox.name)}</t:DisplayName><t:GivenName>{escape(given)}</t:GivenName>"
        f'<t:EmailAddresses><t:Entry Key="EmailAddress1">SMTP:{escape(mailbox.address)}</t:Entry></t:EmailAddresses>'
        f"<t:ContactSource>ActiveDirectory</t:ContactSource><t:Surname>{escape(surname)}</t:Surname></t:Contact>"
    )


def get_server_time_zones(_: Call, request: etree._Element) -> str:
    """Return zone definitions, all or by id; unknown ids are left out."""
    full = request.get("ReturnFullTimeZoneData", "true") in ("true", "1")
    wanted = [e.text or "" for e in children(request, f"{M}Ids")]
    known = known_ids()
    ids = [zone for zone in wanted if zone in known] if wanted else known
    body = "".join(
        f'<t:TimeZoneDefinition Id="{escape(zone)}" Name="{escape(display_name(zone))}">'
        f"{definition(zone) if full else ''}</t:TimeZoneDefinition>"
        for zone in ids
    )
    content = f"<m:TimeZoneDefinitions>{body}</m:TimeZoneDefinitions>"
    return response("GetServerTimeZones", [success("GetServerTimeZones", content)])
