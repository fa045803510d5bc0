"""The pages that people use: server-rendered, complete at first paint, usable without script.

Each module is one entry of the navigation. Everything is asked of the desk, which decides who may see and do what.
"""

from __future__ import annotations

from fastapi import APIRouter

from syncline.web.pages import (
    alerts,
    answering,
    calendar,
    demo,
    entry,
    failures,
    files,
    filters,
    guides,
    mail,
    mailboxes,
    me,
    preview,
    profiles,
    rules,
    settings,
    start,
    together,
    trash,
    wall,
)
from syncline.web.pages.refusing import error_page

__all__ = ["error_page", "router"]

router = APIRouter()
for _part in (
    entry,
    wall,
    together,
    alerts,
    preview,
    mailboxes,
    failures,
    trash,
    filters,
    files,
    calendar,
    profiles,
    settings,
    mail,
    start,
    rules,
    me,
    guides,
    answering,
    demo,
):
    router.include_router(_part.router)
