#!/bin/sh
# Resolve the dependencies again and write the two lock files: names, versions and hashes, no addresses.
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null 2>&1 || {
    echo "uv is missing: install it with 'pip install uv' or 'brew install uv'." >&2
    exit 1
}
export UV_PYTHON_DOWNLOADS=never
uv lock "$@"
uv export -q --no-dev --no-emit-project --no-header --format requirements-txt >requirements.lock
uv export -q --no-emit-project --no-header --format requirements-txt >requirements-dev.lock
if grep -n '://' requirements.lock requirements-dev.lock; then
    echo "A lock file names an address; it must hold names, versions and hashes only." >&2
    exit 1
fi
