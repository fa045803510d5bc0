"""Files of appointments: which may be taken over, and what both sides should hold after a three-way merge (D-05, D-06).

A file is its name and its content, so that files are compared as sets: what one side has added or removed since the
agreed set is done on the other. Contents never come here; a digest stands for each. The module must not know where
files are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath

BLOCKED = "AttachmentBlocked"
BAD_NAME = "AttachmentInvalidFileName"
NAME_MAX = 255
KILOBYTE = 1024
_FORBIDDEN = frozenset('\\/:*?"<>|')


class Side(StrEnum):
    """Where a file is added or removed."""

    EXCHANGE = "exchange"
    CRM = "crm"


@dataclass(frozen=True, slots=True, order=True)
class File:
    """One file: its name, the size of its content in bytes, and the SHA-256 of it in hexadecimal."""

    name: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A file of an item in Exchange whose content was read once: it is the same while these three are."""

    ref: str
    size: int
    stamp: str
    file: File


@dataclass(frozen=True, slots=True)
class Step:
    """One file to be added on a side, or to be removed there."""

    side: Side
    adds: bool
    file: File


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """What is remembered of the files of one link: the agreed set, and what both sides were when it was dealt with.

    `known` are the item's files by reference. `pending` is the step that was about to be carried out. `refused`: some
    files could not be taken (attachmenterrors). `revision` and `crm_version` were dealt with; a failed try is repeated
    at `next_try`.
    """

    id: int = 0
    mailbox_id: int
    link_id: int
    agreed: tuple[File, ...] = ()
    known: tuple[Known, ...] = ()
    pending: Step | None = None
    refused: bool = False
    revision: str = ""
    crm_version: int = 0
    tries: int = 0
    next_try: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which files are taken over: at most `size_max` bytes, and none with these endings (lower case, no dot)."""

    size_max: int
    blocked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Refused:
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


def settled(agreed: frozenset[File], step: Step | None, there: frozenset[File]) -> frozenset[File]:
    """Return the agreed set after a step whose outcome is not known; `there` is what its side holds now.

    A file that was being added and is there was added by us, and one that was being removed and is not there was
    removed by us: what the other side does to it since is a change of its own.
    """
    if step is None or step.adds is not (step.file in there):
        return agreed
    return agreed | {step.file} if step.adds else agreed - {step.file}


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
        standing |= {_renamed(file, loser, standing)}
    return frozenset(standing)


def _renamed(file: File, side: Side, others: Iterable[File]) -> File:
    """Return the file under the first free name that says where it came from; the same content needs no second one."""
    taken = {other.name.casefold(): other.digest for other in others}
    path = PurePosixPath(file.name)
    word = "Outlook" if side is Side.EXCHANGE else "CRM"
    for mark in _marks(word):
        name = f"{path.stem[: NAME_MAX - len(mark) - len(path.suffix)]}{mark}{path.suffix}"
        if taken.get(name.casefold(), file.digest) == file.digest:
            return File(name, file.size, file.digest)
    raise AssertionError("there is always a free name")


def _marks(word: str) -> Iterator[str]:
    yield f" ({word})"
    number = 1
    while True:
        number += 1
        yield f" ({word} {number})"


def steps(wanted: frozenset[File], exchange: frozenset[File], crm: frozenset[File]) -> tuple[Step, ...]:
    """Return what brings both sides to what is wanted: everything is added before anything is removed."""
    held = {Side.CRM: crm, Side.EXCHANGE: exchange}
    added = [Step(side, True, file) for side, files in held.items() for file in sorted(wanted - files)]
    removed = [Step(side, False, file) for side, files in held.items() for file in sorted(files - wanted)]
    return (*added, *removed)


def agreed_after(agreed: frozenset[File], exchange: frozenset[File], crm: frozenset[File]) -> frozenset[File]:
    """Return the agreed set once both sides hold this: what both have, and what is still to be removed on one."""
    return (exchange & crm) | (agreed & (exchange | crm))
