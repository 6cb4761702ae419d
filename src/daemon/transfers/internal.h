/* What the files of transfers share. Nothing else includes this.
 *
 *   transfers.c          the list; what comes from the peer; sessions       transfers/load.c     from the store, and back out
 *   transfers/decide.c   what our user decides                              transfers/rows.c     into the store
 *   transfers/offer.c    offering                                           transfers/json.c     as user interfaces see it
 *   transfers/out.c      sending                                            transfers/limit.c    the limit on bandwidth
 *   transfers/offered.c  what is offered to us              transfers/voice.c    voice messages
 *   transfers/in.c       receiving                                          transfers/finish.c   the end of receiving
 *
 *   out:  WAITING --accept--> ACCEPTED: in line -> sending -> all sent, unacknowledged --ack--> DONE
 *   in:   WAITING --user----> ACCEPTED: in line -> sink opening -> receiving -> finishing -> settling --> DONE, acknowledged
 *         and from anywhere: DECLINED, FAILED
 *
 * A run is what happens between an accept and the end of the session, or a pause. It begins where the receiver has
 * everything safe: synced, and noted in the row afterwards. On each session the sender offers again all that is not
 * ended, and the receiver accepts again all that is accepted; each is harmless when it crosses the other. While a contact
 * has two connections for a moment, a run stays on the one that it was accepted on.
 *
 * Streams have one run alone: what has gone through a pipe cannot be had a second time.
 *
 * In memory is what is not over, and the last PSST_TRANSFERS_ENDED that ended since psstd began; what became of others is
 * looked up in the store. A transfer is freed only by psst_transfer_add, forget and unloaded, so that a walk over the list
 * may end what it meets.
 */
#ifndef PSST_DAEMON_TRANSFERS_INTERNAL_H
#define PSST_DAEMON_TRANSFERS_INTERNAL_H

#include "base/bucket.h"
#include "base/map.h"
#include "daemon/daemon.h"
#include "daemon/delivery/delivery.h"
#include "daemon/safe_file.h"
#include "daemon/tar/tar.h"
#include "daemon/transfers/io.h"
#include "daemon/transfers/pace.h"

#define PSST_TRANSFERS_UNDECIDED                                                                                       \
    256                           /* offers of one contact that wait for the user; more are left for the next session */
#define PSST_TRANSFERS_SINKS   16 /* files that come in at a time, and as many streams */
#define PSST_TRANSFERS_SHARE   4  /* of these, of one contact: who sends nothing holds up himself alone */
#define PSST_TRANSFERS_STREAMS 8  /* streams that run to one contact at a time, beside one file */
#define PSST_TRANSFERS_ENDED   100
#define PSST_TRANSFERS_REFUSED 16   /* unknown transfers of one contact that were cancelled lately: told once */
#define PSST_TRANSFERS_LOOKUPS 4096 /* a minute and contact, in the store */
#define PSST_TRANSFER_RUNS     32   /* of one transfer in one session, and one more every two seconds */
#define PSST_TRANSFER_RUN      2    /* what one of these takes from its bucket, into which one flows in a second */
#define PSST_TRANSFER_OURS     0x80 /* in a stored reason: it was decided on this side */
#define PSST_STREAM_WINDOW     ((uint64_t)3 * PSST_IO_BLOCK) /* under PSST_IO_FULL: the socket is never held for a stream */

enum psst_transfer_stage {
    PSST_STAGE_IDLE,    /* nothing happens in this session */
    PSST_STAGE_IN_LINE, /* out: accepted by the peer, others are sent first; in: too many others come in */
    PSST_STAGE_OPENING, /* in: the sink */
    PSST_STAGE_RUNNING,
    PSST_STAGE_DRAINING,  /* in: paused by us; what still comes of the run is dropped until the sender has answered */
    PSST_STAGE_FINISHING, /* out: all is sent; in: the rest is written and compared */
    PSST_STAGE_SETTLING,  /* in: it is whole and has its name; that is being noted */
};

