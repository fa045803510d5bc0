"""All zones over the wire: what is written to Exchange is read back as the same times by the same clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import pytest
from lxml import etree
from msgspec.structs import replace

from syncline.connectors.exchange_web_services.wire_zones import zone_element, zone_of
from syncline.core.appointment import Appointment, Identity
from syncline.core.merging import differences, project
from syncline.core.outgoing import ItemCreation, ItemUpdate
from syncline.core.recurrence import occurrences
from syncline.core.times import all_day, custom_zone, rules_in, wall, windows_to_iana
from syncline.ports import Observed, Result
from tests.core.test_round_trips import D_07, daily
from tests.core.zones import YEAR, ZONES, around
from tests.exchange_web_services.world import ExchangeWorld

YEARS = (datetime.fromisoformat(f"{YEAR}-01-01T00:00+00:00"), datetime.fromisoformat(f"{YEAR + 1}-01-01T00:00+00:00"))
NOWHERE = "custom:-12600;-9000@3-6#2T7200;-12600@11-6#1T7200"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"


@pytest.fixture(scope="module")
def world() -> Iterator[ExchangeWorld]:
    """Start one server for all zones."""
    made = ExchangeWorld()
    yield made
    made.close()


def written(world: ExchangeWorld, contents: list[Appointment]) -> list[Observed]:
    """Write new items and return them as they are read back."""
    replica = world.replica(world.address)
    (folder,) = (each.ref for each in replica.folders() if each.main)
    writes = [ItemCreation(key=f"k/{one.identity.global_object_id}", folder=folder, content=one) for one in contents]
    outcomes = replica.write(writes)
    assert [(each.result, each.error) for each in outcomes] == [(Result.SAVED, None)] * len(writes)
    return [each.item for each in outcomes if each.item is not None]


def named(content: Appointment, name: str) -> Appointment:
    """Return the content as another appointment."""
    return replace(content, identity=Identity(name), subject=name)


def series_of(zone: str, first: date, at: time, name: str) -> Appointment:
    """Return a daily series over an edge."""
    return named(daily(zone, first, at), f"{name} {zone} {first} {at}")


@pytest.mark.emulator
@pytest.mark.rule("D-07")
def test_series_of_every_zone_keep_their_wall_time(world: ExchangeWorld) -> None:
    """Written and read back no field differs, and every date stands at the same instant, before and after the edge."""
    contents = [series_of(zone, first, time(9), "series") for zone in ZONES for first in around(zone)[:2]]
    for content, item in zip(contents, written(world, contents), strict=True):
        assert differences(content, project(item.appointment)) <= {"organizer"}, content.zone
        spans = [[each.span for each in occurrences(one, *YEARS)] for one in (content, item.appointment)]
        assert spans[0] == spans[1], content.zone
        assert {wall(each.start, content.zone).time() for each in spans[1]} == {time(9)}


@pytest.mark.emulator
@pytest.mark.rule("D-01")
@pytest.mark.rule("D-07")
def test_whole_days_of_every_zone_stay_dates(world: ExchangeWorld) -> None:
    """Three days over an edge are the same dates afterwards, as a single and as a series."""
    contents = []
    for zone in ZONES:
        first = around(zone)[0]
        whole = replace(daily(zone, first, time(0), count=3), span=all_day(first, first + timedelta(days=1)))
        long = replace(whole, span=all_day(first, first + timedelta(days=4)), recurrence=None)
        contents += [named(whole, f"days {zone}"), named(long, f"long {zone}")]
    for content, item in zip(contents, written(world, contents), strict=True):
        assert differences(content, project(item.appointment)) <= {"organizer"}, content.zone


@pytest.mark.emulator
@pytest.mark.rule("D-07")
def test_the_zones_that_the_product_stumbles_over(world: ExchangeWorld) -> None:
    """All 32 are written, moved to another hour and read back, in the gap of spring too."""
    zones = [windows_to_iana(name) or "" for name in D_07]
    contents = [series_of(zone, first, time(2, 30), "d-07") for zone in zones for first in around(zone)[:2]]
    items = written(world, contents)
    for content, item in zip(contents, items, strict=True):
        assert differences(content, project(item.appointment)) <= {"organizer"}, content.zone
    moved = [replace(item.appointment, span=daily(item.appointment.zone, one.recurrence.first, time(15)).span)
             for one, item in zip(contents, items, strict=True) if one.recurrence]  # fmt: skip
    updates = [
        ItemUpdate(ref=item.ref, folder=item.folder, revision=item.revision, before=item.appointment, after=after)
        for item, after in zip(items, moved, strict=True)
    ]
    for after, outcome in zip(moved, world.replica(world.address).write(updates), strict=True):
        assert outcome.item is not None, outcome.error
        assert differences(project(after), project(outcome.item.appointment)) == frozenset()


@pytest.mark.rule("D-07")
@pytest.mark.parametrize(
    "zone", ["Antarctica/Troll", "custom:-12600;-9000@3-6#2T7200;-12600@11-6#1T7200", "custom:20700"]
)
def test_a_zone_without_a_name_goes_with_its_rules(zone: str) -> None:
    """The element carries offsets and changes, and whoever reads it finds a zone with the same clock."""
    text = zone_element("StartTimeZone", zone, YEAR)
    element = etree.fromstring(text.replace("<t:StartTimeZone", f'<t:StartTimeZone xmlns:t="{TYPES}"', 1))
    assert rules_in(zone_of(element), YEAR) == rules_in(zone, YEAR)
    element.set("Id", "tzone://Microsoft/Custom")
    element.set("Name", "")
    assert rules_in(zone_of(element), YEAR) == rules_in(zone, YEAR)


@pytest.mark.emulator
@pytest.mark.rule("D-07")
def test_a_zone_of_rules_alone_is_written(world: ExchangeWorld) -> None:
    """A custom clock that no place has goes over the wire and comes back as it is."""
    zone = custom_zone(rules_in(NOWHERE, YEAR))
    content = series_of(zone, date(YEAR, 3, 12), time(9), "custom")
    (item,) = written(world, [content])
    spans = [[each.span for each in occurrences(one, *YEARS)] for one in (content, item.appointment)]
    assert spans[0] == spans[1]
