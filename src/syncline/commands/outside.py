"""`syncline simulate` and `emulate`: the world outside Syncline, for trying it without one."""

from __future__ import annotations

import errno
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from syncline.commands.frame import FAILED, Json, print_json
from syncline.errors import SyncError

if TYPE_CHECKING:
    from syncline.emulators.exchange import ExchangeEmulator

LOOPBACK = ("127.0.0.1", "localhost", "::1")

OfMailboxes = Annotated[
    list[str] | None, typer.Option("--mailbox", metavar="ADDRESS:PASSWORD", help="A mailbox; repeat for more.")
]
CaFile = Annotated[
    Path | None, typer.Option("--ca-file", help="Write the certificate that clients must trust here (with --tls).")
]
SynclineUrl = Annotated[
    str | None, typer.Option("--syncline-url", help="Let its pages say what this Syncline made of each item.")
]
SynclineToken = Annotated[
    Path | None, typer.Option("--syncline-token-file", help="File with a token for that Syncline.")
]
Category = Annotated[str, typer.Option("--category", help="The category that its pages set for Track in CRM.")]

emulate = typer.Typer(no_args_is_help=True, help="Stand-ins for other people's servers.")


def register(app: typer.Typer) -> None:
    """Put `simulate` among the commands."""
    app.command("simulate")(simulate)


def simulate(
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds to run.")] = 300,
    seed: Annotated[int | None, typer.Option("--seed", help="Run this seed only.")] = None,
    first: Annotated[int, typer.Option("--first", min=0, help="The first of these seeds.")] = 0,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="How many processes play them.")] = 1,
    policy: Annotated[Path | None, typer.Option("--policy", help="Settings file to run them under.")] = None,
) -> None:
    """Run the whole system on invented people and faults; exit 1 and print the seed if it goes wrong."""
    from syncline import config, wiring
    from syncline.simulation import run

    # Without the environment, so that a seed plays the same everywhere.
    rules = wiring.rules(config.load(policy.parent, file=policy, environ={})) if policy is not None else None
    if not run(seeds, seed, rules, first=first, jobs=jobs):
        raise typer.Exit(FAILED)


@emulate.command("exchange")
def emulate_exchange(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = 8081,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    data: Annotated[str, typer.Option("--data", help="File or folder for its mailboxes, or :memory:.")] = ":memory:",
    mailbox: OfMailboxes = None,
    service: Annotated[
        str | None,
        typer.Option("--service", metavar="NAME:PASSWORD", help="Service account that may impersonate every mailbox."),
    ] = None,
    calendar: Annotated[
        list[str] | None,
        typer.Option("--calendar", metavar="ADDRESS=FILE.ics", help="Fill a mailbox from a file; repeat for more."),
    ] = None,
    time_zone: Annotated[str, typer.Option("--time-zone", help="IANA zone of the mailboxes.")] = "UTC",
    tls: Annotated[bool, typer.Option("--tls", help="Serve https with a certificate of its own.")] = False,
    ca_file: CaFile = None,
    extended_protection: Annotated[
        bool, typer.Option("--extended-protection", help="Demand channel binding of NTLM (with --tls).")
    ] = False,
    clock: Annotated[Literal["real", "frozen"], typer.Option("--clock", help="Let its time pass or stand.")] = "real",
    control_token: Annotated[
        str | None, typer.Option("--control-token", help="Allow the control plane from elsewhere with this token.")
    ] = None,
    syncline_url: SynclineUrl = None,
    syncline_token_file: SynclineToken = None,
    category: Category = "Tracked to Syncline CRM",
    json: Json = False,
) -> None:
    """Serve an Exchange stand-in over EWS, with pages for people; Ctrl-C ends it."""
    from syncline.emulators.exchange import ExchangeEmulator

    if host not in LOOPBACK:
        typer.echo(f"Warning: everybody who reaches {host} can read and change these mailboxes.", err=True)
    try:
        emulator = ExchangeEmulator(
            data,
            host=host,
            port=port,
            mailboxes=tuple(_pair(text, ":", "--mailbox") for text in mailbox or ()),
            service=_pair(service, ":", "--service") if service else None,
            time_zone=time_zone,
            tls=tls,
            extended_protection=extended_protection,
            frozen_clock=clock == "frozen",
            control_token=control_token,
        )
    except ValueError as error:
        raise SyncError("InvalidRequest", detail=f"The stand-in cannot start: {error}.") from error
    _tell_of_syncline(emulator, syncline_url, syncline_token_file, category)
    if ca_file is not None:
        _write_certificate(emulator.ca_pem, ca_file)
    _serve(emulator, [_pair(text, "=", "--calendar") for text in calendar or ()], port, json=json)


def _serve(emulator: ExchangeEmulator, calendars: Sequence[tuple[str, str]], port: int, *, json: bool) -> None:
    """Run the stand-in with these calendars (address, file) until somebody ends it."""
    texts = [(address, _read(file)) for address, file in calendars]
    _start(emulator, port)
    try:
        for address, text in texts:
            _load(emulator, address, text)
        if json:
            print_json({"url": emulator.url, "ews": emulator.ews_url, "control": emulator.control_url})
        else:
            typer.echo(f"Exchange stand-in: {emulator.ews_url}\nPages: {emulator.url}/")
            typer.echo(f"Control plane: {emulator.control_url}\nCtrl-C ends it.")
        _until_asked_to_end()
    finally:
        emulator.stop()


def _start(emulator: ExchangeEmulator, port: int) -> None:
    try:
        emulator.start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise SyncError("InvalidRequest", detail=f"Nothing can listen at --host: {error.strerror}.") from error
        raise SyncError("PortInUse", detail=str(port)) from error


def _tell_of_syncline(emulator: ExchangeEmulator, url: str | None, token_file: Path | None, category: str) -> None:
    emulator.stand_in.category = category
    if url is not None:
        emulator.show_syncline(url, _token(token_file))


def _token(file: Path | None) -> str:
    if file is None:
        raise SyncError("InvalidRequest", detail="--syncline-url needs --syncline-token-file.")
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SyncError("InvalidRequest", detail=f"{file} cannot be read: {error}.") from error


def _write_certificate(pem: str | None, file: Path) -> None:
    if pem is None:
        raise SyncError("InvalidRequest", detail="--ca-file needs --tls: without it there is no certificate.")
    try:
        file.write_text(pem, encoding="ascii")
    except OSError as error:
        raise SyncError("InvalidRequest", detail=f"{file} cannot be written: {error.strerror}.") from error


def _load(emulator: ExchangeEmulator, address: str, text: str) -> None:
    """Fill a mailbox and say on standard error what was not loaded, and why."""
    try:
        report = emulator.load_calendar(address, text)
    except LookupError as error:
        raise SyncError("InvalidRequest", detail=f"--calendar names {address}, but no --mailbox does.") from error
    for finding in report.refused:
        typer.echo(f'Not loaded: "{finding.subject}" ({finding.code}) {finding.detail}', err=True)


def _until_asked_to_end() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()


def _pair(text: str, separator: str, option: str) -> tuple[str, str]:
    left, found, right = text.partition(separator)
    if not found or not left or not right:
        raise SyncError("InvalidRequest", detail=f"{option} takes two parts joined by {separator}, not {text!r}.")
    return left, right


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SyncError("CalendarFileInvalid", detail=f"{file} cannot be read: it is not UTF-8.") from error
    except OSError as error:
        raise SyncError("CalendarFileInvalid", detail=f"{file} cannot be read: {error.strerror}.") from error
