"""What became of an answer to many, read from the state: the address names only the instant and who came first.

It must not know how questions are chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from syncline.desk import together as desk
from syncline.desk.finding import within
from syncline.store.wall import Wanted
from syncline.web.language import _, ngettext
from syncline.web.pages.rendering import Visit

OVER_MAX = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIGITS_MAX = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An answer to many as it stands: what is said, how many are under way, and its instant in the address."""

    said: str
    under_way: int
    instant: str


def address(given: desk.Together, over: tuple[int, ...]) -> str:
    """Return where the outcome of an answer is shown."""
    said = {"done": (given.at - _EPOCH) // _MICROSECOND if given.at is not None else 0}
    return "/alerts?" + urlencode(said | ({"over": ",".join(map(str, over[:OVER_MAX]))} if over else {}))


def outcome_of(visit: Visit) -> Shown | None:
    """Return what became of the answer that the address names; None if it names none of the viewer's."""
    instant = visit.request.query_params.get("done", "")
    if not _number(instant):
        return None
    at = _EPOCH + int(instant) * _MICROSECOND
    standing = visit.app.store.answered_at(visit.viewer.called, at)
    numbers = [int(text) for text in visit.request.query_params.get("over", "").split(",") if _number(text)]
    said = _said(sum(standing.values()), _over(visit, numbers[:OVER_MAX]))
    return Shown(said=said, under_way=standing.get("waiting", 0), instant=instant) if said else None


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < _DIGITS_MAX


def _over(visit: Visit, ids: list[int]) -> dict[str, int]:
    """Return by whom the others were answered, of those that the viewer may see."""
    if not ids:
        return {}
    wanted = Wanted(mailbox_ids=within(visit.app, visit.viewer), state=None, ids=ids)
    return dict(desk.who_answered(visit.app, [number for number, _version in visit.app.store.chosen(wanted)]))


def _said(answered: int, over: dict[str, int]) -> str:
    parts = (
        [ngettext("%(number)s answered", "%(number)s answered", answered, number=f"{answered:,}")] if answered else []
    )
    for name, many in sorted(over.items()):
        if name:
            said = ngettext(
                "%(num)d was answered by %(name)s meanwhile",
                "%(num)d were answered by %(name)s meanwhile",
                many,
                name=name,
            )
            parts.append(said)
        else:
            parts.append(ngettext("%(num)d needs no answer any more", "%(num)d need no answer any more", many))
    if not answered and over:
        parts.insert(0, _("Nothing was left to answer"))
    return "; ".join(parts) + "." if parts else ""
