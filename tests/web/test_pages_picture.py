"""The day picture by its structure: what is drawn, with which pattern, where, and what it says in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from syncline.core.times import instant
from syncline.web.picture import Block, Lane, Scene, draw, lasting, standalone

SVG = "{http://www.w3.org/2000/svg}"
ZONE = "Europe/Copenhagen"


def block(label: str, start: float, end: float, *, day: int = 24, all_day: bool = False) -> Block:
    """Return a block of that day by hours of the clock in Copenhagen; whole days are dates."""

    def at(hour: float) -> datetime:
        whole, rest = divmod(round(hour * 60), 60)
        days, whole = divmod(whole, 24)
        naive = datetime(2026, 11, day + days, whole, rest)
        return naive.replace(tzinfo=UTC) if all_day else instant(naive, ZONE)

    return Block(label=label, start=at(start), end=at(end), all_day=all_day)


def scene(*lanes: Lane, waiting: tuple[Block, ...]) -> Scene:
    """Return a scene of these lanes."""
    return Scene(key="7", crm="Syncline CRM", zone=ZONE, lanes=lanes, waiting=waiting)


def instant_block(label: str, start: datetime, end: datetime) -> Block:
    """Return a block between two instants."""
    return Block(label=label, start=start, end=end)


def parsed(given: Scene) -> ElementTree.Element:
    """Draw and parse: the picture is well-formed XML."""
    return ElementTree.fromstring(
        draw(given).encode().replace(b"<svg ", b'<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    )


def of_class(picture: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Return the elements of a class."""
    return [each for each in picture.iter() if name in each.get("class", "").split()]


def texts(picture: ElementTree.Element) -> list[str]:
    """Return every line of text in the picture."""
    return [each.text or "" for each in picture.iter(f"{SVG}text")]


REVIEW = Lane(title="Maya Lind", blocks=(block("Quarterly review", 10, 11),))
THE_SCENE = scene(REVIEW, waiting=(block("Product demo", 10.5, 11.5),))


def test_the_scene_has_a_solid_item_a_hatched_one_and_a_crossed_overlap() -> None:
    """What the CRM holds is solid, what waits is hatched, and where they meet is crossed and said in words."""
    picture = parsed(THE_SCENE)
    (crm,), (waiting,) = of_class(picture, "picture-crm"), of_class(picture, "picture-waiting")
    overlaps = of_class(picture, "picture-overlap")

    assert crm.get("fill") is None and waiting.get("fill") == "url(#hatch-7)"
    assert {each.get("fill") for each in overlaps} == {"url(#cross-7)"}
    assert {each.get("y") for each in overlaps} == {waiting.get("y")}
    assert float(crm.get("x", "0")) < float(waiting.get("x", "0"))
    assert "overlaps 30 min" in texts(picture)
    assert {"10:00", "10:30", "In Syncline CRM", "Waiting, from Outlook"} <= set(texts(picture))


def test_the_picture_says_in_words_what_it_shows() -> None:
    """It is one image with a text alternative that names its zone, both items and the overlap."""
    picture = parsed(THE_SCENE)
    title = picture.find(f"{SVG}title")
    assert picture.get("role") == "img" and title is not None
    assert picture.get("aria-labelledby") == title.get("id")

    assert title.text == (
        "All times: Europe/Copenhagen. In Syncline CRM, Maya Lind: Quarterly review, 10:00 to 11:00. "
        "Waiting, from Outlook: Product demo, 10:30 to 11:30. They overlap 30 min."
    )


def test_the_window_reaches_an_hour_beyond_everything() -> None:
    """From one hour before the first to one hour after the last item."""
    shown = [text for text in texts(parsed(THE_SCENE)) if re.fullmatch(r"\d\d:\d\d", text)]

    assert (shown[0], shown[-1]) == ("09:00", "12:30")


def test_an_hour_from_eight_to_seventeen_is_a_working_hour() -> None:
    """Working hours are shaded on weekdays only."""
    evening = scene(REVIEW, waiting=(block("Late call", 18, 19),))
    saturday = scene(waiting=(block("Fair", 10, 12, day=28),))

    assert len(of_class(parsed(evening), "picture-hours")) == 1
    assert of_class(parsed(saturday), "picture-hours") == []


