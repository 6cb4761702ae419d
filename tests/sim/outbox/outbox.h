/* The simulator of the outbox: two daemons' worth of text, with disks that lose their power.
 *
 *   people.c    what users do: say, recall, read, pause; and what was promised to whom
 *   [ src/daemon/delivery/  , the real ones ]
 *   seams.c     the few functions of psstd that those call, played: book, peers, events, the loop's timer
 *   store.c     the store thread in virtual time, over the real src/store on a disk of tests/support/fault_vfs; power
 *   line.c      connections: the real links over the bad network of tests/sim/net
 *   world.c     the clock, the mishaps, the last check
 *
 * Every choice comes from the seed. A promise is checked as soon as it is made - a text leaves that the store does not call
 * sent, an acknowledgement whose text is not in the store - and again against what a disk has left after each cut, and in
 * the end, when everything must have arrived: once, in the order of saying.
 */
#ifndef PSST_SIM_OUTBOX_H
#define PSST_SIM_OUTBOX_H

#include "../net.h"

#include "daemon/delivery/delivery.h"
#include "proto/link.h"
#include "support/check.h"
#include "support/det_rng.h"
#include "support/fault_vfs.h"

#define OB_SECOND  UINT64_C(1000000000)
#define OB_MS      UINT64_C(1000000)
#define OB_TEXTS   400 /* of one person in one story */
#define OB_LINES   24  /* connections alive, or not quite gone */
#define OB_NEVER   UINT64_MAX
#define OB_ID_SIZE 33

struct ob_world;
struct ob_party;

/* ---- one text: number n of its speaker ---- */

struct ob_text {
    size_t len;
    char id[OB_ID_SIZE]; /* hex; empty: nobody has told us */
    bool confirmed;      /* `say` came back with success */
    bool failed;         /* it came back with an error */
    bool wired;          /* handed to a link */
    bool recalled;       /* the user was told so, or the store says so */
    bool delivered;      /* the user was told so */
    bool stored_there;   /* a commit over there was successful */
    bool shown_there;    /* to the user over there */
    unsigned told_there; /* notifications of its arrival */
};

/* ---- one side ---- */

struct ob_job; /* store.c */

struct psst_store_thread {
    struct ob_party *p;
    struct ob_job *queue, **queue_end;       /* not yet run */
    struct ob_job *finished, **finished_end; /* committed, not yet told */
    uint64_t run_ns, tell_ns;                /* when the thread takes the queue; when the loop hears of it */
};

struct psst_peers {
    struct ob_party *p;
};
struct psst_book {
    struct ob_party *p;
};

/* One end of a connection. */
struct psst_conn {
    struct ob_party *p;
    struct psst_conn *other; /* the other end; NULL: it is gone */
    struct psst_link *link;  /* NULL: over */
    struct psst_contact *contact;
    struct net_pipe in; /* to us */
    uint64_t serial;
    unsigned holds;
    bool used, ended_input;
};

struct ob_party {
    struct ob_world *w;
    const char *name;
    char letter; /* what its texts begin with */
    struct ob_party *other;
    struct psst_rsa_private *key;
    struct psst_rsa_public *pub;
    struct psst_link_config config;

    /* while it runs */
    bool up;
    unsigned life; /* which */
    struct psst_daemon d;
    struct psst_contact *contact;
    struct psst_store_thread thread;
    struct psst_peers peers;
    struct psst_book book;
    uv_loop_t loop;
    uint64_t alarm_ns;
    uv_timer_t *alarm;
    uv_timer_cb alarm_cb;
    uint64_t dial_ns;

    /* while it does not */
    uint64_t back_ns;
    bool lost_power; /* else the program alone died */
    bool kills;      /* the cut that is planned is one of that kind */

    /* what lasts */
    char path[200];
    struct fault_disk *disk;
    struct psst_store *store; /* NULL: closed */
    int64_t noted_seq;        /* up to which what came in was noted */
    int64_t contact_id;
    struct psst_conn conns[OB_LINES];

