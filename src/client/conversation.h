/* The messages of one contact as a window that slides over the history, which may have millions: at most
 * PSST_CONVERSATION_MAX items are held, pages are asked for when they are needed, the far end is let go. Between the
 * messages stand lines of ours: sessions, calls, files, what psst_model_note was given.
 *
 * Items are ordered, the oldest first. Pointers are good until the next turn of the client or call that changes the window.
 */
#ifndef PSST_CLIENT_CONVERSATION_H
#define PSST_CLIENT_CONVERSATION_H

#include "client/model.h"

#define PSST_CONVERSATION_MAX  400
#define PSST_CONVERSATION_PAGE 100

struct psst_conversation;

enum psst_item_kind {
    PSST_ITEM_MESSAGE,
    PSST_ITEM_NOTE,    /* ours: a sentence */
    PSST_ITEM_DAMAGED, /* ours: what of a damaged history cannot be read */
};

enum psst_item_state { /* of what goes out: waiting .. recalled; of what came: received, shown */
                       PSST_STATE_WAITING,
                       PSST_STATE_SENT,
                       PSST_STATE_DELIVERED,
                       PSST_STATE_READ,
                       PSST_STATE_REFUSED,
                       PSST_STATE_RECALLED,
                       PSST_STATE_RECEIVED,
                       PSST_STATE_SHOWN,
};

struct psst_item {
    uint64_t serial; /* of this item, for as long as the conversation lives; never used twice */
    enum psst_item_kind kind;
    enum psst_item_state state;
    bool out;
    int64_t seq;           /* of a message; of a note: that of the message before it, 0 for none */
    int64_t time_ms;       /* unix */
    struct psst_view text; /* not rendered */
    const char *reason;    /* refused, or waits for one; "" */
};

/* Begins at the end of the history; the first page is asked for. changed(PSST_PART_CONVERSATION) tells when there is more. */
PSST_MUST_USE enum psst_err psst_conversation_open(struct psst_conversation **out, struct psst_model *model,
                                                   const char *name);
void psst_conversation_close(struct psst_conversation *conversation); /* NULL is safe */

const char *psst_conversation_name(const struct psst_conversation *conversation); /* follows a rename */
size_t psst_conversation_count(const struct psst_conversation *conversation);
const struct psst_item *psst_conversation_item(const struct psst_conversation *conversation, size_t i);
/* Its place by serial; count when it is not in the window any more. */
size_t psst_conversation_find(const struct psst_conversation *conversation, uint64_t serial);

bool psst_conversation_loaded(const struct psst_conversation *conversation); /* the first page is there */
bool psst_conversation_has_older(const struct psst_conversation *conversation);
bool psst_conversation_has_newer(const struct psst_conversation *conversation); /* the window is not at the end */
/* Messages that came behind the window since it left the end. */
uint64_t psst_conversation_below(const struct psst_conversation *conversation);

/* Why the page that was asked for last did not come: a sentence, "" while nothing is amiss. It is asked for by older or newer
 * when one wants it again; who only looks leaves it alone. */
const char *psst_conversation_trouble(const struct psst_conversation *conversation);

/* Ask for a page at that side, unless one is under way or there is none; for the first one when that did not come. */
void psst_conversation_older(struct psst_conversation *conversation);
void psst_conversation_newer(struct psst_conversation *conversation);
/* The window anew, around a message, or at the end, or at the very beginning. */
void psst_conversation_jump(struct psst_conversation *conversation, int64_t seq);
void psst_conversation_end(struct psst_conversation *conversation);
void psst_conversation_beginning(struct psst_conversation *conversation);

/* The person sees everything up to this item: psstd is told, once for each new highest message. */
void psst_conversation_shown(struct psst_conversation *conversation, size_t i);

#endif
