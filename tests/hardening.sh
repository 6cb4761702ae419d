#!/bin/sh
# The programs of a release build carry what the compiler and linker offer against exploitation.
# Usage: tests/hardening.sh DIRECTORY
set -u
bad=0
for name in psst psstd psst-key psst-tar psst-voice psst-notify; do
    file=$1/$name
    headers=$(readelf -W -h -l -d "$file" 2>/dev/null)
    symbols=$(readelf -W --dyn-syms "$file" 2>/dev/null)
    has() { echo "$1" | grep -q "$2" || { echo "hardening: $name: no $3"; bad=1; }; }
    has "$headers" 'Type: *DYN' 'PIE'
    has "$headers" 'GNU_RELRO' 'RELRO'
    has "$headers" 'BIND_NOW\|FLAGS.*NOW' 'immediate binding (full RELRO)'
    has "$headers" 'GNU_STACK.*RW ' 'non-executable stack'
    # the mark on the whole file needs a C library that has it too, which Debian 12's has not: the landing pads are ours
    if [ "$(uname -m)" = x86_64 ]; then has "$(objdump -d --no-show-raw-insn "$file")" 'endbr64' 'CET'; fi
    has "$symbols" '__stack_chk_fail' 'stack protector'
    has "$symbols" '_chk@' 'FORTIFY'
done
[ "$bad" -eq 0 ] && echo "hardening: ok"
exit "$bad"
