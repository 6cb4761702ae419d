#!/bin/sh
# All tests, twice: the release build, then AddressSanitizer and UndefinedBehaviorSanitizer. Last line: N passed, N failed.
# Usage: tools/check.sh [release|asan]...      logs: build/check-*/
set -u
cd "$(dirname "$0")/.." || exit 1
[ $# -gt 0 ] || set -- release asan
passed=0
failed=0
failures=build/check-failures
mkdir -p build
: >$failures
add() { passed=$((passed + $1)); failed=$((failed + $2)); }

# the sources themselves
for t in tests/layers.sh tests/style.sh; do
    if sh "$t"; then add 1 0; else add 0 1; fi
done

for kind in "$@"; do
    dir=build/check-$kind
    options="-Dtests=true"
    [ "$kind" = release ] || options="$options -Db_sanitize=address,undefined -Dbuildtype=debugoptimized"
    mkdir -p "$dir"
    echo "== $kind: build"
    # shellcheck disable=SC2086  # the options are words
    if ! { { [ -f "$dir/build.ninja" ] || meson setup "$dir" $options; } && meson compile -C "$dir"; } \
            >"$dir.log" 2>&1; then
        tail -n 40 "$dir.log"
        add 0 1
        continue
    fi
    echo "== $kind: unit, vectors, simulator, fuzz corpora"
    rm -f "$dir/meson-logs/testlog.json"
    meson test -C "$dir" --no-rebuild --print-errorlogs --timeout-multiplier 4 >"$dir/test.out" 2>&1
    counts=$(python3 tools/count_tests.py "$dir/meson-logs/testlog.json" "$dir/test.out" $failures) || counts="0 1"
    # shellcheck disable=SC2086
    add $counts
    echo "   $counts (passed, failed)"
    mkdir -p "$dir/bin"
    cp "$dir/src/cli/psst" "$dir/src/daemon/psstd" "$dir/src/daemon/psst-key" "$dir/src/daemon/psst-tar" "$dir/src/daemon/psst-voice" "$dir/src/notify/psst-notify" "$dir/bin/"
    if [ "$kind" = release ]; then
        if sh tests/hardening.sh "$dir/bin"; then add 1 0; else add 0 1; fi
    fi
    echo "== $kind: end to end"
    python3 tests/e2e/run.py --bin "$dir/bin" | tee "$dir/e2e.out"
    LC_ALL=C sed -n "/^FAIL/,/^[a-z]/{/^FAIL\|^ /s/^/$kind: /p}" "$dir/e2e.out" >>$failures
    counts=$(awk '/^e2e: / { print $2, $4; ok = 1 } END { exit !ok }' "$dir/e2e.out") || counts="0 1"
    # shellcheck disable=SC2086
    add $counts
    echo "== $kind: killed forty times"
    python3 tests/soak/kill_loop.py --bin "$dir/bin" --cycles 40 --pairs 2 | tee "$dir/kill.out"
    counts=$(awk '/^kill loop: [0-9]* passed/ { print $3, $5; ok = 1 } END { exit !ok }' "$dir/kill.out") || counts="0 1"
    # shellcheck disable=SC2086
    add $counts
done

# once more, at the end, where it is seen
tail -n 200 $failures
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
