"""Commands beside a running server: real processes on one data folder."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from syncline.emulators.exchange import ExchangeEmulator
from tests.cli.terminal import ADDRESS, Terminal

pytestmark = pytest.mark.emulator
SYNCLINE = (sys.executable, "-c", "from syncline.cli import main; main()")
PATIENCE_S = 60


@contextmanager
def running(*words: str) -> Iterator[dict[str, Any]]:
    """Run a command that serves, wait for the line it prints once it does, and end it as a system would."""
    process = subprocess.Popen(
        [*SYNCLINE, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy()
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate(timeout=PATIENCE_S)[1]
        yield json.loads(line)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, "Traceback" in errors) == (0, False), errors
    finally:
        process.kill()
        process.communicate()


def test_commands_hand_over_to_the_server_that_runs(terminal: Terminal, exchange: ExchangeEmulator) -> None:
    """`sync` and `alerts answer` beside a server wait for what it did; a second server is refused with exit 3."""
    terminal.the_scene(exchange)
    token = terminal("tokens", "create", "--user", "ines", "--name", "test").strip()
    headers = {"Authorization": f"Bearer {token}"}
    with running("serve", "--port", "0", "--json") as served:
        (question,) = terminal.json("alerts", "list", "--open")
        answered = terminal.json("alerts", "answer", str(question["id"]), "yes")
        report = terminal.json("sync", ADDRESS)
        second = subprocess.run([*SYNCLINE, "serve", "--port", "0"], capture_output=True, text=True, timeout=PATIENCE_S)
        restored = subprocess.run(
            [*SYNCLINE, "restore", terminal.file("x.tar", "no archive")], capture_output=True, text=True
        )
        alerts = httpx2.get(f"{served['url']}/api/v1/alerts?open=true", headers=headers).json()
        doctor = terminal("doctor")

    assert answered["outcome"] == "saved"
    assert [mailbox["error"] for mailbox in report["mailboxes"]] == [None]
    assert second.returncode == 3
    assert "DataFolderBusy" in second.stderr
    assert restored.returncode == 3
    assert alerts["items"] == []
    assert "a server runs them" in doctor
    assert served["data"] == str(terminal.folder / "data")


def test_a_port_in_use_is_told(terminal: Terminal) -> None:
    """Before anything starts, with the way out."""
    terminal("init")
    with running("serve", "--port", "0", "--json") as served:
        port = served["url"].rpartition(":")[2]
        other = {**os.environ, "SYNCLINE_DATA": str(terminal.folder / "other")}
        subprocess.run([*SYNCLINE, "init"], capture_output=True, env=other, check=True)
        refused = subprocess.run([*SYNCLINE, "serve", "--port", port], capture_output=True, text=True, env=other)

    assert refused.returncode == 1
    assert "PortInUse" in refused.stderr


def test_the_exchange_stand_in_tells_its_addresses(tmp_path: Path) -> None:
    """One line of JSON once it serves; what is wrong with its options is a usage error."""
    calendar = tmp_path / "maya.ics"
    calendar.write_text("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n", encoding="utf-8")
    words = ("emulate", "exchange", "--port", "0", "--mailbox", "a@example.org:secret", "--json")
    with running(*words, "--calendar", f"a@example.org={calendar}") as served:
        mailboxes = httpx2.get(f"{served['control']}/requests")

    assert served["ews"] == f"{served['url']}/EWS/Exchange.asmx"
    assert served["control"] == f"{served['url']}/emulator"
    assert mailboxes.status_code == 200
    for wrong, code in (
        (("--mailbox", "nonsense"), "InvalidRequest"),
        (("--calendar", "a@example.org=/nothing.ics"), "CalendarFileInvalid"),
    ):
        refused = subprocess.run([*SYNCLINE, *words, *wrong], capture_output=True, text=True, timeout=PATIENCE_S)
        assert refused.returncode in (1, 2)
        assert code in refused.stderr
        assert "secret" not in refused.stderr


def test_the_stand_in_hands_out_its_certificate(tmp_path: Path) -> None:
    """With TLS the certificate is written where clients can trust it; what cannot start says so before it serves."""
    pem = tmp_path / "authority.pem"
    words = ("emulate", "exchange", "--mailbox", "a@example.org:secret", "--json", "--port")
    with running(*words, "0", "--tls", "--ca-file", str(pem)) as served:
        trust = ssl.create_default_context(cafile=str(pem))
        answer = httpx2.get(f"{served['control']}/requests", verify=trust)
        port = served["url"].rpartition(":")[2]
        for wrong, code in (
            ((port,), "PortInUse"),
            (("0", "--ca-file", str(pem)), "InvalidRequest"),
            (("0", "--tls", "--ca-file", str(tmp_path / "no" / "where.pem")), "InvalidRequest"),
            (("0", "--extended-protection"), "InvalidRequest"),
            (("0", "--time-zone", "Nowhere/Else"), "InvalidRequest"),
            (("0", "--host", "192.0.2.1"), "InvalidRequest"),
        ):
            refused = subprocess.run([*SYNCLINE, *words, *wrong], capture_output=True, text=True, timeout=PATIENCE_S)
            assert refused.returncode in (1, 2)
            assert refused.stderr.startswith(("Warning", code)) and code in refused.stderr

    assert answer.status_code == 200


def test_a_worker_runs_jobs_without_pages(terminal: Terminal, exchange: ExchangeEmulator) -> None:
    """Answers given by another process are carried out by it."""
    question = terminal.the_scene(exchange)
    process = subprocess.Popen([*SYNCLINE, "worker"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert "Running jobs" in process.stdout.readline()
        answered = terminal.json("alerts", "answer", str(question["id"]), "yes")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.communicate()

    assert answered["outcome"] == "saved"
    assert (process.returncode, errors) == (0, "")


def test_the_simulation_plays_a_seed() -> None:
    """`simulate` tells that a seed came to a good end."""
    played = subprocess.run([*SYNCLINE, "simulate", "--seed", "7"], capture_output=True, text=True, timeout=PATIENCE_S)

    assert played.returncode == 0, played.stdout
    assert "1 of 1 seeds" in played.stdout


def test_help_loads_neither_database_nor_web_server() -> None:
    """The command line is quick because heavy parts are loaded by the commands that need them."""
    program = (
        "import sys, syncline.cli; print([n for n in ('sqlalchemy', 'fastapi', 'lxml', 'rich') if n in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S)

    assert loaded.stdout.strip() == "[]"
