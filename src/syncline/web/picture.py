"""The day picture: one pure function from what stands where to SVG.

Values in, SVG text out: no clock, no request, no stylesheet. On a page colours are classes that the stylesheet fills
in, so that both themes and forced colours work; `standalone` writes them out for mails. What is in the way is never
told by colour alone (pages.md, The question).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

from syncline.core.times import instant, midnight, wall
from syncline.language import _
from syncline.web.picture_colours import GROUND, PAINT
from syncline.web.scene import Block, Lane, Scene, alternative, day_name, lasting, plain

__all__ = ["Block", "Lane", "Scene", "alternative", "draw", "lasting", "standalone"]

WIDTH, WIDTH_MANY = 360, 520
_LANES_FEW = 3
_AXIS, _HEAD, _BAR, _GAP = 46, 24, 22, 6
_HOUR_PIXELS_MAX, _HOUR_PIXELS_MIN, _HEIGHT_PIXELS_MAX = 58.0, 4.0, 320.0
_TICK_PIXELS_MIN, _LINE, _CHARACTER, _LINES_MAX = 22.0, 15, 6.3, 4
_HEAD_SHARE, _BOLD = 0.92, 1.2
"""Heads are set somewhat smaller, and what is in bold runs so much wider than the rest."""
_NOWHEN = datetime(2000, 1, 1, tzinfo=UTC)
_HOUR, _HALF, _DAY = timedelta(hours=1), timedelta(minutes=30), timedelta(days=1)
_TICK_MINUTES = (30, 60, 120, 180, 360, 720, 1440)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where things stand: the window of time, its scale, and how many rows of bars are above it."""

    start: datetime
    end: datetime
    zone: str
    hour: float
    bars: int
    columns: int
    width: int

    @property
    def top(self) -> float:
        return _HEAD + self.bars * _BAR + (_GAP if self.bars else 0)

    @property
    def height(self) -> float:
        return round(self.top + (self.end - self.start) / _HOUR * self.hour + _GAP, 1)

    @property
    def column(self) -> float:
        return (self.width - _AXIS) / self.columns

    def y(self, at: datetime) -> float:
        return round(self.top + (min(max(at, self.start), self.end) - self.start) / _HOUR * self.hour, 1)

    def x(self, column: int) -> float:
        return round(_AXIS + column * self.column, 1)


@dataclass(frozen=True, slots=True)
class _Box:
    """Where one block is drawn."""

    block: Block
    x: float
    y: float
    width: float
    height: float


def draw(scene: Scene) -> Markup:
    """Return the picture as an SVG element with `role="img"` and a text alternative; at most six lanes are drawn."""
    lanes = scene.drawn
    frame = _frame(scene)
    key = escape(scene.key)
    columns = [*(list(_boxes(frame, scene, n, lane.blocks)) for n, lane in enumerate(lanes))]
    waiting = list(_boxes(frame, scene, len(lanes), scene.waiting))
    parts = [
        f'<svg class="picture" viewBox="0 0 {frame.width} {frame.height:g}" role="img" '
        f'aria-labelledby="picture-{key}">',
        f'<title id="picture-{key}">{escape(alternative(scene))}</title>',
        _patterns(scene.key),
        *_hours(frame, scene),
        *_ticks(frame),
        *_heads(frame, scene),
        *(_shape(scene, box, "crm") for boxes in columns for box in boxes),
        *(_shape(scene, box, "waiting" if n == 0 else "also") for n, box in enumerate(waiting)),
        *_overlaps(frame, scene, columns, waiting),
        *(_label(box) for boxes in columns for box in boxes),
        *_waiting_labels(scene, columns, waiting),
        "</svg>",
    ]
    return Markup("".join(parts))  # noqa: S704 - every text in it was escaped above


def standalone(scene: Scene) -> str:
    """Return the picture as a document of its own, with its colours written out: for mails and files."""
    frame = _frame(scene)
    ground = f'<rect width="{frame.width}" height="{frame.height:g}" fill="{GROUND}"/>'
    drawn = re.sub(r'class="([^"]+)"', lambda found: " ".join(PAINT[name] for name in found[1].split()), draw(scene))
    opened = f'<svg xmlns="http://www.w3.org/2000/svg" width="{frame.width}" height="{frame.height:g}" '
    return drawn.replace("<svg ", opened, 1).replace("</title>", f"</title>{ground}", 1)


def _frame(scene: Scene) -> _Frame:
    lanes = scene.drawn
    groups = [*(lane.blocks for lane in lanes), scene.waiting]
    timed = [block for blocks in groups for block in blocks if not block.bar]
    bars = max(sum(block.bar for block in blocks) for blocks in groups)
    width = WIDTH if len(lanes) <= _LANES_FEW else WIDTH_MANY
    start = min((block.start for block in timed), default=_NOWHEN)
    end = max((block.end for block in timed), default=_NOWHEN)
    if timed:
        start, end = start - _HOUR, end + _HOUR
    hours = max((end - start) / _HOUR, 0.01)
    pixels = max(_HOUR_PIXELS_MIN, min(_HOUR_PIXELS_MAX, _HEIGHT_PIXELS_MAX / hours))
    return _Frame(start, end, scene.zone, pixels, bars, len(lanes) + 1, width)


