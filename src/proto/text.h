/* The text conversation, the part that the wire needs: which of our texts are not acknowledged yet. It feeds the rule that
 * a session is dead after 12 s without a sign of life while data waits, and bounds what is under way; the outbox itself is
 * the store's. */
#ifndef PSST_PROTO_TEXT_H
#define PSST_PROTO_TEXT_H

#include "proto/chunk.h"

#define PSST_TEXT_OUTSTANDING_MAX 1024

struct psst_text_slot;

struct psst_text_outstanding { /* a hash set; takes memory only while something is in it */
    struct psst_text_slot *slots;
    size_t cap; /* a power of two */
    size_t count;
};

/* PSST_ERR_AGAIN when PSST_TEXT_OUTSTANDING_MAX are under way. An id that is there already stays. */
PSST_MUST_USE enum psst_err psst_text_outstanding_add(struct psst_text_outstanding *set, const struct psst_msg_id *id);
/* Whether it was there. */
bool psst_text_outstanding_remove(struct psst_text_outstanding *set, const struct psst_msg_id *id);
void psst_text_outstanding_fini(struct psst_text_outstanding *set);

#endif
