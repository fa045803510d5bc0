"""`syncline mail`: whether mails arrive."""

from __future__ import annotations

from typing import Annotated

import typer

from syncline.commands.frame import Data, opened
from syncline.desk.reading import OPERATOR

group = typer.Typer(no_args_is_help=True, help="Mails about questions.")


@group.callback()
def mail() -> None:
    """Mails about questions."""


@group.command("test")
def test(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who gets the mail.")], data: Data = None
) -> None:
    """Send one mail for a trial and say what was reached; exit 1 if the server did not take it."""
    from syncline.desk import ways_out
    from syncline.web.mails import trial

    with opened(data) as app:
        to = ways_out.checked_address(address)
        reached = ways_out.try_mail(app, OPERATOR, to, trial(app, to))
    typer.echo(f"{reached}\nThe server took a mail to {to}. Look whether it arrives.")