def test_whole_days_are_bars_on_top() -> None:
    """An all-day item and one of several days stand above the first hour."""
    trip = block("Trip", 0, 48, all_day=True)
    picture = parsed(scene(REVIEW, waiting=(trip,)))
    (bar,), (crm,) = of_class(picture, "picture-waiting"), of_class(picture, "picture-crm")
    title = picture.find(f"{SVG}title")

    assert float(bar.get("y", "0")) + float(bar.get("height", "0")) < float(crm.get("y", "0"))
    assert title is not None and "Trip, all day, Tue 24 to Wed 25" in (title.text or "")
    assert len(of_class(picture, "picture-overlap")) == 1


def test_only_whole_days_make_a_picture_too() -> None:
    """Without any hour there are bars and no hours."""
    day = block("Holiday", 0, 24, all_day=True)
    picture = parsed(scene(Lane(title="Maya Lind", blocks=(day,)), waiting=(day,)))

    assert of_class(picture, "picture-tick") == []
    assert len(of_class(picture, "picture-crm")) == len(of_class(picture, "picture-waiting")) == 1


def test_each_person_has_a_lane_up_to_six() -> None:
    """Six lanes are drawn, further people are counted in words."""
    lanes = tuple(Lane(title=f"Person {n}", blocks=(block(f"Item {n}", 10, 11),)) for n in range(9))
    picture = parsed(scene(*lanes, waiting=(block("Board", 10, 12),)))
    title = picture.find(f"{SVG}title")

    assert len(of_class(picture, "picture-crm")) == 6
    assert len({each.get("x") for each in of_class(picture, "picture-crm")}) == 6
    assert title is not None and "And 3 more people, in the list." in (title.text or "")


def test_items_at_the_same_time_share_their_lane() -> None:
    """Two appointments of one person at the same time stand side by side, and so does what else waits."""
    lane = Lane(title="Maya Lind", blocks=(block("One", 10, 11), block("Two", 10.5, 11.5)))
    picture = parsed(scene(lane, waiting=(block("Ask", 10, 11), block("Also", 10.5, 11))))
    one, two = of_class(picture, "picture-crm")
    ask, also = of_class(picture, "picture-waiting")

    assert float(one.get("x", "0")) + float(one.get("width", "0")) <= float(two.get("x", "0"))
    assert float(ask.get("x", "0")) + float(ask.get("width", "0")) <= float(also.get("x", "0"))
    title = picture.find(f"{SVG}title")
    assert title is not None and "Also waits for an answer: Also" in (title.text or "")


def test_subjects_are_text_never_markup() -> None:
    """A hostile subject stays a text."""
    hostile = '<script>alert("1")</script>&'
    lane = Lane(title=hostile, blocks=(block(hostile, 10, 11),))
    made = draw(scene(lane, waiting=(block(hostile, 10, 11),)))

    assert "<script" not in made
    assert hostile in "".join(parsed(scene(lane, waiting=(block(hostile, 10, 11),))).itertext())


def test_the_picture_carries_no_style_of_its_own() -> None:
    """The content security policy forbids inline style and script; colours are classes."""
    made = draw(THE_SCENE)

    assert re.search(r"\sstyle=|<style|\son\w+=|#[0-9a-f]{3,6}\b", made) is None


@pytest.mark.parametrize(
    ("minutes", "said"), [(0, "0 min"), (30, "30 min"), (60, "1 h"), (90, "1 h 30 min"), (3000, "2 days 2 h")]
)
def test_lengths_are_said_in_words(minutes: int, said: str) -> None:
    """Days, hours and minutes, without what is nought."""
    assert lasting(minutes) == said


