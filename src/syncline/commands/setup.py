"""`syncline init`, `migrate`, `doctor`, `backup` and `restore`: the data folder itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncline.commands.frame import FAILED, Data, Json, PasswordFile, folder, opened, password_from, print_json

PASSWORD_VARIABLE = "SYNCLINE_ADMIN_PASSWORD"  # noqa: S105 - the name of a variable


def register(app: typer.Typer) -> None:
    """Put these commands among the others."""
    for command in (init, migrate, doctor, backup, restore):
        app.command(command.__name__)(command)


def init(
    admin: Annotated[str, typer.Option("--admin", help="Sign-in name of the first System Administrator.")] = "admin",
    password_file: PasswordFile = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Create data folder, databases, key file and one System Administrator; repeated, change nothing."""
    from syncline.desk import installing

    made = installing.init(folder(data), admin, password_from(password_file, PASSWORD_VARIABLE))
    if json:
        print_json({"name": made.name, "password": made.password, "token": made.token})
        return
    if not made.created:
        typer.echo(f"{made.data} is set up already; nothing was changed.")
        return
    typer.echo(f"Data folder: {made.data}")
    typer.echo(f"Administrator: {made.name}" + (f" / {made.password}  (shown only now)" if made.password else ""))
    typer.echo(f"API token: {made.token}  (shown only now)")
    typer.echo(f"Passwords are sealed with {made.data / 'secret.key'}: a backup needs it too (syncline backup has it).")


def migrate(data: Data = None) -> None:
    """Bring the databases up to date after an upgrade; harmless when they are."""
    with opened(data) as app:
        typer.echo(f"{app.data} is up to date.")


def doctor(data: Data = None, json: Json = False) -> None:
    """Check folder, rights, key, settings, disk, databases and mailboxes; exit 1 if something is wrong."""
    from syncline.desk import checking

    findings = checking.examine(folder(data))
    if json:
        print_json(findings)
    else:
        for finding in findings:
            typer.echo(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.subject}: {finding.text}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(FAILED)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Archive to write; it must not exist yet.")],
    data: Data = None,
) -> None:
    """Write both databases, key and settings into one archive, consistent while Syncline runs."""
    from syncline.desk import archiving

    archiving.backup(folder(data), file)
    typer.echo(f"{file} written. It holds the key to all passwords: keep it as safe as they are.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Archive that syncline backup wrote.")],
    data: Data = None,
) -> None:
    """Restore an archive into an empty data folder, or over one on which nothing runs."""
    from syncline.desk import archiving

    kept = archiving.restore(file, folder(data))
    typer.echo(f"{folder(data)} restored." + (f" What was there before is in {kept}." if kept else ""))
