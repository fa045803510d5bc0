#!/bin/sh
# Make .venv/ in this clone and the command .venv/bin/syncline:  sh tools/setup.sh run|dev
#
# run installs requirements.lock, dev installs requirements-dev.lock (which holds the other). Repeated without a
# change it only compares a stamp. It writes nothing outside the clone: a pip cache is used where there already is
# one, none is made.
set -eu

TESTED="3.13 3.12 3.11"
kind=${1:-run}
case $kind in
run) lock=requirements.lock ;;
dev) lock=requirements-dev.lock ;;
*) echo "usage: sh tools/setup.sh run|dev" >&2; exit 2 ;;
esac
cd "$(dirname "$0")/.."
root=$(pwd)
venv=$root/.venv
log=$root/.setup-log

stop() {
    echo "$1" >&2
    exit 1
}

stamp_now() {
    echo "$root"
    cksum requirements.lock "$lock" tools/setup.sh
}

is_done() { # kind
    [ -f "$venv/.stamp-$1" ] && [ "$(cat "$venv/.stamp-$1")" = "$2" ]
}

# The stamp answers most calls; a dev environment serves run as well.
wanted=$(stamp_now)
if [ -x "$venv/bin/python" ] && is_done "$kind" "$wanted"; then exit 0; fi
if [ "$kind" = run ] && [ -x "$venv/bin/python" ] && is_done dev "$(lock=requirements-dev.lock; stamp_now)"; then exit 0; fi

command -v git >/dev/null 2>&1 ||
    stop "git is missing: install it with 'apt install git' (Debian, Ubuntu), 'dnf install git' (Fedora) or 'brew install git' (macOS)."
command -v make >/dev/null 2>&1 ||
    stop "make is missing: install it with 'apt install make' (Debian, Ubuntu), 'dnf install make' (Fedora) or 'xcode-select --install' (macOS)."

version_of() { # program -> 3.12, nothing where it does not run
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true
}

find_python() {
    for version in $TESTED; do
        for program in "python$version" python3 python; do
            if [ "$(version_of "$program")" = "$version" ]; then command -v "$program"; return; fi
        done
        if command -v uv >/dev/null 2>&1; then
            found=$(UV_PYTHON_DOWNLOADS=never uv python find --no-project --no-cache "$version" 2>/dev/null || true)
            if [ -n "$found" ] && [ "$(version_of "$found")" = "$version" ]; then echo "$found"; return; fi
        fi
    done
    # Newer than what was tested is better than nothing; the caller says so.
    if python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then command -v python3; fi
}

python=$(find_python)
[ -n "$python" ] ||
    stop "Python 3.11 or newer is missing: install it with 'apt install python3 python3-venv' (Debian, Ubuntu), 'dnf install python3' (Fedora) or 'brew install python' (macOS)."
version=$(version_of "$python")
case " $TESTED " in
*" $version "*) ;;
*) echo "Python $version is newer than what Syncline was tested with ($TESTED); trying it." ;;
esac

# Caches: the user's own where they exist, otherwise none.
home=${HOME:-}
if [ -z "${PIP_CACHE_DIR:-}" ]; then
    PIP_NO_CACHE_DIR=1
    for cache in "$home/.cache/pip" "$home/Library/Caches/pip"; do
        if [ -n "$home" ] && [ -d "$cache" ] && [ -w "$cache" ]; then PIP_NO_CACHE_DIR=; fi
    done
    if [ -n "$PIP_NO_CACHE_DIR" ]; then export PIP_NO_CACHE_DIR; else unset PIP_NO_CACHE_DIR; fi
fi
if [ -z "${UV_CACHE_DIR:-}" ] && { [ -z "$home" ] || [ ! -w "$home/.cache/uv" ]; }; then export UV_NO_CACHE=1; fi
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_CONFIG=1

has_pip() { "$venv/bin/python" -m pip --version >/dev/null 2>&1; }

make_with() { # one of four ways; leaves a .venv with a way to install into it, or nothing
    rm -rf "$venv"
    case $1 in
    venv) "$python" -m venv "$venv" && has_pip ;;
    uv) command -v uv && uv venv --no-project --python "$python" "$venv" ;;
    virtualenv) { "$python" -m virtualenv -p "$python" "$venv" || virtualenv -p "$python" "$venv"; } && has_pip ;;
    without-pip) "$python" -m pip --version && "$python" -m venv --without-pip "$venv" ;;
    esac >>"$log" 2>&1 && [ -x "$venv/bin/python" ]
}

make_venv() {
    for way in venv uv virtualenv without-pip; do
        if make_with "$way"; then return; fi
    done
    rm -rf "$venv"
    stop "No virtual environment could be made (see .setup-log): install 'python3-venv' (Debian, Ubuntu), 'python3-pip' (Fedora) or 'python' from Homebrew (macOS)."
}

install_lock() {
    if has_pip; then
        "$venv/bin/python" -m pip install -qq --require-hashes --only-binary :all: -r "$lock"
    elif command -v uv >/dev/null 2>&1; then
        uv pip install --quiet --python "$venv/bin/python" --require-hashes --only-binary :all: -r "$lock"
    else
        "$python" -m pip --python "$venv/bin/python" install -qq --require-hashes --only-binary :all: -r "$lock"
    fi
}

write_command() { # the project itself: a path entry and a launcher, so that nothing has to be built
    site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    echo "$root/src" >"$site/syncline.pth"
    rm -f "$venv/bin/syncline"
    cat >"$venv/bin/syncline" <<LAUNCHER
#!$venv/bin/python
import sys
from syncline.cli import main
# Guarded, because the processes of a simulation read this file again.
if __name__ == "__main__":
    sys.exit(main())
LAUNCHER
    # A #! line takes no blanks and few bytes everywhere: fall back to the shell where the path is unusual.
    case $venv in
    *[[:space:]]* | ????????????????????????????????????????????????????????????????????????????????????????????????????????*)
        cat >"$venv/bin/syncline" <<'LAUNCHER'
#!/bin/sh
exec "$(dirname "$0")/python" -c 'import sys; sys.argv[0] = "syncline"; from syncline.cli import main; sys.exit(main())' "$@"
LAUNCHER
        ;;
    esac
    chmod +x "$venv/bin/syncline"
}

: >"$log"
moved=no
for stamp in "$venv"/.stamp-*; do
    if [ -f "$stamp" ] && [ "$(head -n 1 "$stamp")" != "$root" ]; then moved=yes; fi
done
if [ "$moved" = yes ] || [ "$(version_of "$venv/bin/python")" != "$version" ]; then
    echo "Making .venv with Python $version"
    make_venv
fi
echo "Installing the $(grep -c '==' "$lock") packages of $lock (some 30 seconds the first time)"
install_lock || stop "The packages of $lock could not be installed: the lines above say why; a package index must be reachable."
write_command
rm -f "$log"
echo "$wanted" >"$venv/.stamp-$kind"
