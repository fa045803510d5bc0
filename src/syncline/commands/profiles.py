"""`syncline profiles`: how mail servers are reached."""

from __future__ import annotations

from pathlib import Path
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

PASSWORD_VARIABLE = "SYNCLINE_PROFILE_PASSWORD"  # noqa: S105 - the name of a variable
COLUMNS = ("Name", "Type", "URL", "User name", "Sign-in", "Access", "Read only")

group = typer.Typer(no_args_is_help=True, help="Email server profiles: how Exchange is reached.")


@group.command("add")
def add(
    name: Annotated[str, typer.Option("--name", help="Name of the profile.")],
    url: Annotated[str, typer.Option("--url", help="EWS address, usually https://HOST/EWS/Exchange.asmx.")],
    username: Annotated[str, typer.Option("--username", help="User name of the service account.")],
    auth: Annotated[
        Literal["negotiate", "ntlm", "basic"], typer.Option("--auth", help="How to sign in.")
    ] = "negotiate",
    kind: Annotated[Literal["exchange"], typer.Option("--type", help="Kind of server.")] = "exchange",
    password_file: PasswordFile = None,
    ca_file: Annotated[Path | None, typer.Option("--ca-file", help="PEM file of the issuing authority.")] = None,
    access: Annotated[
        Literal["impersonation", "delegate", "own"] | None, typer.Option("--access", help="How mailboxes are opened.")
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Refuse every operation that writes.")] = False,
    allow_http: Annotated[bool, typer.Option("--allow-http", help="Allow an unencrypted address (trial).")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Add a profile; the password comes from a file, standard input or SYNCLINE_PROFILE_PASSWORD."""
    from syncline.desk import profiles as desk

    password = password_from(password_file, PASSWORD_VARIABLE)
    request = desk.NewProfile(
        name=name,
        type=kind,
        url=url,
        username=username,
        password=password,
        auth=auth,
        ca_file=str(ca_file.absolute()) if ca_file else None,
        access=access,
        read_only=read_only,
        allow_http=allow_http,
    )
    with opened(data) as app:
        profile = desk.add(app, OPERATOR, request)
    if json:
        print_json(profile)
    else:
        typer.echo(f"Profile {profile.name} added.")


@group.command("list")
def show_all(data: Data = None, json: Json = False) -> None:
    """List the profiles."""
    from syncline.desk import profiles as desk

    with opened(data) as app:
        profiles = desk.listing(app, OPERATOR)
    if json:
        print_json(profiles)
        return
    rows = [(p.name, p.type, p.url, p.username, p.auth, p.access, p.read_only) for p in profiles]
    print_table("Email server profiles", COLUMNS, rows, "There is no profile yet: syncline profiles add")


@group.command("test")
def test(name: Annotated[str, typer.Argument(help="Name of the profile.")], data: Data = None) -> None:
    """Try the profile: reach the server, sign in, and open one of its mailboxes."""
    from syncline.desk import profiles as desk

    with opened(data) as app:
        steps = desk.test(app, OPERATOR, name)
    typer.echo("Done: " + ", ".join(steps) + ".")


@group.command("set-password")
def set_password(
    name: Annotated[str, typer.Argument(help="Name of the profile.")],
    password_file: PasswordFile = None,
    data: Data = None,
) -> None:
    """Store another password for a profile; test its mailboxes afterwards."""
    from syncline.desk import profiles as desk

    password = password_from(password_file, PASSWORD_VARIABLE)
    with opened(data) as app:
        desk.set_password(app, OPERATOR, name, password or "")
    typer.echo(f"The password of {name} is set. Test its mailboxes next.")
