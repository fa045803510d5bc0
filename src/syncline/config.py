"""Settings: one TOML file and the environment, turned into frozen values once, at the start.

Each section is a frozen dataclass whose fields carry their own help text and bounds, so that reading, checking,
the Settings page and docs/settings.md share one table (`SETTINGS`). A setting `conflict.check_past` is the key
`check_past` under `[conflict]` in `config.toml` and `SYNCLINE_CONFLICT_CHECK_PAST` in the environment, which wins.
This module reads no database and knows nobody who uses a setting.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, get_type_hints

from platformdirs import user_data_path

from syncline.channels import MailSettings, WebhookSettings, unsendable
from syncline.core.answering_by_category import CategoryNames
from syncline.core.free_times import WEEKDAYS, WorkingHours
from syncline.core.guards import Limits
from syncline.core.scheduling import AllDayBlocks, ConflictPolicy
from syncline.errors import SyncError
from syncline.meant import Meant
from syncline.partners import AttachmentSettings, ExchangeSettings, MergingSettings, unmergeable
from syncline.ports import OnSchedulingConflict

CONFIG_FILE = "config.toml"
PREFIX = "SYNCLINE_"
CLOCK_OFFSET_MAX_S = 200 * 366 * 86_400


Value = bool | int | float | str | tuple[str, ...]


class PrivatePolicy(StrEnum):
    """What becomes of an item marked private (D-03)."""

    IMPORT = "import"
    MASK = "mask"
    SKIP = "skip"


# --- the sections ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmSettings:
    """The CRM as people know it."""

    name: Annotated[str, Meant("Name of the CRM in alerts, on pages and in the tracking category.")] = "Syncline CRM"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictSettings:
    """When a person counts as unavailable."""

    enabled: Annotated[
        bool, Meant("Check for scheduling conflicts. Off: appointments are stored with status Open.")
    ] = True
    tentative_blocks: Annotated[bool, Meant("A Tentative appointment makes its people unavailable (CD-04).")] = False
    check_optional: Annotated[bool, Meant("Optional attendees are checked too (CD-05).")] = True
    check_past: Annotated[bool, Meant("Occurrences that have ended are compared too (CD-07).")] = False
    all_day_blocks: Annotated[
        AllDayBlocks,
        Meant(
            "All-day items that make a person unavailable (CD-08): only Out of Office, Busy and Out of Office, or none."
        ),
    ] = AllDayBlocks.BUSY
    horizon_days: Annotated[
        int, Meant("How far ahead, in days, the dates of a series are compared (CD-09).", low=1, high=36_600)
    ] = 1830

    def policy(self) -> ConflictPolicy:
        """Return the same rules as the core understands them."""
        return ConflictPolicy(
            enabled=self.enabled,
            tentative_blocks=self.tentative_blocks,
            check_optional=self.check_optional,
            check_past=self.check_past,
            all_day_blocks=self.all_day_blocks,
            horizon_days=self.horizon_days,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSettings:
    """How often and in what portions a mailbox is synchronized."""

    on_scheduling_conflict: Annotated[
        OnSchedulingConflict,
        Meant("What a new mailbox does with a scheduling conflict (Q-10): ask, save anyway or keep out."),
    ] = OnSchedulingConflict.ASK
    chunk_max: Annotated[int, Meant("Most appointments written in one transaction.", low=1, high=1000)] = 200
    page_size_max: Annotated[int, Meant("Most changes asked of the calendar server at once.", low=1, high=512)] = 512
    interval_min_s: Annotated[
        float, Meant("Pause in seconds after a sync that found something (S-06).", low=1, high=86_400)
    ] = 300.0
    interval_step_s: Annotated[
        float, Meant("Seconds added to the pause by each sync that found nothing (S-06).", low=0, high=86_400)
    ] = 60.0
    interval_max_s: Annotated[
        float, Meant("Longest pause in seconds between two syncs of one mailbox (S-06).", low=1, high=86_400)
    ] = 720.0
    floor_s: Annotated[
        float, Meant("Shortest pause in seconds between two full syncs of one mailbox.", low=0, high=86_400)
    ] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSettings:
    """How one item is treated that cannot be synchronized."""

    max_retries: Annotated[
        int, Meant("How often an item is tried again before it is parked as failed.", low=0, high=1000)
    ] = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateSettings:
    """What becomes of items marked private."""

    policy: Annotated[
        PrivatePolicy, Meant("Private items: import them, mask their subject and text, or skip them (D-03).")
    ] = PrivatePolicy.IMPORT


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSettings:
    """Switches of the whole organization (server-side-sync.md 8.1)."""

    track_appointments_from_non_organizer: Annotated[
        bool, Meant("An attendee may track a meeting that another user of the CRM organizes (A-28).")
    ] = True
    ignore_copied_items: Annotated[
        bool, Meant("A copy of an item that is already tracked is ignored; off: it is reported (L-11).")
    ] = True
    use_crm_organizer_for_empty_exchange_organizer: Annotated[
        bool, Meant("An update without organizer keeps the organizer that the CRM has (A-27).")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """When a plan is held back as a whole: both limits must be passed."""

    items_max: Annotated[
        int,
        Meant("Up to so many deletions (or items no longer tracked) in one sync pass unasked.", low=0, high=1_000_000),
    ] = 10
    percent_max: Annotated[
        float, Meant("Up to this share of the mailbox's tracked items passes unasked, in percent.", low=0, high=100)
    ] = 5.0

    def limits(self) -> Limits:
        """Return the same limits as the core understands them."""
        return Limits(items_max=self.items_max, share_max=self.percent_max / 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrashSettings:
    """How long deleted content can be brought back."""

    keep_days: Annotated[
        int, Meant("Days for which deleted appointments stay in the trash and can be restored.", low=1, high=3650)
    ] = 30

    def since(self, now: datetime) -> datetime:
        """Return the instant before which nothing is kept."""
        return now - timedelta(days=self.keep_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """Which levels of alerts people see (AL-04)."""

    error: Annotated[bool, Meant("Show alerts of level Error.")] = True
    warning: Annotated[bool, Meant("Show alerts of level Warning.")] = False
    information: Annotated[bool, Meant("Show alerts of level Information.")] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSettings:
    """When people work: free times are looked for within these hours, in the zone of the mailbox's owner."""

    working_from_h: Annotated[float, Meant("Hour at which the working day begins; 7.5 is 07:30.", low=0, high=24)] = 8.0
    working_to_h: Annotated[float, Meant("Hour at which the working day ends.", low=0, high=24)] = 17.0
    working_days: Annotated[
        tuple[str, ...], Meant("Weekdays on which people work: mon, tue, wed, thu, fri, sat, sun.")
    ] = WEEKDAYS[:5]

    def hours(self) -> WorkingHours:
        """Return the same hours as the core understands them."""
        weekdays = frozenset(WEEKDAYS.index(day) for day in self.working_days)
        return WorkingHours(from_h=self.working_from_h, to_h=self.working_to_h, weekdays=weekdays)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """How the pages may be reached."""

    trusted_proxies: Annotated[
        tuple[str, ...], Meant("Addresses of reverse proxies whose X-Forwarded headers are believed.")
    ] = ()
    allowed_hosts: Annotated[
        tuple[str, ...], Meant("Host names, beside those of this machine's loopback, that the pages answer to.")
    ] = ()
    insecure_http: Annotated[
        bool, Meant("Allow sign-in over plain http on other than loopback addresses (for a trial only).")
    ] = False
    base_url: Annotated[
        str, Meant("Address at which people reach the pages, such as https://syncline.example.com; mails lead there.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlookSettings:
    """How a question can be answered in Outlook: by a category on the waiting appointment."""

    answer_by_category: Annotated[
        bool,
        Meant(
            "Mark a waiting appointment by a category in its owner's calendar, and take the category that the owner "
            "sets there as the answer. Syncline then writes categories to Exchange, and nothing else."
        ),
    ] = False
    waiting_category: Annotated[
        str, Meant("Category of an appointment that waits; on tracked appointments it is Syncline's own.")
    ] = CategoryNames().waiting
    save_anyway_category: Annotated[str, Meant("Category by which the owner answers Yes.")] = (
        CategoryNames().save_anyway
    )
    keep_out_category: Annotated[str, Meant("Category by which the owner answers No.")] = CategoryNames().keep_out

    def names(self) -> CategoryNames | None:
        """Return the names as the core understands them; None if answering by category is off."""
        if not self.answer_by_category:
            return None
        return CategoryNames(
            waiting=self.waiting_category, save_anyway=self.save_anyway_category, keep_out=self.keep_out_category
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one installation. `data` is its folder, `clock_offset_s` shifts its clock (tests)."""

    data: Path
    clock_offset_s: float = 0.0
    crm: CrmSettings = CrmSettings()
    conflict: ConflictSettings = ConflictSettings()
    sync: SyncSettings = SyncSettings()
    item: ItemSettings = ItemSettings()
    private: PrivateSettings = PrivateSettings()
    organization: OrganizationSettings = OrganizationSettings()
    guards: GuardSettings = GuardSettings()
    exchange: ExchangeSettings = ExchangeSettings()  # noqa: RUF009 - frozen
    merging: MergingSettings = MergingSettings()  # noqa: RUF009 - frozen
    attachments: AttachmentSettings = AttachmentSettings()  # noqa: RUF009 - frozen
    trash: TrashSettings = TrashSettings()
    alerts: AlertSettings = AlertSettings()
    calendar: CalendarSettings = CalendarSettings()
    web: WebSettings = WebSettings()
    outlook: OutlookSettings = OutlookSettings()
    mail: MailSettings = MailSettings()  # noqa: RUF009 - frozen
    webhook: WebhookSettings = WebhookSettings()  # noqa: RUF009 - frozen


# --- the table ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of the table: how a setting is named, what it may be and what it means."""

    section: str
    key: str
    kind: type
    default: Value
    meant: Meant

    @property
    def name(self) -> str:
        """Return the name that people use, such as `conflict.check_past`."""
        return f"{self.section}.{self.key}"

    @property
    def variable(self) -> str:
        """Return the name of the environment variable."""
        return f"{PREFIX}{self.section}_{self.key}".upper()

    @property
    def accepts(self) -> str:
        """Say in words which values are valid."""
        if issubclass(self.kind, StrEnum):
            return ", ".join(choice.value for choice in self.kind)
        low, high = self.meant.low, self.meant.high
        if low is not None and high is not None:
            return f"{_KIND_WORDS[self.kind]} from {low:g} to {high:.15g}"
        return _KIND_WORDS[self.kind]


_KIND_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    tuple: "a list of texts (in the environment: separated by commas)",
}
_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _section_types() -> dict[str, type]:
    hints: dict[str, type] = get_type_hints(Settings)
    return {name: kind for name, kind in hints.items() if dataclasses.is_dataclass(kind)}


def _rows() -> Iterator[Setting]:
    for section, kind in _section_types().items():
        hints = get_type_hints(kind, include_extras=True)
        for entry in dataclasses.fields(kind):
            declared = hints[entry.name].__origin__
            (meant,) = hints[entry.name].__metadata__
            plain = getattr(declared, "__origin__", declared)
            yield Setting(section=section, key=entry.name, kind=plain, default=getattr(kind(), entry.name), meant=meant)


SETTINGS: Mapping[str, Setting] = {row.name: row for row in _rows()}
_BY_VARIABLE = {row.variable: row for row in SETTINGS.values()}


# --- reading -----------------------------------------------------------------------------------------------------


def data_folder(option: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the data folder: the option, else SYNCLINE_DATA, else the platform's folder for user data."""
    named = option or (Path(environ[f"{PREFIX}DATA"]) if environ.get(f"{PREFIX}DATA") else None)
    return (named or user_data_path("syncline", appauthor=False)).expanduser().absolute()


def load(data: Path, *, file: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of the installation in `data`; `file` replaces its config.toml and must then exist.

    Raises SyncError("SettingInvalid") with the name of the setting, what stands there and what it accepts.
    """
    settings = Settings(data=data, clock_offset_s=_clock_offset_s(environ))
    found = _from_file(file or data / CONFIG_FILE, must_exist=file is not None)
    return _checked(_replaced(settings, found | _from_environment(environ)))


def value_of(settings: Settings, name: str) -> Value:
    """Return the value of a setting by its name, such as `conflict.check_past`; of a secret only whether it is set."""
    row = SETTINGS[name]
    found: Value = getattr(getattr(settings, row.section), row.key)
    return ("set" if found else "") if row.meant.secret else found


def _replaced(settings: Settings, values: Mapping[str, Value]) -> Settings:
    sections = {
        section: dataclasses.replace(
            getattr(settings, section),
            **{SETTINGS[name].key: value for name, value in values.items() if SETTINGS[name].section == section},
        )
        for section in _section_types()
    }
    return dataclasses.replace(settings, **sections)


def _checked(settings: Settings) -> Settings:
    sync = settings.sync
    if sync.interval_max_s < sync.interval_min_s:
        raise _invalid(
            f"sync.interval_max_s is {sync.interval_max_s:g}, less than sync.interval_min_s ({sync.interval_min_s:g})."
        )
    unknown = [day for day in settings.calendar.working_days if day not in WEEKDAYS]
    if unknown:
        raise _invalid(f"calendar.working_days names {', '.join(unknown)}; it takes {', '.join(WEEKDAYS)}.")
    for wrong in (*_unsendable(settings), *_confusing(settings), *unmergeable(settings.merging)):
        raise _invalid(wrong)
    return settings


def _confusing(settings: Settings) -> Iterator[str]:
    """Say why the categories of answers could be taken for one another or for the tracking category."""
    outlook = settings.outlook
    names = [outlook.waiting_category, outlook.save_anyway_category, outlook.keep_out_category]
    if any("," in name or ";" in name or name != name.strip() for name in names):
        yield "outlook: the name of a category has no comma, no semicolon, and no space around it."
    if len({name.casefold() for name in (*names, f"Tracked to {settings.crm.name}")}) < len(names) + 1:
        yield "outlook: the three categories and the tracking category need different names."


def _unsendable(settings: Settings) -> Iterator[str]:
    web = settings.web
    return unsendable(settings.mail, settings.webhook, web.base_url, insecure_http=web.insecure_http)


def _from_file(path: Path, *, must_exist: bool) -> dict[str, Value]:
    try:
        with path.open("rb") as stream:
            sections = tomllib.load(stream)
    except FileNotFoundError:
        if must_exist:
            raise _invalid(f"There is no settings file {path}.") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _invalid(f"The settings file {path} cannot be read: {error}") from error
    return dict(_file_values(path, sections))


def _file_values(path: Path, sections: Mapping[str, object]) -> Iterator[tuple[str, Value]]:
    for section, keys in sections.items():
        if section not in _section_types() or not isinstance(keys, dict):
            raise _invalid(
                f"{path} has a section or key {section}{_nearest(section, _section_types())}; it is not known."
            )
        for key, value in keys.items():
            name = f"{section}.{key}"
            if name not in SETTINGS:
                raise _invalid(f"{path} names a setting {name} that is not known{_nearest(name, SETTINGS)}.")
            yield name, _from_toml(SETTINGS[name], value, f"{name} in {path}")


def _from_environment(environ: Mapping[str, str]) -> dict[str, Value]:
    starts = tuple(f"{PREFIX}{section}_".upper() for section in _section_types())
    values = {}
    for variable, text in environ.items():
        if not variable.startswith(starts):
            continue
        if variable not in _BY_VARIABLE:
            raise _invalid(
                f"The environment names a setting {variable} that is not known{_nearest(variable, _BY_VARIABLE)}."
            )
        row = _BY_VARIABLE[variable]
        values[row.name] = _from_text(row, text, variable)
    return values


def _clock_offset_s(environ: Mapping[str, str]) -> float:
    variable = f"{PREFIX}CLOCK_OFFSET_S"
    text = environ.get(variable, "0")
    try:
        offset_s = float(text)
    except ValueError:
        raise _invalid(f"{variable} is {text!r}; it takes a number of seconds.") from None
    if not abs(offset_s) <= CLOCK_OFFSET_MAX_S:
        raise _invalid(f"{variable} is {text!r}; it takes a number of seconds, at most 200 years.")
    return offset_s


# --- one value ---------------------------------------------------------------------------------------------------


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


_PARSERS: Mapping[type, Callable[[str], Value]] = {
    bool: lambda text: _BOOLEANS[text.strip().lower()],
    int: int,
    float: float,
    str: str,
    tuple: _texts,
}


def _from_text(row: Setting, text: str, where: str) -> Value:
    try:
        return _bounded(row, _PARSERS.get(row.kind, row.kind)(text))
    except (KeyError, ValueError):
        raise _invalid(f"{where} is {text!r}; it takes {row.accepts}.") from None


def _from_toml(row: Setting, value: object, where: str) -> Value:
    try:
        return _bounded(row, _typed(row.kind, value))
    except ValueError:
        raise _invalid(f"{where} is {value!r}; it takes {row.accepts}.") from None


def _typed(kind: type, value: object) -> Value:
    if issubclass(kind, StrEnum) and isinstance(value, str):
        return kind(value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind is tuple and isinstance(value, list) and all(isinstance(part, str) for part in value):
        return tuple(value)
    if isinstance(value, bool | int | str) and type(value) is kind:
        return value
    raise ValueError(value)


def _bounded(row: Setting, value: Value) -> Value:
    low, high = row.meant.low, row.meant.high
    if isinstance(value, int | float) and low is not None and high is not None and not low <= value <= high:
        raise ValueError(value)
    if value == "":
        raise ValueError(value)
    return value


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _invalid(detail: str) -> SyncError:
    return SyncError("SettingInvalid", detail=detail)
