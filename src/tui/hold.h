/* When the screen changes by itself under somebody's fingers, what he goes on typing was meant for what stood there before: the
 * rest of a passphrase must not become a message, half a message not one to somebody else. Such keys go nowhere:
 *
 *   behind a passphrase field   until Enter, Escape or Ctrl+C: who copies a passphrase from paper pauses as he likes, and what it
 *                               costs to be wrong is the passphrase
 *   else                        until one of these, or until no key went down for PSST_HOLD_PAUSE_MS: who has looked up knows
 *
 * The key that ends it does nothing else, except one behind a pause. A sentence says it as soon as a key was not taken.
 */
#ifndef PSST_TUI_HOLD_H
#define PSST_TUI_HOLD_H

#include "tui/input.h"

#include <stdbool.h>

#define PSST_HOLD_PAUSE_MS 1500

struct psst_app;

enum psst_hold { PSST_HOLD_NOT, PSST_HOLD_PAUSE, PSST_HOLD_SECRET };

/* words: what has changed, kept; a string that stays. One that is on already is not made weaker. */
void psst_hold_begin(struct psst_app *app, enum psst_hold how, const char *words);
/* The field that has gone, or its like, is there again. */
void psst_hold_end(struct psst_app *app);
/* True: the key goes nowhere. since_ms: since the key before. */
bool psst_hold_key(struct psst_app *app, const struct psst_key *key, uint64_t since_ms);
/* The keys are to be read by psst_hold_read: they may be a passphrase. */
bool psst_hold_reads(const struct psst_app *app);
/* Reads them as a passphrase is read, and forgets them. What it gives is for the loop: a new size, the end of the terminal. */
enum psst_secret_key psst_hold_read(struct psst_app *app);

#endif
