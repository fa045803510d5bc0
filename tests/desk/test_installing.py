"""The data folder: first start, backup and restore, the lock of jobs, the doctor."""

from __future__ import annotations

import io
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from syncline.desk import archiving, checking, installing, users
from syncline.desk.reading import OPERATOR
from syncline.desk.running import JobsLock, jobs_run
from syncline.errors import SyncError
from syncline.wiring import make_folder, open_app


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data folder that is set up."""
    installing.init(tmp_path / "data", "ines", "long enough")
    return tmp_path / "data"


def test_a_first_start_makes_an_administrator(tmp_path: Path) -> None:
    """Folder, key, databases, one System Administrator with a token; the given password is not repeated."""
    made = installing.init(tmp_path / "new" / "data", "ines", "long enough")

    assert (made.created, made.name, made.password) == (True, "ines", None)
    assert made.token is not None
    assert {path.name for path in made.data.iterdir()} >= {"secret.key", "state.db", "crm.db"}


def test_an_interrupted_first_start_is_finished(tmp_path: Path) -> None:
    """A folder with a key but without an administrator gets one."""
    make_folder(tmp_path / "data")
    made = installing.init(tmp_path / "data", "ines", None)

    assert made.created
    assert made.password


def test_one_process_runs_jobs(tmp_path: Path) -> None:
    """A second one is told who does; the lock ends with its holder."""
    assert not jobs_run(tmp_path)
    with JobsLock(tmp_path):
        assert jobs_run(tmp_path)
        with pytest.raises(SyncError, match="DataFolderBusy"), JobsLock(tmp_path):
            pass
    assert not jobs_run(tmp_path)


def test_a_backup_is_restored_beside_and_over(data: Path, tmp_path: Path) -> None:
    """What was there before is kept aside."""
    (data / "config.toml").write_text("[crm]\nname = 'Our CRM'\n", encoding="utf-8")
    archiving.backup(data, tmp_path / "b.tar")
    fresh = archiving.restore(tmp_path / "b.tar", tmp_path / "other")
    over = archiving.restore(tmp_path / "b.tar", data)
    app = open_app(tmp_path / "other")

    assert fresh is None
    assert over is not None
    assert (over / "secret.key").is_file()
    assert app.settings.crm.name == "Our CRM"
    assert [user.name for user in users.listing(app, OPERATOR)] == ["ines"]
    assert (tmp_path / "b.tar").stat().st_mode & 0o777 == 0o600
    app.close()


def test_a_restored_crm_knows_no_earlier_cursor(data: Path, tmp_path: Path) -> None:
    """Every mailbox looks at all rows again after a restore, because the change log has another story to tell."""
    with closing(open_app(data)) as app:
        cursor = app.crm.changes(None, 10).cursor
    archiving.backup(data, tmp_path / "b.tar")
    archiving.restore(tmp_path / "b.tar", data)

    with closing(open_app(data)) as app:
        with pytest.raises(SyncError, match="CursorExpired"):
            app.crm.changes(cursor, 10)
        again = app.crm.changes(None, 10).cursor
    with closing(open_app(data)) as app:
        assert app.crm.changes(again, 10).changes == ()


def test_nothing_is_restored_while_a_server_runs(data: Path, tmp_path: Path) -> None:
    """The running server keeps its databases."""
    archiving.backup(data, tmp_path / "b.tar")
    with JobsLock(data), pytest.raises(SyncError, match="DataFolderBusy"):
        archiving.restore(tmp_path / "b.tar", data)


def archive(path: Path, members: dict[str, bytes]) -> Path:
    """Write a tar with these members."""
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    "members",
    [
        {"../evil": b"x"},
        {"state.db": b"x"},
        {"state.db": b"x", "crm.db": b"x", "secret.key": b"short"},
        {"state.db": b"no database at all", "crm.db": b"x", "secret.key": bytes(32)},
    ],
)
def test_a_damaged_archive_changes_nothing(data: Path, tmp_path: Path, members: dict[str, bytes]) -> None:
    """Foreign members, missing ones and damaged databases are refused before anything is moved."""
    before = sorted(path.name for path in data.iterdir())
    with pytest.raises(SyncError, match="InvalidRequest"):
        archiving.restore(archive(tmp_path / "x.tar", members), data)

    assert sorted({path.name for path in data.iterdir()} - {"jobs.lock"}) == before


def test_what_is_no_archive_or_no_folder_is_told(data: Path, tmp_path: Path) -> None:
    """Each with its code."""
    (tmp_path / "text").write_text("no archive", encoding="utf-8")
    cases = (
        (lambda: archiving.restore(tmp_path / "text", data), "InvalidRequest"),
        (lambda: archiving.restore(tmp_path / "nothing", data), "DataFolderInvalid"),
        (lambda: archiving.backup(tmp_path, tmp_path / "b.tar"), "DataFolderInvalid"),
        (lambda: archiving.backup(data, tmp_path / "text"), "AlreadyExists"),
        (lambda: archiving.backup(data, tmp_path / "nowhere" / "b.tar"), "DataFolderInvalid"),
    )
    for act, code in cases:
        with pytest.raises(SyncError) as refused:
            act()
        assert refused.value.code == code


def test_a_full_disk_is_told(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup that does not fit leaves nothing behind."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("syncline.desk.archiving.shutil.copyfile", full)
    with pytest.raises(SyncError, match="DiskFull"):
        archiving.backup(data, tmp_path / "b.tar")

    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_the_doctor_names_what_is_wrong(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open folder, a damaged key, a damaged database and a shifted clock are found."""
    assert all(finding.ok for finding in checking.examine(data))

    data.chmod(0o755)
    (data / "secret.key").write_bytes(b"short")
    (data / "crm.db").write_bytes(b"x" * 5000)
    monkeypatch.setenv("SYNCLINE_CLOCK_OFFSET_S", "60")
    wrong = {finding.subject for finding in checking.examine(data) if not finding.ok}

    assert {"data folder", "key", "crm.db", "clock"} <= wrong
