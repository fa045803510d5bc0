"""What openapi.json says of refusals: the same for every operation, since any request can be refused in these ways.

It must not know any operation.
"""

from __future__ import annotations

from typing import Any

from syncline.web.problems import MEDIA_TYPE

PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "A problem document (RFC 9457); `code` is a row of the catalogue.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "number": {"type": "integer"},
        "what_to_do": {"type": "string"},
        "help": {"type": "string"},
        "alert": {"description": "The alert as it stands, where an answer did not count."},
        "clashes": {"type": "array", "description": "What is in the way, where somebody is unavailable."},
        "unavailable": {"type": "array", "items": {"type": "string"}},
    },
}
_REFUSALS = {
    400: "The request cannot be read at all.",
    401: "No token, or one that is not valid.",
    403: "The token's user may not do this.",
    404: "It is not there, or not for this user.",
    409: "It is no longer so, or something is in the way.",
    410: "It was there and is no longer; a listing begins again without a cursor.",
    413: "The request is too large.",
    422: "A part of the request is not understood; `detail` says which.",
    429: "Too many tries; `Retry-After` says when to come back.",
    502: "A mail server refused.",
    503: "Something cannot be reached now; try again later.",
    507: "The disk is full.",
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {MEDIA_TYPE: {"schema": PROBLEM}}} for status, text in _REFUSALS.items()
}
