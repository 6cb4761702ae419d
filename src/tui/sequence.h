/* Bytes from a terminal as keys: letters, control bytes, the sequences of ECMA-48 as xterm, VTE, rxvt, tmux, screen and the
 * Linux console send them, and those that terminfo names for others. Pure: bytes in, one key out; what is not understood is
 * swallowed whole, so that no half of it lands in what is being written.
 *
 *   "a" U+0061        "ESC a" Alt+a        CSI 1;5C Ctrl+Right      SS3 P F1        CSI < 0;x;y M a click
 *   CSI I/O focus     CSI 200~ a paste begins (paste.h)             CSI 200 ; ... u, CSI 27;m;c~ keys with modifiers
 *   OSC, DCS, APC strings: answers that somebody else has asked for, swallowed
 */
#ifndef PSST_TUI_SEQUENCE_H
#define PSST_TUI_SEQUENCE_H

#include "tui/input.h"

#include <stddef.h>

#define PSST_SEQUENCE_MAX 1024 /* bytes; longer ones are given up */

struct psst_sequence { /* one that terminfo names */
    char bytes[16];    /* begins with ESC or another control character */
    enum psst_key_code code;
    unsigned mods;
};

/* The key at the beginning of bytes; how many bytes it took. 0: it goes on behind them (never when `over`: nothing follows
 * for now). code PSST_KEY_NONE: swallowed; PSST_KEY_PASTE: one begins behind it. */
size_t psst_sequence_read(struct psst_key *out, const uint8_t *bytes, size_t len, bool over,
                          const struct psst_sequence *named, size_t n_named);

#endif
