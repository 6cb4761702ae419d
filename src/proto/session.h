/* What happens after the handshake: records are opened, their chunks dispatched through a table; chunks are padded, sealed
 * and appended to the link's output. Sans-I/O like the link, which owns the streams and drives this; nobody else calls it.
 * Kept small: an idle session is this struct and nothing on the heap. No cipher context lives longer than one record.
 */
#ifndef PSST_PROTO_SESSION_H
#define PSST_PROTO_SESSION_H

#include "proto/link.h"
#include "proto/record.h"
#include "proto/rekey.h"
#include "proto/stream.h"
#include "proto/text.h"
#include "proto/timers.h"

/* Something that may happen so many times in a period. */
struct psst_limit {
    uint64_t start_ns;
    uint32_t count;
};
/* Counts one more; false when over most in this period. */
bool psst_limit_take(struct psst_limit *limit, uint64_t now_ns, uint64_t period_ns, uint32_t most);

struct psst_session {
    const struct psst_rng *rng;   /* borrowed */
    struct psst_output *output;   /* the link's */
    struct psst_rsa_public *peer; /* a reference */
    enum psst_role role;

    struct psst_record_state in, out;
    struct psst_aead_key v_ab, v_ba;
    struct psst_chain_key rk;
    struct psst_hash hash;
    struct psst_pair_secret psk;
    struct psst_rekey *rekey; /* NULL: none runs */

    struct psst_timers timers;
    struct psst_text_outstanding texts;
    struct psst_buf acks; /* ids collected for the next output */
    struct psst_link_counters counters;
    struct psst_limit unknown, unknown_acks, receipts, early_rekeys, presences, meets;
    uint8_t ping[8];                /* what our last ping held */
    uint32_t body_len;              /* of the record whose head has opened; 0: none has */
    uint64_t closing_ns;            /* after our bye: when to end at the latest; PSST_NEVER: no bye yet */
    struct psst_session_call *call; /* NULL: there has been none */

    bool asked;    /* DECAPSULATE is open */
    bool answered; /* and answered: secret, or failed when !secret_ok */
    bool secret_ok;
    bool placed; /* between begin and commit */
    bool ended;  /* end is to be reported */
    bool opened; /* a record of the peer's has opened */
    enum psst_link_end end;
    uint8_t end_reason;
    struct psst_kem_secret secret;
};

/* keys and psk are copied, peer is referenced, rng and output borrowed until fini. */
void psst_session_init(struct psst_session *s, enum psst_role role, const struct psst_session_keys *keys,
                       struct psst_rsa_public *peer, const struct psst_pair_secret *psk, const struct psst_rng *rng,
                       struct psst_output *output, uint64_t now_ns);
/* Wipes everything. */
void psst_session_fini(struct psst_session *s);

/* Works off input and time until something is to be reported: true, and ev is filled (ENDED: call fini and nothing
 * more). false: nothing more to do now. */
bool psst_session_next(struct psst_session *s, struct psst_input *in, bool eof, uint64_t now_ns, struct psst_event *ev);
uint64_t psst_session_deadline(const struct psst_session *s);
/* False while nothing may be read: a question is open, or the other side sends and does not read. */
bool psst_session_wants_input(const struct psst_session *s);
/* The length of the record that is being read, 0 when its head has not come yet. */
size_t psst_session_expects(const struct psst_session *s);

/* The answer to DECAPSULATE; NULL: failed. */
void psst_session_decapsulated(struct psst_session *s, const struct psst_kem_secret *secret);
/* A ping now, whatever was said last. */
void psst_session_probe(struct psst_session *s, uint64_t now_ns);
void psst_session_paused(struct psst_session *s, uint64_t now_ns, bool paused);
/* Output has been taken, or all of it. */
void psst_session_output_moved(struct psst_session *s, uint64_t now_ns);
/* Seals what was collected: before the output is looked at. */
void psst_session_flush(struct psst_session *s, uint64_t now_ns);

/* ---- sending: as the functions of the link that bear the same name ---- */
PSST_MUST_USE enum psst_err psst_session_text(struct psst_session *s, uint64_t now_ns, const struct psst_text *text);
PSST_MUST_USE enum psst_err psst_session_ack(struct psst_session *s, uint64_t now_ns, const struct psst_msg_id *id);
PSST_MUST_USE enum psst_err psst_session_not_accepted(struct psst_session *s, uint64_t now_ns,
                                                      const struct psst_msg_id *id, uint8_t reason);
PSST_MUST_USE enum psst_err psst_session_read(struct psst_session *s, uint64_t now_ns, const struct psst_msg_id *ids,
                                              size_t n);
PSST_MUST_USE enum psst_err psst_session_file(struct psst_session *s, uint64_t now_ns,
                                              const struct psst_file_chunk *chunk);
PSST_MUST_USE enum psst_err psst_session_presence(struct psst_session *s, uint64_t now_ns,
                                                  const struct psst_presence_chunk *presence);
PSST_MUST_USE enum psst_err psst_session_meet(struct psst_session *s, uint64_t now_ns,
                                              const struct psst_meet_chunk *meet);
PSST_MUST_USE enum psst_err psst_session_place(struct psst_session *s, struct psst_span *place);
PSST_MUST_USE enum psst_err psst_session_commit(struct psst_session *s, uint64_t now_ns, const struct psst_msg_id *id,
                                                uint64_t offset, size_t len);
void psst_session_bye(struct psst_session *s, uint64_t now_ns, uint8_t reason);

#endif
