/* Plays handshakes between two ends in memory, one message at a time, so that a test can stop anywhere and hand in
 * something else. Fails the cmocka test on what must not happen. */
#ifndef PSST_TESTS_PLAY_H
#define PSST_TESTS_PLAY_H

#include "proto/handshake_internal.h"
#include "proto/replay.h"
#include "support/check.h"
#include "support/det_rng.h"
#include "support/vectors.h"

/* Gives what was pushed, in order, then what follows from its seed. */
struct play_rng {
    struct psst_rng rng;
    struct det_rng rest;
    size_t len, at;
    uint8_t script[1024];
};

#define PLAY_MESSAGES 5

struct play {
    /* set by play_init; a test may change them before the step they matter in */
    const struct psst_rsa_private *caller_key, *callee_key; /* whose decapsulations answer */
    const struct psst_rsa_public *contact;                  /* the callee's book on the claim; NULL: unknown */
    const struct psst_pair_secret *callee_psk;
    struct psst_replay_cache *cache; /* NULL: none is asked */
    uint64_t callee_day;
    struct psst_view caller_z, caller_r, callee_z, callee_r; /* from the vectors; else empty */

    struct psst_handshake *caller, *callee;
    struct play_rng caller_rng, callee_rng;
    uint8_t m[PLAY_MESSAGES + 1][PSST_M4_LEN]; /* m[1] to m[5]: as last written */
    struct psst_fpr claimed;
    uint64_t matched_day;
    struct psst_session_keys caller_keys, callee_keys;
};

#define PLAY_DAY UINT64_C(20254)

/* Keys of tests/vectors/keys, loaded once for the whole program. */
const struct psst_rsa_private *play_key(const char *name);
const struct psst_rsa_public *play_public(const char *name);

size_t play_message_len(int n);

/* caller and callee are names of keys that know each other, with features 1 = 7 and 2 = nothing; psk may be NULL. */
void play_init(struct play *p, const char *caller, const char *callee, const struct psst_pair_secret *psk);
/* From one object of handshake.json: everything that is drawn is drawn as it says. */
void play_init_vector(struct play *p, const json_t *handshake);
void play_fini(struct play *p);

/* Message n is written by its sender into p->m[n]. */
enum psst_err play_write(struct play *p, int n);
/* message is read by the recipient of message n, decapsulation and replay cache included. PSST_ERR_EXISTS: the replay
 * cache knew it. */
enum psst_err play_read(struct play *p, int n, const uint8_t *message);
/* Writes and reads all messages before n, which must succeed, then writes n. */
void play_until(struct play *p, int n);

/* The handshake has ended and refuses every function with PSST_ERR_USAGE, writing nothing. */
void play_assert_ended(struct psst_handshake *hs);

#endif
