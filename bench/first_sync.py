"""First sync of 10,000 items with the emulator in another process, and how fast that emulator renders items.

`syncline sync` runs each mailbox twice, as always, so that the second cycle (which reads its own echoes) is in the
time. The emulator's own speed is that of GetItem requests of 100 ids, asked for by a client that parses nothing.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import statistics
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from harness import ADDRESS, PASSWORD, Row, Server, Size, calendar, installation, meetings, run, server, syncline

from syncline.connectors.exchange_web_services import open_replica, wire_requests
from syncline.connectors.exchange_web_services.wire import envelope
from syncline.ports import Profile

BENCH = "first_sync"
RATE_MIN = 1_000.0
RENDERED_MIN = 5_000.0
BATCH = 100
_ITEM_ID = re.compile(rb'<t:ItemId Id="([^"]+)"')


def measure(size: Size) -> Iterator[Row]:
    """Measure first syncs and the emulator's rendering."""
    count = size.of(10_000, 150)
    with server(calendar(meetings(count))) as exchange:
        yield from rendering(exchange, count)
        rounds = [first_sync(exchange, count) for _ in range(size.of(3, 1))]
    wall, cpu = (statistics.median(column) for column in zip(*rounds, strict=True))
    note = f"median of {len(rounds)}, the command's start and second cycle included"
    rates = (("", count / wall), (", by processor time", count / cpu))
    for how, rate in rates:
        yield Row(
            bench=BENCH, what=f"first sync of {count:,} items{how}", value=rate, unit="items/s", target=RATE_MIN,
            at_least=True, note=note,
        )  # fmt: skip


def first_sync(exchange: Server, count: int) -> tuple[float, float]:
    """Run `syncline sync` on a fresh folder and return its wall-clock and processor seconds."""
    with installation(exchange.ews) as app:
        done = syncline("sync", "--json", data=app.data)
    saved = json.loads(done.output)["saved"]
    if done.code or saved != count:
        raise SystemExit(f"{saved} of {count} items were saved (exit code {done.code})")
    return done.wall_s, done.cpu_s


def rendering(exchange: Server, count: int) -> Iterator[Row]:
    """Ask for every item in full, first when nothing was rendered before, then again."""
    profile = Profile(name="bench", url=exchange.ews, username=ADDRESS, auth="basic")
    replica = open_replica(profile, PASSWORD, ADDRESS, time_zone="UTC")
    folder, cursor, refs, more = replica.folders()[0].ref, None, [], True
    while more:
        page = replica.changes(folder, cursor, 512)
        refs.extend(row.ref for row in page.items)
        cursor, more = page.cursor, page.more
    replica.close()
    requests = [envelope(wire_requests.get_items(refs[at : at + BATCH]), None) for at in range(0, len(refs), BATCH)]
    for what in ("rendered for the first time", "rendered before"):
        wall, cpu = time.perf_counter(), exchange.cpu_s()
        _ask(exchange.ews, requests, count)
        wall, cpu = time.perf_counter() - wall, exchange.cpu_s() - cpu
        yield Row(
            bench=BENCH, what=f"emulator: GetItem, {what}", value=count / wall, unit="items/s", target=RENDERED_MIN,
            at_least=True, note=f"processor alone: {count / cpu:,.0f} items/s" if cpu else "",
        )  # fmt: skip


def _ask(url: str, requests: list[bytes], expected: int) -> None:
    found = 0
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port or 80)
    token = base64.b64encode(f"{ADDRESS}:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "text/xml; charset=utf-8"}
    for request in requests:
        connection.request("POST", place.path, request, headers)
        found += len(_ITEM_ID.findall(connection.getresponse().read()))
    connection.close()
    if found != expected:
        raise SystemExit(f"{found} of {expected} items were rendered")


if __name__ == "__main__":
    sys.exit(run(measure))
