/* The inside of a link, for link.c, and for the tests, which turn its clocks and counters forward. */
#ifndef PSST_PROTO_LINK_INTERNAL_H
#define PSST_PROTO_LINK_INTERNAL_H

#include "proto/opening.h"
#include "proto/session.h"

enum psst_link_phase {
    PSST_LINK_OPENING,
    PSST_LINK_SESSION,
    PSST_LINK_VOID, /* callee: failed; swallows, says nothing, closes at its random moment */
    PSST_LINK_OVER,
};

struct psst_link {
    const struct psst_link_config *config; /* borrowed */
    enum psst_link_phase phase;
    bool eof;
    bool broken;  /* out of memory outside of next: to be reported by it */
    bool hung_up; /* bye before there was a session */
    uint8_t features_len;
    uint8_t *features;   /* the peer's, once established; NULL: none */
    struct psst_now now; /* as last told */
    struct psst_input in;
    struct psst_output out;
    struct psst_opening *opening; /* NULL once it is over */
    struct psst_duplicate_session times;
    uint64_t void_ns; /* callee: when the void would end */
    size_t swallowed; /* bytes, in the void */
    struct psst_session session;
};

#endif
