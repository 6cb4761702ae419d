#!/bin/sh
# Builds the programs and puts them together into build/bin, so that they find each other. Quiet unless something is wrong.
set -eu
cd "$(dirname "$0")/.."
log=build/build.log
mkdir -p build/bin
if ! { { [ -f build/release/build.ninja ] || meson setup build/release --prefix "${PREFIX:-/usr/local}"; } &&
       meson compile -C build/release; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "build: failed; the whole log is in $log" >&2
    exit 1
fi
cp build/release/src/cli/psst build/release/src/daemon/psstd build/release/src/daemon/psst-key \
    build/release/src/daemon/psst-tar build/release/src/daemon/psst-voice build/release/src/notify/psst-notify build/bin/
