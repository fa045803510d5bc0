"""An honest fake of both sides in memory: a whole Exchange and a whole CRM, for tests, simulation and conformance.

The fakes keep the guarantees of the real connectors: revisions, cursors that expire, tombstones, page limits, a unique
identity, row versions, and a check against everybody's time.
"""

from syncline.connectors.memory.crm import MemoryCrm
from syncline.connectors.memory.exchange import CALENDAR, Item, MemoryExchange
from syncline.connectors.memory.replica import MemoryReplica

__all__ = ["CALENDAR", "Item", "MemoryCrm", "MemoryExchange", "MemoryReplica"]
