"""The product as others get it: a wheel in an empty environment, and make setup on a bare machine."""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import code

pytestmark = [pytest.mark.package, pytest.mark.emulator]

START_S = 60
NO_ENSUREPIP = """#!/bin/sh
case "$*" in
*--without-pip*) ;;
*"-m venv"*) echo "ensurepip is not available" >&2; exit 1 ;;
*"-m ensurepip"*) exit 1 ;;
esac
exec {real} "$@"
"""
QUIET = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def run(*words: str | Path, cwd: Path, env: dict[str, str] | None = None, user: int | None = None) -> str:
    """Run a program to its end, as another user where one is given; its output, on failure the reason."""
    group = None if user is None else pwd.getpwuid(user).pw_gid
    groups = None if user is None else [group]
    done = subprocess.run(
        words, cwd=cwd, env=env, user=user, group=group, extra_groups=groups, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def installer(python: Path) -> tuple[str | Path, ...]:
    """Return how to install into an environment: pip where this one has it, else uv, else the system's pip."""
    if importlib.util.find_spec("pip"):
        return sys.executable, "-m", "pip", "--python", python, "install", "-qq"
    if shutil.which("uv"):
        return "uv", "pip", "install", "-q", "--python", python
    return "python3", "-m", "pip", "--python", python, "install", "-qq"


def clone(target: Path) -> Path:
    """Copy what the repository tracks, as it stands in the work tree, into a new repository."""
    for path in code.tracked_files():
        copy = target / path.relative_to(code.ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    return target


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from what is tracked."""
    source = clone(tmp_path_factory.mktemp("source"))
    built = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", built, cwd=source)
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel and its locked dependencies into an empty environment; its bin folder."""
    folder = tmp_path_factory.mktemp("installed")
    environ = {**os.environ, **QUIET}
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    pip = installer(python)
    run(
        *pip,
        "--only-binary",
        ":all:",
        "--require-hashes",
        "-r",
        code.ROOT / "requirements.lock",
        cwd=folder,
        env=environ,
    )
    run(*pip, "--no-deps", wheel, cwd=folder, env=environ)
    return python.parent


@pytest.fixture
def bare_environ(tmp_path: Path) -> dict[str, str]:
    """Give an environment without a trace of the clone: an empty HOME, a plain PATH."""
    return {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


@pytest.fixture
def demo(installed: Path, tmp_path: Path, bare_environ: dict[str, str]) -> Iterator[dict[str, str]]:
    """Start the installed demo; the line that it prints once it serves."""
    words = (installed / "syncline", "demo", "--json", "--no-open", "--port", "0")
    with subprocess.Popen(words, cwd=tmp_path, env=bare_environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], START_S)
        line = process.stdout.readline() if ready else ""
        try:
            yield json.loads(line)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(START_S)


def test_the_wheel_holds_what_the_product_needs(wheel: Path) -> None:
    """The wheel carries the licence, the type marker and every file of the package that is tracked."""
    listed = set(run(sys.executable, "-m", "zipfile", "-l", wheel, cwd=wheel.parent).split())
    package = {str(path.relative_to(code.SOURCE)) for path in code.tracked_files() if code.SOURCE in path.parents}

    assert package - listed == set()
    assert any(name.endswith("licenses/LICENSE") for name in listed)


def test_the_installed_demo_serves(demo: dict[str, str]) -> None:
    """From a wheel outside the clone, `syncline demo --json` answers under the address that it prints."""
    assert set(demo) >= {"url", "administrator", "user", "token", "outlook", "data"}
    with urllib.request.urlopen(f"{demo['url']}/healthz", timeout=START_S) as answer:
        assert answer.status == 200

    request = urllib.request.Request(f"{demo['url']}/api/v1/alerts?open=true")
    request.add_header("Authorization", f"Bearer {demo['token']}")
    with urllib.request.urlopen(request, timeout=START_S) as answer:
        codes = {alert["code"] for alert in json.load(answer)["items"]}

    assert "ExchangeSyncSchedulingConflictsError" in codes


def test_the_installed_command_knows_its_version(installed: Path, tmp_path: Path, bare_environ: dict[str, str]) -> None:
    """The installed command explains itself without a data folder and writes nothing."""
    home = tmp_path / "home"
    home.mkdir()

    text = run(installed / "syncline", "--help", cwd=tmp_path, env={**bare_environ, "HOME": str(home)})

    assert "demo" in text
    assert list(home.iterdir()) == []


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that another user can enter; pytest's own are closed to him."""
    with tempfile.TemporaryDirectory(prefix="syncline-") as name:
        yield Path(name)


def test_setup_works_without_ensurepip_or_rights(open_folder: Path) -> None:
    """`make setup` works as an unprivileged user with an empty HOME and without ensurepip, and leaves HOME empty."""
    place, home = clone(open_folder / "clone"), open_folder / "home"
    home.mkdir()
    _hide_ensurepip(open_folder / "bin")
    user = _unprivileged(open_folder)
    left_out = {"VIRTUAL_ENV", "PIP_CACHE_DIR", "UV_CACHE_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"}
    environ = {name: value for name, value in os.environ.items() if name not in left_out}
    environ |= {**QUIET, "HOME": str(home), "PATH": f"{open_folder / 'bin'}:/usr/local/bin:/usr/bin:/bin"}

    run("make", "setup", cwd=place, env=environ, user=user)
    stamp = (place / ".venv" / ".stamp-run").stat().st_mtime_ns
    run("make", "setup", cwd=place, env=environ, user=user)

    assert (place / ".venv" / ".stamp-run").stat().st_mtime_ns == stamp
    assert "demo" in run(place / ".venv" / "bin" / "syncline", "--help", cwd=place, env=environ, user=user)
    assert list(home.iterdir()) == []


def _hide_ensurepip(folder: Path) -> None:
    """Put programs before the real ones that fail as Debian's Python does without python3-venv."""
    folder.mkdir()
    search = "/usr/local/bin:/usr/bin:/bin"
    for name in ("python3.13", "python3.12", "python3.11", "python3", "python"):
        real = shutil.which(name, path=search)
        if real:
            program = folder / name
            program.write_text(NO_ENSUREPIP.format(real=real), encoding="utf-8")
            program.chmod(0o755)


def _unprivileged(folder: Path) -> int | None:
    """Hand a folder to `nobody` where the tests run as root; elsewhere the user is unprivileged already."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return nobody.pw_uid
