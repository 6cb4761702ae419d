/* Everything about others that is kept: contacts, messages, transfers. One SQLCipher database under a raw key.
 *
 * Called on the store thread only (daemon/store_thread.h), each call inside that thread's transaction: a group of jobs
 * is committed together (synchronous FULL), and nobody is told anything before that commit. Rows borrow: views given to
 * a callback are valid during it; a callback must not call the function that calls it; what it returns other than PSST_OK
 * ends the walk and is returned. Damage that is met while reading makes the store read-only for the rest of its life
 * (writing: PSST_ERR_DAMAGED). Errors: PSST_ERR_DISK_FULL, PSST_ERR_DAMAGED, PSST_ERR_IO, PSST_ERR_NOT_FOUND, ...;
 * the statement that failed is undone.
 */
#ifndef PSST_STORE_STORE_H
#define PSST_STORE_STORE_H

#include "base/bytes.h"
#include "base/secret.h"

struct psst_store;

/* Opens, or creates when the file does not exist (mode 0600), and migrates. A wrong key or a damaged file gives
 * PSST_ERR_DAMAGED and a sentence; it is left untouched, never recreated. Files of up to 64 MiB are read through for that.
 * read_only: for rescue (attack 47): gives what can still be read, of contacts, log, transfers and counts;
 * PSST_ERR_NOT_FOUND when there is no file. PSST_ERR_USAGE: written by a newer version, or restored from a backup and not made
 * as ours are. A file PATH-restored beside it says that it was restored: see restored.c. */
PSST_MUST_USE enum psst_err psst_store_open(struct psst_store **out, const char *path, const struct psst_store_key *key,
                                            bool read_only, struct psst_diag *diag);
void psst_store_close(struct psst_store *store); /* checkpoints the write-ahead log; NULL is safe */

/* The group: begin, jobs, commit. A job that fails is rolled back alone, to its savepoint. Some errors (a write that
 * fails, no memory) cost the whole group: savepoint and commit then return that error. */
PSST_MUST_USE enum psst_err psst_store_begin(struct psst_store *store);
PSST_MUST_USE enum psst_err psst_store_commit(struct psst_store *store); /* on error all is rolled back */
PSST_MUST_USE enum psst_err psst_store_savepoint(struct psst_store *store);
void psst_store_release(struct psst_store *store, bool keep);
/* The words for the last error of this store, for the log. */
const char *psst_store_error(const struct psst_store *store);

/* Reads everything, which takes about a second for 300 MB. PSST_ERR_DAMAGED: something is not sound; psst_store_error names
 * it. */
PSST_MUST_USE enum psst_err psst_store_check(struct psst_store *store);

/* ---- rescue ---- */

/* What cannot be read of a store that was opened for reading only. All else can: a walk steps over it. */
enum psst_store_part_kind {
    PSST_PART_CONTACTS, /* ids first to last */
    PSST_PART_MESSAGES, /* seqs first to last, of any contact; stored after after_ms and before before_ms, 0: not known */
    PSST_PART_TRANSFERS, /* ids first to last */
    PSST_PART_CUT_SHORT, /* the file: first of last bytes are there */
    PSST_PART_OTHER,     /* nothing that is shown: an index, free room */
};
struct psst_store_part {
    enum psst_store_part_kind kind;
    int64_t first, last; /* INT64_MAX: up to the end, wherever that is */
    uint64_t after_ms, before_ms;
};
/* Borrowed from the store. */
const struct psst_store_part *psst_store_parts(const struct psst_store *store, size_t *n);
bool psst_store_is_rescue(const struct psst_store *store);
/* Damage was met: nothing is written any more. */
bool psst_store_is_damaged(const struct psst_store *store);

/* ---- contacts ---- */

enum psst_presence {
    PSST_PRESENCE_AS_ALL = 0, /* of one contact only */
    PSST_PRESENCE_ONLINE = 1, /* 1 to 3 are the wire's states (docs/PROTOCOL.md) */
    PSST_PRESENCE_AWAY = 2,
    PSST_PRESENCE_BUSY = 3,      /* do not disturb */
    PSST_PRESENCE_INVISIBLE = 4, /* never on the wire: he finds nobody */
};
#define PSST_PRESENCE_TEXT_MAX 140

