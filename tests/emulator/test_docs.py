"""Docs/emulators.md says what the emulator does, and its example runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from syncline.emulators.exchange import errors, operations, reference

pytestmark = pytest.mark.emulator

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "emulators.md"
EXCHANGE = ROOT / "src" / "syncline" / "emulators" / "exchange"
TEST = """

def test_the_mailbox_is_there(account):
    assert account.calendar.name == "Calendar"
"""


def test_the_tables_are_up_to_date() -> None:
    """Each table of the page is what the code's tables say now (`reference.filled` writes them)."""
    text = PAGE.read_text(encoding="utf-8")
    assert reference.filled(text) == text
    assert text.count("<!-- table: ") == len(reference.tables())


def test_the_fixture_of_the_page_works(tmp_path: Path) -> None:
    """The fixture, copied from the page into a test file of somebody else, runs against the server."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(code.partition("@pytest")[2].splitlines()) <= 10
    (tmp_path / "test_theirs.py").write_text(code + TEST, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_theirs.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "1 passed" in done.stdout, done.stdout


def test_every_code_is_one_of_the_schema(data_dir: Path) -> None:
    """Every response code that the server can send stands in the public schema's list."""
    schema = etree.parse(data_dir / "ews" / "schema" / "messages.xsd")
    known = {e.get("value") for e in schema.iter("{http://www.w3.org/2001/XMLSchema}enumeration")}
    source = "".join(path.read_text(encoding="utf-8") for path in EXCHANGE.glob("*.py"))
    used = set(re.findall(r'"(Error[A-Z]\w+)"', source)) | set(errors.TEXTS)
    assert used - known == set()


def test_every_operation_says_what_works() -> None:
    """No row of the dispatch table is without its note."""
    assert [name for name, row in operations.OPERATIONS.items() if not row.note] == []
