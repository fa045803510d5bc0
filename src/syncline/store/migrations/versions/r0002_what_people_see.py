"""What people see and decide: answers without the overlapping dates, rules, mails, and preferences.

Revision 0002 after 0001. It only adds tables, columns and indexes. It says what they were then, so it must not import
what they are today.
"""

from __future__ import annotations

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what is new, one function per subject."""
