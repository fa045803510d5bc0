"""Bring the message catalogues up to date: what the sources say, in the order of the files, with what is translated.

`make messages` writes src/syncline/language/*.po; `--check` only says what is missing, for the tests.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).resolve().parent.parent / "src" / "syncline"
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "noted": None, "sentence": None}
METHODS = [("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2"), ("**.py", "python")]
OPTIONS = {
    "**/templates/**.html": {"trimmed": "true", "silent": "false", "newstyle_gettext": "true"},
    "**/templates/**.txt": {"trimmed": "true", "silent": "false", "newstyle_gettext": "true"},
}


def extracted() -> Catalog:
    """Return every message of the sources, of the error catalogue, and of the settings that a page explains."""
    from syncline.config import SETTINGS
    from syncline.errors import CATALOGUE
    from syncline.web.pages.settings import SHOWN

    found = Catalog(project="Syncline", charset="utf-8")
    for name, _line, message, comments, context in extract_from_dir(
        str(SOURCE), METHODS, OPTIONS, keywords=KEYWORDS, strip_comment_tags=True
    ):
        found.add(message, locations=[(name, 0)], auto_comments=comments, context=context)
    for row in CATALOGUE.values():
        for text in (row.title, row.text, row.what_to_do):
            found.add(text, locations=[("errors.py", 0)])
    for setting in SETTINGS.values():
        if setting.name.startswith(SHOWN):
            found.add(setting.meant.text, locations=[("config.py", 0)])
    return found


def updated(path: Path, found: Catalog) -> Catalog:
    """Return the catalogue of a language with the messages of the sources, and nothing that they no longer say."""
    language = path.stem
    if path.exists():
        with path.open("rb") as stream:
            catalogue = read_po(stream, locale=language)
    else:
        catalogue = Catalog(locale=language, project="Syncline", charset="utf-8")
    catalogue.update(found, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def text_of(catalogue: Catalog) -> bytes:
    """Return the file of a catalogue, without dates, so that only a changed message changes it."""
    out = io.BytesIO()
    write_po(out, catalogue, width=120, omit_header=False, no_location=False, include_lineno=False, sort_by_file=True)
    lines = out.getvalue().decode().splitlines(keepends=True)
    dated = ("POT-Creation-Date", "PO-Revision-Date", "Generated-By", "Last-Translator", "Language-Team", "Report-Msg")
    return "".join(line for line in lines if not any(word in line for word in dated)).encode()


def main(arguments: list[str]) -> int:
    """Write the catalogues, or say what is missing."""
    found = extracted()
    missing = 0
    for path in sorted((SOURCE / "language").glob("*.po")):
        catalogue = updated(path, found)
        untranslated = [message for message in catalogue if message.id and not _translated(message.string)]
        missing += len(untranslated)
        print(f"{path.name}: {len(catalogue)} messages, {len(untranslated)} not translated")
        if "--check" not in arguments:
            path.write_bytes(text_of(catalogue))
    return 1 if missing and "--check" in arguments else 0


def _translated(text: object) -> bool:
    return all(text) if isinstance(text, list | tuple) else bool(text)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
