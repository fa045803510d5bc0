"""Files in the embedded CRM: older databases, what a deleted row leaves, and the same file twice."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from syncline.conformance import samples
from syncline.core.appointment import Status
from syncline.ports import NewAttachment, Result
from tests.embedded_crm.world import open_crm, saved


def test_a_database_from_before_gets_the_later_tables(tmp_path: Path) -> None:
    """What was written before is there, files can be attached to it, and it has no key."""
    path = tmp_path / "crm.db"
    crm = open_crm(path)
    saved(crm, "row", samples.single("one", samples.at(9)))
    crm.close()
    with sqlite3.connect(path) as old:
        old.execute("DROP TABLE attachments")
        old.execute("DROP TABLE attachment_errors")
        old.execute("DROP TABLE last_keys")
    old.close()
    crm = open_crm(path, people=False)
    assert crm.add_file("row", "a.txt", "text/plain", b"a", by_user="ada").result is Result.SAVED
    assert [each.name for each in crm.attachments(["row"])["row"].files] == ["a.txt"]
    assert crm.read(["row"])["row"].modified_by == "ada"
    assert dict(crm.last_keys(["row"])) == {}
    crm.close()


def test_the_files_of_a_deleted_row_go_with_it(tmp_path: Path) -> None:
    """No content stays behind, and no flag."""
    path = tmp_path / "crm.db"
    crm = open_crm(path)
    saved(crm, "row", samples.single("one", samples.at(9)))
    crm.add_file("row", "a.txt", "", b"a", by_user="ada")
    crm.flag_attachments("row", incomplete=True)
    crm.remove("row", by_user="ada")
    crm.close()
    with sqlite3.connect(path) as found:
        left = [
            found.execute(f"SELECT count(*) FROM {name}").fetchone() for name in ("attachments", "attachment_errors")
        ]
    found.close()
    assert left == [(0,), (0,)]


def test_the_same_file_again_is_no_second_one() -> None:
    """Two owners that bring the same file under different ids leave one, and one new version."""
    crm = open_crm()
    version = saved(crm, "row", samples.single("one", samples.at(9)))
    first = crm.attach("row", str(version), NewAttachment(id="x", name="a.txt", content=b"a"))
    again = crm.attach("row", str(version + 1), NewAttachment(id="y", name="a.txt", content=b"a"))
    assert (first.ref, again.ref, again.result) == ("x", "x", Result.SAVED)
    assert crm.read(["row"])["row"].version == version + 1


@pytest.mark.rule("R-07")
def test_a_series_keeps_no_files() -> None:
    """A file is refused on a series, and what is completed keeps what it has."""
    crm = open_crm()
    version = saved(crm, "row", samples.daily("series", samples.at(9)))
    refused = crm.attach("row", str(version), NewAttachment(id="x", name="a.txt", content=b"a"))
    assert (refused.result, refused.error and refused.error.code) == (Result.FAILED, "CrmRefused")
    saved(crm, "single", samples.single("one", samples.at(12)))
    crm.edit("single", None, {}, by_user="ada", status=Status.COMPLETED)
    assert crm.add_file("single", "a.txt", "", b"a", by_user="ada").result is Result.CLOSED
    assert crm.add_file("gone", "a.txt", "", b"a", by_user="ada").result is Result.STALE