struct psst_contact_row {
    int64_t id; /* 0: not stored yet */
    char alias[65];
    struct psst_fpr fpr;
    struct psst_view spki;
    bool has_our_secret, has_their_secret;
    struct psst_pair_secret our_secret, their_secret; /* issued by us for them; found in their card */
    struct psst_view addresses;                       /* one HOST:PORT a line */
    bool blocked, verified, keep_history, paused;
    bool receipts;      /* he is told which of his messages were read */
    bool reconnect;     /* the daemon dials him by itself */
    uint32_t keep_days; /* with keep_history: messages older than this are deleted; 0: they are kept for ever */
    uint8_t presence;   /* enum psst_presence as he is to see it; 0: as everybody */
    struct psst_view presence_text; /* with presence; at most PSST_PRESENCE_TEXT_MAX bytes */
    uint64_t added_ms;
};
typedef enum psst_err psst_contact_each(void *ctx, const struct psst_contact_row *row);
PSST_MUST_USE enum psst_err psst_store_contacts(struct psst_store *store, psst_contact_each *each, void *ctx);
/* Inserts (row->id is set) or updates. PSST_ERR_EXISTS: the alias (compared case-folded) or the fingerprint is taken.
 */
PSST_MUST_USE enum psst_err psst_store_contact_put(struct psst_store *store, struct psst_contact_row *row);
/* With its messages and transfers. It is not there any more for anybody, and its name and key are free; its messages are
 * erased by psst_store_tidy. */
PSST_MUST_USE enum psst_err psst_store_contact_remove(struct psst_store *store, int64_t contact_id);

/* ---- messages ---- */

enum psst_direction { PSST_IN = 0, PSST_OUT = 1 };
enum psst_message_state {
    PSST_MESSAGE_WAITING = 0,   /* out: committed, never handed to a session */
    PSST_MESSAGE_DELIVERED = 1, /* out: the peer has committed it */
    PSST_MESSAGE_REFUSED = 2,   /* out: the peer does not accept it; never retried */
    PSST_MESSAGE_RECEIVED = 3,  /* in: not yet shown */
    PSST_MESSAGE_SHOWN = 4,     /* in: a user interface has had it */
    PSST_MESSAGE_SENT = 5,      /* out: handed to a session, not acknowledged: the peer may have it */
    PSST_MESSAGE_READ = 6,      /* out: the peer's user has been shown it, as he says */
    PSST_MESSAGE_RECALLED = 7,  /* out: taken back before it was sent */
};
struct psst_message_row {
    int64_t seq; /* order of storing, rising; unique over all contacts */
    int64_t contact_id;
    struct psst_msg_id id;
    enum psst_direction direction;
    enum psst_message_state state;
    uint8_t reason;     /* REFUSED: the reason byte */
    uint64_t time_ms;   /* the sender's clock */
    uint64_t stored_ms; /* ours */
    uint64_t sent_ms;   /* out: when it was first handed to a session; 0: never */
    struct psst_hash
        digest;            /* in: SHA-256 over time and text, made by the caller (the store knows no cryptography); only
                                read by message_in, never given back */
    struct psst_view text; /* empty when history is off and it is done with */
};
typedef enum psst_err psst_message_each(void *ctx, const struct psst_message_row *row);

/* Stores an outgoing message; row->seq is set. As SENT when row->state is that: the caller hands it to a session as soon as
 * this is committed; else as WAITING. */
PSST_MUST_USE enum psst_err psst_store_message_out(struct psst_store *store, struct psst_message_row *row);
/* Stores an incoming one as RECEIVED. PSST_OK: new, seq set. PSST_ERR_EXISTS: seen before with the same body
 * (acknowledge again, show nothing). PSST_ERR_PROTOCOL: seen before with another body (refuse). Holds for messages
 * whose text is no longer kept, by a digest. PSST_ERR_DISK_FULL also when less than the reserve of 32 MiB is free
 * (attack 28). */
PSST_MUST_USE enum psst_err psst_store_message_in(struct psst_store *store, struct psst_message_row *row);
/* Only looks: PSST_ERR_EXISTS, PSST_ERR_PROTOCOL as above; PSST_ERR_NOT_FOUND: not seen before. */
PSST_MUST_USE enum psst_err psst_store_message_seen(struct psst_store *store, const struct psst_message_row *row);
/* Whether an incoming one with this id is there: PSST_OK or PSST_ERR_NOT_FOUND. */
PSST_MUST_USE enum psst_err psst_store_message_known(struct psst_store *store, int64_t contact_id,
                                                     const struct psst_msg_id *id);
/* Outgoing and SENT: to DELIVERED or REFUSED. PSST_ERR_NOT_FOUND: never sent to this contact, or settled already: ignored.
 * When the contact keeps no history its text is erased now. */
