#!/bin/sh
# Measures, prints a table, writes build/bench.json: a list of {name, value, unit, goal, met, reference, reference_value, ratio}.
# Usage: tools/bench.sh [handshake] [stream] [daemons] [store] [recovery]
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- handshake stream daemons store recovery
dir=build/bench
mkdir -p build
{ { [ -f $dir/build.ninja ] || meson setup $dir -Dbenches=true; } && meson compile -C $dir; } >build/bench.log 2>&1 ||
    { tail -n 40 build/bench.log >&2; exit 1; }
mkdir -p $dir/bin
cp $dir/src/cli/psst $dir/src/daemon/psstd $dir/src/daemon/psst-key $dir/src/daemon/psst-tar $dir/bin/
rows=$dir/rows.jsonl
: >$rows
for what in "$@"; do
    echo "bench: $what ..." >&2
    case $what in
    daemons | store | recovery) python3 bench/"$what".py $dir >>$rows ;;
    *) $dir/bench/bench_"$what" >>$rows ;;
    esac
done
python3 - $rows build/bench.json <<'EOF'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1]) if line.strip()]
json.dump(rows, open(sys.argv[2], "w"), indent=1)
for r in rows:
    ratio = "" if r["ratio"] is None else f"{r['ratio']:.3g} times "
    ref = "" if r["reference"] is None else f"{ratio}{r['reference']} ({r['reference_value']:.4g})"
    met = {True: "met", False: "NOT MET", None: ""}[r["met"]]
    print(f"{r['name']}\n    {r['value']:.4g} {r['unit']:6} {ref}\n    goal: {r['goal'] or '-'}   {met}")
EOF
