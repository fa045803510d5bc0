"""The day picture: one pure function from what stands where to inline SVG.

Values in, SVG text out: no clock, no request, no stylesheet. Colours are classes that the page's stylesheet fills in,
so that both themes and forced colours work; what is in the way is never told by colour alone (pages.md, The question).
Times are naive and mean the viewer's zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from markupsafe import Markup, escape

LANES_MAX = 6
WORKING_HOURS = (8, 17)
WIDTH = 360
_AXIS, _HEAD, _BAR, _GAP = 46, 22, 22, 6
_HOUR_PIXELS_MAX, _HEIGHT_PIXELS_MAX = 56.0, 360.0
_TICK_PIXELS_MIN, _LINE, _CHARACTER = 20.0, 15, 6.4
_NOWHEN = datetime.combine(date(2000, 1, 1), time())
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_TICK_HOURS = (0.5, 1, 2, 3, 6, 12, 24, 48, 168)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One appointment in the picture; `all_day` ones, and those of a day or more, are bars on top."""

    label: str
    start: datetime
    end: datetime
    all_day: bool = False

    @property
    def bar(self) -> bool:
        """Return whether it is drawn as a bar on top."""
        return self.all_day or self.end - self.start >= _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What stands in one person's calendar."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the picture shows; the first `waiting` block is the one asked about, others also wait for an answer.

    `key` makes element ids unique on a page, `zone` is named in the text alternative.
    """

    key: str
    crm: str
    zone: str
    lanes: tuple[Lane, ...]
    waiting: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where things stand: the window of time, its scale, and how many rows of bars are above it."""

    start: datetime
    end: datetime
    hour: float
    bars: int
    columns: int

    @property
    def top(self) -> float:
        return _HEAD + self.bars * _BAR + (_GAP if self.bars else 0)

    @property
    def height(self) -> float:
        return round(self.top + (self.end - self.start) / _HOUR * self.hour + _GAP, 1)

    @property
    def column(self) -> float:
        return (WIDTH - _AXIS) / self.columns

    def y(self, at: datetime) -> float:
        return round(self.top + (min(max(at, self.start), self.end) - self.start) / _HOUR * self.hour, 1)

    def x(self, column: int) -> float:
        return round(_AXIS + column * self.column, 1)


def draw(scene: Scene) -> Markup:
    """Return the picture as an SVG element with `role="img"` and a text alternative; at most six lanes are drawn."""
    lanes = scene.lanes[:LANES_MAX]
    frame = _frame(lanes, scene.waiting)
    key = escape(scene.key)
    parts = [
        f'<svg class="picture" viewBox="0 0 {WIDTH} {frame.height:g}" role="img" aria-labelledby="picture-{key}">',
        f'<title id="picture-{key}">{escape(alternative(scene))}</title>',
        _patterns(scene.key),
        *_hours(frame),
        *_ticks(frame),
        *_heads(frame, scene, lanes),
        *(part for n, lane in enumerate(lanes) for part in _column(frame, n, lane.blocks, "crm", scene.key)),
        *_column(frame, len(lanes), scene.waiting, "waiting", scene.key),
        *_overlaps(frame, scene, lanes),
        *(part for n, lane in enumerate(lanes) for part in _labels(frame, n, lane.blocks)),
        *_labels(frame, len(lanes), scene.waiting),
        *_overlap_text(frame, scene, lanes),
        "</svg>",
    ]
    return Markup("".join(parts))  # noqa: S704 - every text in it was escaped above


def alternative(scene: Scene) -> str:
    """Return in words what the picture shows."""
    said = [f"All times: {scene.zone}."]
    for lane in scene.lanes[:LANES_MAX]:
        said += [f"In {scene.crm}, {lane.title}: {block.label}, {_span(block)}." for block in lane.blocks]
    for number, block in enumerate(scene.waiting):
        word = "Also waits for an answer" if number else "Waiting, from Outlook"
        said.append(f"{word}: {block.label}, {_span(block)}.")
    longest = _longest(scene)
    if longest:
        said.append(f"They overlap {lasting(longest)}.")
    if len(scene.lanes) > LANES_MAX:
        said.append(f"And {len(scene.lanes) - LANES_MAX} more people, in the list.")
    return " ".join(said)


