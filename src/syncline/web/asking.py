"""What every route asks for: the parts, the viewer, a page of a listing, and an answer in JSON.

It must not know any subject of the API.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Query, Request
from starlette.responses import Response

from syncline.desk.objects import Listing, encode
from syncline.desk.reading import Viewer
from syncline.errors import SyncError
from syncline.web.sessions import signed_in

if TYPE_CHECKING:
    from syncline.wiring import App

LIMIT = 200
LIMIT_MAX = 1000


def app_of(request: Request) -> App:
    """Return the parts that this web application works on."""
    app: App = request.app.state.syncline
    return app


def viewer_of(request: Request) -> Viewer:
    """Return who asks; SyncError("SignInRequired") without a valid token or session."""
    session = signed_in(request)
    if session is None:
        raise SyncError("SignInRequired")
    return session.viewer


Parts = Annotated[Any, Depends(app_of)]
Asker = Annotated[Viewer, Depends(viewer_of)]


class Window:
    """Which page of a listing is wanted: `cursor` as an earlier answer gave it, and how many at most."""

    def __init__(
        self,
        cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many items at most.")] = LIMIT,
    ) -> None:
        self.after = None if cursor is None else _unpacked(cursor)
        self.limit = limit

    @property
    def after_number(self) -> int | None:
        """Return the cursor of a listing that goes by number."""
        if self.after is None:
            return None
        if not (self.after.isascii() and self.after.isdigit()) or len(self.after) > 18:
            raise SyncError("InvalidRequest", detail="The cursor is not one that this listing gave.")
        return int(self.after)


Paged = Annotated[Window, Depends()]


def page(items: Sequence[Any], window: Window, key: Callable[[Any], str]) -> Listing:
    """Return one page of items that stand in the order of their keys; the cursor is the last key, so nothing shifts."""
    if window.after is not None:
        items = [item for item in items if key(item) > window.after]
    shown = tuple(items[: window.limit])
    more = len(items) > window.limit
    return Listing(items=shown, next=packed(key(shown[-1])) if more else None)


def paged(items: Sequence[Any], following: int | None) -> Listing:
    """Return one page of a listing that goes by number."""
    return Listing(items=tuple(items), next=None if following is None else packed(str(following)))


def packed(key: str) -> str:
    """Return a cursor that holds a key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _unpacked(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise SyncError("InvalidRequest", detail="The cursor is not one that this listing gave.") from error


def number_key(item: Any) -> str:  # noqa: ANN401 - any object with a numeric id
    """Return the id of an item as a key that sorts like the number."""
    return f"{item.id:020d}"


def answered(value: object, status: int = 200) -> Response:
    """Return a value as JSON."""
    return Response(encode(value), status_code=status, media_type="application/json")
