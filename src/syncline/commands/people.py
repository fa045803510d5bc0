"""`syncline users` and `syncline tokens`: who may sign in, as a person or as a program."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from syncline.commands.frame import (
    Data,
    Json,
    PasswordFile,
    opened,
    password_from,
    print_json,
    print_table,
)
from syncline.desk.reading import OPERATOR

PASSWORD_VARIABLE = "SYNCLINE_USER_PASSWORD"  # noqa: S105 - the name of a variable
USER_COLUMNS = ("Name", "Full name", "E-mail", "Role", "Time zone")
TOKEN_COLUMNS = ("Id", "User", "Name", "Created (UTC)")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Sign-in name.")]
RoleName = Literal["System Administrator", "User"]

users = typer.Typer(no_args_is_help=True, help="Users of Syncline and of the CRM it carries inside.")
tokens = typer.Typer(no_args_is_help=True, help="API tokens for programs.")


@users.command("add")
def add(
    name: Name,
    email: Annotated[list[str], typer.Option("--email", help="E-mail address; repeat it for further ones.")],
    full_name: Annotated[str | None, typer.Option("--full-name", help="Name in alerts and on pages.")] = None,
    role: Annotated[RoleName, typer.Option("--role", help="What the user may do.")] = "User",
    time_zone: Annotated[str, typer.Option("--time-zone", help="IANA time zone.")] = "UTC",
    password_file: PasswordFile = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Add a user; without a password (file, standard input or SYNCLINE_USER_PASSWORD) he cannot sign in yet."""
    from syncline.desk import users as user_desk

    request = user_desk.NewUser(
        name=name,
        emails=tuple(email),
        full_name=full_name or name,
        role=role,
        time_zone=time_zone,
        password=password_from(password_file, PASSWORD_VARIABLE),
    )
    with opened(data) as app:
        user = user_desk.add(app, OPERATOR, request)
    if json:
        print_json(user)
    else:
        typer.echo(f"User {user.name} added as {user.role}.")


@users.command("list")
def show_all(data: Data = None, json: Json = False) -> None:
    """List the users."""
    from syncline.desk import users as user_desk

    with opened(data) as app:
        found = user_desk.listing(app, OPERATOR)
    if json:
        print_json(found)
        return
    rows = [(u.name, u.full_name, u.email, u.role, u.time_zone) for u in found]
    print_table("Users", USER_COLUMNS, rows, "There is no user yet.")


@users.command("set-role")
def set_role(
    name: Name,
    role: Annotated[RoleName, typer.Argument(metavar="ROLE", help="System Administrator or User.")],
    data: Data = None,
) -> None:
    """Give a user another role."""
    from syncline.desk import users as user_desk

    with opened(data) as app:
        user_desk.set_role(app, OPERATOR, name, role)
    typer.echo(f"{name} is now {role}.")


@users.command("set-time-zone")
def set_time_zone(
    name: Name,
    zone: Annotated[str, typer.Argument(metavar="ZONE", help="IANA name such as Europe/Copenhagen.")],
    data: Data = None,
) -> None:
    """Let a user read times in another zone; all-day items take his days in it."""
    from syncline.desk import users as user_desk

    with opened(data) as app:
        user = user_desk.set_time_zone(app, OPERATOR, name, zone)
    typer.echo(f"{name} reads times in {user.time_zone} now.")


@users.command("reset-password")
def reset_password(name: Name, password_file: PasswordFile = None, data: Data = None, json: Json = False) -> None:
    """Set a new password; without one given, it is made up and printed once. Open sessions end."""
    from syncline.desk import users as user_desk

    given = password_from(password_file, PASSWORD_VARIABLE)
    with opened(data) as app:
        password = user_desk.reset_password(app, OPERATOR, name, given)
    if json:
        print_json({"name": name, "password": None if given else password})
    else:
        typer.echo(f"The password of {name} is set." if given else f"New password of {name}: {password}")


@tokens.command("create")
def create(
    user: Annotated[str, typer.Option("--user", help="Sign-in name of the user for whom the program acts.")],
    name: Annotated[str, typer.Option("--name", help="What the token is for.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a token and print it once."""
    from syncline.desk import tokens as token_desk

    with opened(data) as app:
        token = token_desk.create(app, OPERATOR, user, name)
    if json:
        print_json(token)
    else:
        typer.echo(token.token)


@tokens.command("list")
def show_tokens(
    user: Annotated[str | None, typer.Option("--user", help="Only this user's.")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """List the tokens, without their secrets."""
    from syncline.desk import tokens as token_desk

    with opened(data) as app:
        found = token_desk.listing(app, OPERATOR, user)
    if json:
        print_json(found)
        return
    rows = [(t.id, t.user, t.name, t.created) for t in found]
    print_table("Tokens", TOKEN_COLUMNS, rows, "There is no token.")


@tokens.command("revoke")
def revoke(
    user: Annotated[str, typer.Option("--user", help="Sign-in name.")],
    name: Annotated[str, typer.Option("--name", help="Name of the token.")],
    data: Data = None,
) -> None:
    """Revoke a token; programs that use it are refused from now on."""
    from syncline.desk import tokens as token_desk

    with opened(data) as app:
        token_desk.revoke(app, OPERATOR, user, name)
    typer.echo(f"Token {name} of {user} revoked.")