def overlap_minutes(one: Block, other: Block) -> int:
    """Return for how many minutes two blocks overlap."""
    return max(0, int((min(one.end, other.end) - max(one.start, other.start)) / timedelta(minutes=1)))


def lasting(minutes: int) -> str:
    """Return a length of time in words, such as "1 h 30 min"."""
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    said = [f"{days} day{'s' if days > 1 else ''}" if days else "", f"{hours} h" if hours else ""]
    return " ".join(part for part in (*said, f"{minutes} min" if minutes else "") if part) or "0 min"


def _frame(lanes: tuple[Lane, ...], waiting: tuple[Block, ...]) -> _Frame:
    groups = [*(lane.blocks for lane in lanes), waiting]
    timed = [block for blocks in groups for block in blocks if not block.bar]
    bars = max(sum(block.bar for block in blocks) for blocks in groups)
    columns = len(lanes) + 1
    if not timed:
        nothing = min((block.start for blocks in groups for block in blocks), default=_NOWHEN)
        return _Frame(nothing, nothing, 1.0, bars, columns)
    start = min(block.start for block in timed) - _HOUR
    end = max(block.end for block in timed) + _HOUR
    hour = min(_HOUR_PIXELS_MAX, _HEIGHT_PIXELS_MAX / ((end - start) / _HOUR))
    return _Frame(start, end, hour, bars, columns)


def _patterns(key: str) -> str:
    key = escape(key)
    return (
        f'<defs><pattern id="hatch-{key}" width="7" height="7" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect class="picture-ground" width="7" height="7"/>'
        '<line class="picture-hatch" x1="0" y1="0" x2="0" y2="7"/></pattern>'
        f'<pattern id="cross-{key}" width="8" height="8" patternUnits="userSpaceOnUse">'
        '<path class="picture-cross" d="M0 0L8 8M8 0L0 8"/></pattern></defs>'
    )


def _hours(frame: _Frame) -> Iterator[str]:
    """Shade the working hours of every weekday in the window."""
    day = datetime.combine(frame.start.date(), time())
    while day < frame.end:
        first, last = (day + timedelta(hours=hour) for hour in WORKING_HOURS)
        top, bottom = frame.y(first), frame.y(last)
        if day.weekday() < 5 and bottom > top:
            width = WIDTH - _AXIS
            yield f'<rect class="picture-hours" x="{_AXIS}" y="{top:g}" width="{width}" height="{bottom - top:g}"/>'
        day += _DAY


def _ticks(frame: _Frame) -> Iterator[str]:
    if frame.end == frame.start:
        return
    step = next((hours for hours in _TICK_HOURS if hours * frame.hour >= _TICK_PIXELS_MIN), _TICK_HOURS[-1])
    several = frame.start.date() != frame.end.date()
    at = datetime.combine(frame.start.date(), time())
    while at <= frame.end:
        if at >= frame.start:
            y = frame.y(at)
            named = several and (at.time() == time())
            text = f"{_WEEKDAYS[at.weekday()]} {at.day}" if named else f"{at:%H:%M}"
            yield f'<line class="picture-tick" x1="{_AXIS}" x2="{WIDTH}" y1="{y:g}" y2="{y:g}"/>'
            yield f'<text class="picture-time" x="{_AXIS - 6}" y="{y + 4:g}" text-anchor="end">{text}</text>'
        at += timedelta(hours=step)


def _heads(frame: _Frame, scene: Scene, lanes: tuple[Lane, ...]) -> Iterator[str]:
    titles = [lane.title for lane in lanes] if len(lanes) > 1 else [f"In {scene.crm}"]
    waiting = "Waiting, from Outlook" if len(lanes) < 2 else "Waiting"
    for number, title in enumerate([*titles, waiting]):
        shown = escape(_cut(title, frame.column))
        yield f'<text class="picture-head" x="{frame.x(number) + 3:g}" y="14">{shown}</text>'


def _column(frame: _Frame, number: int, blocks: tuple[Block, ...], kind: str, key: str) -> Iterator[str]:
    fill = f' fill="url(#hatch-{escape(key)})"' if kind == "waiting" else ""
    for block, x, y, width, height in _boxes(frame, number, blocks):
        yield (
            f'<rect class="picture-{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="3"{fill}>'
            f"<title>{escape(block.label)}, {_span(block)}</title></rect>"
        )