    /* the user */
    struct ob_text texts[OB_TEXTS];
    size_t n_texts, to_say;
    uint64_t say_ns, read_ns, recall_ns, pause_ns, trouble_ns;
    enum { OB_TROUBLE_NONE, OB_TROUBLE_RESERVE, OB_TROUBLE_FLAKY, OB_TROUBLE_DISK } trouble; /* until trouble_ns */
};

struct ob_tally {
    unsigned long stories, cuts, crashes, stops, full, io, reserve, flaky, syncs, breaks, texts, recalls, receipts,
        sessions;
};
extern struct ob_tally ob_tally;

struct ob_world {
    uint64_t seed;
    struct det_rng rng_state;
    struct psst_rng rng;
    struct psst_now now;
    struct net_weather weather;
    char dir[128];
    struct ob_party alice, bob;
    bool history, receipts;
    uint64_t mishap_ns;
    unsigned mishaps; /* still to come */
    uint64_t serials;
};

/* One story; cuts of power are counted in ob_tally. */
void ob_story(uint64_t seed);
/* After one that failed: its folder. */
void ob_clean_up(void);

void ob_fail(const struct ob_world *w, const char *file, int line, const char *what);
#define OB_CHECK(w, cond)                                                                                              \
    do {                                                                                                               \
        if (!(cond)) ob_fail(w, __FILE__, __LINE__, #cond);                                                            \
    } while (0)
/* With PSST_SIM_TRACE set: what happens, when. */
void ob_trace(const struct ob_world *w, const char *fmt, ...) PSST_PRINTF(2, 3);
uint64_t ob_draw(struct ob_world *w, uint64_t lo, uint64_t hi);
bool ob_chance(struct ob_world *w, unsigned percent);
uint64_t ob_soon(struct ob_world *w, uint64_t lo_ms, uint64_t hi_ms); /* a moment from now */

/* ---- store.c ---- */

void ob_store_open(struct ob_party *p);
/* Whatever waits for it is told that it is locked, and nobody is there to hear it. */
void ob_store_drop_jobs(struct ob_party *p);
bool ob_store_step(struct ob_party *p);
uint64_t ob_store_next(const struct ob_party *p);
/* Runs all jobs at once, as at an orderly end. */
void ob_store_drain(struct ob_party *p);

/* The committed row of an id; false: there is none. */
struct ob_row {
    int64_t seq;
    int state;
    bool sent;
};
bool ob_store_row(struct ob_party *p, const struct psst_msg_id *id, enum psst_direction direction, struct ob_row *row);
/* Everything that was promised, against what is there. */
void ob_store_check(struct ob_party *p);

/* ---- line.c ---- */

void ob_dial(struct ob_party *p);
bool ob_line_step(struct psst_conn *conn);
uint64_t ob_line_next(const struct psst_conn *conn);
/* All connections of a side that is no more: the others hear of it, or not. */
void ob_lines_gone(struct ob_party *p, bool silently);
void ob_lines_bye(struct ob_party *p);
/* Something happens to one that stands. */
void ob_line_break(struct ob_party *p);
void ob_lines_free(struct ob_party *p);

/* ---- people.c ---- */

void ob_people_begin(struct ob_party *p);
bool ob_people_step(struct ob_party *p);
uint64_t ob_people_next(const struct ob_party *p);
/* Everything is said, and settled. */
bool ob_people_done(const struct ob_party *p);
/* A notification of the daemon. */
void ob_people_event(struct ob_party *p, const char *event, const json_t *params);
/* Which of p's texts this is; NULL: none. The text is looked at when it is there. */
struct ob_text *ob_text_of(struct ob_party *p, const char *id, struct psst_view utf8);
/* Text number i of p, whole. */
struct psst_view ob_speech(const struct ob_party *p, size_t i);

/* ---- world.c ---- */

/* The power goes, or the program dies. */
void ob_cut(struct ob_party *p, bool power);

#endif
