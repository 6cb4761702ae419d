/* What the files of transfers share: transfers.c (the list, what peer and user decide), transfers_rows.c (JSON, the
 * store), transfers_out.c (offering, sending), transfers_in.c (offers, receiving). Nothing else includes this.
 *
 *   out:  WAITING --accept--> ACCEPTED: in line -> sending -> all sent, unacknowledged --ack--> DONE
 *   in:   WAITING --user----> ACCEPTED: in line -> sink opening -> receiving -> finishing ------> DONE, acknowledged
 *         and from anywhere: DECLINED, FAILED
 *
 * A connection that ends sends what ran on it back to ACCEPTED. On the next one the sender offers again all that is not
 * ended, and the receiver accepts again all that is accepted; each is harmless when it crosses the other. What was
 * received before counts for nothing yet: it begins from offset 0. While a contact has two connections for a moment, a
 * transfer stays on the one that it was accepted on.
 */
#ifndef PSST_DAEMON_TRANSFERS_INTERNAL_H
#define PSST_DAEMON_TRANSFERS_INTERNAL_H

#include "daemon/daemon.h"
#include "daemon/delivery.h"
#include "daemon/safe_file.h"
#include "daemon/transfer_io.h"

#define PSST_TRANSFERS_UNDECIDED                                                                                       \
    256                           /* offers of one contact that wait for the user; more are left for the next session */
#define PSST_TRANSFERS_SINKS   8  /* files that come in at a time */
#define PSST_TRANSFERS_REFUSED 16 /* unknown transfers of one contact that were cancelled lately: told once */
#define PSST_TRANSFER_OURS     0x80 /* in a stored reason: it was decided on this side */

enum psst_transfer_stage {
    PSST_STAGE_IDLE,    /* nothing happens in this session */
    PSST_STAGE_IN_LINE, /* out: accepted by the peer, others are sent first; in: too many others come in */
    PSST_STAGE_OPENING, /* in: the sink */
    PSST_STAGE_RUNNING,
    PSST_STAGE_FINISHING, /* out: all is sent; in: the rest is written and compared */
};

struct psst_transfer {
    struct psst_transfers *all;
    struct psst_transfer *next;
    int64_t id, contact_id;
    struct psst_msg_id transfer_id;
    enum psst_direction direction;
    enum psst_transfer_state state;
    uint8_t reason; /* enum psst_file_reason, PSST_TRANSFER_OURS */
    uint64_t size, created_ms;
    char *name, *path; /* owned */
    char *words;       /* owned; what a system said, more exact than the reason; NULL: nothing */
    /* alive */
    enum psst_transfer_stage stage;
    uint64_t serial; /* of the connection on which it was accepted: its data runs there and nowhere else; 0: none */
    uint64_t start;  /* out: offset that the peer wants to begin from */
    struct psst_file_source *source;
    struct psst_file_sink *sink;
    bool sink_closing; /* the disk is not done with the last sink yet */
    uint64_t held;     /* serial of the connection that is not read because the sink is full; 0: none */
    uint64_t told_ns;  /* of the last progress event */
};

struct psst_transfers {
    struct psst_daemon *d;
    struct psst_transfer *first, **end;
    unsigned generation; /* of the unlocked identity: what an older job brings is dropped */
};

/* Of one contact. */
struct psst_courier_files {
    struct psst_transfer *sending; /* the one that runs outwards */
    struct psst_msg_id refused[PSST_TRANSFERS_REFUSED];
    unsigned n_refused;
    unsigned storing;   /* offers on their way into the store */
    uint64_t offers_ns; /* limits how many offers a contact can have stored */
};

/* ---- transfers.c ---- */

struct psst_contact *psst_transfer_contact(const struct psst_transfer *t);    /* NULL: it is being removed */
struct psst_courier_files *psst_transfer_files(struct psst_contact *contact); /* NULL: out of memory */
struct psst_transfer *psst_transfer_find(struct psst_transfers *transfers, int64_t contact_id,
                                         const struct psst_msg_id *id, enum psst_direction direction);
struct psst_transfer *psst_transfer_by_id(struct psst_transfers *transfers, int64_t id);
/* From a row; in the list. NULL: out of memory. */
struct psst_transfer *psst_transfer_add(struct psst_transfers *transfers, const struct psst_transfer_row *row);

/* ---- transfers_rows.c ---- */

const char *psst_transfer_state_name(const struct psst_transfer *t);
void psst_transfer_event(struct psst_transfer *t);
void psst_transfer_progress(struct psst_transfer *t); /* at most four times a second */
/* Stores the row as it is now. then may be NULL; it is not called when the identity was locked meanwhile. */
typedef void psst_transfer_then(struct psst_transfer *t, enum psst_err err, const char *words, void *ctx);
void psst_transfer_keep(struct psst_transfer *t, psst_transfer_then *then, void *ctx);
/* A new one: in the list, and then, once it is stored. PSST_ERR_EXISTS: it is there already. t is NULL on errors. */
typedef void psst_transfer_stored(struct psst_transfers *transfers, struct psst_transfer *t, enum psst_err err,
                                  const char *words, void *ctx);
void psst_transfer_store_new(struct psst_transfers *transfers, const struct psst_transfer_row *row,
                             psst_transfer_stored *stored, void *ctx);

/* ---- transfers.c again ---- */

/* Over: whatever runs is stopped, the row is stored, everybody is told. words may be NULL. */
void psst_transfer_end(struct psst_transfer *t, enum psst_transfer_state state, uint8_t reason, const char *words);
/* A chunk without data on the contact's session, if there is one. */
void psst_transfer_say(struct psst_contact *contact, struct psst_daemon *d, const struct psst_file_chunk *chunk);
void psst_transfer_say_kind(struct psst_transfer *t, uint8_t kind, uint8_t reason);
/* Cancels a transfer that we do not know: once. */
void psst_transfer_refuse(struct psst_transfers *transfers, struct psst_contact *contact, const struct psst_msg_id *id);

/* ---- transfers_out.c ---- */

void psst_transfer_offer(struct psst_transfer *t);
void psst_transfer_out_accepted(struct psst_transfer *t, struct psst_conn *conn, uint64_t offset);
/* Takes its hands off the source; another one has its turn. */
void psst_transfer_out_stop(struct psst_transfer *t);
void psst_transfer_out_next(struct psst_transfers *transfers, struct psst_contact *contact);

/* ---- transfers_in.c ---- */

void psst_transfer_in_offered(struct psst_transfers *transfers, struct psst_conn *conn,
                              const struct psst_file_chunk *chunk);
/* Opens the sink and accepts, if it is its turn. */
void psst_transfer_in_start(struct psst_transfer *t);
void psst_transfer_in_data(struct psst_transfer *t, struct psst_conn *conn, const struct psst_file_chunk *chunk);
void psst_transfer_in_done(struct psst_transfer *t, struct psst_conn *conn, const struct psst_file_chunk *chunk);
void psst_transfer_in_sweep(struct psst_transfer *t); /* before an end: removes the part file that a crash left */
void psst_transfer_in_stop(struct psst_transfer *t);
void psst_transfer_in_next(struct psst_transfers *transfers);
/* It is whole and stored: the sender may forget it. */
void psst_transfer_in_acknowledge(struct psst_transfer *t);

#endif
