"""Everything that people and programs can ask of Syncline, the same for command line, API and pages.

Each module is one subject (mailboxes, alerts, appointments ...) with plain functions that take the `App` and the
`Viewer` who asks; what the viewer may do and read is decided here and nowhere above. It must not know HTTP, terminals
or templates.
"""
