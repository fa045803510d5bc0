"""The commands over the real parts: state and CRM in files, an Exchange stand-in over real HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncline import simulation
from syncline.emulators.exchange import ExchangeEmulator
from tests.cli.terminal import ADDRESS, Terminal

pytestmark = pytest.mark.emulator


def test_the_scene_is_played_by_commands(terminal: Terminal, exchange: ExchangeEmulator) -> None:
    """A question is asked, answered Yes and carried out; the failure goes away."""
    question = terminal.the_scene(exchange)
    (failure,) = terminal.json("failures", "list")
    answered = terminal.json("alerts", "answer", str(question["id"]), "yes")
    subjects = [entry["subject"] for entry in terminal.json("appointments", "list")]

    assert (question["subject"], question["state"]) == ("Product demo for Alpen Sport", "open")
    assert failure["sync_error"] == "ExchangeSyncSchedulingConflictsError"
    assert (answered["outcome"], answered["decided_by"]) == ("saved", "Command line")
    assert subjects == ["Quarterly review", "Product demo for Alpen Sport", "Lunch"]
    assert terminal.json("failures", "list") == []
    terminal("alerts", "answer", str(question["id"]), "no", code=1)
    assert "AlreadyAnswered" in terminal.errors


def test_no_keeps_it_out(terminal: Terminal, exchange: ExchangeEmulator) -> None:
    """After No the appointment is not in the CRM, and is listed as kept out on demand."""
    question = terminal.the_scene(exchange)
    (answered,) = terminal.json("alerts", "answer", str(question["id"]), "no", "--all-like-this")
    terminal("sync")

    assert answered["outcome"] == "kept_out"
    assert len(terminal.json("appointments", "list")) == 2
    assert terminal.json("failures", "list") == []
    assert [row["state"] for row in terminal.json("failures", "list", "--all")] == ["kept_out"]


def test_sync_prints_what_it_did(terminal: Terminal, exchange: ExchangeEmulator) -> None:
    """With --json the sums and each mailbox; a dry run writes nothing."""
    terminal.set_up(exchange)
    plan = terminal.json("sync", "--dry-run")
    table = terminal("sync", "--dry-run")
    report = terminal.json("sync", ADDRESS)

    assert "Exchange would send no mail." in table
    assert "nothing is written and no mail leaves before a real sync" in table
    assert (plan["mailboxes"][0]["mailed"], plan["mailboxes"][0]["plan"][0]["direction"]) == ([], "exchange_to_crm")
    assert [line["action"] for line in plan["mailboxes"][0]["plan"]] == ["save", "save"]
    assert {name: report[name] for name in ("saved", "updated", "deleted", "waiting", "skipped", "failed")} == {
        **dict.fromkeys(("updated", "deleted", "waiting", "skipped", "failed"), 0),
        "saved": 2,
    }
    assert [mailbox["mailbox"] for mailbox in report["mailboxes"]] == [ADDRESS]
    assert "Synchronized" in terminal("sync")


def test_tables_for_people_tell_the_same(terminal: Terminal, exchange: ExchangeEmulator) -> None:
    """Every listing has a table, and explain a story."""
    terminal.the_scene(exchange)

    assert "Product demo for Alpen Sport" in terminal("alerts", "list")
    assert "ExchangeSyncSchedulingConflictsError" in terminal("failures", "list")
    assert "Quarterly review" in terminal("appointments", "list", "--from", "2099-11-24", "--to", "2099-11-25")
    assert ADDRESS in terminal("mailboxes", "list")
    assert "approved" in terminal("mailboxes", "show", ADDRESS)
    assert "exchange" in terminal("profiles", "list")
    assert "waits for an answer" in terminal("explain", "product demo")
    assert "asked" in terminal("explain", "product demo")
    terminal("explain", "nothing like it", code=1)


def test_profiles_and_mailboxes_over_their_life(terminal: Terminal, exchange: ExchangeEmulator) -> None:
    """Tested, disabled, enabled and removed; a profile is tried by one of its mailboxes."""
    terminal.set_up(exchange)

    assert "Done:" in terminal("profiles", "test", "exchange")
    assert terminal.json("mailboxes", "disable", ADDRESS)["enabled"] is False
    assert terminal.json("mailboxes", "enable", ADDRESS)["enabled"] is True
    assert terminal.json("mailboxes", "show", ADDRESS)["state"] == "ready"
    terminal("mailboxes", "remove", ADDRESS)
    assert terminal.json("mailboxes", "list") == []


def test_a_failed_test_exits_with_1_until_the_password_is_right(terminal: Terminal, exchange: ExchangeEmulator) -> None:
    """What went wrong and what to do stands on standard error."""
    terminal("init", "--admin", "ines")
    terminal("users", "add", "maya", "--email", ADDRESS)
    secret = terminal.file("wrong", "wrong")
    terminal(
        *("profiles", "add", "--name", "exchange", "--url", exchange.ews_url, "--username", "svc"),
        *("--password-file", secret, "--auth", "basic"),
    )
    terminal("mailboxes", "add", ADDRESS, "--profile", "exchange", "--user", "maya")
    terminal("mailboxes", "test", ADDRESS, code=1)
    assert "MailboxNotApproved" in terminal.errors
    terminal("mailboxes", "approve", ADDRESS)
    terminal("mailboxes", "test", ADDRESS, code=1)
    assert "Unauthorized" in terminal.errors
    assert "wrong" not in terminal.errors
    terminal("profiles", "set-password", "exchange", "--password-file", "-", given="pw-svc\n")
    assert "mark kept. Enabled." in terminal("mailboxes", "test", ADDRESS)
    assert "Enabled." in terminal("mailboxes", "test", ADDRESS, "--take-over")
    terminal("mailboxes", "set-password", ADDRESS, "--password-file", "-", given="pw-maya\n")
    terminal("mailboxes", "set-password", ADDRESS, code=2)


@pytest.mark.rule("A-09")
def test_a_draft_is_entered_and_released_by_commands(terminal: Terminal) -> None:
    """Entered with --draft, released with --no-draft, and nothing becomes a draft later (exit 2)."""
    terminal("init", "--admin", "ines")
    terminal("users", "add", "maya", "--email", ADDRESS)
    one = ("--subject", "Review", "--organizer", "maya", "--start", "2099-11-24T10:00")
    made = terminal.json("appointments", "add", *one, "--draft")
    moved = terminal.json("appointments", "edit", made["id"], "--start", "2099-11-24T14:00")
    released = terminal.json("appointments", "edit", made["id"], "--no-draft")
    terminal("appointments", "edit", made["id"], "--draft", code=2)

    assert (made["draft"], moved["draft"], released["draft"]) == (True, True, False)
    assert "Only a new appointment can be a draft." in terminal.errors


def test_the_calendar_is_edited_by_commands(terminal: Terminal) -> None:
    """Added, refused with exit 1, forced, changed and deleted."""
    terminal("init", "--admin", "ines")
    terminal("users", "add", "maya", "--email", ADDRESS, "--time-zone", "Europe/Copenhagen")
    one = ("--organizer", "maya", "--start", "2099-11-24T10:00", "--end", "2099-11-24T11:00")
    first = terminal.json("appointments", "add", "--subject", "Review", *one, "--required", "guest@example.org")
    refused = terminal.json("appointments", "add", "--subject", "Other", *one, code=1)
    forced = terminal.json("appointments", "add", "--subject", "Other", *one, "--ignore-conflicts")
    moved = terminal.json("appointments", "edit", forced["id"], "--start", "2099-11-24T14:00")
    terminal("appointments", "edit", forced["id"], "--start", "2099-11-24T10:30", code=1)
    terminal("appointments", "delete", first["id"])

    assert first["start"] == "2099-11-24T09:00:00Z"
    assert (refused["code"], refused["clashes"][0]["subject"]) == ("ExchangeSyncSchedulingConflictsError", "Review")
    assert (moved["start"], moved["end"]) == ("2099-11-24T13:00:00Z", "2099-11-24T14:00:00Z")
    assert [entry["subject"] for entry in terminal.json("appointments", "list", "--user", "maya")] == ["Other"]


@pytest.mark.rule("R-03")
def test_a_series_is_ended_by_a_command(terminal: Terminal) -> None:
    """What has begun stays; a series that is still to come is refused in words."""
    terminal("init", "--admin", "ines")
    times = ("--start", "2020-11-24T10:00", "--end", "2020-11-24T11:00", "--recurrence", "FREQ=YEARLY")
    begun = terminal.json("appointments", "add", "--subject", "Review", *times)
    ended = terminal.json("appointments", "end", begun["id"])
    times = ("--start", "2099-11-24T10:00", "--end", "2099-11-24T11:00", "--recurrence", "FREQ=YEARLY")
    later = terminal.json("appointments", "add", "--subject", "Review", *times)
    terminal("appointments", "end", later["id"], code=2)

    assert (ended["status"], ended["start"]) == ("canceled", begun["start"])
    assert "UNTIL=" in ended["recurrence"]
    assert "No date of this series has begun" in terminal.errors


def test_init_is_harmless_when_repeated(terminal: Terminal) -> None:
    """The first prints password and token once; the second changes nothing."""
    first = terminal.json("init", "--admin", "ines")
    second = terminal.json("init", "--admin", "other")
    key = terminal.folder / "data" / "secret.key"

    assert first["name"] == second["name"] == "ines"
    assert first["password"]
    assert first["token"].startswith("syn_")
    assert (second["password"], second["token"]) == (None, None)
    assert key.stat().st_mode & 0o777 == 0o600
    assert "set up already" in terminal("init")
    assert [user["name"] for user in terminal.json("users", "list")] == ["ines"]


@pytest.mark.parametrize("way", ["file", "stdin", "environment"])
def test_passwords_need_no_terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """They come from a file, standard input or the environment, and are not printed then."""
    if way == "environment":
        monkeypatch.setenv("SYNCLINE_ADMIN_PASSWORD", "from-somewhere")
        made = terminal.json("init", "--admin", "ines")
    else:
        source = "-" if way == "stdin" else terminal.file("password", "from-somewhere\n")
        made = terminal.json("init", "--admin", "ines", "--password-file", source, given="from-somewhere\n")

    assert made["password"] is None
    assert "from-somewhere" not in str(made)


def test_users_and_tokens_by_commands(terminal: Terminal) -> None:
    """Roles and passwords change; a token is printed once and revoked by name."""
    terminal("init", "--admin", "ines")
    user = terminal.json("users", "add", "maya", "--email", ADDRESS, "--role", "User", "--full-name", "Maya Lind")
    terminal("users", "set-role", "maya", "System Administrator")
    assert "in Europe/Copenhagen now" in terminal("users", "set-time-zone", "maya", "Europe/Copenhagen")
    reset = terminal.json("users", "reset-password", "maya")
    token = terminal("tokens", "create", "--user", "maya", "--name", "script").strip()
    listed = terminal.json("tokens", "list", "--user", "maya")
    terminal("tokens", "revoke", "--user", "maya", "--name", "script")

    assert (user["full_name"], user["role"]) == ("Maya Lind", "User")
    assert len(reset["password"]) >= 12
    assert token.startswith("syn_")
    assert [(each["name"], each["token"]) for each in listed] == [("script", None)]
    assert "There is no token." in terminal("tokens", "list", "--user", "maya")
    assert "maya" in terminal("users", "list")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nonsense",), 2, "No such command"),
        (("mailboxes", "add", "x"), 2, "--profile"),
        (("mailboxes", "show", "nobody@example.org"), 1, "NotFoundHere"),
        (("appointments", "list", "--from", "2099-11-24"), 2, "InvalidRequest"),
        (("appointments", "add", "--subject", "x", "--start", "soon"), 2, "InvalidRequest"),
        (("alerts", "answer", "1", "maybe"), 2, "maybe"),
        (("alerts", "answer", "1", "yes"), 1, "NotFoundHere"),
        (("users", "add", "x", "--email", "a@b.example", "--password-file", "/nothing"), 2, "InvalidRequest"),
    ],
)
def test_exit_codes(terminal: Terminal, words: tuple[str, ...], code: int, said: str) -> None:
    """1 when something failed, 2 when the command itself was not understood; the reason is on standard error."""
    terminal("init", "--admin", "ines")
    terminal(*words, code=code)

    assert said in terminal.errors


def test_without_init_every_command_says_so(terminal: Terminal) -> None:
    """A folder that is none is named, with what to do."""
    terminal("alerts", "list", code=1)

    assert "DataFolderInvalid" in terminal.errors
    assert "syncline init" in terminal.errors


def test_a_wrong_setting_is_a_usage_error(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name and what it accepts are said."""
    terminal("init", "--admin", "ines")
    monkeypatch.setenv("SYNCLINE_CONFLICT_CHECK_PAST", "perhaps")
    terminal("alerts", "list", code=2)

    assert "SYNCLINE_CONFLICT_CHECK_PAST" in terminal.errors


