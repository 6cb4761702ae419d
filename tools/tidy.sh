#!/bin/sh
# clang-tidy over src/ with the checks of .clang-tidy.
set -eu
cd "$(dirname "$0")/.."
[ -f build/tidy/build.ninja ] || CC=clang meson setup build/tidy -Dtests=true >/dev/null
find src -name '*.c' -print0 | xargs -0 -n 4 -P 2 clang-tidy -p build/tidy --quiet 2>/dev/null
