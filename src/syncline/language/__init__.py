"""Message catalogues: every sentence that people read, in the language of whom it is for.

The English sentence is the key; `de.po` beside this module holds the German ones. The language is a context variable,
set for each request by the web and for each mail by who writes it. It must not know pages, mails or people.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
"""The languages that there are catalogues for, by code, each named in itself; the first is the one of the keys."""
FALLBACK = "en"

_current: ContextVar[str] = ContextVar("syncline_language", default=FALLBACK)
_RANGE = re.compile(
    r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9]{1,8})*\s*"
    r"(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?"
)


def _(message: str, /, **values: object) -> str:
    """Return a sentence in the current language, its `%(name)s` places filled with `values`."""
    # The empty message is the header of a catalogue, which nobody wants to read.
    text = _catalogue(_current.get()).gettext(message) if message else ""
    return text % values if values else text


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """Return the form of a sentence for `num` things, which is also the value of its place `%(num)s`."""
    return plural(one, many, num) % {"num": num, **values}


def plural(one: str, many: str, num: int) -> str:
    """Return the form of a sentence for `num` things with its places unfilled (templates fill them)."""
    return _catalogue(_current.get()).ngettext(one, many, num)


def noted(message: str) -> str:
    """Mark a sentence of a table for the catalogues and return it as it is; who shows it calls `_`."""
    return message


def numeral(number: float, decimals: int = 0) -> str:
    """Return a number as people write it in the current language, such as 1,234.5 or 1.234,5."""
    return format_decimal(number, format=f"#,##0.{'0' * decimals}".rstrip("."), locale=_current.get())


def current() -> str:
    """Return the code of the current language."""
    return _current.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Read and write in a language for a while; one without a catalogue is the fallback."""
    token = _current.set(language if language in LANGUAGES else FALLBACK)
    try:
        yield
    finally:
        _current.reset(token)


def preferred(accept_language: str) -> str:
    """Return the language that a browser would like best (RFC 9110, 12.5.4) of those that there are."""
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language[:500].split(",")):
        found = _RANGE.fullmatch(part)
        if found is not None:
            wanted.append((-float(found[2] or 1), place, found[1].lower()))
    for weight, _place, language in sorted(wanted):
        if weight < 0 and (language in LANGUAGES or language == "*"):
            return language if language in LANGUAGES else FALLBACK
    return FALLBACK


@cache
def _catalogue(language: str) -> NullTranslations:
    if language == FALLBACK:
        return NullTranslations()
    with (files("syncline.language") / f"{language}.po").open("rb") as stream:
        catalogue = read_po(stream, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)
