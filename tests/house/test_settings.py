"""Every setting does something."""

from __future__ import annotations

import ast

from syncline.config import SETTINGS
from tests.house import code


def test_every_setting_is_read_by_code() -> None:
    """Each key of the settings is read as an attribute, outside the table that declares it."""
    read = {
        node.attr
        for module in code.modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }

    assert sorted(name for name, row in SETTINGS.items() if row.key not in read) == []