struct psst_transfer {
    struct psst_transfers *all;
    struct psst_transfer *next, *prev; /* by id */
    struct psst_map_node by_id, by_key;
    int64_t id, contact_id;
    struct psst_msg_id transfer_id;
    enum psst_direction direction;
    enum psst_transfer_state state;
    uint8_t reason; /* enum psst_file_reason, PSST_TRANSFER_OURS */
    uint8_t form;   /* enum psst_file_form */
    uint32_t flags; /* enum psst_transfer_flags */
    int64_t rank;   /* out: the smallest goes first, among equals the oldest */
    uint64_t size;  /* PSST_TRANSFER_SIZE_UNKNOWN: of a stream */
    uint64_t safe;  /* the row's offset */
    uint64_t created_ms;
    int64_t mtime_ns;
    uint64_t inode;
    uint64_t noted_inode;           /* in: the one that the store is known to hold */
    char *name, *path;              /* owned */
    char *words;                    /* owned; what a system said, more exact than the reason; NULL: nothing */
    struct psst_tar_facts contents; /* out, of a folder that this psstd has looked at; else zeros */
    /* alive */
    enum psst_transfer_stage stage;
    unsigned keeping; /* rows on their way into the store */
    bool noting;  /* in: the part file's number is on its way there, and the peer hears of the acceptance after it */
    bool counted; /* in the contact's unfinished */
    bool taking;  /* in: a voice message that is about to be accepted without asking, if that can be */
    bool peer_paused; /* the other side's user has paused it */
    bool spent;       /* out: a stream of which something has been sent */
    bool offered;     /* out: since psstd began */
    bool whole;       /* in: it has its name, but that could not be noted yet */
    uint64_t serial;  /* of the connection on which it was accepted: its data runs there and nowhere else; 0: none */
    uint64_t start;   /* offset of this run */
    uint64_t reached; /* how far the last run came */
    uint64_t window;  /* streams: up to where the receiver wants it */
    struct psst_bucket runs;
    struct psst_pace pace;
    struct psst_file_source *source;
    struct psst_file_sink *sink;
    bool sink_closing;         /* the disk is not done with the last sink yet */
    uint64_t held;             /* serial of the connection that is not read because the sink is full; 0: none */
    uint64_t checkpoint_bytes; /* position and time of the last checkpoint */
    uint64_t checkpoint_ns;
    uint64_t told_ns; /* of the last event */
    bool owed;        /* more has moved since than it said */
    int fd;           /* streams: our user's end of it; -1: none (any more) */
    uint64_t client;  /* streams: the user interface that it is for; 0: none */
};

struct psst_transfers {
    struct psst_daemon *d;
    struct psst_transfer *first, *last;
    struct psst_map by_id, by_key;
    unsigned generation;             /* of the unlocked identity: what an older job brings is dropped */
    unsigned sinks;                  /* that are open or being closed, also of earlier generations */
    unsigned stream_sinks;           /* of these */
    unsigned ended;                  /* in the list */
    char tar_program[PSST_PATH_MAX]; /* psst-tar; "": there is none */
    uv_signal_t child_ended;         /* one of psst-tar's, perhaps */
    bool loaded;
    void (*quiet)(void *ctx); /* once no sink is open */
    void *quiet_ctx;
    struct psst_bucket limit; /* of all that goes out */
    uv_timer_t limit_timer;   /* runs only while limited data waits */
    uv_timer_t owed_timer;    /* runs only while some transfer's figures are owed to user interfaces */
    int64_t served;           /* the contact that had the first turn after the limit the last time */
};

/* Of one contact. */
struct psst_courier_files {
    struct psst_transfer *sending; /* the file that runs outwards */
    struct psst_transfer *streams[PSST_TRANSFERS_STREAMS];
    size_t n_streams;
    size_t turn; /* whose record is next */
    struct psst_msg_id refused[PSST_TRANSFERS_REFUSED];
    unsigned n_refused;
    unsigned storing;   /* offers on their way into the store */
    unsigned withdrawn; /* offers that were taken back before our user had decided; all that there ever were */
    uint64_t offers_ns; /* limits how many offers a contact can have stored */
    struct psst_bucket lookups;
};