def _patterns(key: str) -> str:
    key = escape(key)
    return (
        f'<defs><pattern id="hatch-{key}" width="7" height="7" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect class="picture-ground" width="7" height="7"/>'
        '<line class="picture-hatch" x1="0" y1="0" x2="0" y2="7"/></pattern>'
        f'<pattern id="cross-{key}" width="8" height="8" patternUnits="userSpaceOnUse">'
        '<path class="picture-cross" d="M0 0L8 8M8 0L0 8"/></pattern></defs>'
    )


def _hours(frame: _Frame, scene: Scene) -> Iterator[str]:
    """Shade the working hours of every working day in the window."""
    if frame.start == frame.end:
        return
    day, last = wall(frame.start, frame.zone).date(), wall(frame.end, frame.zone).date()
    while day <= last:
        night = datetime.combine(day, datetime.min.time())
        opens, closes = (instant(night + hours * _HOUR, frame.zone) for hours in (scene.hours.from_h, scene.hours.to_h))
        top, bottom = frame.y(opens), frame.y(closes)
        if day.weekday() in scene.hours.weekdays and bottom > top:
            width = frame.width - _AXIS
            yield f'<rect class="picture-hours" x="{_AXIS}" y="{top:g}" width="{width}" height="{bottom - top:g}"/>'
        day += _DAY


def _ticks(frame: _Frame) -> Iterator[str]:
    """Draw the hours as the clock shows them; on a day when it changes one is missing or comes twice."""
    if frame.start == frame.end:
        return
    wanted = (minutes for minutes in _TICK_MINUTES if minutes / 60 * frame.hour >= _TICK_PIXELS_MIN)
    step = next(wanted, _TICK_MINUTES[-1])
    several = wall(frame.start, frame.zone).date() != wall(frame.end, frame.zone).date()
    at = midnight(wall(frame.start, frame.zone).date(), frame.zone)
    while at <= frame.end:
        clock = wall(at, frame.zone)
        if at >= frame.start and (clock.hour * 60 + clock.minute) % step == 0:
            y = frame.y(at)
            named = several and (clock.hour, clock.minute) == (0, 0)
            text = escape(day_name(clock)) if named else f"{clock:%H:%M}"
            yield f'<line class="picture-tick" x1="{_AXIS}" x2="{frame.width}" y1="{y:g}" y2="{y:g}"/>'
            yield f'<text class="picture-time" x="{_AXIS - 6}" y="{y + 4:g}" text-anchor="end">{text}</text>'
        at += _HALF


def _heads(frame: _Frame, scene: Scene) -> Iterator[str]:
    lanes = scene.drawn
    titles = [plain(lane.title) for lane in lanes] if len(lanes) > 1 else [_("In %(crm)s", crm=scene.crm)]
    waiting = _("Waiting, from Outlook") if len(lanes) <= 1 else _("Waiting")
    for number, title in enumerate([*titles, waiting][-frame.columns :]):
        shown = escape(_cut(title, frame.column * _HEAD_SHARE))
        yield f'<text class="picture-head" x="{frame.x(number) + 3:g}" y="15">{shown}</text>'


def _boxes(frame: _Frame, scene: Scene, number: int, blocks: tuple[Block, ...]) -> Iterator[_Box]:
    """Place the blocks of one column; those at the same time share its width."""
    bar = 0
    timed = [(place, block) for place, block in enumerate(blocks) if not block.bar]
    for place, block in enumerate(blocks):
        left, width = frame.x(number) + 1, round(frame.column - 4, 1)
        if block.bar:
            yield _Box(block, left, _HEAD + bar * _BAR, width, _BAR - 3)
            bar += 1
            continue
        beside = [n for n, other in timed if n == place or scene.overlap_minutes(block, other)]
        share = width / len(beside)
        left += beside.index(place) * share
        top = frame.y(block.start)
        yield _Box(block, round(left, 1), top, round(share - 1, 1), max(6.0, round(frame.y(block.end) - top, 1)))


def _shape(scene: Scene, box: _Box, kind: str) -> str:
    fill = "" if kind == "crm" else f' fill="url(#hatch-{escape(scene.key)})"'
    name = {"crm": "picture-crm", "waiting": "picture-waiting", "also": "picture-waiting picture-also"}[kind]
    said = escape(f"{plain(box.block.label)}, {scene.span(box.block)}")
    return (
        f'<rect class="{name}" x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="3"{fill}>'
        f"<title>{said}</title></rect>"
    )


