"""The page of rules tells people what every rule id means that Syncline shows them, in words that they know."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from tests.house import code

PAGE = code.ROOT / "docs" / "rules.md"
RULE = re.compile(r"(?<![\w-])(?:CD|AL|[ABDLMQST])-\d\d[a-z]?(?![\w-])")
ROW = re.compile(r"^\| (\S+) \| (.+) \|$", re.MULTILINE)
# Words of the code, with their forms; what people read says it in other words.
INSIDE = re.compile(
    r"\b(replicas?|(un|re)?link(s|ed|ing)?|cursors?|agreed|intents?|leases?|leased|observ(e[ds]?|ations?)|"
    r"diverge(s|d|nces?)?|cycles?)\b",
    re.IGNORECASE,
)


def literals(tree: ast.AST) -> Iterator[str]:
    """Yield the strings of a file that the program uses; a string that stands alone explains and is left out."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def named_as_rule(tree: ast.AST) -> set[str]:
    """Return what is passed as `rule=` or begins a row of the tables of rules, whatever its form."""
    tables = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "_Rule"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }
    return tables | {
        keyword.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "rule" and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str)
    }


def shown() -> set[str]:
    """Return every rule id in the product's strings and templates."""
    found: set[str] = set()
    for module in code.modules():
        found |= named_as_rule(module.tree)
        for text in literals(module.tree):
            found.update(RULE.findall(text))
    for path in (code.SOURCE / code.PACKAGE / "web" / "templates").rglob("*.html"):
        found.update(RULE.findall(re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)))
    return found


def rows() -> list[tuple[str, str]]:
    """Return id and sentence of every row of the page."""
    return [row for row in ROW.findall(PAGE.read_text(encoding="utf-8")) if row[0] not in {"rule", "---"}]


def test_every_rule_shown_stands_on_the_page() -> None:
    """Each rule id that the product can show has a row, and no row tells of a rule that nothing shows."""
    explained = {name for name, _ in rows()}
    ids = shown()

    assert len(ids) > 30
    assert sorted(ids - explained) == []
    assert sorted(explained - ids) == []


def test_every_rule_is_explained_once() -> None:
    """No rule has two rows, and each row is a sentence."""
    counted = Counter(name for name, _ in rows())

    assert [name for name, count in counted.items() if count > 1] == []
    assert [name for name, text in rows() if not (text[0].isupper() and text.endswith("."))] == []


def test_the_page_speaks_to_people() -> None:
    """No word of the code's own stands on the page."""
    prose = re.sub(r"\]\([^)]*\)", "]", PAGE.read_text(encoding="utf-8"))

    assert [found.group(0) for found in INSIDE.finditer(prose)] == []


def test_the_page_is_found_where_rules_are_read() -> None:
    """README, commands, settings and the page that explains an item all name the page of rules."""
    places = {
        "README.md": "docs/rules.md",
        "docs/commands.md": "rules.md",
        "docs/settings.md": "rules.md",
        "src/syncline/web/templates/explain.html": "/help/rules",
    }

    assert [n for n, link in places.items() if link not in (code.ROOT / n).read_text(encoding="utf-8")] == []
