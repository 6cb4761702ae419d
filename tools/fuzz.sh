#!/bin/sh
# Runs each libFuzzer target for SECONDS (default 600), two at a time, on a copy of its corpus. Prints executions and findings.
set -eu
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-${SECONDS:-600}}
dir=build/fuzz
[ -f "$dir/build.ninja" ] || CC=clang meson setup "$dir" -Dtests=true -Dfuzzers=true -Db_sanitize=address,undefined \
    -Dbuildtype=debugoptimized -Db_lundef=false >build/fuzz.log 2>&1 || { tail build/fuzz.log; exit 1; }
meson compile -C "$dir" >>build/fuzz.log 2>&1 || { tail -n 40 build/fuzz.log; exit 1; }
for target in ${TARGETS:-$(ls fuzz/corpus)}; do echo "$target"; done |
    xargs -P 2 -I{} sh -c '
        work='"$dir"'/work-{}; mkdir -p $work; cp -n fuzz/corpus/{}/* $work/ 2>/dev/null || true
        if '"$dir"'/fuzz/fuzz-{} -max_total_time='"$seconds"' -rss_limit_mb=4096 -print_final_stats=1 \
            -artifact_prefix='"$dir"'/finding-{}- $work >'"$dir"'/{}.out 2>&1; then how="no finding"; else how="FINDING"; fi
        echo "{}: $(sed -n "s/^stat::number_of_executed_units: *//p" '"$dir"'/{}.out) executions, $how"'
