"""The state of Syncline in a database: what was agreed, what waits for an answer, who may sign in.

It implements the Store port and serves the people's side; it must not know the engine or a connector.
"""

from syncline.store.database import Database

__all__ = ["Database"]
