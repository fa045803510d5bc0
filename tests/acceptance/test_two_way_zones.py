"""Every zone through the whole installation: CRM to Exchange and back, and Exchange to the CRM and back, in silence."""

from __future__ import annotations

import dataclasses
from datetime import time, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from syncline.config import Settings
from syncline.core.appointment import Address, Appointment, Identity
from syncline.core.merging import differences
from syncline.core.times import all_day, clock_of, wall, windows_to_iana
from tests.acceptance.installation import Installation, address
from tests.acceptance.two_way import MAYA, Firm, opened
from tests.core.test_round_trips import D_07, daily
from tests.core.zones import ZONES, around

TOLD = {"organizer"}
# One zone of each clock, by another name than Exchange has for it where there is one.
CLOCKS = tuple({clock_of(zone): zone for zone in ZONES}.values())
pytestmark = [pytest.mark.emulator, pytest.mark.rule("D-07")]


def unchecked(given: Settings) -> Settings:
    """Let nobody be asked about overlaps."""
    return dataclasses.replace(given, conflict=dataclasses.replace(given.conflict, enabled=False))


def entered(world: Installation, found: Appointment, subject: str) -> str:
    """Enter a row of Maya's without a check and return its id."""
    row = replace(found, identity=Identity(subject), subject=subject, organizer=Address(address(MAYA), "Maya"))
    return str(world.app.crm.create(row, by_user=MAYA, ignore_conflicts=True).id)


def contents(firm: Firm) -> dict[str, tuple[int, Appointment]]:
    """Return version and content of every row, by subject."""
    crm = firm.world.app.crm
    held, after = {}, ""
    while ids := crm.ids(after, 500):
        after = ids[-1]
        held |= {row.appointment.subject: (row.version, row.appointment) for row in crm.read(ids).values()}
    return held


def test_rows_of_every_zone_go_over_and_ask_for_nothing_afterwards(tmp_path: Path) -> None:
    """A series over an edge and whole days, for every clock: made in Outlook, and the rows stay as they were."""
    with opened(tmp_path / "data", people=(MAYA,)) as firm:
        for zone in CLOCKS:
            first = around(zone)[0]
            entered(firm.world, daily(zone, first, time(9), count=4), f"series {zone}")
            days = replace(daily(zone, first, time(0), count=3), span=all_day(first, first + timedelta(days=1)))
            entered(firm.world, days, f"days {zone}")
        before = contents(firm)
        firm.sync()
        assert len(firm.calendar()) == len(before) == 2 * len(CLOCKS)
        assert firm.open_codes() == []
        writes = firm.writes()
        for _ in range(2):
            firm.sync()
        assert contents(firm) == before
        assert firm.writes() == writes
        astray = [link.subject for link in firm.world.links().values()
                  if link.observed is None or differences(before[link.subject][1], link.observed) - TOLD]  # fmt: skip
        assert astray == []


def test_an_edit_in_the_crm_keeps_the_clock_of_what_outlook_made(tmp_path: Path) -> None:
    """Series of the 32 zones come from Outlook; a new place from the CRM leaves their hours and zones as they are."""
    with opened(tmp_path / "data", unchecked, people=(MAYA,)) as firm:
        for name in D_07:
            series = daily(windows_to_iana(name) or "", around(windows_to_iana(name) or "")[0], time(9), count=6)
            start, end = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (series.span.start, series.span.end))
            first = around(series.zone)[0].isoformat()
            firm.client.created(
                f"<t:Subject>{name}</t:Subject><t:Start>{start}</t:Start><t:End>{end}</t:End><t:Recurrence>"
                "<t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence><t:NumberedRecurrence><t:StartDate>"
                f"{first}</t:StartDate><t:NumberOfOccurrences>6</t:NumberOfOccurrences></t:NumberedRecurrence>"
                f'</t:Recurrence><t:StartTimeZone Id="{name}"/><t:EndTimeZone Id="{name}"/>'
            )
        before = {each["subject"]: each for each in firm.calendar()}
        firm.sync()
        rows = contents(firm)
        assert set(rows) == set(D_07)
        for name, (_, row) in rows.items():
            assert {wall(row.span.start, row.zone).hour} == {9}, name
            firm.world.app.crm.edit(firm.row(name)["id"], None, {"location": "Bern"}, by_user=MAYA)
        firm.sync()
        for each in firm.calendar():
            was = before[each["subject"]]
            assert each["location"] == "Bern"
            assert [each[key] for key in ("start", "end", "recurrence", "time_zone")] == [
                was[key] for key in ("start", "end", "recurrence", "time_zone")
            ]
