"""Read a calendar of 10,000 items over EWS: Syncline's connector against exchangelib, same server, same run.

The server is the Exchange emulator in a process of its own. Both clients learn the ids by SyncFolderItems first; what
is timed is the reading of all contents (GetItem, 100 items a request, the same fields). The peer runs between two runs
of ours, so that a machine that slows down or warms up favours nobody.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

from exchangelib import BASIC, DELEGATE, Account, Configuration, Credentials, Version
from exchangelib.version import EXCHANGE_2016
from harness import ADDRESS, PASSWORD, Row, Size, calendar, meetings, run, server

from syncline.connectors.exchange_web_services import open_replica
from syncline.ports import Observed, Profile

BENCH = "ews_read"
BATCH = 100
RATIO_MIN, ITEMS_PER_S_MIN = 5.0, 1000.0
FIELDS = (
    "subject", "sensitivity", "text_body", "categories", "importance", "datetime_created", "reminder_is_set",
    "reminder_minutes_before_start", "uid", "recurrence_id", "start", "end", "is_all_day", "legacy_free_busy_status",
    "location", "is_cancelled", "type", "my_response_type", "organizer", "required_attendees", "optional_attendees",
    "resources", "recurrence", "modified_occurrences", "deleted_occurrences",
)  # fmt: skip


def timed(read: Callable[[], int], expected: int) -> float:
    """Return items per second of one reading; it must be complete."""
    began = time.perf_counter()
    count = read()
    took_s = time.perf_counter() - began
    if count != expected:
        raise SystemExit(f"{count} of {expected} items were read")
    return count / took_s


def ours(url: str, expected: int) -> tuple[float, float]:
    """Return items per second of Syncline: contents alone, and a whole first look with the delta."""
    profile = Profile(name="bench", url=url, username=ADDRESS, auth="basic")
    replica = open_replica(profile, PASSWORD, ADDRESS, time_zone="Europe/Berlin")
    refs: list[tuple[str, str]] = []

    def contents() -> int:
        return sum(isinstance(found, Observed) for found in replica.read(refs))

    def whole() -> int:
        folder, cursor, more = replica.folders()[0].ref, None, True
        refs.clear()
        while more:
            page = replica.changes(folder, cursor, 512)
            refs.extend((row.folder, row.ref) for row in page.items)
            cursor, more = page.cursor, page.more
        return contents()

    first = timed(whole, expected)
    rate = timed(contents, expected)
    replica.close()
    return rate, first


def theirs(url: str, expected: int) -> float:
    """Return items per second of exchangelib for the contents."""
    configuration = Configuration(
        service_endpoint=url,
        credentials=Credentials(ADDRESS, PASSWORD),
        auth_type=BASIC,
        version=Version(build=EXCHANGE_2016),
    )
    account = Account(ADDRESS, config=configuration, autodiscover=False, access_type=DELEGATE)
    ids = [item.id for _, item in account.calendar.sync_items(only_fields=["id"]) if item is not None]

    def contents() -> int:
        found = account.fetch(
            ((ref, None) for ref in ids), folder=account.calendar, only_fields=FIELDS, chunk_size=BATCH
        )
        return sum(not isinstance(item, Exception) for item in found)

    return timed(contents, expected)


def measure(size: Size) -> Iterator[Row]:
    """Start the server and measure both."""
    count = size.of(10_000, 200)
    with server(calendar(meetings(count))) as exchange:
        before, first = ours(exchange.ews, count)
        peer = theirs(exchange.ews, count)
        after, _ = ours(exchange.ews, count)
    rate = (before + after) / 2
    yield Row(
        bench=BENCH, what=f"EWS read of {count:,} items", value=rate, unit="items/s", target=ITEMS_PER_S_MIN,
        at_least=True, peer=peer, ratio=rate / peer, note=f"peer: exchangelib; with the delta {first:,.0f} items/s",
    )  # fmt: skip
    yield Row(
        bench=BENCH, what="EWS read, times the speed of exchangelib", value=rate / peer, unit="x", target=RATIO_MIN,
        at_least=True,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(run(measure))
