"""The tables of docs/emulators.md, made from the tables that the code works with.

Pure text: `filled` returns a document with every table between its two markers replaced by what the code says now.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from syncline.emulators.exchange.calendar_files import CODES
from syncline.emulators.exchange.control import ROUTES
from syncline.emulators.exchange.disturbances import FAULTS
from syncline.emulators.exchange.operations import OPERATIONS

_MARK = re.compile(r"<!-- table: (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def tables() -> dict[str, str]:
    """Return every table by its name in the document."""
    return {
        "operations": _table(
            ("Operation", "What works"), ((f"`{name}`", row.note) for name, row in sorted(OPERATIONS.items()))
        ),
        "control": _table(
            ("Request", "What it does"), ((f"`{route.method} /emulator/{route.path}`", route.note) for route in ROUTES)
        ),
        "faults": _table(("Fault", "What the next request meets"), ((f"`{n}`", text) for n, text in FAULTS.items())),
        "imports": _table(("Code", "What became of the event"), ((f"`{code}`", text) for code, text in CODES.items())),
    }


def filled(document: str) -> str:
    """Return the document with its tables as they are now; raises KeyError for a table that nobody makes."""
    made = tables()
    return _MARK.sub(lambda m: f"<!-- table: {m[1]} -->\n{made[m[1]]}\n<!-- end -->", document)
