#!/bin/sh
# Measures, prints a table, writes build/bench.json: a list of {name, value, unit, goal, met, reference, reference_value, ratio}.
# Usage: tools/bench.sh [handshake] [stream] [daemons] [calls] [store] [recovery] [voice] [screen]
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- handshake stream daemons calls store recovery voice screen
dir=build/bench
mkdir -p build
{ { [ -f $dir/build.ninja ] || meson setup $dir -Dbenches=true; } && meson compile -C $dir; } >build/bench.log 2>&1 ||
    { tail -n 40 build/bench.log >&2; exit 1; }
mkdir -p $dir/bin
cp $dir/src/cli/psst $dir/src/daemon/psstd $dir/src/daemon/psst-key $dir/src/daemon/psst-tar $dir/src/daemon/psst-voice $dir/src/notify/psst-notify $dir/bin/
rows=$dir/rows.jsonl
: >$rows
for what in "$@"; do
    echo "bench: $what ..." >&2
    case $what in
    daemons | calls | store | recovery | screen) python3 bench/"$what".py $dir >>$rows ;;
    *) $dir/bench/bench_"$what" >>$rows ;;
    esac
done
python3 tools/bench_table.py $rows build/bench.json
