#!/bin/sh
# Find the browser that the tests drive; only as root under CI=true install one.
set -eu

find_browser() {
    for name in chromium chromium-browser google-chrome google-chrome-stable msedge microsoft-edge; do
        if command -v "$name" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

if find_browser; then exit 0; fi
if [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium
    find_browser && exit 0
fi
echo "The tests drive a browser and found no Chromium, Chrome or Edge: run 'apt install chromium' (Debian, Ubuntu), 'dnf install chromium' (Fedora) or 'brew install --cask chromium' (macOS)." >&2
exit 1
