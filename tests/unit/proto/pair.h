/* Two links joined in memory by a perfect line: what one puts out, the other has at once. Time stands still but for
 * pair_pass. Questions are answered through crypto.h at once, or left open. For bad networks there is tests/sim. */
#ifndef PSST_TESTS_PAIR_H
#define PSST_TESTS_PAIR_H

#include "proto/link_internal.h"
#include "proto/session_send.h"
#include "support/check.h"
#include "support/det_rng.h"
#include "support/vectors.h"

#define PAIR_EVENTS (PSST_EV_ENDED + 1)

struct pair_end {
    struct psst_link *link;
    struct psst_link_config config;
    struct psst_rsa_private *key;
    struct psst_rsa_public *contact; /* the answer to CONTACT; NULL: unknown */
    struct psst_pair_secret psk;
    struct det_rng rng_state;
    struct psst_rng rng;
    /* how it answers; all true at first but leave_open */
    bool admit, decapsulates;
    bool leave_open;   /* questions are not answered */
    bool contact_late; /* nor is CONTACT */
    bool acks;         /* texts are acknowledged at once */
    /* what it has seen */
    size_t count[PAIR_EVENTS];
    struct psst_event last[PAIR_EVENTS]; /* with views into the copies below */
    uint8_t x[PSST_KEM_LEN];
    char text[PSST_TEXT_MAX + 1];
    uint8_t ids[PSST_RECORD_MAX], data[PSST_RECORD_MAX];
    char name[256], presence[PSST_PRESENCE_MAX];
    uint8_t opus[PSST_CALL_FRAME_MAX];
    bool tolerant;    /* what cannot be sent is not a failed test */
    size_t piece;     /* at most so many bytes a read; 0: as they come */
    size_t bytes_out; /* that have left it */
};

struct pair {
    struct pair_end a, b; /* a calls */
    struct psst_now now;
    bool a_to_b, b_to_a; /* whether that direction carries; output stays where it is otherwise */
};

/* Keys a1024 and b1024, who know each other; the call has been made and accepted, nothing has been carried yet. */
void pair_init(struct pair *p);
void pair_fini(struct pair *p);
/* The other end of e. */
struct pair_end *pair_other(struct pair *p, struct pair_end *e);
/* Works off what is there now, both ways, until nothing moves. */
void pair_settle(struct pair *p);
/* Time goes by, deadline after deadline. */
void pair_pass(struct pair *p, uint64_t ns);
/* Settles through the handshake: both are established. */
void pair_establish(struct pair *p);
/* Bytes for one end that the other did not send. */
void pair_inject(struct pair *p, struct pair_end *to, const void *data, size_t len);
/* One text with this id number and this body. */
enum psst_err pair_say(struct pair *p, struct pair_end *from, uint64_t number, const char *utf8);
/* One chunk of any kind, sealed as the session would. */
void pair_send_chunk(struct pair *p, struct pair_end *from, uint8_t id, const void *data, size_t len);
/* The end's session is over, for this reason. */
void pair_assert_ended(const struct pair_end *e, enum psst_link_end end);

#endif
