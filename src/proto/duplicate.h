/* Two sessions with one contact: which of them stays (docs/PROTOCOL.md, "Both dial at once, and duplicates").
 *
 * The side with the smaller fingerprint decides: the session that completed last stays, unless the two M1 crossed and
 * neither session has opened a record yet; then the one that the deciding side called. It closes the other with bye
 * (duplicate); the other side keeps both until told.
 */
#ifndef PSST_PROTO_DUPLICATE_H
#define PSST_PROTO_DUPLICATE_H

#include "proto/handshake.h"

struct psst_duplicate_session {
    enum psst_role role;      /* ours in this session */
    uint64_t m1_at_ns;        /* M1 sent (caller) or read (callee), our clock */
    uint64_t m2_at_ns;        /* M2 read (caller) or sent (callee), our clock */
    uint64_t completed_at_ns; /* M5 sent or read */
    bool opened_record;       /* a record of the peer's has opened */
};

enum psst_duplicate_verdict {
    PSST_DUPLICATE_KEEP_BOTH, /* not ours to decide: wait to be told */
    PSST_DUPLICATE_CLOSE_OLD,
    PSST_DUPLICATE_CLOSE_NEW,
};

/* newer completed after older. Crossed: one was called by us, the other by the peer, and the peer's M1 reached us
 * before our own call's M2 did, and after our M1 had left. */
enum psst_duplicate_verdict psst_duplicate_decide(const struct psst_fpr *self, const struct psst_fpr *peer,
                                                  const struct psst_duplicate_session *older,
                                                  const struct psst_duplicate_session *newer);

#endif