PSST_MUST_USE enum psst_err psst_store_message_settle(struct psst_store *store, int64_t contact_id,
                                                      const struct psst_msg_id *id, enum psst_message_state state,
                                                      uint8_t reason, int64_t *seq);
/* Outgoing and DELIVERED: to READ. PSST_ERR_NOT_FOUND: anything else: ignored. */
PSST_MUST_USE enum psst_err psst_store_message_read(struct psst_store *store, int64_t contact_id,
                                                    const struct psst_msg_id *id, int64_t *seq);
/* Incoming up to and including seq: SHOWN. When the contact keeps no history their texts are erased now; when it gets
 * receipts, they are due from now on. */
PSST_MUST_USE enum psst_err psst_store_messages_shown(struct psst_store *store, int64_t contact_id, int64_t up_to_seq);
/* Incoming that nobody has seen yet. */
struct psst_unread {
    uint32_t texts;
    uint64_t bytes; /* of text */
};
PSST_MUST_USE enum psst_err psst_store_unread(struct psst_store *store, int64_t contact_id, struct psst_unread *unread);
/* What waits for and what came from each contact that has any of it: one call a contact, each at most twice (what waits,
 * then what is unread; the other one is 0). Costs by what is waiting and unread, not by what is stored. */
struct psst_counts_row {
    int64_t contact_id;
    uint32_t waiting;
    struct psst_unread unread;
};
typedef enum psst_err psst_counts_each(void *ctx, const struct psst_counts_row *row);
PSST_MUST_USE enum psst_err psst_store_counts(struct psst_store *store, psst_counts_each *each, void *ctx);
/* Outgoing and WAITING or SENT with seq > after_seq, oldest first, at most limit. */
PSST_MUST_USE enum psst_err psst_store_outbox(struct psst_store *store, int64_t contact_id, int64_t after_seq,
                                              size_t limit, psst_message_each *each, void *ctx);
/* The same, to be sent: all that were given are SENT from this commit on (sent_ms now_ms, unless they were before), and
 * may leave after it. Ends after the text with which there are max_bytes or more. row->state is as it was. */
PSST_MUST_USE enum psst_err psst_store_outbox_send(struct psst_store *store, int64_t contact_id, int64_t after_seq,
                                                   size_t limit, size_t max_bytes, uint64_t now_ms,
                                                   psst_message_each *each, void *ctx);
/* The newest that is WAITING or SENT, or the outgoing one with this id. PSST_ERR_NOT_FOUND. */
PSST_MUST_USE enum psst_err psst_store_outbox_last(struct psst_store *store, int64_t contact_id, int64_t *seq);
PSST_MUST_USE enum psst_err psst_store_outbox_find(struct psst_store *store, int64_t contact_id,
                                                   const struct psst_msg_id *id, int64_t *seq);
/* An outgoing one that is WAITING: to RECALLED; when the contact keeps no history its text is erased now. In any other
 * state it is left as it is, and not *taken. *row is as it stands afterwards, without text. PSST_ERR_NOT_FOUND: no such
 * message. */
PSST_MUST_USE enum psst_err psst_store_message_recall(struct psst_store *store, int64_t contact_id, int64_t seq,
                                                      struct psst_message_row *row, bool *taken);
/* Receipts: the oldest messages shown whose sender is still to be told; they have been told of. *n in: room, out: how
 * many. */
PSST_MUST_USE enum psst_err psst_store_receipts_due(struct psst_store *store, int64_t contact_id,
                                                    struct psst_msg_id *ids, size_t *n);
PSST_MUST_USE enum psst_err psst_store_receipts_sent(struct psst_store *store, int64_t contact_id,
                                                     const struct psst_msg_id *ids, size_t n);
/* The last limit messages with seq > after_seq, oldest first. */
PSST_MUST_USE enum psst_err psst_store_log(struct psst_store *store, int64_t contact_id, int64_t after_seq,
                                           size_t limit, psst_message_each *each, void *ctx);
/* The last limit messages with seq < before_seq, oldest first: a page further back. */
PSST_MUST_USE enum psst_err psst_store_log_before(struct psst_store *store, int64_t contact_id, int64_t before_seq,
                                                  size_t limit, psst_message_each *each, void *ctx);

