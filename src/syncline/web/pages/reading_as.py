"""What the card needs to know of somebody who is not signed in: who reads a mail, or came from one.

It must not know how he is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request

from syncline.desk.reading import Viewer
from syncline.web.pages.rendering import People, Visit
from syncline.web.pages.times import Times

if TYPE_CHECKING:
    from syncline.wiring import App


def visit_as(app: App, viewer: Viewer, request: Request | None = None) -> Visit:
    """Return what the card needs to know of whom it is for; a mail has no request."""
    people = People(app)
    own = people.get(viewer.name)
    return Visit(
        request=request or Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}),
        app=app,
        viewer=viewer,
        csrf="",
        times=Times(own.time_zone if own is not None else "UTC", app.clock.now()),
        people=people,
    )
