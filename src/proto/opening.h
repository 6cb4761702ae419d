/* A link's handshake phase: which message is awaited, which question is open, by when. The cryptography is handshake.c's;
 * this is the order and the time. On the heap, from the link's beginning until it is established or failed.
 *
 *   caller  WAIT_M2 -> M3 -> WAIT_M4 -> ASK_ZB -> M5, done
 *   callee  WAIT_M1 -> ASK_ADMIT -> ASK_ZA -> M2 -> WAIT_M3 -> ASK_CONTACT -> HOLD_M4 (5 ms) -> M4 -> WAIT_M5, done
 */
#ifndef PSST_PROTO_OPENING_H
#define PSST_PROTO_OPENING_H

#include "proto/link.h"
#include "proto/stream.h"

enum psst_opening_state {
    PSST_OPENING_WAIT_M1,
    PSST_OPENING_ASK_ADMIT,
    PSST_OPENING_ASK_ZA,
    PSST_OPENING_WAIT_M3,
    PSST_OPENING_ASK_CONTACT,
    PSST_OPENING_HOLD_M4,
    PSST_OPENING_WAIT_M5,
    PSST_OPENING_WAIT_M2,
    PSST_OPENING_WAIT_M4,
    PSST_OPENING_ASK_ZB,
    PSST_OPENING_DONE,   /* keys and peer are there */
    PSST_OPENING_FAILED, /* end says why, which matters to the caller alone */
};

struct psst_opening {
    const struct psst_link_config *config; /* borrowed */
    struct psst_handshake *hs;             /* callee: NULL until M1 has come */
    struct psst_rsa_public *peer;          /* a reference; callee: NULL until the contact book has answered */
    struct psst_pair_secret psk;
    enum psst_opening_state state;
    enum psst_link_end end;
    bool answered; /* the open question has its answer: yes with it, or refused, failed, unknown */
    bool yes;
    bool silent; /* the caller is to believe that nobody is there */
    struct psst_kem_secret secret;
    uint64_t deadline_ns;
    uint64_t m4_ns; /* when M4 leaves */
    struct psst_duplicate_session times;
    struct psst_session_keys keys;
    uint8_t x[PSST_KEM_LEN];
    uint8_t m4[PSST_M4_LEN];
};

/* M1 goes to output. */
PSST_MUST_USE enum psst_err psst_opening_call(struct psst_opening **out, const struct psst_link_config *config,
                                              struct psst_rsa_public *peer, const struct psst_pair_secret *psk,
                                              struct psst_now now, struct psst_output *output);
PSST_MUST_USE enum psst_err psst_opening_accept(struct psst_opening **out, const struct psst_link_config *config,
                                                struct psst_now now);
/* Wipes and frees; NULL is safe. */
void psst_opening_free(struct psst_opening *o);

/* Goes on as far as input, answers and time allow. A question is left in ev. Afterwards state may be DONE or FAILED. */
void psst_opening_next(struct psst_opening *o, struct psst_input *in, struct psst_output *output, bool eof,
                       struct psst_now now, struct psst_event *ev);
uint64_t psst_opening_deadline(const struct psst_opening *o);
/* Whether a message is awaited: nobody who keeps to the protocol sends anything at other times. */
bool psst_opening_listens(const struct psst_opening *o);
/* The length of that message, 0 when none is awaited. */
size_t psst_opening_expects(const struct psst_opening *o);

/* Answers; those that answer no open question are ignored. */
void psst_opening_admit(struct psst_opening *o, bool admit);
void psst_opening_decapsulated(struct psst_opening *o, const struct psst_kem_secret *secret);
void psst_opening_contact(struct psst_opening *o, struct psst_rsa_public *contact, const struct psst_pair_secret *psk);
void psst_opening_silent(struct psst_opening *o);

#endif
