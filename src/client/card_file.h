/* Contact cards as files, as user interfaces read and write them (docs/CARD.md); psstd alone takes them apart. */
#ifndef PSST_CLIENT_CARD_FILE_H
#define PSST_CLIENT_CARD_FILE_H

#include "base/err.h"

#include <stdbool.h>

#define PSST_CARD_FILE_MAX 16384 /* bytes; a longer file is refused unread (attack 42) */

/* The text of the file, terminated; "-" is standard input. Errors have their sentence: cannot be opened or read, too long, no
 * text. That it is a card is for psstd to say. */
PSST_MUST_USE enum psst_err psst_card_file_read(char out[PSST_CARD_FILE_MAX + 1], const char *path,
                                                struct psst_diag *diag);
/* Whether it can be read at once: a file, not a pipe or a device that somebody would wait for. The error has its sentence. */
PSST_MUST_USE enum psst_err psst_card_file_check(const char *path, struct psst_diag *diag);
/* Written beside its place, then renamed into it: half a card is never there. Only a card is replaced: PSST_ERR_EXISTS.
 * secret: it is for one person's eyes (mode 0600). */
PSST_MUST_USE enum psst_err psst_card_file_write(const char *path, const char *card, bool secret,
                                                 struct psst_diag *diag);
/* The card without what follows from the key: a smaller QR code. False: it is too long. */
bool psst_card_for_qr(char out[PSST_CARD_FILE_MAX + 1], const char *card);

#endif
