/* A conversation as rows of the screen: how many an item fills at a width, and what stands in each. An item's rows are
 *
 *   -- Monday, 23 November 2026           the day, when the item before is of another one
 *   -- 3 new messages                     before the first that was unread when the conversation was opened
 *   14:05 ~ me  | See you                 the text, or a line of ours
 *               | tomorrow
 *   -- not accepted: he has blocked us    of a refused one; of the newest one that is held up, why it is
 *
 * Rows are laid out when they are asked for; the last ones are kept, in a bounded cache for the whole program.
 */
#ifndef PSST_TUI_ROWS_H
#define PSST_TUI_ROWS_H

#include "client/conversation.h"
#include "tui/app.h"

/* How the columns of a conversation are divided; the same for all its rows. */
struct psst_gutter_shape {
    unsigned columns; /* of the whole */
    unsigned time;    /* columns of the time with the blank behind it; 0 on a narrow terminal */
    unsigned name;    /* columns of the longer of both names */
    unsigned bar;     /* column of the "|" */
    unsigned text;    /* columns for text, which begins at bar + 2 */
};

/* Pure. alias: of the contact. */
struct psst_gutter_shape psst_gutter_shape(unsigned columns, const char *alias);

/* The sign of a message's state, left of its name. */
struct psst_mark {
    enum psst_item_state state;
    char sign;
    const char *words;
};
extern const struct psst_mark psst_marks[];
extern const size_t psst_marks_count;
char psst_mark_of(const struct psst_item *item);

/* What the rows of all items depend on. */
struct psst_rows {
    const struct psst_conversation *conversation;
    struct psst_gutter_shape shape;
    int64_t fresh_seq; /* the first unread message; 0: none */
    uint64_t waits;    /* serial of the newest message of ours that waits for a reason that is known; 0: none does */
};

/* That message; NULL. */
const struct psst_item *psst_rows_waits(const struct psst_conversation *conversation);

enum psst_row_kind { PSST_ROW_DAY, PSST_ROW_FRESH, PSST_ROW_BODY, PSST_ROW_REASON };

/* An item's rows; the layouts are good until the next psst_rows_block or psst_rows_forget. Out of memory: an item without text. */
struct psst_block {
    bool day, fresh;
    const struct psst_layout *body, *reason; /* reason: NULL when there is none */
    unsigned rows;
};
void psst_rows_block(const struct psst_rows *rows, size_t i, struct psst_block *out);
/* Which row of the block that is, and which of its layout. row < block->rows. */
enum psst_row_kind psst_block_row(const struct psst_block *block, unsigned row, size_t *of_layout);
/* The row of the block in which byte `at` of the item's text stands. */
unsigned psst_block_row_at(const struct psst_block *block, uint32_t at);

/* Lets the cache go, wiped. */
void psst_rows_forget(void);
/* Bytes that the cache holds, for tests. */
size_t psst_rows_cached(void);

/* ---- the place (view_scroll.c) ---- */

/* Makes place fit for an area of so many rows: of an item that is there, with nothing blank above the first one while there
 * is something below. Nothing to be seen: false. On true *i is the item at the bottom edge, and *hidden its rows below. */
bool psst_place_fit(struct psst_place *place, const struct psst_rows *rows, unsigned height, size_t *i,
                    unsigned *hidden);

/* What the conversation that is open is drawn with, in that area. */
struct psst_rows psst_view_rows(struct psst_app *app, struct psst_area area);
/* Rows for the messages: one less while a line at the bottom says that there are newer ones. */
unsigned psst_view_height(const struct psst_place *place, struct psst_area area);

#endif
