"""What became of an answer to many, read from the state: the address names only the instant and who came first.

It must not know how questions are chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from syncline.desk import together as desk
from syncline.language import _, ngettext, numeral
from syncline.web.pages.rendering import Visit

OVER_MAX = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIGITS_MAX = 18
INSTANTS_MAX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An answer to many as it stands: what is said, how many are under way, and how many can be taken back.

    `done` names it in the address and in the form that takes it back.
    """

    said: str
    under_way: int
    free: int
    done: str


def address(given: desk.Together, over: tuple[int, ...]) -> str:
    """Return where the outcome of an answer is shown."""
    done = ",".join(str((at - _EPOCH) // _MICROSECOND) for at in given.at)
    said = {"done": done, "over": ",".join(map(str, over[:OVER_MAX]))}
    return "/alerts?" + urlencode({name: value for name, value in said.items() if value})


def taken_back(given: desk.Together) -> str:
    """Return where is shown what became of taking answers back."""
    return "/alerts?" + urlencode({"undone": given.answered, "begun": len(given.refused)})


def instants(done: str) -> list[datetime]:
    """Return the instants that an address names."""
    return [_EPOCH + int(text) * _MICROSECOND for text in done.split(",")[:INSTANTS_MAX] if _number(text)]


def outcome_of(visit: Visit) -> Shown | None:
    """Return what became of the answer that the address names; None if it names none of the viewer's."""
    query = visit.request.query_params
    if _number(query.get("undone", "")):
        return Shown(said=_undone(int(query["undone"]), query.get("begun", "")), under_way=0, free=0, done="")
    done = query.get("done", "")
    standing = [visit.app.store.standing_at(visit.viewer.called, at) for at in instants(done)]
    numbers = [int(text) for text in query.get("over", "").split(",")[:OVER_MAX] if _number(text)]
    said = _said(sum(each.answered for each in standing), desk.over(visit.app, visit.viewer, numbers))
    if not said:
        return None
    return Shown(
        said=said,
        under_way=sum(each.waits for each in standing),
        free=sum(each.free for each in standing),
        done=done,
    )


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < _DIGITS_MAX


def _undone(taken_back: int, begun: str) -> str:
    said = ngettext("%(num)d answer was taken back", "%(num)d answers were taken back", taken_back)
    many = int(begun) if _number(begun) else 0
    if not many:
        return f"{said}."
    begun_already = ngettext("%(num)d was being carried out already", "%(num)d were being carried out already", many)
    return f"{said}; {begun_already}."


def _said(answered: int, over: desk.Over) -> str:
    parts = []
    if answered:
        parts.append(ngettext("%(number)s answered", "%(number)s answered", answered, number=numeral(answered)))
    for name, many in sorted(over.by.items()):
        said = ngettext(
            "%(num)d was answered by %(name)s meanwhile",
            "%(num)d were answered by %(name)s meanwhile",
            many,
            name=name or _("somebody"),
        )
        parts.append(said)
    if over.needless:
        parts.append(ngettext("%(num)d needs no answer any more", "%(num)d need no answer any more", over.needless))
    if over.waiting:
        parts.append(ngettext("%(num)d still waits", "%(num)d still wait", over.waiting))
    if parts and not answered:
        parts.insert(0, _("Nothing was left to answer"))
    return "; ".join(parts) + "." if parts else ""
