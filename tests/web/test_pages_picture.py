"""The day picture by its structure: what is drawn, with which pattern, where, and what it says in words."""

from __future__ import annotations

import re
from datetime import datetime
from xml.etree import ElementTree

import pytest

from syncline.web.picture import Block, Lane, Scene, draw, lasting

SVG = "{http://www.w3.org/2000/svg}"


def block(label: str, start: float, end: float, *, day: int = 24, all_day: bool = False) -> Block:
    """Return a block of that day by hours."""

    def at(hour: float) -> datetime:
        whole, rest = divmod(round(hour * 60), 60)
        days, whole = divmod(whole, 24)
        return datetime(2026, 11, day + days, whole, rest)

    return Block(label=label, start=at(start), end=at(end), all_day=all_day)


def scene(*lanes: Lane, waiting: tuple[Block, ...]) -> Scene:
    """Return a scene of these lanes."""
    return Scene(key="7", crm="Syncline CRM", zone="Europe/Copenhagen", lanes=lanes, waiting=waiting)


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
    trip = Block(label="Trip", start=datetime(2026, 11, 24), end=datetime(2026, 11, 26), all_day=True)
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
