#!/bin/sh
# The long proof that nothing is lost: 10,000 kills of real daemons, several pairs side by side, and 2,000 power cuts in the
# simulator. What has been done stays in build/soak and is gone on from; remove it to begin anew. Environment: CYCLES, PAIRS,
# MINUTES (the kill loop ends after so long), CUTS.
set -eu
cd "$(dirname "$0")/.."
dir=build/soak-bin
log=build/soak.log
mkdir -p build
if ! { { [ -f "$dir/build.ninja" ] || meson setup "$dir" -Dtests=true; } && meson compile -C "$dir"; } >"$log" 2>&1; then
    tail -n 40 "$log"
    exit 1
fi
mkdir -p "$dir/bin"
cp "$dir/src/cli/psst" "$dir/src/daemon/psstd" "$dir/src/daemon/psst-key" "$dir/src/daemon/psst-tar" "$dir/src/daemon/psst-voice" "$dir/src/notify/psst-notify" "$dir/bin/"
"$dir/tests/sim/sim_outbox" "${CUTS:-2000}"
exec python3 tests/soak/kill_loop.py --bin "$dir/bin" --cycles "${CYCLES:-10000}" --pairs "${PAIRS:-4}" \
    --minutes "${MINUTES:-1000000}" --state build/soak
