#!/bin/sh
# Installs what is missing of the given groups of tools/packages.txt (Debian 12): as root, or by sudo.
# Usage: tools/setup.sh build [test] [bench] [fuzz] [tidy]
set -eu
list="$(dirname "$0")/packages.txt"
wanted=""
for group in "$@"; do
    found=$(awk -v g="$group" '$1 == g { print $2 }' "$list")
    [ -n "$found" ] || { echo "setup: no group '$group' in $list" >&2; exit 2; }
    wanted="$wanted $found"
done
missing=""
for p in $wanted; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
echo "setup: installing$missing"
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "setup: run this as root:  apt-get install$missing" >&2; exit 1; }
    as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
install="$as_root apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0"
# shellcheck disable=SC2086  # the list is words
if ! $install $missing >/dev/null 2>&1; then
    $as_root apt-get update -qq
    $install $missing >/dev/null
fi
