"""Repetitions and time zones as Exchange writes them."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from syncline.connectors.exchange_web_services.wire import InvalidAnswer
from syncline.connectors.exchange_web_services.wire_recurrence import UnsupportedPattern, recurrence
from syncline.connectors.exchange_web_services.wire_zones import zone_of
from syncline.core.appointment import Pattern, PatternKind, Recurrence
from syncline.core.times import UnknownZone, wall
from tests.exchange_web_services.answers import TYPES

NO_END = "<t:NoEndRecurrence><t:StartDate>2026-12-07+01:00</t:StartDate></t:NoEndRecurrence>"
FIRST = date(2026, 12, 7)


def element(name: str, content: str, attributes: str = "") -> etree._Element:
    """Give an element of the types namespace."""
    return etree.fromstring(f'<t:{name} xmlns:t="{TYPES}" {attributes}>{content}</t:{name}>')


def repeating(pattern: str, ranged: str = NO_END) -> Recurrence:
    """Read a Recurrence element."""
    return recurrence(element("Recurrence", pattern + ranged))


@pytest.mark.rule("R-09")
@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        (
            "<t:DailyRecurrence><t:Interval>3</t:Interval></t:DailyRecurrence>",
            Pattern(kind=PatternKind.DAILY, interval=3),
        ),
        (
            "<t:WeeklyRecurrence><t:Interval>2</t:Interval><t:DaysOfWeek>Friday Monday</t:DaysOfWeek>"
            "<t:FirstDayOfWeek>Monday</t:FirstDayOfWeek></t:WeeklyRecurrence>",
            Pattern(kind=PatternKind.WEEKLY, interval=2, weekdays=(0, 4), first_weekday=0),
        ),
        (
            "<t:WeeklyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>Weekday</t:DaysOfWeek></t:WeeklyRecurrence>",
            Pattern(kind=PatternKind.WEEKLY, weekdays=(0, 1, 2, 3, 4), first_weekday=6),
        ),
        (
            "<t:AbsoluteMonthlyRecurrence><t:Interval>1</t:Interval><t:DayOfMonth>31</t:DayOfMonth>"
            "</t:AbsoluteMonthlyRecurrence>",
            Pattern(kind=PatternKind.MONTHLY_DAY, day=31),
        ),
        (
            "<t:RelativeMonthlyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>WeekendDay</t:DaysOfWeek>"
            "<t:DayOfWeekIndex>Last</t:DayOfWeekIndex></t:RelativeMonthlyRecurrence>",
            Pattern(kind=PatternKind.MONTHLY_NTH, weekdays=(5, 6), nth=-1),
        ),
        (
            "<t:AbsoluteYearlyRecurrence><t:DayOfMonth>29</t:DayOfMonth><t:Month>February</t:Month>"
            "</t:AbsoluteYearlyRecurrence>",
            Pattern(kind=PatternKind.YEARLY_DAY, day=29, month=2),
        ),
        (
            "<t:RelativeYearlyRecurrence><t:DaysOfWeek>Day</t:DaysOfWeek><t:DayOfWeekIndex>Fourth</t:DayOfWeekIndex>"
            "<t:Month>November</t:Month></t:RelativeYearlyRecurrence>",
            Pattern(kind=PatternKind.YEARLY_NTH, weekdays=(0, 1, 2, 3, 4, 5, 6), nth=4, month=11),
        ),
    ],
)
def test_all_patterns_of_exchange_are_understood(text: str, pattern: Pattern) -> None:
    """Each of the six patterns gives its value, weekday sets by their names included; the date loses its offset."""
    assert repeating(text) == Recurrence(pattern=pattern, first=FIRST)


@pytest.mark.parametrize(
    ("ranged", "count", "until"),
    [
        (NO_END, None, None),
        (
            "<t:NumberedRecurrence><t:StartDate>2026-12-07-08:00</t:StartDate>"
            "<t:NumberOfOccurrences>10</t:NumberOfOccurrences></t:NumberedRecurrence>",
            10,
            None,
        ),
        (
            "<t:EndDateRecurrence><t:StartDate>2026-12-07</t:StartDate><t:EndDate>2027-01-31Z</t:EndDate>"
            "</t:EndDateRecurrence>",
            None,
            date(2027, 1, 31),
        ),
    ],
)
def test_all_ends_of_exchange_are_understood(ranged: str, count: int | None, until: date | None) -> None:
    """Endless, by number, by date; the offset of a date means nothing."""
    found = repeating("<t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence>", ranged)

    assert (found.first, found.count, found.until) == (FIRST, count, until)


@pytest.mark.parametrize(
    "text",
    [
        "<t:DailyRegeneration><t:Interval>1</t:Interval></t:DailyRegeneration>",
        "<t:HourlyRecurrence/>",
        "",
        "<t:WeeklyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek/></t:WeeklyRecurrence>",
        "<t:WeeklyRecurrence><t:DaysOfWeek>Someday</t:DaysOfWeek></t:WeeklyRecurrence>",
        "<t:AbsoluteMonthlyRecurrence><t:DayOfMonth>32</t:DayOfMonth></t:AbsoluteMonthlyRecurrence>",
        "<t:AbsoluteYearlyRecurrence><t:DayOfMonth>1</t:DayOfMonth><t:Month>Brumaire</t:Month></t:AbsoluteYearlyRecurrence>",
    ],
)
def test_a_pattern_without_words_in_the_core_is_unsupported(text: str) -> None:
    """Regenerating, unknown and senseless patterns are told apart from broken answers."""
    with pytest.raises(UnsupportedPattern):
        repeating(text)


@pytest.mark.parametrize("interval", ["x", "-1", "9999999"])
def test_a_number_that_is_none_is_an_invalid_answer(interval: str) -> None:
    """Numbers and dates of a repetition are checked."""
    with pytest.raises(InvalidAnswer):
        repeating(f"<t:DailyRecurrence><t:Interval>{interval}</t:Interval></t:DailyRecurrence>")
    with pytest.raises(InvalidAnswer):
        repeating("<t:DailyRecurrence/>", "<t:NoEndRecurrence><t:StartDate>soon</t:StartDate></t:NoEndRecurrence>")


BERLIN_RULES = """
  <t:Periods>
    <t:Period Bias="-PT1H" Name="Standard" Id="S"/><t:Period Bias="-PT2H" Name="Daylight" Id="D"/>
  </t:Periods>
  <t:TransitionsGroups><t:TransitionsGroup Id="0">
    <t:RecurringDayTransition><t:To Kind="Period">D</t:To><t:TimeOffset>PT2H</t:TimeOffset><t:Month>3</t:Month>
      <t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>-1</t:Occurrence></t:RecurringDayTransition>
    <t:RecurringDayTransition><t:To Kind="Period">S</t:To><t:TimeOffset>PT3H</t:TimeOffset><t:Month>10</t:Month>
      <t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>5</t:Occurrence></t:RecurringDayTransition>
  </t:TransitionsGroup></t:TransitionsGroups>
  <t:Transitions><t:Transition><t:To Kind="Group">0</t:To></t:Transition></t:Transitions>"""


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Pacific Standard Time", "America/Los_Angeles"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("UTC", "UTC"),
        ("Europe/Paris", "Europe/Paris"),
    ],
)
def test_a_known_name_decides(name: str, zone: str) -> None:
    """Windows ids, Microsoft's URI for UTC and IANA names are known, with rules or without."""
    assert zone_of(element("StartTimeZone", "", f'Id="{name}"')) == zone
    assert zone_of(element("StartTimeZone", BERLIN_RULES, f'Id="{name}"')) == zone


