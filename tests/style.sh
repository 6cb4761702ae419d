#!/bin/sh
# What a reader should never meet: sources laid out differently from .clang-format, files over 700 lines, shell scripts
# that do not parse, words of a workplace.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
sources=$(find src include tests fuzz bench -name '*.[ch]')
for file in $sources; do
    clang-format --dry-run --Werror "$file" >/dev/null 2>&1 || { echo "style: $file is not laid out (make format)"; bad=1; }
    lines=$(wc -l <"$file")
    [ "$lines" -le 700 ] || { echo "style: $file has $lines lines: make it two"; bad=1; }
done
for script in tools/*.sh tests/*.sh .ci/run; do
    sh -n "$script" || bad=1
done
[ "$bad" -eq 0 ] && echo "style: ok"
exit "$bad"
