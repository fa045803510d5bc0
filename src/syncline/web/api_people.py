"""API: users, tokens, links, statistics, and who is asking."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from syncline.desk import reports, tokens, users
from syncline.desk.objects import Listing, TokenObject, UserObject
from syncline.web.asking import Asker, Paged, Parts, answered, number_key, page, paged

router = APIRouter()


class NewUser(BaseModel):
    """What is given to add a user."""

    model_config = ConfigDict(extra="forbid")

    name: str
    email: str
    full_name: str | None = None
    role: Literal["System Administrator", "User"] = "User"
    time_zone: str = "UTC"
    password: str | None = None


class NewToken(BaseModel):
    """For whom a token is made, and what for."""

    model_config = ConfigDict(extra="forbid")

    user: str
    name: str


@router.get("/users/me", response_model=UserObject, tags=["users"], summary="Who am I")
def me(app: Parts, viewer: Asker) -> Response:
    """Return the user who asks."""
    return answered(users.show(app, viewer, viewer.name))


@router.get("/users", response_model=Listing, tags=["users"], summary="List users")
def list_users(app: Parts, viewer: Asker, window: Paged) -> Response:
    """Return the users."""
    return answered(page(sorted(users.listing(app, viewer), key=_name), window, _name))


@router.post("/users", response_model=UserObject, status_code=201, tags=["users"], summary="Add a user")
def add_user(app: Parts, viewer: Asker, body: NewUser) -> Response:
    """Add a user; without a password he cannot sign in yet."""
    wanted = users.NewUser(
        name=body.name,
        emails=(body.email,),
        full_name=body.full_name or body.name,
        role=body.role,
        time_zone=body.time_zone,
        password=body.password,
    )
    return answered(users.add(app, viewer, wanted), 201)


@router.get("/tokens", response_model=Listing, tags=["tokens"], summary="List tokens")
def list_tokens(
    app: Parts,
    viewer: Asker,
    window: Paged,
    user: Annotated[str | None, Query(description="Only this user's.")] = None,
) -> Response:
    """Return tokens without their secrets."""
    return answered(page(sorted(tokens.listing(app, viewer, user), key=number_key), window, number_key))


@router.post("/tokens", response_model=TokenObject, status_code=201, tags=["tokens"], summary="Make a token")
def create_token(app: Parts, viewer: Asker, body: NewToken) -> Response:
    """Make a token; its secret is in this answer only."""
    return answered(tokens.create(app, viewer, body.user, body.name), 201)


@router.delete("/tokens/{user}/{name}", status_code=204, tags=["tokens"], summary="Revoke a token")
def revoke_token(app: Parts, viewer: Asker, user: str, name: str) -> Response:
    """Revoke a token."""
    tokens.revoke(app, viewer, user, name)
    return Response(status_code=204)


@router.get("/links", response_model=Listing, tags=["links"], summary="List links")
def list_links(
    app: Parts,
    viewer: Asker,
    window: Paged,
    mailbox: Annotated[str | None, Query(description="Only this mailbox (id or address).")] = None,
) -> Response:
    """Return how items and appointments belong together."""
    items, following = reports.links(app, viewer, mailbox=mailbox, after=window.after_number, limit=window.limit)
    return answered(paged(items, following))


@router.get("/statistics", tags=["statistics"], summary="Figures")
def statistics(app: Parts, viewer: Asker) -> Response:
    """Return figures over all mailboxes that the viewer may see, and for each."""
    return answered(reports.statistics(app, viewer))


def _name(user: UserObject) -> str:
    return user.name
