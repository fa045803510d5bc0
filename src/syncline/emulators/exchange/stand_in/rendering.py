"""Templates and style sheet of the stand-in: every value is escaped, nothing comes from elsewhere, no script runs.

Knows no page.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from syncline.emulators.exchange.stand_in.week import LANES_MAX

if TYPE_CHECKING:
    from jinja2 import Environment

ROWS_MAX = 48
HTML = (("Content-Type", "text/html; charset=utf-8"),)
STYLE = (("Content-Type", "text/css; charset=utf-8"),)
SECURITY = (
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)


def rendered(template: str, values: Mapping[str, Any]) -> bytes:
    """Return a page."""
    # A lone surrogate, which a calendar file may hold, has no UTF-8.
    return _environment().get_template(template).render(values).encode("utf-8", "replace")


@cache
def style() -> bytes:
    """Return the style sheet with the places of the week's grid, which a strict policy forbids in the markup."""
    text = _files().joinpath("stand_in.css").read_text(encoding="utf-8")
    rows = [f".from-{n}{{grid-row-start:{n}}}.to-{n}{{grid-row-end:{n}}}" for n in range(1, ROWS_MAX + 2)]
    counts = [f".rows-{n}{{--rows:{n}}}" for n in range(1, ROWS_MAX + 1)]
    lanes = [f".lane-{n}{{grid-column:{n}}}.lanes-{n}{{--lanes:{n}}}" for n in range(1, LANES_MAX + 1)]
    places = "\n".join([*rows, *counts, *lanes])
    return f"{text}\n/* places of the grid */\n@media (min-width: 56rem) {{\n{places}\n}}\n".encode()


@cache
def _environment() -> Environment:
    # Only who opens a page needs the template engine; clients of EWS do not wait for it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(str(_files().joinpath("templates"))),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _files() -> Any:  # noqa: ANN401 - importlib's Traversable moved between versions
    return files("syncline.emulators.exchange.stand_in")
