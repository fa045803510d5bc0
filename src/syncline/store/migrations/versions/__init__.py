"""The steps, one module each; alembic finds them by their place."""
