"""Servers that behave like the real ones, as products for tests; they know core and nothing else of Syncline."""