#define PSST_FIND_MAX       1000
#define PSST_FIND_WORDS_MAX 1000
struct psst_find {
    int64_t contact_id;            /* 0: of every contact; then there must be words */
    int64_t after_seq, before_seq; /* 0: no bound */
    uint64_t since_ms, until_ms;   /* when it was stored: from since on, before until; 0: no bound */
    struct psst_view words;        /* UTF-8, at most PSST_FIND_WORDS_MAX bytes; empty: all messages */
    bool first;                    /* the first limit ones, not the last */
    size_t limit;                  /* at most PSST_FIND_MAX */
};
/* Messages oldest first. words: all of them must occur; "several words" one after the other; a star at the end of a word:
 * whatever begins so; letters are compared without case and accents (FTS's unicode61). Only texts that are kept can be found
 * so. PSST_ERR_MALFORMED: no letter or digit among the words; PSST_ERR_TOO_LONG: too many of them; PSST_ERR_USAGE: this
 * store (damaged, or an older one that is only read) cannot be searched. */
PSST_MUST_USE enum psst_err psst_store_find(struct psst_store *store, const struct psst_find *find,
                                            psst_message_each *each, void *ctx);

/* ---- what is not kept any longer (erase.c) ---- */

/* All that is done with and was stored before before_ms (UINT64_MAX: all that is there now) is to go, but for the ids of
 * what came in. psst_store_tidy does it. */
PSST_MUST_USE enum psst_err psst_store_forget(struct psst_store *store, int64_t contact_id, uint64_t before_ms);
struct psst_tidied {
    bool more;          /* call it again */
    int64_t contact_id; /* whose messages this step has taken; 0: nobody's */
    uint64_t next_ms;   /* not more: when there will be something to do, if nothing changes before; UINT64_MAX: never */
};
/* One step of some 20 ms: erases some of what is to go now, by psst_store_forget and psst_store_contact_remove, and by what
 * each contact keeps (keep_history, keep_days); or drives erased words out of the index. The history of contacts that keep
 * some is not erased by age with now_ms 0. */
PSST_MUST_USE enum psst_err psst_store_tidy(struct psst_store *store, uint64_t now_ms, struct psst_tidied *tidied);
/* After texts were erased, outside any group: neither the file nor the write-ahead log holds a copy of them any more.
 * Without all, a file of more than 4 MiB is left for later (left: true), but for its log: it is written anew, in memory,
 * at some 100 MiB a second. One of more than 512 MiB is always left. PSST_ERR_AGAIN: a snapshot is being read; later.
 * psst_store_close does all of it, and what psst_store_tidy has left. */
PSST_MUST_USE enum psst_err psst_store_scrub(struct psst_store *store, bool all, bool *left);

/* ---- file transfers ---- */

enum psst_transfer_state {
    PSST_TRANSFER_WAITING = 0,  /* out: not yet accepted (offered or not); in: offered, the user has not decided */
    PSST_TRANSFER_ACCEPTED = 1, /* runs, or begins anew at the next session */
    PSST_TRANSFER_DONE = 2,     /* whole, hash checked, on both sides' disks */
    PSST_TRANSFER_DECLINED = 3,
    PSST_TRANSFER_FAILED = 4, /* with its reason */
};
#define PSST_TRANSFER_SIZE_UNKNOWN UINT64_MAX

enum psst_transfer_flags {
    PSST_TRANSFER_PAUSED = 1,      /* by our user: nothing moves until he says so */
    PSST_TRANSFER_NAMED = 2,       /* in: our user gave the name; it is not the peer's */
    PSST_TRANSFER_ANEW = 4,        /* in: what was taken up was damaged: it has been begun anew once */
    PSST_TRANSFER_HEARD = 8,       /* in, of a voice message: it was played */
    PSST_TRANSFER_UNTOLD = 65536,  /* it is over, and the other side has not been told */
    PSST_TRANSFER_LITTER = 131072, /* in: it is over, and what was received of it may still lie there */
};
struct psst_transfer_row {
    int64_t id; /* what the user types; 0: not stored yet */
    int64_t contact_id;
    struct psst_msg_id transfer_id;
    enum psst_direction direction;
    enum psst_transfer_state state;
    uint8_t reason;
    uint8_t form;    /* docs/PROTOCOL.md, "Files" */
    uint32_t flags;  /* enum psst_transfer_flags */
    int64_t rank;    /* out: the smallest goes first, among equals the oldest */
    uint64_t size;   /* PSST_TRANSFER_SIZE_UNKNOWN: of a stream that has not come to its end */
    uint64_t offset; /* in: bytes known safe; of a stream that was cut off, how far it came */
    uint64_t created_ms;
    int64_t mtime_ns;      /* out: of the source when it was offered; 0: not known */
    uint64_t inode;        /* out: of the source, in: of the part file; 0: not known */
    struct psst_view name; /* base name: ours as offered; the peer's sanitised */
    struct psst_view path; /* out: absolute path of the source; in: of the directory, later of the file */
};
typedef enum psst_err psst_transfer_each(void *ctx, const struct psst_transfer_row *row);
/* Inserts (id set) or updates. PSST_ERR_EXISTS: one with this contact, direction and transfer_id is there; row's id, state
 * and reason are set to its. */
