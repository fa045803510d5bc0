"""Every fault of the control plane, met in the middle of a day: named in the API and on the terminal, and survived.

Maya's mailbox meets the fault, Jonas's goes on. Nothing is lost meanwhile, and once the fault is gone both sides are in
step again without anybody repairing anything but, where the catalogue says so, Test and enable.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from syncline import wiring
from syncline.cli import app as syncline
from syncline.emulators.exchange.disturbances import FAULTS
from syncline.errors import CATALOGUE
from tests.acceptance.installation import Installation, address, installed
from tests.acceptance.site import Outlook, Site, at, event, served

pytestmark = pytest.mark.emulator

MAYA, JONAS = "maya", "jonas"
# What a cycle reports while every request meets the fault, and what the mailbox is then.
WHOLE = {
    "unauthorized": ("Unauthorized", "disabled"),
    "forbidden": ("Forbidden", "disabled"),
    "busy": ("ThrottledByExchange", "ready"),
    "unavailable": ("ThrottledByExchange", "ready"),
    "lost_answer": ("ServerUnreachable", "backoff"),
    "slow": ("ServerTimeout", "backoff"),
}
SURVIVED = ("invalid_sync_state", "denied", "lost_answer", "slow")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Installation]:
    """Open an installation with two mailboxes."""
    with installed(tmp_path / "data", people=(MAYA, JONAS)) as found:
        yield found


@pytest.fixture
def site(world: Installation) -> Iterator[Site]:
    """Serve it, bring both mailboxes in step, and then let both people change something."""
    for name in (MAYA, JONAS):
        events = (event(f"{name} {number}", at(9 + number), at(10 + number)) for number in range(3))
        Outlook(world, name).load(*events)
    with served(world, MAYA, JONAS, jobs=False) as found:
        assert [found.sync(name)["saved"] for name in (MAYA, JONAS)] == [3, 3]
        for name in (MAYA, JONAS):
            Outlook(world, name).create(f"{name} new", at(15), at(16))
        yield found


def arm(world: Installation, fault: str, operation: str = "*", **values: object) -> None:
    """Arm a fault over the control plane."""
    Outlook(world).client.control("POST", "faults", {"operation": operation, "fault": fault, **values})


def disarm(world: Installation) -> None:
    """Disarm all faults over the control plane."""
    Outlook(world).client.control("DELETE", "faults")


@contextmanager
def lasting(world: Installation, fault: str) -> Iterator[None]:
    """Every request meets the fault. A slow server meets a connector that loses patience soon; no other one does."""
    slow = fault == "slow"
    arm(world, fault, count=50, **({"delay_s": 1.0} if slow else {}))
    with pytest.MonkeyPatch.context() as patched:
        if slow:
            patched.setattr(wiring, "open_replica", partial(wiring.open_replica, timeout_s=0.4))
        yield
    disarm(world)


def assert_in_step(site: Site) -> None:
    """Everything of both people stands in the CRM once, and nothing is open or failed."""
    wanted = sorted(f"{name} {which}" for name in (MAYA, JONAS) for which in ("0", "1", "2", "new"))
    assert site.subjects() == wanted
    assert set(site.links()) == {("settled", None)}
    assert site.items("/alerts", open="true") == []
    assert site.items("/failures") == []
    assert [site.mailbox(name)["state"] for name in (MAYA, JONAS)] == ["ready", "ready"]


def test_every_fault_is_tried() -> None:
    """No fault of the control plane is left out."""
    assert set(WHOLE) | set(SURVIVED) | {"broken"} == set(FAULTS)


@pytest.mark.parametrize("fault", WHOLE)
def test_a_fault_stops_one_mailbox_with_its_code(site: Site, world: Installation, fault: str) -> None:
    """While the fault lasts its mailbox says what is wrong; the other one goes on, and afterwards all is in step."""
    code, state = WHOLE[fault]
    with lasting(world, fault):
        report = site.sync(MAYA)

        assert report["error"] == code
        assert report["text"]
        assert site.mailbox(MAYA)["state"] == state
        alerts = [(alert["code"], alert["mailbox"]) for alert in site.items("/alerts", open="true")]
        assert alerts == ([] if code == "ThrottledByExchange" else [(code, address(MAYA))])
        assert len(site.subjects()) == 6

    assert site.sync(JONAS)["saved"] == 1
    assert site.try_again(MAYA)["error"] is None
    assert_in_step(site)


@pytest.mark.parametrize("fault", WHOLE)
def test_a_fault_is_told_on_the_terminal(site: Site, world: Installation, fault: str) -> None:
    """`syncline mailboxes test` ends with exit code 1, the catalogue's code, its text and what to do."""
    code, _ = WHOLE[fault]
    with lasting(world, fault):
        told = CliRunner().invoke(syncline, ["mailboxes", "test", address(MAYA), "--data", str(world.app.data)])
        answer = site.http.post(f"/mailboxes/{address(MAYA)}/test")

    assert told.exit_code == 1
    assert code in told.output
    assert CATALOGUE[code].what_to_do in told.output
    assert answer.status_code in (502, 503)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    site.try_again(JONAS)
    site.try_again(MAYA)
    assert_in_step(site)


