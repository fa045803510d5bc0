"""Files of appointments: which may be taken over, and what both sides should hold after a three-way merge (D-05, D-06).

A file is its name and its content, so that files are compared as sets: what one side has added or removed since the
agreed set is done on the other. Contents never come here; a digest stands for each. The module must not know where
files are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath

from msgspec import Struct

BLOCKED = "AttachmentBlocked"
BAD_NAME = "AttachmentInvalidFileName"
NAME_MAX = 255
KILOBYTE = 1024
_FORBIDDEN = frozenset('\\/:*?"<>|')


class Side(StrEnum):
    """Where a file is added or removed."""

    EXCHANGE = "exchange"
    CRM = "crm"


class File(Struct, frozen=True, gc=False, order=True):
    """One file: its name, the size of its content in bytes, and the SHA-256 of it in hexadecimal."""

    name: str
    size: int
    digest: str


class Known(Struct, frozen=True, gc=False, kw_only=True):
    """A file of an item in Exchange whose content was read once: it is the same while these three are."""

    ref: str
    size: int
    stamp: str
    file: File


class Step(Struct, frozen=True, gc=False):
    """One file to be added on a side, or to be removed there; `instead` is the name under which its content stays."""

    side: Side
    adds: bool
    file: File
    instead: str = ""


class Attached(Struct, frozen=True, gc=False, kw_only=True):
    """What is remembered of the files of one link: the agreed set, and what both sides were when it was dealt with.

    `known` are the item's files by reference. `pending` are the steps that are still to be carried out, the first
    of them perhaps done already. `refused`: some
    files could not be taken (attachmenterrors). `revision` and `crm_version` were dealt with; a failed try is repeated
    at `next_try`.
    """

    id: int = 0
    mailbox_id: int
    link_id: int
    agreed: tuple[File, ...] = ()
    known: tuple[Known, ...] = ()
    pending: tuple[Step, ...] = ()
    refused: bool = False
    revision: str = ""
    crm_version: int = 0
    tries: int = 0
    next_try: datetime | None = None


class Limits(Struct, frozen=True, gc=False, kw_only=True):
    """Which files are taken over: at most `size_max` bytes, and none with these endings (lower case, no dot)."""

    size_max: int
    blocked: frozenset[str] = frozenset()


class Refused(Struct, frozen=True, gc=False):
    """A file that stays where it is: its name, the catalogue code, and why in words."""

    name: str
    code: str
    why: str


def refusal(name: str, size: int, limits: Limits) -> Refused | None:
    """Return why a file is not taken over, None if it is."""
    if not _fit(name):
        return Refused(name, BAD_NAME, "its name cannot be taken")
    ending = PurePosixPath(name).suffix.lower().removeprefix(".")
    if ending in limits.blocked:
        return Refused(name, BLOCKED, f"files ending in .{ending} are blocked")
    if size > limits.size_max:
        return Refused(name, BLOCKED, f"it is larger than {limits.size_max // KILOBYTE} KB")
    return None


def _fit(name: str) -> bool:
    """Return whether any system can keep a file under this name."""
    plain = name.isprintable() and _FORBIDDEN.isdisjoint(name)
    return plain and 0 < len(name) <= NAME_MAX and name == name.strip() and not name.endswith(".")


def settled(
    agreed: frozenset[File], pending: tuple[Step, ...], held: Mapping[Side, frozenset[File]]
) -> frozenset[File]:
    """Return the agreed set after a stop: the outcome of the first pending step is not known, the others were to come.

    A file that was being added and is there was added by us, and one that was being removed and is not there was
    removed by us: what the other side does to it since is a change of its own. A file that was to go because it stands
    there under another name already is agreed to go; that other name is not agreed before both sides have it.
    """
    for step in pending[:1]:
        twin = any(other.adds and other.file == step.file for other in pending[1:])
        if step.adds is (step.file in held[step.side]) and not twin:
            agreed = agreed | {step.file} if step.adds else agreed - {step.file}
    return agreed | {step.file for step in pending if not step.adds and _stands_twice(step, held[step.side])}


def _stands_twice(step: Step, there: frozenset[File]) -> bool:
    return step.file in there and File(step.instead, step.file.size, step.file.digest) in there


def aim(
    agreed: frozenset[File], exchange: frozenset[File], crm: frozenset[File], *, exchange_wins: bool
) -> frozenset[File]:
    """Return what both sides should hold.

    A file that both gave another content stays in both: the loser's under another name.
    """
    kept = (exchange & crm) | (exchange - agreed) | (crm - agreed)
    added = {Side.EXCHANGE: exchange - crm - agreed, Side.CRM: crm - exchange - agreed}
    names = {side: {file.name.casefold() for file in files} for side, files in added.items()}
    torn = names[Side.EXCHANGE] & names[Side.CRM]
    loser = Side.CRM if exchange_wins else Side.EXCHANGE
    losing = sorted(file for file in added[loser] if file.name.casefold() in torn)
    standing = kept - set(losing)
    for file in losing:
        if not any(_alike(file, other) for other in standing):
            standing |= {_renamed(file, loser, standing)}
    return frozenset(standing)


def _alike(file: File, other: File) -> bool:
    """Return whether two files differ in the case of their names at most."""
    return file.digest == other.digest and file.name.casefold() == other.name.casefold()


def _renamed(file: File, side: Side, others: Iterable[File]) -> File:
    """Return the file under the first free name that says where it came from; the same content needs no second one."""
    taken = {other.name.casefold(): other for other in others}
    path = PurePosixPath(file.name)
    word = "Outlook" if side is Side.EXCHANGE else "CRM"
    for mark in _marks(word):
        name = f"{path.stem[: NAME_MAX - len(mark) - len(path.suffix)]}{mark}{path.suffix}"
        other = taken.get(name.casefold(), File(name, file.size, file.digest))
        if other.digest == file.digest:
            return other
    raise AssertionError("there is always a free name")


def _marks(word: str) -> Iterator[str]:
    yield f" ({word})"
    number = 1
    while True:
        number += 1
        yield f" ({word} {number})"


def steps(wanted: frozenset[File], exchange: frozenset[File], crm: frozenset[File]) -> tuple[Step, ...]:
    """Return what brings both sides to what is wanted: everything is added before anything is removed.

    What gets another name comes first, so that after a stop it is still seen to need one.
    """
    held = {Side.CRM: crm, Side.EXCHANGE: exchange}
    added = [Step(side, True, file) for side, files in held.items() for file in sorted(wanted - files)]
    added.sort(key=lambda step: step.file in exchange | crm)
    removed = [
        Step(side, False, file, _instead(file, wanted))
        for side, files in held.items()
        for file in sorted(files - wanted)
    ]
    return (*added, *removed)


def _instead(file: File, wanted: frozenset[File]) -> str:
    """Return the name under which a content is kept, the most similar of several; "" if it is not."""
    stem = PurePosixPath(file.name).stem.casefold()
    names = (other.name for other in wanted if other.digest == file.digest)
    return min(names, key=lambda name: (not name.casefold().startswith(stem), name), default="")


def agreed_after(agreed: frozenset[File], exchange: frozenset[File], crm: frozenset[File]) -> frozenset[File]:
    """Return the agreed set once both sides hold this: what both have, and what is still to be removed on one.

    What neither has is forgotten before anything is done: it may be made anew, and is then no removal.
    """
    return (exchange & crm) | (agreed & (exchange | crm))
