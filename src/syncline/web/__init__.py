"""The web: REST API and pages, both thin over the desk. It must not know who sends mails or when a cycle runs."""
