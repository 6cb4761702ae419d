#!/bin/sh
# Measures calls, prints a table, writes build/bench-voice.json and the plots in build/bench-voice (docs/voice has those of docs/VOICE.md).
# Usage: tools/bench-voice.sh [what bench/voice.py takes]
set -eu
cd "$(dirname "$0")/.."
dir=build/bench
mkdir -p build
{ { [ -f $dir/build.ninja ] || meson setup $dir -Dbenches=true; } && meson compile -C $dir; } >build/bench.log 2>&1 ||
    { tail -n 40 build/bench.log >&2; exit 1; }
mkdir -p $dir/bin
for program in cli/psst daemon/psstd daemon/psst-key daemon/psst-tar daemon/psst-voice notify/psst-notify; do
    cp $dir/src/$program $dir/bin/
done
rows=$dir/voice.jsonl
python3 bench/voice.py $dir --plots build/bench-voice -v "$@" >$rows || failed=1
python3 tools/bench_table.py $rows build/bench-voice.json
exit ${failed:-0}