@pytest.mark.parametrize("fault", SURVIVED)
def test_a_passing_fault_is_not_even_noticed(site: Site, world: Installation, fault: str) -> None:
    """A forgotten cursor, no right to write, an answer lost or late: the cycle goes on, nothing is doubled."""
    arm(world, fault, **({"delay_s": 0.1} if fault == "slow" else {}))
    assert [site.sync(name)["error"] for name in (MAYA, JONAS)] == [None, None]
    assert_in_step(site)


def test_a_broken_item_fails_alone(site: Site, world: Installation) -> None:
    """An item that Exchange cannot hand out is listed with its code; the others are saved, and later it is too."""
    Outlook(world).create("maya newer", at(17), at(18))
    arm(world, "broken", "GetItem", count=100)
    report = site.sync(MAYA)

    assert (report["error"], report["failed"], report["saved"]) == (None, 1, 1)
    (failure,) = site.items("/failures")
    assert (failure["sync_error"], failure["state"], failure["mailbox"]) == ("ItemUnreadable", "failed", address(MAYA))
    listed = CliRunner().invoke(syncline, ["failures", "list", "--data", str(world.app.data)])
    assert (listed.exit_code, "ItemUnreadable" in listed.output) == (0, True)
    assert site.sync(JONAS)["error"] is None

    disarm(world)
    for name in (MAYA, JONAS):
        assert site.try_again(name)["error"] is None
    assert site.rows("maya newer") != []
    assert site.items("/failures") == []


@pytest.mark.rule("B-03")
def test_ten_transient_failures_switch_a_mailbox_off(site: Site, world: Installation) -> None:
    """After ten failures in a row the mailbox waits for a person; its one alert has counted all of them."""
    arm(world, "lost_answer", count=1000)
    for _ in range(10):
        assert site.mailbox(MAYA)["enabled"]
        site.sync(MAYA)
        world.advance(minutes=6)
    disarm(world)

    assert site.mailbox(MAYA)["state"] == "disabled"
    (alert,) = site.items("/alerts", open="true")
    assert (alert["code"], alert["count"]) == ("ServerUnreachable", 10)
    site.sync(JONAS)
    assert site.try_again(MAYA)["error"] is None
    assert_in_step(site)


@pytest.mark.rule("B-07")
def test_a_server_that_asks_to_wait_is_left_alone(site: Site, world: Installation) -> None:
    """The mailbox is due again when the server said, and the failure is not counted."""
    arm(world, "busy")
    site.sync(MAYA)

    mailbox = world.app.store.mailbox(site.mailbox(MAYA)["id"])
    assert mailbox.next_due is not None
    assert 0 < (mailbox.next_due - world.clock.at).total_seconds() <= 60
    assert mailbox.transient_failures == 0
