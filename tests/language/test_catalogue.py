"""The German catalogue says everything that the sources say, with the same places to fill in."""

from __future__ import annotations

import ast
import importlib.util
import re
import string
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = sorted((ROOT / "src" / "syncline" / "language").glob("*.po"))
_PLACE = re.compile(r"%\((\w+)\)[sd]")
_SAYS = {"_", "ngettext", "noted", "plural"}
_NEVER_SHOWN = re.compile(r"\b(Replik\w*|Cursor|Lease|Intent|Divergenz\w*)\b")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """Give tools/messages.py, which reads the sources."""
    spec = importlib.util.spec_from_file_location("messages", ROOT / "tools" / "messages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def catalogue(path: Path) -> Catalog:
    """Read a catalogue."""
    with path.open("rb") as stream:
        return read_po(stream, locale=path.stem)


def pairs(message: Message) -> list[tuple[str, str]]:
    """Return each form of a message with its source: a plural's forms stand against its plural source."""
    if isinstance(message.id, tuple | list):
        one, many = message.id
        return [(one if place == 0 else many, text) for place, text in enumerate(message.string)]
    return [(str(message.id), str(message.string))]


def places(text: str) -> set[str]:
    """Return the places to fill in: %(name)s of sentences, {name} of the error catalogue."""
    braces = (
        {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name} if "{" in text else set()
    )
    return set(_PLACE.findall(text)) | braces


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_every_sentence_is_there(tool: ModuleType, path: Path) -> None:
    """Nothing is missing, nothing is left over, nothing is uncertain."""
    found = {message.id for message in tool.extracted() if message.id}
    known = {message.id: message for message in catalogue(path) if message.id}
    assert sorted(map(str, found - known.keys())) == []
    assert sorted(map(str, known.keys() - found)) == []
    missing = [
        key for key, message in known.items() if message.fuzzy or not all(text for _source, text in pairs(message))
    ]
    assert missing == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_places_are_the_same(path: Path) -> None:
    """A translation fills in what its source fills in; the singular may leave out the number."""
    wrong = [
        (source, text)
        for message in catalogue(path)
        if message.id
        for source, text in pairs(message)
        if places(source) - {"num", "number"} != places(text) - {"num", "number"}
    ]
    assert wrong == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_words_of_the_inside_are_not_shown(path: Path) -> None:
    """What people never read in English they do not read in another language."""
    shown = [text for message in catalogue(path) if message.id for _source, text in pairs(message)]
    assert [text for text in shown if _NEVER_SHOWN.search(text)] == []


def test_no_sentence_hides_in_an_f_string() -> None:
    """What stands inside an f-string is not extracted, so nobody would miss its translation."""
    hidden = [
        (path.name, call.lineno)
        for path in (ROOT / "src" / "syncline").rglob("*.py")
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _SAYS
        if any(isinstance(given, ast.Constant) for given in call.args)
    ]
    assert hidden == []
