/* Keys, pastes, clicks and sizes, as they come from the terminal. */
#ifndef PSST_TUI_INPUT_H
#define PSST_TUI_INPUT_H

#include "client/passphrase.h"

#include <stdbool.h>
#include <stdint.h>

enum psst_key_code {
    PSST_KEY_NONE,  /* nothing (more) is there */
    PSST_KEY_TEXT,  /* cp; with PSST_MOD_CONTROL a lower-case letter or one of [\]^_@; with PSST_MOD_ALT any */
    PSST_KEY_PASTE, /* paste, paste_len */
    PSST_KEY_ENTER,
    PSST_KEY_TAB,
    PSST_KEY_BACKTAB,
    PSST_KEY_ESCAPE,
    PSST_KEY_BACKSPACE,
    PSST_KEY_DELETE,
    PSST_KEY_INSERT,
    PSST_KEY_LEFT,
    PSST_KEY_RIGHT,
    PSST_KEY_UP,
    PSST_KEY_DOWN,
    PSST_KEY_HOME,
    PSST_KEY_END,
    PSST_KEY_PAGE_UP,
    PSST_KEY_PAGE_DOWN,
    PSST_KEY_F1,
    PSST_KEY_F2,
    PSST_KEY_F3,
    PSST_KEY_F4,
    PSST_KEY_F5,
    PSST_KEY_F6,
    PSST_KEY_F7,
    PSST_KEY_F8,
    PSST_KEY_F9,
    PSST_KEY_F10,
    PSST_KEY_F11,
    PSST_KEY_F12,
    PSST_KEY_CLICK,
    PSST_KEY_WHEEL_UP,
    PSST_KEY_WHEEL_DOWN, /* row, column of the terminal */
    PSST_KEY_FOCUS_IN,
    PSST_KEY_FOCUS_OUT,
    PSST_KEY_RESIZE,
    PSST_KEY_GONE, /* the terminal is no more */
};

enum psst_mod { PSST_MOD_ALT = 1, PSST_MOD_CONTROL = 2, PSST_MOD_SHIFT = 4 };

#define PSST_PASTE_MAX (1u << 20) /* bytes; what is longer is cut there, and `cut` says so */

struct psst_key {
    enum psst_key_code code;
    unsigned mods;
    uint32_t cp;
    int row, column;
    const char *paste; /* UTF-8, line feeds as line feeds; good until the next psst_input_next */
    size_t paste_len;
    bool cut;
};

/* To be polled for reading, beside others; both end with psst_screen_end. */
/* the terminal: keys, or a pause that decides what they mean, or room for what is to be shown */
int psst_input_fd(void);
/* sizes and the wish to end (SIGTERM, SIGHUP) */
int psst_input_signal_fd(void);
/* The next one that is there, without waiting; PSST_KEY_NONE when there is none. */
void psst_input_next(struct psst_key *out);

/* One key of a passphrase: bytes go straight from the terminal into pass, and nowhere else (no ring, no history of keys).
 * While a field asks for one, psst_input_next must not be called. */
enum psst_secret_key {
    PSST_SECRET_MORE,
    PSST_SECRET_DONE,
    PSST_SECRET_BACK,
    PSST_SECRET_GIVEN_UP,
    PSST_SECRET_NOTHING,
    PSST_SECRET_RESIZE,
    PSST_SECRET_GONE
};
/* Takes what is there: MORE: pass has changed (len counts bytes); DONE: Enter; BACK: Escape; GIVEN_UP: Ctrl+C. */
enum psst_secret_key psst_input_secret(struct psst_passphrase *pass);

#endif
