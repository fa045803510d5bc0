"""Settings from the file and the environment."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from syncline import config
from syncline.core.scheduling import AllDayBlocks
from syncline.errors import SyncError


def load(folder: Path, text: str = "", **environ: str) -> config.Settings:
    """Load a config.toml with this text."""
    (folder / config.CONFIG_FILE).write_text(text, encoding="utf-8")
    return config.load(folder, environ=environ)


def refusal(folder: Path, text: str = "", **environ: str) -> str:
    """Return the text with which these settings are refused."""
    with pytest.raises(SyncError) as caught:
        load(folder, text, **environ)
    assert caught.value.code == "SettingInvalid"
    return caught.value.text


def test_defaults_are_those_of_the_reference(tmp_path: Path) -> None:
    """Without a file every setting has its documented default."""
    settings = config.load(tmp_path, environ={})

    assert settings.crm.name == "Syncline CRM"
    assert settings.conflict.horizon_days == 1830
    assert settings.conflict.all_day_blocks is AllDayBlocks.BUSY
    assert (settings.conflict.enabled, settings.conflict.check_optional) == (True, True)
    assert (settings.conflict.tentative_blocks, settings.conflict.check_past) == (False, False)
    assert (settings.sync.chunk_max, settings.sync.page_size_max, settings.item.max_retries) == (200, 512, 5)
    assert (settings.guards.items_max, settings.guards.percent_max) == (10, 5.0)
    assert settings.organization.track_appointments_from_non_organizer
    assert settings.clock_offset_s == 0.0


def test_a_file_replaces_defaults(tmp_path: Path) -> None:
    """Each kind of value is read from the file."""
    settings = load(
        tmp_path,
        '[crm]\nname = "Harbour CRM"\n[conflict]\ncheck_past = true\nhorizon_days = 30\nall_day_blocks = "never"\n'
        '[sync]\nfloor_s = 2\n[web]\nallowed_hosts = ["crm.example.com"]\n',
    )

    assert settings.crm.name == "Harbour CRM"
    assert settings.conflict.check_past
    assert settings.conflict.horizon_days == 30
    assert settings.conflict.all_day_blocks is AllDayBlocks.NEVER
    assert settings.sync.floor_s == 2.0
    assert settings.web.allowed_hosts == ("crm.example.com",)


def test_the_environment_wins(tmp_path: Path) -> None:
    """A variable beats the file, and lists are separated by commas."""
    settings = load(
        tmp_path,
        "[conflict]\ncheck_past = false\n",
        SYNCLINE_CONFLICT_CHECK_PAST="true",
        SYNCLINE_WEB_TRUSTED_PROXIES="127.0.0.1, ::1",
        SYNCLINE_CLOCK_OFFSET_S="-3600",
        SYNCLINE_PRIVATE_POLICY="mask",
    )

    assert settings.conflict.check_past
    assert settings.web.trusted_proxies == ("127.0.0.1", "::1")
    assert settings.clock_offset_s == -3600.0
    assert settings.private.policy is config.PrivatePolicy.MASK


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    """A file named by --config is missed, the usual one is not."""
    with pytest.raises(SyncError) as caught:
        config.load(tmp_path, file=tmp_path / "other.toml", environ={})

    assert "other.toml" in caught.value.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[conflict]\nchek_past = true\n", "did you mean conflict.check_past?"),
        ("[conflct]\nx = 1\n", "did you mean conflict?"),
        ("name = 1\n", "not known"),
        ("[conflict]\ncheck_past = 1\n", "it takes true or false"),
        ("[conflict]\nhorizon_days = true\n", "a whole number from 1 to 36600"),
        ("[conflict]\nhorizon_days = 0\n", "a whole number from 1 to 36600"),
        ("[conflict]\nhorizon_days = 1.5\n", "a whole number"),
        ('[conflict]\nall_day_blocks = "always"\n', "out_of_office, busy, never"),
        ("[guards]\npercent_max = nan\n", "a number from 0 to 100"),
        ("[web]\nallowed_hosts = [1]\n", "a list of texts"),
        ('[crm]\nname = ""\n', "it takes text"),
        ("[sync]\ninterval_min_s = 900\n", "less than sync.interval_min_s (900)"),
        ("[conflict\n", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path: Path, text: str, said: str) -> None:
    """What is not known or not valid stops the start and says what would be."""
    assert said in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SYNCLINE_CONFLICT_CHEK_PAST", "true", "did you mean SYNCLINE_CONFLICT_CHECK_PAST?"),
        ("SYNCLINE_CONFLICT_CHECK_PAST", "maybe", "it takes true or false"),
        ("SYNCLINE_CONFLICT_HORIZON_DAYS", "ten", "a whole number"),
        ("SYNCLINE_CLOCK_OFFSET_S", "tomorrow", "a number of seconds"),
        ("SYNCLINE_CLOCK_OFFSET_S", "inf", "at most 200 years"),
    ],
)
def test_a_wrong_variable_is_refused_with_the_reason(tmp_path: Path, name: str, value: str, said: str) -> None:
    """A variable of a known section must be known and valid."""
    assert said in refusal(tmp_path, **{name: value})


def test_variables_of_others_are_left_alone(tmp_path: Path) -> None:
    """Variables outside the sections, such as one with a password, are no settings."""
    assert load(tmp_path, SYNCLINE_PASSWORD="x", SYNCLINE_TEST_DATA="y", PATH="z").crm.name == "Syncline CRM"


def test_settings_are_frozen(tmp_path: Path) -> None:
    """Nobody changes a setting in passing."""
    settings = config.load(tmp_path, environ={})

    with pytest.raises(FrozenInstanceError):
        settings.crm.name = "x"  # type: ignore[misc]


def test_the_data_folder_is_the_option_then_the_variable_then_the_platforms(tmp_path: Path) -> None:
    """--data beats SYNCLINE_DATA, which beats the platform's folder."""
    environ = {"SYNCLINE_DATA": str(tmp_path / "b")}

    assert config.data_folder(tmp_path / "a", environ) == tmp_path / "a"
    assert config.data_folder(None, environ) == tmp_path / "b"
    assert config.data_folder(None, {}).name == "syncline"


def test_the_core_gets_the_same_rules(tmp_path: Path) -> None:
    """The policy and the limits of the core carry the settings of their sections."""
    text = "[conflict]\ntentative_blocks = true\nhorizon_days = 7\ncheck_optional = false\n[guards]\npercent_max = 20\n"
    settings = load(tmp_path, text)

    policy = settings.conflict.policy()

    assert (policy.tentative_blocks, policy.horizon_days, policy.check_optional) == (True, 7, False)
    assert policy.all_day_blocks is AllDayBlocks.BUSY
    assert (settings.guards.limits().items_max, settings.guards.limits().share_max) == (10, 0.2)


def test_every_setting_says_what_it_means() -> None:
    """Each row of the table has a text, a default of its kind and its own variable."""
    rows = config.SETTINGS.values()

    assert len({row.variable for row in rows}) == len(rows)
    for row in rows:
        assert row.meant.text.endswith(".")
        assert isinstance(row.default, row.kind)