/* ---- transfers.c ---- */

struct psst_contact *psst_transfer_contact(const struct psst_transfer *t);    /* NULL: it is being removed */
struct psst_courier_files *psst_transfer_files(struct psst_contact *contact); /* NULL: out of memory */
struct psst_transfer *psst_transfer_find(struct psst_transfers *transfers, int64_t contact_id,
                                         const struct psst_msg_id *id, enum psst_direction direction);
struct psst_transfer *psst_transfer_by_id(struct psst_transfers *transfers, int64_t id);
/* From a row, not in any list; NULL: out of memory. free closes what is its own, and takes its hands off nothing else. */
struct psst_transfer *psst_transfer_new(struct psst_transfers *transfers, const struct psst_transfer_row *row);
void psst_transfer_free(struct psst_transfer *t);
/* Into the list; the oldest of the ended ones leave it. */
void psst_transfer_add(struct psst_transfers *transfers, struct psst_transfer *t);
bool psst_transfer_is_over(const struct psst_transfer *t);
/* Nothing moves because somebody wants it so. */
bool psst_transfer_is_paused(const struct psst_transfer *t);
/* Over: whatever runs is stopped, the row is stored, everybody here is told. words may be NULL. then as in
 * psst_transfer_keep. */
typedef void psst_transfer_then(struct psst_transfer *t, enum psst_err err, const char *words, void *ctx);
void psst_transfer_end(struct psst_transfer *t, enum psst_transfer_state state, uint8_t reason, const char *words);
void psst_transfer_end_then(struct psst_transfer *t, enum psst_transfer_state state, uint8_t reason, const char *words,
                            psst_transfer_then *then, void *ctx);
/* A chunk without data on the contact's session, if there is one. */
void psst_transfer_say(struct psst_contact *contact, struct psst_daemon *d, const struct psst_file_chunk *chunk);
void psst_transfer_say_kind(struct psst_transfer *t, uint8_t kind, uint8_t reason);
/* Cancels a transfer that we do not know: once. */
void psst_transfer_refuse(struct psst_transfers *transfers, struct psst_contact *contact, const struct psst_msg_id *id);
/* We end it, for this reason, and the other side is told. */
void psst_transfer_fail(struct psst_transfer *t, uint8_t reason, const char *words);
/* Our user's end of a stream is closed, so that he knows, and so does whoever he is connected to. */
void psst_transfer_close_stream(struct psst_transfer *t);
/* A stream that something of has gone through cannot go on: with how far it came. */
void psst_transfer_cut_off(struct psst_transfer *t);
/* Whether this contact may have the store asked about one more transfer. */
bool psst_transfer_may_look_up(struct psst_transfers *transfers, struct psst_contact *contact);

/* ---- transfers/rows.c ---- */

/* Stores the row as it is now. then may be NULL, and comes in any case: with t NULL when it is gone. */
void psst_transfer_keep(struct psst_transfer *t, psst_transfer_then *then, void *ctx);
/* The same with another state in the row, which t has not yet. */
void psst_transfer_keep_as(struct psst_transfer *t, enum psst_transfer_state state, psst_transfer_then *then,
                           void *ctx);
/* A new one: in the list, and then, once it is stored. PSST_ERR_EXISTS: it is there already, and then is told its row's
 * state and reason; insert false: it is only looked up, PSST_ERR_NOT_FOUND. t is NULL on errors. row is borrowed. */
typedef void psst_transfer_stored(struct psst_transfers *transfers, struct psst_transfer *t,
                                  const struct psst_transfer_row *row, enum psst_err err, const char *words, void *ctx);
void psst_transfer_store_new(struct psst_transfers *transfers, const struct psst_transfer_row *row, bool insert,
                             psst_transfer_stored *stored, void *ctx);
/* What is safe of a transfer that is no longer in memory. */
void psst_transfer_keep_safe(struct psst_transfers *transfers, int64_t id, int64_t contact_id, uint64_t safe);