def _labels(frame: _Frame, number: int, blocks: tuple[Block, ...]) -> Iterator[str]:
    for block, x, y, width, _ in _boxes(frame, number, blocks):
        text = escape(_cut(block.label, width))
        yield f'<text class="picture-label" x="{x + 5:g}" y="{y + 14:g}">{text}</text>'


def _boxes(frame: _Frame, number: int, blocks: tuple[Block, ...]) -> Iterator[tuple[Block, float, float, float, float]]:
    """Place the blocks of one column; those at the same time share its width."""
    bar = 0
    timed = [block for block in blocks if not block.bar]
    for block in blocks:
        left, width = frame.x(number) + 1, round(frame.column - 4, 1)
        if block.bar:
            yield block, left, _HEAD + bar * _BAR, width, _BAR - 3
            bar += 1
            continue
        beside = [other for other in timed if other == block or overlap_minutes(block, other)]
        share = width / len(beside)
        left += beside.index(block) * share
        top = frame.y(block.start)
        yield block, round(left, 1), top, round(share - 1, 1), max(6.0, round(frame.y(block.end) - top, 1))


def _overlaps(frame: _Frame, scene: Scene, lanes: tuple[Lane, ...]) -> Iterator[str]:
    """Mark where the waiting block and the others meet: by pattern in every lane and in its own column."""
    if not scene.waiting:
        return
    main, fill = scene.waiting[0], f'fill="url(#cross-{escape(scene.key)})"'
    met: list[tuple[float, float]] = []
    for number, lane in enumerate(lanes):
        for block, x, _, width, _ in _boxes(frame, number, lane.blocks):
            if not overlap_minutes(block, main) or (block.bar and main.bar):
                continue
            top, bottom = frame.y(max(block.start, main.start)), frame.y(min(block.end, main.end))
            met.append((top, bottom))
            if not block.bar:
                # With one lane the band runs on to the waiting column, so that the eye follows it.
                width = width if len(lanes) > 1 else frame.x(len(lanes)) - x
                yield _band(x, top, width, bottom, fill)
    if met and not main.bar:
        x = frame.x(len(lanes)) + 1
        yield from (_band(x, top, WIDTH - x - 3, bottom, fill) for top, bottom in _merged(met))


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


def _overlap_text(frame: _Frame, scene: Scene, lanes: tuple[Lane, ...]) -> Iterator[str]:
    """Say below the subject of the waiting block for how long it overlaps the others at most."""
    minutes = _longest(scene)
    if not minutes:
        return
    main = scene.waiting[0]
    boxes = list(_boxes(frame, len(lanes), scene.waiting))[:1]
    if main.bar:
        # A bar has no room for a second line; the appointments that it overlaps have.
        lane = (box for number, each in enumerate(lanes) for box in _boxes(frame, number, each.blocks))
        boxes = [box for box in lane if not box[0].bar and overlap_minutes(box[0], main) == minutes][:1]
    if not boxes:
        return
    _, x, y, width, height = boxes[0]
    below = y + 14 + _LINE if height >= 2 * _LINE + 4 else y + height + 13
    words = (f"overlaps {lasting(minutes)}", lasting(minutes))
    said = next((each for each in words if len(each) <= _room(width)), words[-1])
    yield f'<text class="picture-label picture-strong" x="{x + 5:g}" y="{below:g}">{escape(said)}</text>'


def _longest(scene: Scene) -> int:
    mains, blocks = scene.waiting[:1], [block for lane in scene.lanes for block in lane.blocks]
    return max((overlap_minutes(block, main) for main in mains for block in blocks), default=0)


def _span(block: Block) -> str:
    if block.all_day:
        last = block.end - _DAY
        return "all day" if last <= block.start else f"all day, {_day(block.start)} to {_day(last)}"
    if block.start.date() == block.end.date():
        return f"{block.start:%H:%M} to {block.end:%H:%M}"
    return f"{_day(block.start)} {block.start:%H:%M} to {_day(block.end)} {block.end:%H:%M}"


def _day(at: datetime) -> str:
    return f"{_WEEKDAYS[at.weekday()]} {at.day}"


def _cut(text: str, width: float) -> str:
    room = _room(width)
    return text if len(text) <= room else text[: room - 1].rstrip() + "…"


def _room(width: float) -> int:
    return max(3, int((width - 8) / _CHARACTER))