def test_an_unknown_name_is_known_by_its_rules() -> None:
    """A customised zone whose clock is Berlin's gets an IANA zone with the same clock."""
    zone = zone_of(element("StartTimeZone", BERLIN_RULES, 'Id="tzone://Microsoft/Custom" Name="Customized"'))

    for moment in (datetime.fromisoformat("2026-07-01T12:00:00Z"), datetime.fromisoformat("2026-12-01T12:00:00Z")):
        assert wall(moment, zone) == wall(moment, "Europe/Berlin")


def test_a_zone_of_nowhere_keeps_its_own_rules() -> None:
    """A fixed offset that no place has becomes a custom zone with that clock."""
    odd = (
        '<t:Periods><t:Period Bias="PT1H7M" Name="Odd" Id="P"/></t:Periods><t:TransitionsGroups>'
        '<t:TransitionsGroup Id="0"><t:Transition><t:To Kind="Period">P</t:To></t:Transition></t:TransitionsGroup>'
        '</t:TransitionsGroups><t:Transitions><t:Transition><t:To Kind="Group">0</t:To></t:Transition></t:Transitions>'
    )

    zone = zone_of(element("StartTimeZone", odd, 'Id="My own"'))

    assert zone.startswith("custom:")
    assert wall(datetime.fromisoformat("2026-12-01T12:00:00Z"), zone) == datetime(2026, 12, 1, 10, 53)