/* ---- transfers/json.c ---- */

const char *psst_transfer_state_name(const struct psst_transfer *t);
json_t *psst_transfer_json(const struct psst_transfer *t);
void psst_transfer_event(struct psst_transfer *t);    /* it has changed: counts it, tells it */
void psst_transfer_progress(struct psst_transfer *t); /* at most four times a second, but the last in any case */
void psst_transfer_count(struct psst_transfer *t);    /* in its contact's unfinished, if it is */
void psst_transfer_uncount(struct psst_transfer *t);  /* it leaves the list */

/* ---- transfers/offer.c ---- */

void psst_transfer_offer(struct psst_transfer *t);

/* ---- transfers/out.c ---- */

void psst_transfer_out_accepted(struct psst_transfer *t, struct psst_conn *conn, uint64_t offset);
void psst_transfer_out_paused(struct psst_transfer *t);
void psst_transfer_out_window(struct psst_transfer *t, struct psst_conn *conn, uint64_t offset);
/* Takes its hands off the source; another one has its turn. */
void psst_transfer_out_stop(struct psst_transfer *t);
void psst_transfer_out_next(struct psst_transfers *transfers, struct psst_contact *contact);
/* The ranks have changed: who is first runs. */
void psst_transfer_out_reorder(struct psst_transfers *transfers, struct psst_contact *contact);
/* Whether a goes before b. */
bool psst_transfer_is_before(const struct psst_transfer *a, const struct psst_transfer *b);

/* ---- transfers/limit.c ---- */

void psst_transfers_limit_init(struct psst_transfers *transfers);
void psst_transfers_limit_close(struct psst_transfers *transfers);
/* How much may be sent now in one piece; 0: nothing, and the timer wakes whoever waits. */
size_t psst_transfers_limit_ask(struct psst_transfers *transfers);
void psst_transfers_limit_take(struct psst_transfers *transfers, size_t n);

/* ---- transfers/offered.c ---- */

void psst_transfer_offered(struct psst_transfers *transfers, struct psst_conn *conn,
                           const struct psst_file_chunk *chunk);

/* ---- transfers/voice.c ---- */

/* One that was stored a moment ago: accepted by itself, or left to the user. */
void psst_transfer_voice_offered(struct psst_transfer *t);
/* How one is called: with how long it lasts, which the receiver shows before it has it. */
void psst_transfer_voice_name(char out[64], unsigned seconds);
/* What its sender says that it lasts; 0: nothing. */
unsigned psst_transfer_voice_seconds(const struct psst_transfer *t);

/* ---- transfers/in.c ---- */

/* Opens the sink and accepts, if it is its turn. */
void psst_transfer_in_start(struct psst_transfer *t);
void psst_transfer_in_data(struct psst_transfer *t, struct psst_conn *conn, const struct psst_file_chunk *chunk);
void psst_transfer_in_paused(struct psst_transfer *t, uint8_t why);
void psst_transfer_in_stop(struct psst_transfer *t, bool keep);
void psst_transfer_in_next(struct psst_transfers *transfers);
/* What waits for the other side in this run is over; the socket is read again. */
void psst_transfer_in_release(struct psst_transfer *t);
void psst_transfers_sink_gone(struct psst_transfers *transfers, bool stream);
/* Removes the part file of one that has no sink, and then its mark that something of it may lie there. */
void psst_transfer_in_sweep(const struct psst_transfer *t);

/* ---- transfers/finish.c ---- */

void psst_transfer_in_done(struct psst_transfer *t, struct psst_conn *conn, const struct psst_file_chunk *chunk);
/* It is whole, at path. Takes note of that, and acknowledges it then. */
void psst_transfer_in_settle(struct psst_transfer *t, const char *path);
/* It is whole and stored: the sender may forget it. */
void psst_transfer_in_acknowledge(struct psst_transfers *transfers, struct psst_contact *contact,
                                  const struct psst_msg_id *id);

#endif
