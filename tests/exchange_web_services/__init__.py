"""Tests of the connector to Exchange Web Services."""
