"""Write the pages of docs/ that repeat what the code says: settings, errors, commands.

Run by `make docs`; tests/house compares what this would write with what stands there. It knows how a table of
Markdown looks and nothing about the matters themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

DOCS = Path(__file__).resolve().parent.parent / "docs"
KINDS: Mapping[Any, str] = {str: "text", int: "number", float: "number", Path: "path"}
MADE_BY = "<!-- Written by `make docs`; do not edit. -->"


def settings_page() -> str:
    """Return docs/settings.md from the table of settings."""
    from syncline.config import SETTINGS, Setting

    def row(setting: Setting) -> tuple[str, ...]:
        return f"`{setting.name}`", f"`{_shown(setting.default)}`", setting.accepts, setting.meant.text

    sections = dict.fromkeys(setting.section for setting in SETTINGS.values())
    parts = [SETTINGS_HEAD]
    for section in sections:
        rows = [row(setting) for setting in SETTINGS.values() if setting.section == section]
        parts.append(f"## {section}\n\n{_table(('setting', 'default', 'accepts', 'meaning'), rows)}")
    return "\n".join(parts)


def errors_page() -> str:
    """Return docs/ERRORS.md from the catalogue."""
    from syncline.errors import CATALOGUE

    parts = [ERRORS_HEAD]
    for row in CATALOGUE.values():
        tries = f", {row.attempts} attempts" if row.attempts > 0 else ", tried without end" if row.attempts else ""
        parts.append(
            f"## {row.code}\n\n"
            f"**{row.title}** · number {row.number} · {row.scope.value} · {row.error_class.value} · "
            f"{row.level.value}{tries}\n\n> {row.text}\n\n{row.what_to_do}\n"
        )
    return "\n".join(parts)


def commands_page() -> str:
    """Return docs/commands.md from the commands themselves."""
    from typer.main import get_command

    from syncline.cli import app

    parts = [COMMANDS_HEAD]
    for words, command in _walk(get_command(app), ("syncline",)):
        parts.append(f"## {' '.join(words)}\n\n{_paragraphs(command.help or '')}\n")
        rows = [_parameter_row(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
        if rows:
            parts.append(_table(("argument or option", "takes", "default", "meaning"), rows))
    return "\n".join(parts)


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "ERRORS.md": errors_page,
    "commands.md": commands_page,
}

SETTINGS_HEAD = f"""{MADE_BY}

# Settings

One TOML file, `config.toml` in the data folder, holds a table per section. Each key can also be given in the
environment, which wins: `conflict.check_past` is `SYNCLINE_CONFLICT_CHECK_PAST`. It is read at the start.

```toml
[conflict]
check_past = true
```

Two more stand in the environment only: `SYNCLINE_DATA` names the data folder, `SYNCLINE_CLOCK_OFFSET_S` shifts
Syncline's clock by seconds (for tests). A name or a value that is not known stops the start with `SettingInvalid`.

An id in brackets, such as CD-04, is a rule: [what each rule does](rules.md).
"""

ERRORS_HEAD = f"""{MADE_BY}

# Errors

Everything that Syncline reports has a row here. Codes and numbers that exist in Dynamics 365 server-side
synchronization are the same; numbers from 9000 are Syncline's own. The class says what happens next: *needs answer*
waits for a person, *will retry* is tried again in later syncs, *skipped by rule* is no fault, *transient* passes by
itself, *permanent* stays until somebody acts, *throttled* waits as long as the server asks.
"""

COMMANDS_HEAD = f"""{MADE_BY}

# Commands

`--json` gives machines what they need. Exit codes: 0 done, also when questions are open; 1 a mailbox or an item failed;
2 the command was not understood; 3 another living process holds the mailbox.

`explain` and `sync --dry-run` name the rule that decided: [what each rule does](rules.md).
"""


def _walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401
    """Yield every command with its words; groups only lead to theirs."""
    below = getattr(command, "commands", None)
    if below is None:
        yield words, command
        return
    for name, child in below.items():
        if not child.hidden:
            yield from _walk(child, (*words, name))


def _parameter_row(parameter: Any) -> tuple[str, ...]:  # noqa: ANN401
    is_option = parameter.param_type_name == "option"
    names = ", ".join([*parameter.opts, *parameter.secondary_opts]) if is_option else str(parameter.name).upper()
    is_flag = getattr(parameter, "is_flag", False)
    takes = "" if is_flag else _takes(parameter, is_option=is_option)
    default = parameter.default
    is_plain = isinstance(default, str | int | float) and not isinstance(default, bool)
    shown = "required" if parameter.required else f"`{default}`" if is_plain and str(default) else ""
    return f"`{names}`", takes, shown, getattr(parameter, "help", None) or ""


def _takes(parameter: Any, *, is_option: bool) -> str:  # noqa: ANN401
    """Say what a parameter takes; an option that tells the form of its value says it in its own words."""
    kind = parameter.type_descriptor.annotation
    form = parameter.metavar if is_option else None
    if not form:
        return _choices(kind)
    return f"`{form}`, repeatable" if get_origin(kind) is list else f"`{form}`"


def _choices(kind: Any) -> str:  # noqa: ANN401
    """Say what a parameter takes: its choices where it has some, else the kind of value."""
    if get_origin(kind) is Literal:
        return ", ".join(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(str(choice.value) for choice in kind)
    if get_origin(kind) is list:
        return f"{_choices(get_args(kind)[0])}, repeatable"
    return KINDS.get(kind, getattr(kind, "__name__", str(kind)))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _paragraphs(text: str) -> str:
    return "\n".join(line.strip() for line in text.replace("\b", "").strip().splitlines())


def main() -> int:
    """Write every page, or those named on the command line."""
    for name in sys.argv[1:] or PAGES:
        (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
