"""Lists that are sorted, filtered and paged by their address, and files that a browser keeps."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec.structs import replace

from syncline.core.appointment import Identity
from syncline.ports import Link, LinkState
from syncline.store.rows import LINK_ROW, link_columns, mailbox_values
from syncline.store.schema import link, mailbox
from syncline.web.pages.tables import PAGE_ROWS, Asked, Column, Pages, Table
from tests.desk.office import DOMAIN, NOW, Office
from tests.web.visitor import shown, visiting

TABLE = Table(path="/x", columns=(Column(title="A", sort="a"), Column(title="B", sort="b", falls=True)), sort="a")


def test_an_address_says_only_what_is_unusual() -> None:
    """Sorting another way, words and pages stand in the address; what is usual does not."""
    asked = Asked(table=TABLE, sort="a", descending=False)

    assert asked.at() == "/x"
    assert asked.by(TABLE.columns[0]) == "/x?sort=a&down=1"
    assert asked.by(TABLE.columns[1]) == "/x?sort=b&down=1"
    assert dataclasses.replace(asked, words="a b&c").at(page=3) == "/x?q=a+b%26c&page=3"
    assert asked.direction(TABLE.columns[0]) == "ascending" and asked.direction(TABLE.columns[1]) == "none"


@pytest.mark.parametrize(
    ("page", "total", "numbers"),
    [
        (1, 3, (1,)),
        (1, 60, (1, 2, 3)),
        (10, 500, (1, None, 8, 9, 10, 11, 12, None, 20)),
        (2, 200, (1, 2, 3, 4, None, 8)),
    ],
)
def test_pages_offered(page: int, total: int, numbers: tuple[int | None, ...]) -> None:
    """The first, the last, and those around."""
    assert Pages(asked=Asked(table=TABLE, sort="a", descending=False, page=page), total=total).numbers == numbers


def fill(office: Office) -> None:
    """Add forty mailboxes, and thirty failed items and a private one to Maya's."""
    maya = office.mailbox("maya")
    others = (replace(maya, address=f"p{n:02d}@{DOMAIN}", user=f"p{n:02d}", enabled=n > 3) for n in range(40))
    boxes = [mailbox_values(each) for each in others]
    links = [
        Link(
            mailbox_id=maya.id,
            ref=f"r{n}",
            identity=Identity(f"uid-{n}"),
            subject="Surgery" if n == 30 else f"Item {n:02d}",
            private=n == 30,
            state=LinkState.FAILED,
            sync_error="ItemUnreadable",
            error_time=NOW,
            first_seen=NOW,
        )
        for n in range(31)
    ]
    rows = zip(*link_columns(links), strict=True)
    items = [{name: value for name, value in zip(LINK_ROW, row, strict=True) if name != "id"} for row in rows]
    with office.app.store.writing() as connection:
        connection.execute(mailbox.insert(), boxes)
        connection.execute(link.insert(), items)


def test_mailboxes_are_sorted_filtered_and_paged(office: Office) -> None:
    """Pages of rows; a filter by words and by state; sorting by what stands in them."""
    fill(office)
    with visiting(office) as ines:
        ines.sign_in("ines")
        first = shown(ines.text("/mailboxes"))
        assert f"1 to {PAGE_ROWS} of 42" in first and "jonas@" in first and "p39@" not in first
        assert "26 to 42 of 42" in shown(ines.text("/mailboxes?page=2"))
        assert "26 to 42 of 42" in shown(ines.text("/mailboxes?page=99"))
        assert "1 to 1 of 1" in shown(ines.text("/mailboxes?q=P07"))
        assert "1 to 4 of 4" in shown(ines.text("/mailboxes?state=disabled"))
        assert "No mailbox is like that." in ines.text("/mailboxes?q=nobody")
        text = ines.text("/mailboxes?sort=failures&down=1")
        assert text.index("maya@") < text.index("p39@") and 'aria-sort="descending"' in text
        assert ines.get("/mailboxes?page=x&sort=y&state=z&down=q").status_code == 200


def test_questions_and_failures_are_counted_apart(office: Office) -> None:
    """Beside a mailbox and on its tab, Failures counts what failed; what waits for an answer is under Alerts only."""
    office.the_scene()
    with visiting(office) as ines:
        ines.sign_in("ines")
        row = shown(ines.text("/mailboxes?q=maya"))
        assert "?tab=alerts" in ines.text("/mailboxes?q=maya") and "?tab=failures" not in ines.text("/mailboxes?q=maya")
        assert "1 to 1 of 1" in row
        tabs = shown(ines.text(f"/mailboxes/maya@{DOMAIN}"))
        assert "1 in Alerts" in tabs and "in Failures" not in tabs


def test_failures_are_searched_in_what_may_be_read(office: Office) -> None:
    """An administrator does not find a private subject by its words; its own person does."""
    fill(office)
    with visiting(office) as visitor:
        visitor.sign_in("ines")
        assert f"1 to {PAGE_ROWS} of 31" in shown(visitor.text("/failures"))
        assert "1 to 1 of 1" in shown(visitor.text("/failures?q=item+07"))
        assert "No item here has" in visitor.text("/failures?q=surgery")
        assert "Surgery" not in visitor.text("/failures?sort=subject")
    with visiting(office) as visitor:
        visitor.sign_in("maya")
        assert "1 to 1 of 1" in shown(visitor.text("/failures?q=surgery"))


def test_another_mailboxs_failures_are_not_found(office: Office) -> None:
    """A User who names another's mailbox in the address is told that there is none."""
    fill(office)
    with visiting(office) as visitor:
        visitor.sign_in("jonas")
        assert visitor.get(f"/failures?mailbox=maya@{DOMAIN}").status_code == 404
        assert "Everything is synchronized" in visitor.text("/failures")


def test_files_are_kept_for_good_under_the_address_of_their_content(office: Office) -> None:
    """A page names its files with a mark; with the right mark they are immutable, with another they are not."""
    with visiting(office) as visitor:
        page = visitor.sign_in("ines").text("/mailboxes")
        address = page.partition('href="/static/syncline.css')[2].partition('"')[0]
        kept = visitor.client.get(f"/static/syncline.css{address}")
        assert "immutable" in kept.headers["cache-control"] and kept.headers["content-encoding"] == "gzip"
        assert visitor.client.get("/static/syncline.css?v=other").headers["cache-control"] == "no-cache"
        assert visitor.client.get("/static/none.css?v=other").status_code == 404


def test_a_language_is_chosen_before_and_after_signing_in(office: Office) -> None:
    """The choice stands at sign-in and in the menu, changes what pages say, and stays with the person."""
    with visiting(office) as visitor:
        assert "Deutsch" in visitor.text("/sign-in")
        chosen = visitor.post("/language", language="de", next="/sign-in")
        assert chosen.headers["location"] == "/sign-in" and "syncline_language=de" in chosen.headers["set-cookie"]
        assert 'lang="de"' in visitor.text("/sign-in")
        visitor.sign_in("ines")
        visitor.post("/language", language="en", next="//evil.example")
        assert office.app.store.preferences("ines").language == "en"
        assert '<html lang="en">' in visitor.text("/mailboxes")
