"""What keeps people busy, looked up by index and never by walking through a calendar (CD-09).

Singles and exceptions are spans by (person, length class, start): what overlaps an interval is a short index range
per class, because no span of a class is longer than the class allows. Series are few per person and are compared by
rule. One call asks for all candidates of a chunk. It must not know how candidates are judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from syncline.connectors.embedded_crm.codes import CLASS_LENGTH_S, STATUS, deleted_of, recurrence_of
from syncline.connectors.embedded_crm.rows import identity_of, span_of
from syncline.connectors.embedded_crm.schema import recurrences
from syncline.core.appointment import ShowAs
from syncline.core.scheduling import Busy
from syncline.core.times import from_epoch_s

_CLASSES = ", ".join(f"({number}, {most})" for number, most in enumerate(CLASS_LENGTH_S))
_ROW = (
    "id",
    "global_object_id",
    "original_start",
    "starts_at",
    "ends_at",
    "all_day",
    "zone",
    "show_as",
    "statecode",
    "subject",
    "ismapiprivate",
)
_RULE = tuple(column.name for column in recurrences.c if column.name != "id")
_SERIES = (*_ROW, *_RULE, "exceptions")
_COLUMNS = ", ".join(f"a.{name}" for name in _ROW)
_RULE_COLUMNS = ", ".join(f"r.{name}" for name in _RULE)
SERIES_CACHED_MAX = 16_384

SPANS = f"""
WITH asked(place, user_id, low, high) AS MATERIALIZED (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
        json_extract(value, '$[2]'), json_extract(value, '$[3]')
    FROM json_each(?)
),
length(class, most) AS (VALUES {_CLASSES}),
held AS MATERIALIZED (
    SELECT person.user_id, length.class, length.most
    FROM (SELECT DISTINCT user_id FROM asked) AS person CROSS JOIN length
    WHERE EXISTS (
        SELECT 1 FROM busy_spans AS b WHERE b.user_id = person.user_id AND b.length_class = length.class
    )
)
SELECT asked.place, asked.user_id, a.series_id, b.starts_at, b.ends_at, {_COLUMNS}
FROM asked CROSS JOIN held CROSS JOIN busy_spans AS b CROSS JOIN appointments AS a
WHERE held.user_id = asked.user_id
    AND b.user_id = held.user_id AND b.length_class = held.class
    AND b.starts_at > asked.low - held.most AND b.starts_at < asked.high AND b.ends_at > asked.low
    AND a.id = b.appointment_id
"""  # noqa: S608 - only constants of this module are put in
SERIES = f"""
SELECT b.user_id, b.first_at, b.last_at, {_COLUMNS}, {_RULE_COLUMNS},
    (SELECT json_group_array(e.original_start) FROM appointments AS e WHERE e.series_id = a.id) AS exceptions
FROM json_each(?) CROSS JOIN busy_series AS b CROSS JOIN appointments AS a CROSS JOIN recurrences AS r
WHERE b.user_id = json_extract(value, '$[0]')
    AND b.first_at < json_extract(value, '$[2]')
    AND (b.last_at IS NULL OR b.last_at > json_extract(value, '$[1]'))
    AND a.id = b.series_id AND r.id = b.series_id
"""  # noqa: S608 - only constants of this module are put in


class Asked(Struct, frozen=True):
    """One question to the index: what keeps user `user_id` busy within [low, high), in seconds; `place` is ours."""

    place: int
    user_id: int
    low: int
    high: int


class Blocker(Struct, frozen=True):
    """What keeps a person busy, the row that it belongs to, and the instants it can reach (`high` None: endless)."""

    root_id: str
    busy: Busy
    low: int
    high: int | None = None


def load_spans(connection: Connection, asked: Iterable[Asked]) -> dict[tuple[int, int], list[Blocker]]:
    """Return the singles and exceptions found, by (place, user); each row once."""
    found: dict[tuple[int, int], dict[str, Blocker]] = {}
    wanted = json.dumps([(each.place, each.user_id, each.low, each.high) for each in asked])
    for place, user_id, series_id, low, high, *values in connection.exec_driver_sql(SPANS, (wanted,)):
        busy = Busy(**_common(dict(zip(_ROW, values, strict=True))))
        found.setdefault((place, user_id), {})[busy.row_id] = Blocker(series_id or busy.row_id, busy, low, high)
    return {key: list(blockers.values()) for key, blockers in found.items()}


def load_series(connection: Connection, asked: Sequence[Asked]) -> dict[int, list[Blocker]]:
    """Return the series that reach into what is asked of each user, by user."""
    ranges: dict[int, tuple[int, int]] = {}
    for each in asked:
        low, high = ranges.get(each.user_id, (each.low, each.high))
        ranges[each.user_id] = min(low, each.low), max(high, each.high)
    found: dict[int, list[Blocker]] = {}
    wanted = json.dumps([(user_id, low, high) for user_id, (low, high) in ranges.items()])
    for user_id, low_at, high_at, *values in connection.exec_driver_sql(SERIES, (wanted,)):
        busy = _series_busy(tuple(values))
        found.setdefault(user_id, []).append(Blocker(busy.row_id, busy, low_at, high_at))
    return found


@lru_cache(maxsize=SERIES_CACHED_MAX)
def _series_busy(values: tuple[Any, ...]) -> Busy:
    """Return the blocker that a series is; the same columns give the same value, so it is made once."""
    row = dict(zip(_SERIES, values, strict=True))
    exceptions = [from_epoch_s(start) for start in json.loads(row["exceptions"])]
    without = tuple(sorted({*deleted_of(row), *exceptions}))
    return Busy(**_common(row), recurrence=recurrence_of(row), without=without)


def _common(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "row_id": row["id"],
        "identity": identity_of(row),
        "span": span_of(row),
        "zone": row["zone"],
        "show_as": ShowAs(row["show_as"]),
        "status": STATUS[row["statecode"]],
        "subject": row["subject"],
        "private": bool(row["ismapiprivate"]),
    }
