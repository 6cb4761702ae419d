/* The simulator: people with keys, links between them over bad networks, one virtual clock. Every choice comes from the
 * seed, so a failure is repeated by its seed: PSST_SIM_SEED=n runs one story with that seed alone, PSST_SIM_TIMES=n runs n
 * times as many seeds.
 *
 * Each end has a small application on top, which talks. What number i of a speaker says follows from the seed, so that
 * the listener knows every byte that it must hear, and in which order. */
#ifndef PSST_SIM_H
#define PSST_SIM_H

#include "net.h"

#include "proto/link_internal.h"
#include "proto/replay.h"
#include "proto/session_send.h"
#include "support/check.h"

#define SIM_SECOND UINT64_C(1000000000)
#define SIM_CALLS  4

struct sim;

struct sim_person {
    struct sim *sim;
    const struct psst_rsa_private *key; /* both loaded once for the program */
    struct psst_rsa_public *pub;
    struct psst_link_config config;
    struct det_rng rng_state;
    struct psst_rng rng;
    struct psst_replay_cache *seen;
    const struct sim_person *knows; /* the one contact; NULL: nobody */
    struct psst_pair_secret psk;
    uint64_t thinks_ns; /* how long a question takes at most: private operation, disk */
    bool one_session;   /* cuts duplicates down, as the daemon does */
    bool silent;        /* says nothing to who calls, once it knows who claims to be there */
};

struct sim_end {
    struct sim_person *self, *other;
    struct psst_link *link; /* NULL once it has ended */
    struct net_pipe *in, *out;
    size_t scratch_len;
    bool deaf; /* the driver does not read */
    /* who takes what a call brings (CALL, VOICE); NULL: nobody */
    void (*on_call)(struct sim *s, struct sim_end *e, const struct psst_event *ev);
    void *person; /* on_call's */

    struct { /* open; type NONE: no question is */
        enum psst_event_type type;
        uint64_t at_ns; /* when it will be answered */
        uint8_t mac[32];
        uint64_t day;
        uint8_t x[PSST_KEM_LEN];
        struct psst_fpr fpr;
    } question;

    /* talking */
    size_t to_say, said, acked; /* texts */
    uint64_t say_every_ns, say_ns;
    uint64_t bulk, bulk_sent; /* file data to send, sent */
    struct psst_buf to_ack;   /* ids, on their way to the disk */
    uint64_t ack_ns;

    /* what was seen */
    size_t heard; /* texts, all right and in order */
    uint64_t bulk_heard;
    size_t presences, meets;             /* those seen, and the last of them */
    struct psst_presence_chunk presence; /* without its text */
    struct psst_meet_chunk meet;
    size_t failed, established, ended, rekeyed, pongs, refused, strange_acks;
    enum psst_link_end end;
    uint8_t reason;
    uint64_t failed_ns, established_ns, ended_ns, begun_ns, last_out_ns;
    bool ended_input;
};

struct sim_call {
    struct sim_end caller, callee;
    struct net_pipe up, down; /* caller to callee, and back */
};

struct sim {
    const char *story;
    uint64_t seed;
    struct det_rng rng_state;
    struct psst_rng rng; /* of the network and the story */
    struct psst_now now;
    struct net_weather weather;   /* of calls to come */
    size_t longest;               /* bytes of one text at most */
    struct sim_person alice, bob; /* they know each other; alice has the smaller fingerprint */
    struct sim_call *calls[SIM_CALLS];
    size_t n_calls;
};

typedef void sim_story(struct sim *s);

/* Runs the story once for each of so many seeds. */
void sim_tell(const char *name, sim_story *story, uint64_t seeds);
/* A cmocka test that does. */
#define SIM_SCENARIO(name, story, seeds)                                                                               \
    static void name(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        sim_tell(#name, story, seeds);                                                                                 \
    }

/* Fails the test, and says with which seed. */
#define SIM_CHECK(s, cond)                                                                                             \
    do {                                                                                                               \
        if (!(cond)) sim_fail(s, __FILE__, __LINE__, #cond);                                                           \
    } while (0)
void sim_fail(const struct sim *s, const char *file, int line, const char *what);

uint64_t sim_draw(struct sim *s, uint64_t lo, uint64_t hi);
/* Draws a network, from good to bad: up to 0.3 s of delay and as much jitter, from 64 kB/s, any pieces but drips. */
void sim_draw_weather(struct sim *s);

/* A connection is there, caller's M1 in it. */
struct sim_call *sim_call(struct sim *s, struct sim_person *from, struct sim_person *to);
/* A connection is there whose caller is nobody of ours: the story writes into up, and reads the tape of down. */
struct sim_call *sim_stranger(struct sim *s, struct sim_person *to);

void sim_run(struct sim *s, uint64_t ns);
/* Until both are established, which they must be within the deadline. */
void sim_establish(struct sim *s, struct sim_call *c);
/* The end will say n texts more, at random times, every on the average. */
void sim_chat(struct sim_end *e, size_t n, uint64_t every_ns);
/* Runs until all has been said, heard and acknowledged, at most so long. */
void sim_run_talk(struct sim *s, struct sim_call *c, uint64_t at_most_ns);
bool sim_all_heard(const struct sim_end *from, const struct sim_end *to);
void sim_bye(struct sim *s, struct sim_end *e, uint8_t reason);
/* One chunk of any kind, sealed as the session would. */
void sim_send_chunk(struct sim *s, struct sim_end *e, uint8_t id, const void *data, size_t len);
/* Both directions become a black hole. */
void sim_swallow(struct sim_call *c);

/* ---- end.c, for sim.c ---- */
bool sim_end_step(struct sim *s, struct sim_end *e); /* does what is due; false when nothing was */
uint64_t sim_end_next(const struct sim_end *e);      /* when something will be */

#endif
