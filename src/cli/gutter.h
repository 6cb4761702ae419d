/* A conversation on the screen. Every line that a message fills begins with the gutter, so that no text of anybody's can
 * look like the line of another, or like one of ours (attack 39):
 *
 *   -- Monday, 23 November 2026           ours: begins with "-- ", goes on with "--   "
 *   14:03   Bob | Hello                   a message: time, mark, whose it is
 *               | and a second line       what it goes on with
 *   14:05 ~ me  | See you                 ~ waits, ! was refused
 *   14:06   me  : text no longer kept     a colon: not the message's text, but ours
 *
 * On a terminal lines are broken here, at its width, and never by the terminal. Elsewhere they are left whole.
 */
#ifndef PSST_CLI_GUTTER_H
#define PSST_CLI_GUTTER_H

#include "client/out.h"

struct psst_gutter {
    FILE *f;
    unsigned columns; /* 0: lines are not broken */
    size_t name_width;
    char day[64];  /* of the last message */
    bool buffered; /* nobody reads along: written when there is enough of it */
};

/* alias: of the contact. */
void psst_gutter_init(struct psst_gutter *gutter, FILE *f, const char *alias);
/* message as docs/IPC.md shows it. */
void psst_gutter_message(struct psst_gutter *gutter, const json_t *message);
/* A line of ours. */
void psst_gutter_note(struct psst_gutter *gutter, const char *fmt, ...) PSST_PRINTF(2, 3);

#endif