PSST_MUST_USE enum psst_err psst_store_transfer_put(struct psst_store *store, struct psst_transfer_row *row);
/* By row's contact_id, direction and transfer_id: sets its id, state and reason. PSST_ERR_NOT_FOUND. */
PSST_MUST_USE enum psst_err psst_store_transfer_find(struct psst_store *store, struct psst_transfer_row *row);
/* Notes how many bytes of one that is ACCEPTED are safe. PSST_ERR_NOT_FOUND: there is no such one (any more). */
PSST_MUST_USE enum psst_err psst_store_transfer_safe(struct psst_store *store, int64_t id, int64_t contact_id,
                                                     uint64_t offset);
/* All, newest last; contact_id 0: of every contact. */
PSST_MUST_USE enum psst_err psst_store_transfers(struct psst_store *store, int64_t contact_id, psst_transfer_each *each,
                                                 void *ctx);
/* Those that are WAITING, ACCEPTED or UNTOLD, newest last. */
PSST_MUST_USE enum psst_err psst_store_transfers_open(struct psst_store *store, psst_transfer_each *each, void *ctx);
/* The newest limit (1 to PSST_TRANSFERS_PAGE_MAX) with id < before_id (0: of all), newest last. */
#define PSST_TRANSFERS_PAGE_MAX 1000
PSST_MUST_USE enum psst_err psst_store_transfers_before(struct psst_store *store, int64_t before_id, size_t limit,
                                                        psst_transfer_each *each, void *ctx);
/* The one with this id, if there is one. */
PSST_MUST_USE enum psst_err psst_store_transfer_by_id(struct psst_store *store, int64_t id, psst_transfer_each *each,
                                                      void *ctx);
/* How many offers each contact took back before our user had decided. */
typedef void psst_transfers_count(void *ctx, int64_t contact_id, uint32_t n);
PSST_MUST_USE enum psst_err psst_store_transfers_withdrawn(struct psst_store *store, psst_transfers_count *each,
                                                           void *ctx);

/* Voice messages are transfers of this form. They are kept as the messages of their contact are; one that came and was not
 * heard stays. */
#define PSST_TRANSFER_FORM_VOICE 3
#define PSST_VOICE_DUE_MAX       100
/* How many offered by the contact before this one (id) are not declined, failed or heard. */
PSST_MUST_USE enum psst_err psst_store_voice_before(struct psst_store *store, int64_t contact_id, int64_t id,
                                                    uint32_t *n);
PSST_MUST_USE enum psst_err psst_store_voice_heard(struct psst_store *store, int64_t id);
/* The next ones that are to go, at most PSST_VOICE_DUE_MAX: the caller removes the file, then the row. As psst_store_tidy, and
 * to be called before that, until there are none. */
PSST_MUST_USE enum psst_err psst_store_voice_due(struct psst_store *store, uint64_t now_ms, psst_transfer_each *each,
                                                 void *ctx);
PSST_MUST_USE enum psst_err psst_store_transfer_remove(struct psst_store *store, int64_t id);

/* ---- one's own values, and meetings ---- */

/* PSST_ERR_NOT_FOUND: there is none of that name. */
PSST_MUST_USE enum psst_err psst_store_own_get(struct psst_store *store, const char *name, uint8_t *out, size_t size,
                                               size_t *len);
/* An empty value removes it. */
PSST_MUST_USE enum psst_err psst_store_own_put(struct psst_store *store, const char *name, struct psst_view value);

#define PSST_MEETS_MAX 16 /* of one contact and direction */

