"""Files as clients send them: by CreateAttachment, or inside the new item of a CreateItem.

Knows the elements and where contents are kept, nothing of response messages.
"""

from __future__ import annotations

import binascii
from base64 import b64decode

from lxml import etree

from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import Attachment
from syncline.emulators.exchange.wire import T, local

OVERHEAD_BYTES = 256
"""What a server counts besides the content when it says how much a file occupies."""


def taken_out(call: Call, element: etree._Element) -> tuple[Attachment, ...]:
    """Take the files out of the element of a new item, keep their contents, and return them."""
    holder = element.find(f"{T}Attachments")
    if holder is None:
        return ()
    element.remove(holder)
    return tuple(received(call, child) for child in holder)


def received(call: Call, element: etree._Element) -> Attachment:
    """Keep the content of one file and return it; raises the vendor's refusals."""
    if local(element) != "FileAttachment":
        raise call.refuse(f"{local(element)} can not be attached.")
    name, content = element.findtext(f"{T}Name"), element.findtext(f"{T}Content")
    if not name or content is None:
        raise EwsError("ErrorRequiredPropertyMissing")
    try:
        data = b64decode(content)
    except binascii.Error:
        raise EwsError("ErrorSchemaValidation", "Content is not base64.", fault=True) from None
    return Attachment(
        blob=call.store.add_blob(data),
        name=name,
        content_type=element.findtext(f"{T}ContentType") or "",
        content_id=element.findtext(f"{T}ContentId") or "",
        inline=element.findtext(f"{T}IsInline") in ("true", "1"),
        size=len(data) + OVERHEAD_BYTES,
        modified=call.clock.now(),
    )