def test_in_autumn_the_hour_that_comes_twice_is_drawn_twice() -> None:
    """On the night when the clocks go back the hours are as long as they really are, and 02:00 stands there twice."""
    begins = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    night = instant_block("Night shift", begins, begins.replace(day=25, hour=2, minute=30))
    call = instant_block("Call", datetime(2026, 10, 25, 0, 45, tzinfo=UTC), datetime(2026, 10, 25, 1, 15, tzinfo=UTC))
    picture = parsed(scene(Lane(title="Maya Lind", blocks=(night,)), waiting=(call,)))
    title = picture.find(f"{SVG}title")

    assert texts(picture).count("02:00") == 2
    assert title is not None and "Night shift, 01:30 to 03:30" in (title.text or "")
    assert "Call, 02:45 to 02:15" in (title.text or "") and "They overlap 30 min." in (title.text or "")
    (drawn,) = of_class(picture, "picture-waiting")
    assert float(drawn.get("height", "0")) > 0


def test_in_spring_the_hour_that_is_skipped_is_not_drawn() -> None:
    """On the night when the clocks go forward 03:00 follows 01:00."""
    start = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    night = instant_block("Night shift", start, start.replace(day=29, hour=2))
    picture = parsed(scene(Lane(title="Maya Lind", blocks=(night,)), waiting=(night,)))
    shown = [text for text in texts(picture) if text.endswith(":00")]

    assert "02:00" not in shown and shown[shown.index("01:00") + 1] == "03:00"
    assert "overlaps 3 h" in texts(picture)


def test_an_all_day_item_is_a_day_of_the_zone_that_is_shown() -> None:
    """A whole day meets what stands on that date there, though the dates are kept at 00:00 UTC."""
    day = block("Trip", 0, 24, all_day=True)
    early = scene(Lane(title="Maya Lind", blocks=(day,)), waiting=(block("Early", 0.5, 1.5),))

    assert early.longest_overlap == 60


def test_a_long_subject_is_broken_into_lines_and_cut() -> None:
    """A subject of thousands of letters fills its block and no more; the whole of it is in no visible text."""
    long = "Negotiation of everything " * 80
    picture = parsed(scene(Lane(title="Maya Lind", blocks=(block(long, 10, 12),)), waiting=(block(long, 10, 12),)))
    lines = [text for text in texts(picture) if text.startswith("Negotiation") or text.endswith("…")]

    assert len(lines) > 1 and max(map(len, lines)) < 40


def test_a_subject_from_right_to_left_turns_nothing_around() -> None:
    """Marks of direction are left out, right-to-left text is kept apart; control characters break no document."""
    lane = Lane(title="Maya\u202e Lind", blocks=(block("\u202eevil\x00\x0b\ud800", 10, 11),))
    picture = parsed(scene(lane, waiting=(block("\u05e4\u05d2\u05d9\u05e9\u05d4", 10, 11),)))
    said = "".join(picture.itertext())

    assert "\u202e" not in said and "Maya Lind: evil, 10:00 to 11:00" in said
    assert "\u2068\u05e4\u05d2\u05d9\u05e9\u05d4\u2069, 10:00 to 11:00" in said


def test_a_picture_for_a_mail_stands_alone() -> None:
    """It is a document with a size and its colours in it, without a class, a style or anything from elsewhere."""
    made = standalone(THE_SCENE)
    picture = ElementTree.fromstring(made)

    assert picture.tag == f"{SVG}svg" and picture.get("width") == "360" and picture.get("height")
    assert re.search(r"class=|style|href|<script", made) is None
    assert "#cfe2f5" in made and "overlaps 30 min" in made
    hostile = 'class="picture" <script>alert(1)</script>'
    lane = Lane(title="Maya Lind", blocks=(block(hostile, 10, 11),))
    assert hostile in "".join(ElementTree.fromstring(standalone(scene(lane, waiting=lane.blocks))).itertext())


def test_a_later_waiting_item_looks_different_from_the_first() -> None:
    """What else waits is hatched too, and paler."""
    picture = parsed(scene(REVIEW, waiting=(block("Ask", 10, 11), block("Also", 10.5, 11))))

    assert [each.get("class") for each in of_class(picture, "picture-waiting")] == [
        "picture-waiting",
        "picture-waiting picture-also",
    ]
