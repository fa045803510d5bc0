"""The day picture as PNG: mail programs show no SVG, and load nothing from elsewhere.

Drawn by resvg, which needs nothing of the system; its letters come from a font carried beside this module, and from the
system's own for scripts that it lacks.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import resvg_py

from syncline.web.picture import standalone
from syncline.web.scene import Scene

SHARPNESS = 2.0
FONT = "DejaVu Sans"


def png_of(scene: Scene) -> bytes:
    """Return the picture as PNG, twice as large as it is shown."""
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=standalone(scene), zoom=SHARPNESS, font_files=[_font()], sans_serif_family=FONT
        )
    )


@cache
def _font() -> str:
    return str(files("syncline.web") / "fonts" / "DejaVuSans.ttf")
