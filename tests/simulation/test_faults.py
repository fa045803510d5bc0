"""The gate strikes where it is told to, and the production code behind it runs unmodified."""

from __future__ import annotations

import pytest

from syncline.connectors.memory import CALENDAR, MemoryCrm, MemoryExchange, MemoryReplica
from syncline.errors import SyncError
from syncline.ports import Crm, Replica, User
from syncline.simulation.faults import Call, Gate, Killed, Strike, faulty, possible
from tests.simulation.samples import at, item

ADA = "ada@example.org"


def replica(gate: Gate, items: int = 2) -> tuple[MemoryExchange, Replica]:
    """Open a mailbox with some items behind a gate."""
    exchange = MemoryExchange()
    exchange.add_mailbox(ADA)
    for number in range(items):
        exchange.add(ADA, item(f"item-{number}", at(9 + number)))
    port: Replica = MemoryReplica(exchange, ADA)
    return exchange, faulty(port, "calendar", gate, ADA)


def test_without_a_strike_the_call_goes_through() -> None:
    """The gate counts calls and changes nothing."""
    gate = Gate()
    _, port = replica(gate)

    assert len(port.changes(CALENDAR, None, 10).items) == 2
    assert gate.calls == [Call(0, "calendar", "changes", ADA)]


@pytest.mark.parametrize(
    ("strike", "code", "happened"),
    [
        (Strike.REFUSED, "ServiceUnavailable", 0),
        (Strike.THROTTLED, "ThrottledByExchange", 0),
        (Strike.LOST, "ServerTimeout", 1),
    ],
)
def test_failures_come_before_or_after_the_effect(strike: Strike, code: str, happened: int) -> None:
    """A refused call has no effect, a lost answer has had it."""
    exchange, port = replica(Gate(choose=lambda _: strike))

    with pytest.raises(SyncError) as caught:
        port.folders()

    assert caught.value.code == code
    assert exchange.requests["folders"] == happened


def test_a_cut_page_holds_one_item_and_says_more() -> None:
    """A page may stop early; the cursor goes on where it stopped."""
    _, port = replica(Gate(choose=lambda call: Strike.CUT if call.number == 0 else None))

    first = port.changes(CALENDAR, None, 10)
    rest = port.changes(CALENDAR, first.cursor, 10)

    assert (len(first.items), first.more) == (1, True)
    assert (len(rest.items), rest.more) == (1, False)


def test_a_shuffled_page_tells_the_same_in_another_order_and_twice() -> None:
    """Nothing is left out, something comes twice, and the cursor is the one of the page in order."""
    _, port = replica(Gate(choose=lambda call: Strike.SHUFFLED if call.number == 0 else None), items=3)

    shuffled = port.changes(CALENDAR, None, 10)
    plain = port.changes(CALENDAR, None, 10)

    assert [each.ref for each in shuffled.items[:3]] == [each.ref for each in reversed(plain.items)]
    assert set(shuffled.items) == set(plain.items)
    assert (len(shuffled.items), shuffled.cursor) == (5, plain.cursor)


def test_a_shuffled_page_of_the_crm() -> None:
    """The change log may hand out the same way."""
    crm = MemoryCrm()
    crm.add_user(User(id="1", name="ada", full_name="Ada", emails=(ADA,), time_zone="UTC"))
    for number in range(2):
        crm.create(item(f"item-{number}", at(9 + number)), owner="ada")
    port: Crm = crm
    shuffled = faulty(port, "crm", Gate(choose=lambda _: Strike.SHUFFLED)).changes(None, 10)

    assert [each.version for each in shuffled.changes] == [2, 1, 1]


@pytest.mark.parametrize(("strike", "happened"), [(Strike.KILLED, 0), (Strike.KILLED_AFTER, 1)])
def test_a_dead_process_makes_no_further_call(strike: Strike, happened: int) -> None:
    """After a kill every call of that process fails, the ones in its cleaning up too."""
    exchange, port = replica(Gate(choose=lambda call: strike if call.number == 0 else None))

    for _ in range(2):
        with pytest.raises(Killed):
            port.folders()

    assert exchange.requests["folders"] == happened


def test_others_act_just_before_the_call() -> None:
    """People, another owner and the server may act before a call, and the call sees what they did."""
    seen: list[str] = []
    strikes = iter((Strike.STIRRED, Strike.OVERTAKEN, Strike.WOKEN, Strike.EXPIRED, Strike.STALE))
    gate = Gate(
        choose=lambda _: next(strikes),
        stirred=lambda call: seen.append(f"stirred {call.method}"),
        overtaken=lambda call: seen.append(f"overtaken {call.method}"),
        woken=lambda _: seen.append("woken"),
        expired=lambda call: seen.append(f"expired {call.mailbox}"),
        staled=lambda call: seen.append("staled"),
    )
    _, port = replica(gate)

    for _ in range(5):
        port.folders()

    assert seen == ["stirred folders", "overtaken folders", "woken", f"expired {ADA}", "staled"]


def test_only_deltas_are_cut_and_shuffled_and_expire() -> None:
    """What can strike depends on the port and the method."""
    delta, read = possible(Call(0, "calendar", "changes")), possible(Call(0, "calendar", "read"))

    assert {Strike.CUT, Strike.SHUFFLED, Strike.EXPIRED} <= set(delta)
    assert not {Strike.CUT, Strike.SHUFFLED, Strike.EXPIRED} & set(read)
    assert Strike.LOST not in possible(Call(0, "store", "write"))
