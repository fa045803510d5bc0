"""Syncline keeps Exchange calendars and a CRM in step and asks a person before anybody is double-booked."""

__version__ = "0.1.0"
