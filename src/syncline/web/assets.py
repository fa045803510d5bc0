"""Style sheets, scripts and pictures: addresses that change with the content, so that a browser keeps them for good.

It must not know what any of them is for.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Scope

FOLDER = Path(str(files("syncline.web"))) / "static"
PREFIX = "/static"
FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
_MARK_CHARACTERS = 12


def assets() -> ASGIApp:
    """Return the application that serves the files of `FOLDER`."""
    return _Assets(directory=FOLDER)


@cache
def asset(name: str) -> str:
    """Return the address of a file, with a mark of its content."""
    mark = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:_MARK_CHARACTERS]
    return f"{PREFIX}/{name}?v={mark}"


class _Assets(StaticFiles):
    """Files with a lifetime: for good under the address of their content, otherwise asked for again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return one file."""
        response = await super().get_response(path, scope)
        marked = parse_qs(scope["query_string"].decode("latin-1")).get("v", [""])[0]
        response.headers["Cache-Control"] = FOR_GOOD if _is_mark(path, marked) else ASK_AGAIN
        return response


def _is_mark(path: str, mark: str) -> bool:
    return bool(mark) and (FOLDER / path).is_file() and asset(path).endswith(f"?v={mark}")
