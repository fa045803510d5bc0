"""What alembic runs for each command: the connection comes from the caller, with its transaction.

It must not open anything by itself.
"""

from alembic import context

from syncline.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
