#!/bin/sh
# Installs what has been built into a scratch place, and builds embed.c there as a stranger would: with nothing but
# pkg-config's answers. Arguments: the build directory, meson, the C compiler, embed.c, and what the build's sanitizers need.
set -eu
build=$1 meson=$2 cc=$3 source=$4
shift 4

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$meson" install --no-rebuild --quiet -C "$build" --destdir "$place/root" --tags devel,runtime >/dev/null

pc=$(find "$place/root" -name libpsst.pc)
[ -n "$pc" ] || { echo "no libpsst.pc was installed"; exit 1; }
export PKG_CONFIG_PATH="${pc%/*}" PKG_CONFIG_SYSROOT_DIR="$place/root"
lib=$(find "$place/root" -name 'libpsst.so' | head -n 1)
[ -n "$lib" ] || { echo "no libpsst.so was installed"; exit 1; }

# shellcheck disable=SC2046 # flags are words
"$cc" -std=c11 -Wall -Wextra -Werror "$@" -o "$place/embed" "$source" $(pkg-config --cflags --libs libpsst)
LD_LIBRARY_PATH="${lib%/*}" "$place/embed"

# the static library, alone: the shared one is out of the way
rm "${lib%/*}"/libpsst.so*
# shellcheck disable=SC2046
"$cc" -std=c11 "$@" -o "$place/embed-static" "$source" $(pkg-config --cflags --static --libs libpsst)
"$place/embed-static"
