"""Read a calendar of 10,000 items over EWS: Syncline's connector against exchangelib, same server, same run.

The server is the Exchange emulator in a process of its own. Both clients learn the ids by SyncFolderItems first; what
is timed is the reading of all contents (GetItem, 100 items a request, the same fields). Prints both rates, their ratio,
and one line of JSON. Run it with `python bench/ews_read.py [ITEMS]`; exit code 1 when a target is missed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from exchangelib import BASIC, DELEGATE, Account, Configuration, Credentials, Version
from exchangelib.version import EXCHANGE_2016

from syncline.connectors.exchange_web_services import open_replica
from syncline.ports import Observed, Profile

ADDRESS, PASSWORD = "ada@example.com", "bench"
BATCH = 100
RATIO_MIN, ITEMS_PER_S_MIN = 5.0, 1000.0
FIELDS = (
    "subject", "sensitivity", "text_body", "categories", "importance", "datetime_created", "reminder_is_set",
    "reminder_minutes_before_start", "uid", "recurrence_id", "start", "end", "is_all_day", "legacy_free_busy_status",
    "location", "is_cancelled", "type", "my_response_type", "organizer", "required_attendees", "optional_attendees",
    "resources", "recurrence", "modified_occurrences", "deleted_occurrences",
)  # fmt: skip
SERVER = """
import sys
from syncline.emulators.exchange import ExchangeEmulator
with ExchangeEmulator(mailboxes={sys.argv[1]: sys.argv[2]}, time_zone="Europe/Berlin") as server:
    server.load_calendar(sys.argv[1], sys.stdin.read())
    print(server.ews_url, flush=True)
    sys.stdin.close()
    import threading
    threading.Event().wait()
"""


def calendar(count: int) -> str:
    """Return an .ics file of ordinary meetings: an hour each, three people, a text of half a kilobyte."""
    people = "".join(f"ATTENDEE;CN=Person {n};PARTSTAT=ACCEPTED:mailto:person{n}@example.com\r\n" for n in range(3))
    start = datetime(2026, 1, 1, 8, tzinfo=UTC)
    events = []
    for number in range(count):
        begin = start + timedelta(minutes=90 * number)
        events.append(
            f"BEGIN:VEVENT\r\nUID:bench-{number}@example.com\r\nDTSTAMP:20260101T000000Z\r\n"
            f"SUMMARY:Meeting {number}\r\nCATEGORIES:Tracked to Syncline CRM\r\n"
            f"DTSTART:{begin:%Y%m%dT%H%M%SZ}\r\nDTEND:{begin + timedelta(hours=1):%Y%m%dT%H%M%SZ}\r\n"
            f"LOCATION:Room {number % 40}\r\nDESCRIPTION:{'Talk about it. ' * 35}\r\n"
            f"ORGANIZER;CN=Ada:mailto:{ADDRESS}\r\n{people}END:VEVENT\r\n"
        )
    return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\n" + "".join(events) + "END:VCALENDAR\r\n"


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


def main() -> int:
    """Start the server, measure both, print, and judge."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, ADDRESS, PASSWORD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        server.stdin.write(calendar(count))
        server.stdin.close()
        url = server.stdout.readline().strip()
        # Before and after the peer, so that a machine that slows down or warms up favours nobody.
        before, first = ours(url, count)
        peer = theirs(url, count)
        after, _ = ours(url, count)
    finally:
        server.terminate()
        server.wait()
    rate = (before + after) / 2
    ratio = rate / peer
    print(f"Syncline     {rate:8,.0f} items/s ({first:,.0f} items/s with the delta)")
    print(f"exchangelib  {peer:8,.0f} items/s")
    print(f"ratio        {ratio:8.1f} (target {RATIO_MIN:g})")
    print(json.dumps({"bench": "ews_read", "items": count, "ours": rate, "peer": peer, "ratio": ratio, "first": first}))
    return 0 if ratio >= RATIO_MIN and rate >= ITEMS_PER_S_MIN else 1


if __name__ == "__main__":
    sys.exit(main())
