"""Descriptions as text and as HTML: the one projection that everything compares, and its way back (A-15).

`text_of` reads any HTML and never fails; `html_of` writes text so that `text_of` gives it back. Whitespace is
canonical: one kind of line end, no blanks at the end of a line, no empty lines around, ordinary blanks instead of fixed
ones, and no characters that XML cannot carry. A block is a line, <br> ends one, a list item begins with a dash or its
number, cells of a table are parted by tabs, a link shows its address; scripts, styles and titles are left out. All of
it takes time linear in the text. Pure; it must not know where a body comes from.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_UNFIT: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BLANKS: Final = re.compile(r"[ \t\n\r\f]+")
_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{1,31});?")
_NAME: Final = re.compile(r"/?[a-zA-Z][a-zA-Z0-9:]*")
# Most tags: no bracket within, so that trying one never looks further than the next.
_TAG: Final = re.compile(r"""<(/?[a-zA-Z][a-zA-Z0-9:]*)(?:[^<>"']++|"[^"<>]*+"|'[^'<>]*+')*+>""")
_HREF: Final = re.compile(r"""(?i)(?<![^\s"'/])href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_MARK: Final = re.compile("[>\"']")
_LEADING: Final = re.compile("^ | (?= )")
_HIDDEN: Final = frozenset({"script", "style", "title", "noscript", "template"})
_BLOCKS: Final = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "footer",
        "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav", "ol", "p", "pre",
        "section", "table", "tbody", "tfoot", "thead", "tr", "ul",
    }
)  # fmt: skip
_TELLING: Final = _BLOCKS | {f"/{name}" for name in _BLOCKS} | {"br", "td", "th", "a", "/a"}
_SHOWN_LINKS: Final = ("http://", "https://", "mailto:")
_DEPTH_MAX: Final = 8
_TAG_MAX: Final = 4000


def fit(text: str) -> str:
    """Return text without the characters that XML 1.0 cannot carry."""
    return _UNFIT.sub("", text)


def canonical(text: str) -> str:
    """Return text as it is compared and kept: see the module."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join([_plain(line).rstrip() for line in lines]).strip("\n")


def _plain(line: str) -> str:
    """Return a line without what XML cannot carry; what can be printed, as nearly every line, holds nothing of it."""
    return line if line.isprintable() else fit(line).replace("\xa0", " ")


def html_of(text: str) -> str:
    """Return text as HTML that shows the same and that `text_of` turns into `canonical(text)`."""
    lines = (_line(line) for line in canonical(text).split("\n"))
    return f"<html><body>{''.join(lines)}</body></html>"


def text_of(body: str) -> str:
    """Return what an HTML body says, in canonical form; it takes every string."""
    writing = _Writing()
    for text, name, tag in _pieces(body):
        if text:
            writing.text(text)
        if name in _TELLING:
            writing.tag(name, tag)
    return canonical("".join(writing.parts))


def _line(line: str) -> str:
    if not line:
        return "<div><br></div>"
    shown = _LEADING.sub("&nbsp;", html.escape(line, quote=False)).replace("\t", "&#9;")
    return f"<div>{shown}</div>"


def _pieces(body: str) -> Iterator[tuple[str, str, str]]:
    """Yield text, and name and whole of the tag that follows it; comments and hidden elements are left out."""
    at = begin = 0
    scan = _Scan(body)
    while (at := body.find("<", at)) >= 0:
        plain = _TAG.match(body, at)
        name = plain or _NAME.match(body, at + 1)
        if name is None and body[at + 1 : at + 2] not in ("!", "?"):
            at += 1
            continue
        end = scan.end_of(at) if plain is None else plain.end() - 1
        if end is None:
            break
        called = "" if name is None else (plain[1] if plain else name[0]).lower()
        yield body[begin:at], called, body[at:end]
        begin = at = end + 1
        if called in _HIDDEN:
            begin = at = scan.closing(called, at)
    yield body[begin:], "", ""


@dataclass(slots=True)
class _Scan:
    """Finds where markup ends; what was once sought in vain is not sought again, so that no text takes long."""

    body: str
    absent: set[str] = field(default_factory=set)

    def find(self, text: str, at: int) -> int:
        """Return where a text stands from `at` on, -1 if nowhere."""
        found = -1 if text in self.absent else self.body.find(text, at)
        if found < 0:
            self.absent.add(text)
        return found

    def end_of(self, at: int) -> int | None:
        """Return the place of the bracket that closes the markup at `at`, None if none does."""
        if self.body.startswith("<!--", at):
            found = self.find("-->", at + 4)
            return found + 2 if found >= 0 else len(self.body)
        begin = at
        if self.find(">", begin) < 0:
            return None
        while (mark := _MARK.search(self.body, begin + 1)) is not None:
            if mark[0] == ">":
                return mark.start()
            begin = mark.start()
            if self.body[begin - 1] == "=" and (closed := self.find(mark[0], begin + 1)) >= 0:
                begin = closed
        return None

    def closing(self, name: str, at: int) -> int:
        """Return where a hidden element is over: behind its closing tag, or at the end."""
        lowered = re.compile(f"</{name}", re.IGNORECASE)
        found = None if f"</{name}" in self.absent else lowered.search(self.body, at)
        if found is None:
            self.absent.add(f"</{name}")
            return len(self.body)
        return found.start()


@dataclass(slots=True)
class _Writing:
    """The text so far: whether a line has begun, whether it ends in a blank that may go, lists, and an open link."""

    parts: list[str] = field(default_factory=list)
    begun: bool = False
    blank: bool = False
    lists: list[int | None] = field(default_factory=list)
    preserved: int = 0
    link: tuple[str, int] | None = None

    def text(self, raw: str) -> None:
        """Write text between tags: blanks run together, entities are what they mean."""
        if not self.preserved:
            raw = _BLANKS.sub(" ", raw)
            if (self.blank or not self.begun) and raw.startswith(" "):
                raw = raw[1:]
        if raw:
            self.put(_ENTITY.sub(_meant, raw) if "&" in raw else raw)
            self.blank = raw.endswith(" ")

    def put(self, text: str) -> None:
        """Write something into the line."""
        self.parts.append(text)
        self.begun, self.blank = True, False

    def end(self, *, always: bool = False) -> None:
        """End the line if one has begun, or always."""
        if self.begun or always:
            self.parts.append("\n")
        self.begun = self.blank = False

    def tag(self, name: str, tag: str) -> None:
        """Take one tag of those that tell something."""
        plain = name.lstrip("/")
        if name == "br":
            self.end(always=True)
        elif name in ("td", "th") and self.begun:
            self.put("\t")
        elif name == "a":
            self.link = (_address(tag), len(self.parts))
        elif name == "/a":
            self.close_link()
        elif plain in _BLOCKS:
            self.block(name, plain)

    def block(self, name: str, plain: str) -> None:
        """Begin or end a block."""
        self.end()
        if plain == "pre":
            self.preserved = max(0, self.preserved + (1 if name == "pre" else -1))
        elif name in ("ul", "ol"):
            self.lists.append(0 if name == "ol" else None)
        elif plain in ("ul", "ol"):
            del self.lists[-1:]
        elif name == "li":
            self.put(self.bullet())

    def bullet(self) -> str:
        """Return what a list item begins with."""
        indent = "  " * (min(len(self.lists), _DEPTH_MAX) - 1)
        if not self.lists or (number := self.lists[-1]) is None:
            return f"{indent}- "
        self.lists[-1] = number + 1
        return f"{indent}{number + 1}. "

    def close_link(self) -> None:
        """Write the address of a link behind its text, unless the text is the address."""
        if self.link is None:
            return
        address, begin = self.link
        self.link = None
        shown = "".join(self.parts[begin:]).strip()
        if address and address.removeprefix("mailto:") not in (shown, shown.removeprefix("mailto:")):
            self.put(f" <{address}>" if shown else f"<{address}>")


def _meant(entity: re.Match[str]) -> str:
    return html.unescape(entity[0])


def _address(tag: str) -> str:
    """Return the address that a link leads to, if it is one that a person can use."""
    found = _HREF.search(tag[:_TAG_MAX])
    address = html.unescape(next((part for part in found.groups() if part), "")).strip() if found else ""
    return address if address.lower().startswith(_SHOWN_LINKS) and len(address) < 2000 else ""