def test_a_bug_is_reported_without_a_trace_on_the_terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line's boundary says where it broke and exits with 1."""
    from syncline.desk import mailboxes

    def broken(*_: object) -> None:
        raise RuntimeError("unforeseen")

    terminal("init", "--admin", "ines")
    monkeypatch.setattr(mailboxes, "listing", broken)
    terminal("mailboxes", "list", code=1)

    assert "Please report this" in terminal.errors
    assert "Traceback" not in terminal.errors


def test_backup_and_restore(terminal: Terminal, exchange: ExchangeEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was backed up works in another folder: questions, passwords and all."""
    question = terminal.the_scene(exchange)
    archive = str(terminal.folder / "backup.tar")
    terminal("backup", archive)
    terminal("backup", archive, code=1)
    monkeypatch.setenv("SYNCLINE_DATA", str(terminal.folder / "elsewhere"))
    terminal("restore", archive)

    assert terminal.json("alerts", "answer", str(question["id"]), "yes")["outcome"] == "saved"
    assert "before-restore" in terminal("restore", archive)
    assert terminal.json("alerts", "list", "--open")[0]["id"] == question["id"]


def test_the_doctor_finds_what_is_wrong(terminal: Terminal, exchange: ExchangeEmulator) -> None:
    """Sound folders pass; an open key and a failed mailbox do not."""
    terminal("doctor", code=1)
    terminal.set_up(exchange)
    assert "state.db: sound" in terminal("doctor")

    (terminal.folder / "data" / "secret.key").chmod(0o644)
    wrong = [finding["subject"] for finding in terminal.json("doctor", code=1) if not finding["ok"]]
    assert wrong == ["key"]


def test_migrate_and_version(terminal: Terminal) -> None:
    """Bringing up to date what is up to date changes nothing."""
    terminal("init")

    assert "up to date" in terminal("migrate")
    assert terminal("--version").startswith("syncline ")
    assert "appointments" in terminal("--help")


def test_a_simulation_runs_under_the_settings_of_the_file(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every setting of the file that the engine knows counts, and one that nobody knows is refused."""
    policy = tmp_path / "policy.toml"
    policy.write_text("[guards]\npercent_max = 50.0\n[item]\nmax_retries = 1\n")
    ran = []
    monkeypatch.setattr(simulation, "run", lambda *given, **_: ran.append(given) or True)
    terminal("simulate", "--seed", "4", "--policy", str(policy))
    ((_, seed, rules),) = ran
    policy.write_text("[guards]\npercent = 50.0\n")
    terminal("simulate", "--policy", str(policy), code=2)

    assert (seed, rules.limits.share_max, rules.attempts_max) == (4, 0.5, 1)
    assert "SettingInvalid" in terminal.errors