enum psst_meet_state {
    PSST_MEET_WAITING = 0,    /* out: he has not acknowledged it */
    PSST_MEET_AGREED = 1,     /* both sides know of it */
    PSST_MEET_CANCELLING = 2, /* called off here, and he has not acknowledged that */
};
struct psst_meet_row {
    int64_t id; /* what the user types */
    int64_t contact_id;
    struct psst_msg_id meet_id;    /* the same on both sides */
    enum psst_direction direction; /* of the proposal */
    enum psst_meet_state state;
    uint64_t time_ms; /* unix */
};
typedef enum psst_err psst_meet_each(void *ctx, const struct psst_meet_row *row);
/* All, earliest first. */
PSST_MUST_USE enum psst_err psst_store_meets(struct psst_store *store, psst_meet_each *each, void *ctx);
/* PSST_OK: new, id set. PSST_ERR_EXISTS, PSST_ERR_PROTOCOL: the contact has one with this meet_id, at the same time, at
 * another one; id is set. PSST_ERR_FULL: there are PSST_MEETS_MAX. */
PSST_MUST_USE enum psst_err psst_store_meet_add(struct psst_store *store, struct psst_meet_row *row);
/* On to a later state. PSST_ERR_NOT_FOUND: there is none that is in an earlier one. */
PSST_MUST_USE enum psst_err psst_store_meet_state(struct psst_store *store, int64_t id, enum psst_meet_state state);
PSST_MUST_USE enum psst_err psst_store_meet_remove(struct psst_store *store, int64_t contact_id,
                                                   const struct psst_msg_id *meet_id);
/* Drops those whose time lies before. */
PSST_MUST_USE enum psst_err psst_store_meets_over(struct psst_store *store, uint64_t before_ms);

/* ---- calls (calls.c) ---- */

enum psst_called { /* what came of it */
                   PSST_CALLED_RUNS = 0,
                   PSST_CALLED_ENDED = 1,      /* by either side, after it was answered */
                   PSST_CALLED_MISSED = 2,     /* in: our user has not answered */
                   PSST_CALLED_DECLINED = 3,   /* by whoever was called */
                   PSST_CALLED_BUSY = 4,       /* out: he talks to somebody else, or has paused us */
                   PSST_CALLED_UNANSWERED = 5, /* out */
                   PSST_CALLED_NO_VOICE = 6,   /* out: his program knows no calls */
                   PSST_CALLED_FAILED = 7,
                   PSST_CALLED_CUT_OFF = 8, /* the session ended, or psstd did */
};
struct psst_call_row {
    int64_t id; /* rising; 0: not stored yet */
    int64_t contact_id;
    enum psst_direction direction;
    enum psst_called result;
    uint64_t began_ms, answered_ms, ended_ms; /* unix; 0: not, or not yet */
    bool seen;                                /* false: MISSED, and no user interface has shown it */
};
#define PSST_CALLS_MAX 10000 /* of one contact; the oldest make room */

/* A call has begun: by contact_id, direction and began_ms. id 0: it is set; else it is the one that the call gets, a higher one than
 * all before (who lets a phone ring cannot wait for a disk). PSST_ERR_NOT_FOUND: no such contact. */
PSST_MUST_USE enum psst_err psst_store_call_begin(struct psst_store *store, struct psst_call_row *row);
/* The highest id that any call ever had; 0: there was none. */
PSST_MUST_USE enum psst_err psst_store_call_last(struct psst_store *store, int64_t *id);
/* PSST_ERR_NOT_FOUND: it does not run, or was answered before. */
PSST_MUST_USE enum psst_err psst_store_call_answered(struct psst_store *store, int64_t id, uint64_t now_ms);
/* When the contact keeps no history the row is erased now, MISSED ones once they are seen. PSST_ERR_NOT_FOUND: it does not
 * run (any more). Those that run when a store is opened were ended by that: CUT_OFF, or MISSED when they came in and nobody
 * had answered; no later than they were answered, as far as is known. */
PSST_MUST_USE enum psst_err psst_store_call_ended(struct psst_store *store, int64_t id, enum psst_called result,
                                                  uint64_t now_ms);
typedef enum psst_err psst_call_each(void *ctx, const struct psst_call_row *row);
/* The newest limit with id < before_id (0: of all), newest first; contact_id 0: of every contact. */
PSST_MUST_USE enum psst_err psst_store_call_list(struct psst_store *store, int64_t contact_id, int64_t before_id,
                                                 size_t limit, psst_call_each *each, void *ctx);
/* The user has been shown those with first_id <= id <= last_id (contact_id 0: of every contact). */
PSST_MUST_USE enum psst_err psst_store_call_seen(struct psst_store *store, int64_t contact_id, int64_t first_id,
                                                 int64_t last_id);

#endif
