"""Help: the pages of docs/, readable where they are needed, by everybody and without signing in.

In an installed Syncline they lie beside this package, in a checkout in its docs/ folder. They are our own texts: markup
inside them is not trusted all the same. It must not know what they say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from starlette.responses import FileResponse, Response

from syncline.errors import SyncError
from syncline.language import noted
from syncline.web.pages.rendering import render_outside, visit_of

router = APIRouter()
PAGES: Mapping[str, tuple[str, str]] = {
    "answering": ("answering.md", noted("What Yes and No do")),
    "tour": ("tour.md", noted("A tour in five minutes")),
    "administer": ("administer.md", noted("The administrator's guide")),
    "connect-exchange-server": ("connect-exchange-server.md", noted("Connect an Exchange server")),
    "operate": ("operate.md", noted("Operate it: proxy, backup, monitoring")),
    "api": ("api.md", noted("The API, with examples")),
    "errors": ("ERRORS.md", noted("Errors: what each means and what to do")),
    "settings": ("settings.md", noted("Settings")),
    "commands": ("commands.md", noted("Commands")),
    "rules": ("rules.md", noted("What each rule does")),
    "emulators": ("emulators.md", noted("The Exchange emulator in your tests")),
}
_BY_FILE = {file: name for name, (file, _title) in PAGES.items()}
_PICTURE = re.compile(r"[a-z0-9][a-z0-9-]*\.png")
_REPOSITORY_ONLY = re.compile(r"^(?![a-z]+:|#|/)")


@router.get("/help")
def contents(request: Request) -> Response:
    """Show what there is to read."""
    return _render(request, "help.html", pages=PAGES, name=None, text=None, title=noted("Help"))


@router.get("/help/pictures/{name}")
def picture(name: str) -> Response:
    """Send a picture of the pages."""
    path = _folder() / "pictures" / name
    if not _PICTURE.fullmatch(name) or not path.is_file():
        raise SyncError("NotFoundHere", detail=f"picture {name}")
    return FileResponse(path, media_type="image/png", headers={"Cache-Control": "public, max-age=3600"})


@router.get("/help/{name}")
def page(request: Request, name: str) -> Response:
    """Show one page."""
    if name not in PAGES or not (_folder() / PAGES[name][0]).is_file():
        raise SyncError("NotFoundHere", detail=f"help page {name}")
    file, title = PAGES[name]
    return _render(request, "help.html", pages=PAGES, name=name, text=_html(_folder() / file), title=title)


def _render(request: Request, template: str, **values: Any) -> Response:  # noqa: ANN401
    try:
        visit = visit_of(request)
    except SyncError:
        return render_outside(request, template, **values)
    return visit.render(template, **values)


@cache
def _folder() -> Path:
    installed = Path(str(files("syncline.web"))) / "help"
    return installed if installed.is_dir() else Path(__file__).resolve().parents[4] / "docs"


@cache
def _html(path: Path) -> Markup:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    source = re.sub(r"<!--.*?-->", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    tokens = parser.parse(source)
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _slug(tokens[place + 1].content))
        elif token.type == "table_open":
            token.attrSet("class", "table")
        _relink(token.children or ())
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704 - html is off in the parser


def _relink(tokens: Sequence[Token]) -> None:
    """Lead links between the pages to where they stand here; pages that are only in the repository are named."""
    for place, token in enumerate(tokens):
        name = "src" if token.type == "image" else "href"
        target = str(token.attrGet(name) or "")
        if not target or not _REPOSITORY_ONLY.match(target):
            continue
        file, _mark, anchor = target.removeprefix("docs/").partition("#")
        if file.startswith("pictures/"):
            token.attrSet(name, f"/help/{file}")
        elif file in _BY_FILE:
            token.attrSet(name, f"/help/{_BY_FILE[file]}" + (f"#{anchor}" if anchor else ""))
        else:
            _unlink(tokens, place)


def _unlink(tokens: Sequence[Token], place: int) -> None:
    """Leave only the words of a link to what is in the repository alone."""
    depth = 0
    for token in tokens[place:]:
        depth += token.nesting
        if token is tokens[place] or depth == 0:
            token.tag, token.attrs = "span", {}
        if depth == 0:
            return


def _slug(text: str) -> str:
    """Return the anchor of a heading as the usual renderers of Markdown make it."""
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")
