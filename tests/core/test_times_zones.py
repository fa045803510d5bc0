"""Zone names and zones by rule."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tzlocal.windows_tz import win_tz

from syncline.core.times import (
    UnknownZone,
    ZoneEra,
    ZoneRules,
    ZoneTransition,
    custom_zone,
    iana_to_windows,
    instant,
    match_zone,
    resolve_zone,
    rules_of_eras,
    wall,
    windows_to_iana,
    zone_info,
)

EU = ZoneRules(
    3600,
    (
        ZoneTransition(offset_s=7200, month=3, weekday=6, nth=-1, time_s=7200),
        ZoneTransition(offset_s=3600, month=10, weekday=6, nth=-1, time_s=10800),
    ),
)
US = (
    ZoneTransition(offset_s=-14400, month=3, weekday=6, nth=2, time_s=7200),
    ZoneTransition(offset_s=-18000, month=11, weekday=6, nth=1, time_s=7200),
)
US_UNTIL_2006 = (
    ZoneTransition(offset_s=-14400, month=4, weekday=6, nth=1, time_s=7200),
    ZoneTransition(offset_s=-18000, month=10, weekday=6, nth=-1, time_s=7200),
)
NEW_YORK = rules_of_eras((ZoneEra(None, -18000, US_UNTIL_2006), ZoneEra(date(2007, 1, 1), -18000, US)))
# Chatham's offsets with changes at other hours: no place has them.
NOWHERE = ZoneRules(
    45900,
    (
        ZoneTransition(offset_s=49500, month=9, day=20, time_s=3600),
        ZoneTransition(offset_s=45900, month=4, day=7, time_s=3600),
    ),
)


@pytest.mark.parametrize(
    ("windows", "iana"),
    [
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe standard time", "Europe/Berlin"),
        ("UTC", "UTC"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("Kamchatka Standard Time", "Asia/Kamchatka"),
        ("Customized Time Zone", None),
        ("tzone://Microsoft/Custom", None),
        ("Central Perk Time", None),
    ],
)
def test_windows_zones_have_iana_names(windows: str, iana: str | None) -> None:
    """A Windows id is translated without regard to case; an id that says nothing is not guessed."""
    assert windows_to_iana(windows) == iana


def test_every_windows_zone_of_the_table_can_be_opened() -> None:
    """What the table answers is a zone this machine has."""
    for name in win_tz:
        zone_info(windows_to_iana(name) or name)


def test_every_iana_zone_but_three_has_a_windows_name() -> None:
    """Only the placeholders and Troll, whose clock no Windows zone has, stay without a Windows name."""
    missing = {name for name in available_timezones() if iana_to_windows(name) is None}
    assert missing <= {"Antarctica/Troll", "Factory", "localtime"}


def test_names_go_there_and_back() -> None:
    """The Windows name of a translated Windows zone has the same offsets as the first one."""
    at = datetime(2026, 7, 1, tzinfo=UTC)
    for name in win_tz:
        iana = windows_to_iana(name)
        assert iana is not None
        again = windows_to_iana(iana_to_windows(iana) or "")
        assert again is not None
        assert at.astimezone(zone_info(again)).utcoffset() == at.astimezone(zone_info(iana)).utcoffset(), name


@pytest.mark.parametrize(
    "key",
    [
        "Mars/Olympus",
        "",
        "../etc/passwd",
        "America",
        "localtime",
        "custom:",
        "custom:x",
        "custom:999999",
        "custom:0;1@13-1T0",
    ],
)
def test_an_unknown_zone_is_refused(key: str) -> None:
    """Nothing that is not a zone becomes one, least of all UTC."""
    with pytest.raises(UnknownZone):
        zone_info(key)


def test_a_zone_is_found_by_its_rules() -> None:
    """Rules with the offsets of a known place become its IANA zone."""
    assert match_zone(EU) == "Europe/Berlin"
    assert match_zone(NEW_YORK) == "America/New_York"
    assert match_zone(ZoneRules(19800)) == "Asia/Kolkata"
    assert match_zone(ZoneRules(0)) == "UTC"


def test_rules_that_no_place_has_stay_rules() -> None:
    """A zone nobody knows is kept by its rules and can be used like any other."""
    key = match_zone(NOWHERE)
    assert key == custom_zone(NOWHERE)
    assert key.startswith("custom:")
    assert instant(datetime(2026, 1, 15, 12), key) == datetime(2026, 1, 14, 22, 15, tzinfo=UTC)
    assert instant(datetime(2026, 6, 15, 12), key) == datetime(2026, 6, 14, 23, 15, tzinfo=UTC)


def test_the_order_of_rules_does_not_matter() -> None:
    """Equal rules have one key."""
    assert custom_zone(EU) == custom_zone(ZoneRules(EU.offset_s, EU.transitions[::-1]))


def test_a_server_names_a_zone_in_three_ways() -> None:
    """A Windows id comes first, then an IANA name, then the rules that came along; without them it is refused."""
    assert resolve_zone("Eastern Standard Time", EU) == "America/New_York"
    assert resolve_zone("Europe/Paris", EU) == "Europe/Paris"
    assert resolve_zone("Customized Time Zone", EU) == "Europe/Berlin"
    with pytest.raises(UnknownZone):
        resolve_zone("Customized Time Zone")


@pytest.mark.parametrize(("rules", "iana"), [(EU, "Europe/Berlin"), (NEW_YORK, "America/New_York")])
@settings(deadline=None)
@given(at=st.datetimes(datetime(1998, 1, 1), datetime(2037, 12, 31)), fold=st.integers(0, 1))
def test_a_zone_by_rule_keeps_time_like_the_place_it_describes(
    rules: ZoneRules, iana: str, at: datetime, fold: int
) -> None:
    """Wall times and instants of a zone by rule are those of the IANA zone, over eras and changes."""
    key, exact = custom_zone(rules), at.replace(microsecond=0)
    assert instant(exact.replace(fold=fold), key) == instant(exact.replace(fold=fold), iana)
    known = wall(exact.replace(tzinfo=UTC), iana)
    assert wall(exact.replace(tzinfo=UTC), key) == known
    assert wall(exact.replace(tzinfo=UTC), key).fold == known.fold


@pytest.mark.parametrize(("rules", "iana"), [(EU, "Europe/Berlin"), (NEW_YORK, "America/New_York")])
def test_a_zone_by_rule_changes_at_the_same_minute(rules: ZoneRules, iana: str) -> None:
    """Every ten minutes around both changes of a year, fold and offset are those of the IANA zone."""
    key = custom_zone(rules)
    for change in (datetime(2026, 3, 29), datetime(2026, 10, 25), datetime(2026, 3, 8), datetime(2026, 11, 1)):
        for minutes in range(0, 24 * 60, 10):
            at = (change + timedelta(minutes=minutes)).replace(tzinfo=UTC)
            assert (wall(at, key), wall(at, key).fold) == (wall(at, iana), wall(at, iana).fold)


def test_an_era_begins_with_the_offset_its_year_begins_with() -> None:
    """In the south an era that begins in January begins in summer time."""
    summer = ZoneTransition(offset_s=39600, month=10, weekday=6, nth=1, time_s=7200)
    winter = ZoneTransition(offset_s=36000, month=4, weekday=6, nth=1, time_s=10800)
    rules = rules_of_eras((ZoneEra(None, 36000), ZoneEra(date(2020, 1, 1), 36000, (winter, summer))))
    key = custom_zone(rules)
    assert instant(datetime(2019, 12, 1, 12), key) == datetime(2019, 12, 1, 2, tzinfo=UTC)
    assert instant(datetime(2020, 2, 1, 12), key) == datetime(2020, 2, 1, 1, tzinfo=UTC)
    assert instant(datetime(2020, 6, 1, 12), key) == datetime(2020, 6, 1, 2, tzinfo=UTC)


def test_a_zone_by_rule_has_a_name_and_no_daylight_flag() -> None:
    """The name of a zone by rule is its offset."""
    at = instant(datetime(2026, 7, 1), custom_zone(EU)).astimezone(zone_info(custom_zone(EU)))
    assert (at.tzname(), at.dst()) == ("UTC+02:00", None)
    assert zone_info(custom_zone(EU)).tzname(None) is None
