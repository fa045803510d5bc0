"""Conditions of sync filters as people write and read them: a short form for typing, plain words for reading (1.11).

`part=organizer,required` or `subject!=lunch` is a condition typed; "the user is organizer or required attendee" is one
read. It must not know whose filters they are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from syncline.core.appointment import ShowAs, Status
from syncline.core.filters import DEFAULT_NAME, Condition, Field, Part
from syncline.desk.typed import word
from syncline.errors import SyncError
from syncline.language import _, noted

CONDITIONS_MAX = 20
WORDS_MAX = 50
WORD_MAX_CHARACTERS = 200
CHOICES: Mapping[Field, Mapping[str, str]] = {
    Field.PART: {
        Part.ORGANIZER: noted("organizer"),
        Part.REQUIRED: noted("required attendee"),
        Part.OPTIONAL: noted("optional attendee"),
        Part.RESOURCE: noted("resource"),
        Part.OWNER: noted("owner of the entry"),
    },
    Field.STATUS: {
        Status.OPEN: noted("open"),
        Status.SCHEDULED: noted("scheduled"),
        Status.COMPLETED: noted("completed"),
        Status.CANCELED: noted("canceled"),
    },
    Field.SHOW_AS: {
        ShowAs.FREE: noted("Free"),
        ShowAs.TENTATIVE: noted("Tentative"),
        ShowAs.BUSY: noted("Busy"),
        ShowAs.OUT_OF_OFFICE: noted("Out of Office"),
    },
}
"""What the fields with a closed list take, and how each word is said."""
TEXTS = (Field.SUBJECT, Field.LOCATION)
FLAGS: Mapping[Field, tuple[str, str]] = {
    Field.PRIVATE: (noted("private"), noted("not private")),
    Field.ALL_DAY: (noted("all-day"), noted("not all-day")),
    Field.SERIES: (noted("a series"), noted("not a series")),
}
_DEFAULT = noted("My appointments")
_SAID: Mapping[Field, tuple[str, str]] = {
    Field.PART: (noted("the user is %(words)s"), noted("the user is not %(words)s")),
    Field.STATUS: (noted("status is %(words)s"), noted("status is not %(words)s")),
    Field.SHOW_AS: (noted("shown as %(words)s"), noted("not shown as %(words)s")),
    Field.SUBJECT: (noted("subject contains %(words)s"), noted("subject does not contain %(words)s")),
    Field.LOCATION: (noted("location contains %(words)s"), noted("location does not contain %(words)s")),
}


def called(name: str) -> str:
    """Return the name of a filter as people read it: that of the default in their language, others as they are."""
    return _(_DEFAULT) if name == DEFAULT_NAME else name


def said(condition: Condition) -> str:
    """Return a condition in plain words, in the reader's language."""
    if condition.field in FLAGS:
        held = {text == "yes" for text in condition.words}
        if len(held) == 1:
            return _(FLAGS[condition.field][0 if held.pop() is not condition.negated else 1])
        return _("never") if condition.negated else _("always")
    choices = CHOICES.get(condition.field, {})
    words = [_(choices[text]) if text in choices else f'"{text}"' for text in condition.words]
    return _(_SAID[condition.field][1 if condition.negated else 0], words=_(" or ").join(words))


def all_said(conditions: Iterable[Condition]) -> str:
    """Return what a filter asks, in plain words."""
    return ", ".join(said(each) for each in conditions) or _("everything in which the user takes part")


def written(condition: Condition) -> str:
    """Return a condition in the short form, as `typed` reads it."""
    return f"{condition.field}{'!=' if condition.negated else '='}{joined(condition.words)}"


def joined(words: Sequence[str]) -> str:
    """Return words on one line, with commas between them and in quotes where that is needed."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(words)
    return line.getvalue()


def split(text: str) -> list[str]:
    """Return the words of such a line."""
    return next(csv.reader([text.strip()], skipinitialspace=True), [])


def typed(text: str) -> Condition:
    """Read FIELD=WORD,WORD (one of the words) or FIELD!=WORD,WORD (none of them); quotes keep a comma in a word."""
    left, equals, right = text.partition("=")
    if not equals:
        said_so = _('"%(text)s" is not a condition such as part=organizer,required or subject!=lunch.', text=text)
        raise SyncError("InvalidRequest", detail=said_so)
    return checked(left.rstrip().removesuffix("!"), split(right), negated=left.rstrip().endswith("!"))


def checked(field: str, words: Sequence[str], *, negated: bool = False) -> Condition:
    """Return the condition with its words in the form in which they are compared; InvalidRequest says what is taken."""
    name = word(Field, _plain(field), "field")
    taken = tuple(dict.fromkeys(_word(name, text) for text in words if text.strip()))
    if not taken:
        raise SyncError("InvalidRequest", detail=_("A condition on %(field)s needs a word.", field=str(name)))
    if len(taken) > WORDS_MAX:
        raise SyncError("InvalidRequest", detail=_("A condition takes at most %(most)s words.", most=WORDS_MAX))
    return Condition(field=name, words=taken, negated=negated)


def _word(field: Field, text: str) -> str:
    if field in TEXTS:
        short = text.strip()
        if len(short) > WORD_MAX_CHARACTERS or not short.isprintable():
            said_so = _(
                "%(name)s takes at most %(most)s characters, all of them printable.",
                name=str(field),
                most=WORD_MAX_CHARACTERS,
            )
            raise SyncError("InvalidRequest", detail=said_so)
        return short
    taken = tuple(str(each) for each in CHOICES.get(field, ())) or ("yes", "no")
    if _plain(text) not in taken:
        said_so = _(
            "%(name)s takes %(words)s; not %(text)s.", name=str(field), words=", ".join(taken), text=repr(text.strip())
        )
        raise SyncError("InvalidRequest", detail=said_so)
    return _plain(text)


def _plain(text: str) -> str:
    return text.strip().lower().replace("-", "_").replace(" ", "_")
