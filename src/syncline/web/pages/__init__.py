"""The pages that people use: server-rendered, complete at first paint, usable without script.

Each module is one entry of the navigation. Everything is asked of the desk, which decides who may see and do what.
"""

from __future__ import annotations

from fastapi import APIRouter

from syncline.web.pages import alerts, calendar, entry, failures, guides, mailboxes, me, profiles, rules, settings
from syncline.web.pages.refusing import error_page

__all__ = ["error_page", "router"]

router = APIRouter()
for _part in (entry, alerts, mailboxes, failures, calendar, profiles, settings, rules, me, guides):
    router.include_router(_part.router)
