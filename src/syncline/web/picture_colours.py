"""The day picture's colours written out, for where no stylesheet reaches: mails and files.

The light theme, by the classes that `picture` gives to its parts. Tables only.
"""

from __future__ import annotations

from collections.abc import Mapping

GROUND = "#ffffff"
_FONT = 'font-family="Segoe UI, Roboto, Helvetica, Arial, sans-serif" font-size="12"'
_HALO = f'stroke="{GROUND}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"'

PAINT: Mapping[str, str] = {
    "picture": _FONT,
    "picture-ground": 'fill="#fdf1de"',
    "picture-hatch": 'stroke="#d99a4e" stroke-width="2" stroke-opacity="0.45"',
    "picture-cross": 'stroke="#ad2a12" stroke-width="1" stroke-opacity="0.55" fill="none"',
    "picture-hours": 'fill="#edf2f7"',
    "picture-tick": 'stroke="#dde3ea" stroke-width="1"',
    "picture-time": 'fill="#55626f"',
    "picture-head": 'fill="#55626f"',
    "picture-crm": 'fill="#cfe2f5" stroke="#1d5fa8" stroke-width="1.5"',
    "picture-waiting": 'stroke="#7d4700" stroke-width="2" stroke-dasharray="6 4"',
    "picture-also": 'opacity="0.75"',
    "picture-overlap": "",
    "picture-label": f'fill="#1b2530" {_HALO}',
    "picture-strong": 'font-weight="700"',
}