def test_a_zone_may_change_its_rules_at_a_date() -> None:
    """Eras: summer time until 2020, a fixed clock from then on, as some countries decided."""
    eras = BERLIN_RULES.replace(
        "</t:TransitionsGroup></t:TransitionsGroups>",
        '</t:TransitionsGroup><t:TransitionsGroup Id="1"><t:Transition><t:To Kind="Period">S</t:To></t:Transition>'
        "</t:TransitionsGroup></t:TransitionsGroups>",
    ).replace(
        "</t:Transitions>",
        '<t:AbsoluteDateTransition><t:To Kind="Group">1</t:To><t:DateTime>2020-01-01T00:00:00</t:DateTime>'
        "</t:AbsoluteDateTransition></t:Transitions>",
    )

    zone = zone_of(element("StartTimeZone", eras, 'Id="Changed its mind"'))

    assert wall(datetime.fromisoformat("2019-07-01T12:00:00Z"), zone).hour == 14
    assert wall(datetime.fromisoformat("2026-07-01T12:00:00Z"), zone).hour == 13


def test_a_change_may_fall_on_a_date_and_a_transition_may_lead_to_a_period() -> None:
    """RecurringDateTransition, and Transitions that name a period directly."""
    dated = BERLIN_RULES.replace(
        "<t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>-1</t:Occurrence>", "<t:Day>21</t:Day>"
    )
    direct = (
        '<t:Periods><t:Period Bias="-P0DT5H30M" Id="P"/></t:Periods><t:Transitions><t:Transition>'
        '<t:To Kind="Period">P</t:To></t:Transition></t:Transitions>'
    )

    spring = zone_of(element("StartTimeZone", dated, 'Id="Fixed spring"'))
    india = zone_of(element("StartTimeZone", direct, 'Id="Half past"'))
    bare = zone_of(element("StartTimeZone", '<t:Periods><t:Period Bias="-PT5H30M" Id="P"/></t:Periods>', 'Id="Bare"'))

    assert wall(datetime.fromisoformat("2026-03-22T12:00:00Z"), spring).hour == 14
    assert wall(datetime.fromisoformat("2026-03-22T12:00:00Z"), india) == datetime(2026, 3, 22, 17, 30)
    assert wall(datetime.fromisoformat("2026-03-22T12:00:00Z"), bare) == datetime(2026, 3, 22, 17, 30)


def test_a_zone_without_name_or_rules_is_unknown_and_never_utc() -> None:
    """A name nobody knows, alone, is refused."""
    for attributes in ('Id="Atlantis Standard Time"', 'Id="tzone://Microsoft/Custom"', ""):
        with pytest.raises(UnknownZone):
            zone_of(element("StartTimeZone", "", attributes))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('Bias="-PT1H"', 'Bias="soon"'),
        (">PT2H<", ">x<"),
        ("<t:Month>3</t:Month>", "<t:Month>13</t:Month>"),
        ("<t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>-1", "<t:DayOfWeek>Noday</t:DayOfWeek><t:Occurrence>-1"),
        ('<t:To Kind="Period">D</t:To>', '<t:To Kind="Period">Q</t:To>'),
        ('<t:To Kind="Group">0</t:To>', '<t:To Kind="Group">9</t:To>'),
    ],
)
def test_broken_rules_are_an_invalid_answer(good: str, bad: str) -> None:
    """Rules that contradict themselves are refused, not guessed."""
    text = BERLIN_RULES.replace(good, bad)

    with pytest.raises(InvalidAnswer):
        zone_of(element("StartTimeZone", text, 'Id="Broken"'))


DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_NAMES = tuple(date(2026, month, 1).strftime("%B") for month in range(1, 13))
INDEX_NAMES = {1: "First", 2: "Second", 3: "Third", 4: "Fourth", -1: "Last"}
ELEMENTS = {
    PatternKind.DAILY: "DailyRecurrence",
    PatternKind.WEEKLY: "WeeklyRecurrence",
    PatternKind.MONTHLY_DAY: "AbsoluteMonthlyRecurrence",
    PatternKind.MONTHLY_NTH: "RelativeMonthlyRecurrence",
    PatternKind.YEARLY_DAY: "AbsoluteYearlyRecurrence",
    PatternKind.YEARLY_NTH: "RelativeYearlyRecurrence",
}
KINDS_WITH = {
    "weekdays": {PatternKind.WEEKLY, PatternKind.MONTHLY_NTH, PatternKind.YEARLY_NTH},
    "day": {PatternKind.MONTHLY_DAY, PatternKind.YEARLY_DAY},
    "nth": {PatternKind.MONTHLY_NTH, PatternKind.YEARLY_NTH},
    "month": {PatternKind.YEARLY_DAY, PatternKind.YEARLY_NTH},
    "first_weekday": {PatternKind.WEEKLY},
}


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    """Draw any pattern of the core."""
    kind = draw(st.sampled_from(PatternKind))
    values = {
        "weekdays": tuple(sorted(draw(st.sets(st.integers(0, 6), min_size=1)))),
        "day": draw(st.integers(1, 31)),
        "nth": draw(st.sampled_from(sorted(INDEX_NAMES))),
        "month": draw(st.integers(1, 12)),
        "first_weekday": draw(st.integers(0, 6)),
    }
    return Pattern(
        kind=kind,
        interval=draw(st.integers(1, 99)),
        **{name: value for name, value in values.items() if kind in KINDS_WITH[name]},  # type: ignore[arg-type]
    )


def written(pattern: Pattern) -> list[str]:
    """Write a pattern as Exchange would, as a list of elements."""
    texts = {
        "weekdays": f"<t:DaysOfWeek>{' '.join(DAY_NAMES[day] for day in pattern.weekdays)}</t:DaysOfWeek>",
        "day": f"<t:DayOfMonth>{pattern.day}</t:DayOfMonth>",
        "nth": f"<t:DayOfWeekIndex>{INDEX_NAMES.get(pattern.nth)}</t:DayOfWeekIndex>",
        "month": f"<t:Month>{MONTH_NAMES[pattern.month - 1]}</t:Month>",
        "first_weekday": f"<t:FirstDayOfWeek>{DAY_NAMES[pattern.first_weekday]}</t:FirstDayOfWeek>",
    }
    parts = [text for name, text in texts.items() if pattern.kind in KINDS_WITH[name]]
    return [f"<t:Interval>{pattern.interval}</t:Interval>", *parts]


@pytest.mark.rule("R-09")
@given(pattern=patterns(), data=st.data())
@settings(max_examples=120, deadline=None)
def test_any_pattern_survives_the_wire_in_any_order_of_its_parts(pattern: Pattern, data: st.DataObject) -> None:
    """What Exchange writes of a pattern is read as that pattern, range first or last, parts shuffled."""
    inner = "".join(data.draw(st.permutations(written(pattern))))
    name = ELEMENTS[pattern.kind]
    both = data.draw(st.permutations([f"<t:{name}>{inner}</t:{name}>", NO_END]))

    assert recurrence(element("Recurrence", "".join(both))) == Recurrence(pattern=pattern, first=FIRST)
