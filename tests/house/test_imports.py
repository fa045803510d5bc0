"""Who may import whom (design.md section 3, ARCHITECTURE.md)."""

from __future__ import annotations

import sys
from graphlib import CycleError, TopologicalSorter

from tests.house import code

CORE_LIBRARIES = {"dateutil", "tzlocal", "tzdata", "msgspec"}

_EVERYWHERE = {"core", "errors", "ports", "config", "engine", "store"}
# What each part may import of the product, itself aside. A connector and an emulator is a part of its own.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "core": {"errors"},
    "sides": {"core", "errors"},
    "ports": {"core", "errors", "sides"},
    "meant": set(),
    "channels": {"meant"},
    "partners": {"core", "meant"},
    "config": {"core", "errors", "ports", "meant", "channels", "partners"},
    "connectors": {"core", "errors", "ports"},
    "store": {"core", "errors", "ports"},
    "engine": {"core", "errors", "ports"},
    "emulators": {"core"},
    "conformance": {"core", "errors", "ports"},
    "simulation": {"core", "errors", "ports", "engine", "store", "connectors"},
    "wiring": {"core", "errors", "ports", "config", "partners", "connectors", "store", "engine", "emulators"},
    "desk": {"core", "errors", "ports", "channels", "config", "wiring", "engine", "store", "language"},
    "language": set(),
    "notifying": {"core", "errors", "ports", "channels", "config", "wiring", "desk", "engine", "store"},
    "web": {"core", "errors", "ports", "config", "wiring", "desk", "engine", "store", "language"},
    "commands": {*_EVERYWHERE, "notifying", "wiring", "desk", "web", "emulators", "simulation", "demo"},
    "cli": {*_EVERYWHERE, "notifying", "wiring", "desk", "web", "emulators", "simulation", "demo", "commands"},
    "demo": {*_EVERYWHERE, "notifying", "wiring", "desk", "web", "emulators"},
    "__main__": {"cli"},
}
APART = {"connectors", "emulators"}


def part_of(dotted: str) -> tuple[str, str]:
    """Split a name of the product into its part and, for connectors and emulators, which one."""
    _, part, one, *_ = [*dotted.split("."), "", ""]
    return part, one if part in APART else ""


def ours(names: set[str]) -> set[str]:
    """Keep the names of the product that are below its root package."""
    return {name for name in names if name.startswith(f"{code.PACKAGE}.") and not name.endswith(".__version__")}


def test_every_part_imports_only_what_it_may() -> None:
    """The order is core <- ports <- connectors, store, engine <- wiring <- cli, web."""
    wrong = []
    for module in code.modules():
        part, one = part_of(module.name)
        for name in sorted(ours(code.imports(module))):
            other, other_one = part_of(name)
            if other != part and part and other not in ALLOWED.get(part, set()):
                wrong.append(f"{module.name} imports {name}")
            if other == part and other_one != one and one:
                wrong.append(f"{module.name} imports {name}, another of its kind")

    assert wrong == []


def test_every_part_has_a_rule() -> None:
    """A new top-level module or package needs a line in the table above."""
    parts = {part for module in code.modules() if (part := part_of(module.name)[0])}

    assert parts - set(ALLOWED) == set()


def test_core_is_pure() -> None:
    """The core imports the standard library and a short list of pure libraries only, and nothing that does I/O."""
    forbidden = {
        "os",
        "socket",
        "sqlite3",
        "threading",
        "subprocess",
        "random",
        "secrets",
        "logging",
        "time",
        "asyncio",
    }
    wrong = [
        f"{module.name} imports {name}"
        for module in code.modules()
        if part_of(module.name)[0] == "core"
        for name in sorted(code.imports(module))
        if (top := name.partition(".")[0]) in forbidden
        or (top not in sys.stdlib_module_names and top not in CORE_LIBRARIES and top != code.PACKAGE)
    ]

    assert wrong == []


def test_nothing_imports_in_a_circle() -> None:
    """The import graph of the product has no cycle."""
    names = {module.name for module in code.modules()}
    graph = {module.name: _targets(module, names) for module in code.modules()}
    circle: list[str] = []
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1]

    assert circle == []


def test_nobody_uses_the_frozen_or_hijacking_clients() -> None:
    """No module imports httpx, requests, caldav or niquests (dependencies.md, pitfalls 1 and 2)."""
    banned = {"httpx", "requests", "caldav", "niquests", "exchangelib"}
    wrong = [
        f"{module.name} imports {name}"
        for module in code.modules()
        for name in code.imports(module)
        if name.partition(".")[0] in banned
    ]

    assert wrong == []


def _targets(module: code.Module, names: set[str]) -> set[str]:
    """Resolve the imports that run at start to modules of the product."""
    found = set()
    for name in ours(code.imports(module, at_start_only=True)):
        target = name if name in names else name.rpartition(".")[0]
        if target in names and target != module.name:
            found.add(target)
    return found
