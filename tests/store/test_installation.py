"""The id of the installation: random, one for each state, the same for every process."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from syncline.store import Database
from tests.store.things import KEY


@pytest.mark.rule("M-06")
def test_an_id_is_made_once_for_all_processes(tmp_path: Path) -> None:
    """Whoever opens the state later finds the id that was made first; another state has another one."""
    first, second, other = (Database(tmp_path / name, key=KEY) for name in ("a.db", "a.db", "b.db"))
    for each in (first, second, other):
        each.migrate()
    made = first.installation()
    assert len(bytes.fromhex(made)) == 16
    assert second.installation() == first.installation() == made
    assert other.installation() != made


def test_a_state_belongs_to_one_installation(store: Database) -> None:
    """A second id is refused by the schema."""
    store.installation()
    with pytest.raises(IntegrityError), store.writing() as connection:
        connection.execute(text("INSERT INTO installation (one, id) VALUES (2, 'x')"))