def _label(box: _Box, more: str = "") -> str:
    """Write a block's subject into it, in as many lines as there is room for, and `more` in bold below."""
    fitting = min(_LINES_MAX, int((box.height - 4) / _LINE) - bool(more))
    lines = _wrapped(plain(box.block.label), box.width, 1 if box.block.bar else max(1, fitting))
    # A picture inside the picture cuts off whatever would run over the block's edge.
    made = [f'<svg x="{box.x + 1:g}" y="{box.y:g}" width="{max(1.0, box.width - 2):g}" height="{_room(box, lines):g}">']
    for number, line in enumerate(lines):
        made.append(f'<text class="picture-label" x="4" y="{14 + number * _LINE}">{escape(line)}</text>')
    made.append("</svg>")
    if more:
        # Where the block is too low for a second line it stands below, where nothing cuts it off.
        inside = box.height >= (len(lines) + 1) * _LINE + 2
        y = box.y + 14 + len(lines) * _LINE if inside else box.y + max(box.height, _LINE + 2) + 13
        made.append(f'<text class="picture-label picture-strong" x="{box.x + 5:g}" y="{y:g}">{escape(more)}</text>')
    return "".join(made)


def _room(box: _Box, lines: list[str]) -> float:
    return max(box.height, len(lines) * _LINE + 4)


def _waiting_labels(scene: Scene, columns: list[list[_Box]], waiting: list[_Box]) -> Iterator[str]:
    """Write the subjects of what waits, and for how long the first of them overlaps the others at most."""
    minutes = scene.longest_overlap
    for number, box in enumerate(waiting):
        told = not number and minutes and not box.block.bar
        yield _label(box, _overlapping(minutes, box.width) if told else "")
    if minutes and waiting and waiting[0].block.bar:
        # A bar has no room for a second line; the appointment that it overlaps has.
        main = waiting[0].block
        timed = [box for boxes in columns for box in boxes if not box.block.bar]
        met = [box for box in timed if scene.overlap_minutes(box.block, main) == minutes]
        for box in met[:1]:
            y = box.y + (14 + _LINE if box.height >= 2 * _LINE + 2 else box.height + 13)
            said = escape(_overlapping(minutes, box.width))
            yield f'<text class="picture-label picture-strong" x="{box.x + 5:g}" y="{y:g}">{said}</text>'


def _overlapping(minutes: int, width: float) -> str:
    whole = _("overlaps %(time)s", time=lasting(minutes))
    return whole if len(whole) <= _characters(width / _BOLD) else lasting(minutes)


def _overlaps(frame: _Frame, scene: Scene, columns: list[list[_Box]], waiting: list[_Box]) -> Iterator[str]:
    """Mark where the waiting block and the others meet: by pattern in every lane and in itself."""
    if not waiting:
        return
    main, fill = scene.waiting[0], f'fill="url(#cross-{escape(scene.key)})"'
    begins, ends = scene.times(main)
    met: list[tuple[float, float]] = []
    for box in (box for boxes in columns for box in boxes):
        if not scene.overlap_minutes(box.block, main) or (box.block.bar and main.bar):
            continue
        start, end = scene.times(box.block)
        top, bottom = frame.y(max(start, begins)), frame.y(min(end, ends))
        met.append((top, bottom))
        if not box.block.bar:
            # With one lane the band runs on to the waiting column, so that the eye follows it.
            width = box.width if len(columns) > 1 else frame.x(1) - box.x
            yield _band(box.x, top, width, bottom, fill)
    if met and not main.bar:
        yield from (_band(waiting[0].x, top, waiting[0].width, bottom, fill) for top, bottom in _merged(met))


def _band(x: float, top: float, width: float, bottom: float, fill: str) -> str:
    height = max(3.0, bottom - top)
    return f'<rect class="picture-overlap" x="{x:g}" y="{top:g}" width="{width:g}" height="{height:g}" {fill}/>'


def _merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Join the spans that touch, so that no pattern is drawn twice over itself."""
    joined: list[tuple[float, float]] = []
    for top, bottom in sorted(spans):
        if joined and top <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(bottom, joined[-1][1]))
        else:
            joined.append((top, bottom))
    return joined


def _wrapped(text: str, width: float, lines: int) -> list[str]:
    """Break a text into at most so many lines at its spaces; what does not fit ends in an ellipsis."""
    room, made, left = _characters(width), list[str](), text
    while left and len(made) < lines - 1 and len(left) > room:
        cut = left.rfind(" ", 1, room + 1)
        if cut <= 0:
            break
        made.append(left[:cut].rstrip())
        left = left[cut:].lstrip()
    return [*made, _cut(left, width)]


def _cut(text: str, width: float) -> str:
    room = _characters(width)
    return text if len(text) <= room else text[: room - 1].rstrip() + "…"


def _characters(width: float) -> int:
    return max(3, int((width - 8) / _CHARACTER))
