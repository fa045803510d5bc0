"""The product's source as parsed files, and how to measure one of them: what the house tests judge by.

Nothing of the product is imported or run here; files are read and parsed.
"""

from __future__ import annotations

import ast
import io
import subprocess
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "src"
PACKAGE = "syncline"
# A version of the schema is written once and never changed; what others wrote lies in vendor folders.
LEFT_OUT = {"versions", "vendor"}

NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DOCUMENTED = (ast.Module, ast.ClassDef, *FUNCTIONS)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
BLOCKS = (ast.If, *LOOPS, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)
BRANCHES = (ast.If, *LOOPS, ast.ExceptHandler, ast.IfExp, ast.match_case, ast.comprehension)


@dataclass(frozen=True)
class Module:
    """One source file of the product; `code` holds the numbers of its lines of code."""

    path: Path
    name: str
    tree: ast.Module
    code: frozenset[int]

    @property
    def package(self) -> str:
        """Return the package that relative imports start from."""
        return self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]

    def lines_of(self, node: ast.stmt) -> int:
        """Count the lines of code of a statement, docstrings and comments left out."""
        return len(self.code.intersection(range(node.lineno, (node.end_lineno or node.lineno) + 1)))

    def functions(self) -> Iterator[tuple[str, Function, bool]]:
        """Yield every function with a name to report it by, and whether it is a method."""
        for parent in ast.walk(self.tree):
            for child in ast.iter_child_nodes(parent):
                if isinstance(child, FUNCTIONS):
                    yield f"{self.name}.{child.name} (line {child.lineno})", child, isinstance(parent, ast.ClassDef)


@cache
def modules() -> tuple[Module, ...]:
    """Parse the product."""
    paths = sorted((SOURCE / PACKAGE).rglob("*.py"))
    return tuple(parse(path) for path in paths if LEFT_OUT.isdisjoint(path.relative_to(SOURCE).parts))


def parse(path: Path) -> Module:
    """Parse one file."""
    text = path.read_text(encoding="utf-8")
    parts = list(path.relative_to(SOURCE).with_suffix("").parts)
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return module_of(text, path, name)


def module_of(text: str, path: Path, name: str) -> Module:
    """Parse a text as the module `name`."""
    tree = ast.parse(text)
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NOT_CODE:
            code.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            doc = node.body[0]
            code.difference_update(range(doc.lineno, (doc.end_lineno or doc.lineno) + 1))
    return Module(path, name, tree, frozenset(code))


@cache
def tracked_files() -> tuple[Path, ...]:
    """Return every file that the repository tracks and that exists."""
    asked = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


# --- judging one node --------------------------------------------------------------------------------------------


def is_stub(function: Function) -> bool:
    """Say whether a function has no body of its own, as in a Protocol."""
    return all(
        isinstance(line, ast.Pass) or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
        for line in function.body
    )


def branches(function: Function) -> int:
    """Count the paths through a function, roughly after McCabe."""
    nodes = list(ast.walk(function))
    shortcuts = sum(len(node.values) - 1 for node in nodes if isinstance(node, ast.BoolOp))
    return 1 + sum(isinstance(node, BRANCHES) for node in nodes) + shortcuts


def nesting(node: ast.AST, depth: int = 0) -> int:
    """Find the deepest block below a node; an `elif` is no deeper than its `if`."""
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case)):
            is_elif = isinstance(node, ast.If) and node.orelse == [child] and isinstance(child, ast.If)
            deeper = isinstance(child, BLOCKS) and not is_elif
            deepest = max(deepest, nesting(child, depth + deeper))
    return deepest


def catches_all(node: ast.AST) -> bool:
    """Say whether a node is an except clause that catches nearly everything."""
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    names = {getattr(kind, "id", None) if kind else "BaseException" for kind in caught}
    return not names.isdisjoint({"Exception", "BaseException"})


def unannotated(function: Function, is_method: bool) -> list[str]:
    """Return the parameters without annotation, and "return" where that is missing."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    static = any(getattr(mark, "id", None) == "staticmethod" for mark in function.decorator_list)
    own = positional[1:] if is_method and not static else positional
    every = (*own, given.vararg, *given.kwonlyargs, given.kwarg)
    missing = [parameter.arg for parameter in every if parameter is not None and parameter.annotation is None]
    return missing if function.returns is not None else [*missing, "return"]


def documented(scope: ast.Module | ast.ClassDef, name: str) -> Iterator[tuple[str, bool]]:
    """Yield every public thing of a scope, the scope itself first, and whether it has a docstring."""
    if scope.body:
        yield name, ast.get_docstring(scope) is not None
    for node in scope.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from documented(node, f"{name}.{node.name}")
        elif isinstance(node, FUNCTIONS) and not node.name.startswith("_") and not is_stub(node):
            yield f"{name}.{node.name}", ast.get_docstring(node) is not None


# --- imports -----------------------------------------------------------------------------------------------------


def imports(module: Module, *, at_start_only: bool = False) -> set[str]:
    """Return the dotted names that a module imports, those inside functions included unless `at_start_only`."""
    nodes = _start_nodes(module.tree) if at_start_only else ast.walk(module.tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(module, node)
            found.update(f"{origin}.{alias.name}" for alias in node.names)
    return found


def _origin(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    base = module.package.split(".")
    return ".".join([*base[: len(base) - node.level + 1], *([node.module] if node.module else [])])


def _start_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs when the module is first imported: no function bodies, nothing for type checkers only."""
    for child in ast.iter_child_nodes(tree):
        type_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        if not isinstance(child, (*FUNCTIONS, ast.Lambda)) and not type_only:
            yield child
            yield from _start_nodes(child)
