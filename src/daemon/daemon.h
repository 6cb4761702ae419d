/* psstd: the glue. One libuv loop on one thread joins the core (proto), the key (psst-key), the store (its own thread),
 * the network and the control socket.
 *
 *   main.c        options, lock, signals                          daemon.c  the modules in their order: begun and stopped
 *   control/      control socket: JSON-RPC lines, descriptors, subscribers; its methods, a file for each subject
 *   identity.c    unlock, lock: key client and store brought up    identity_make.c: init, passwd    passphrase_command.c
 *   rescue.c      what is said about a damaged history
 *   retention.c   what is not kept any longer is erased
 *   settings.c    the plain config file                           small_file.c
 *   backup/       one encrypted file with everything, and back
 *   book.c        contacts in memory, written through to the store    addresses.c: their addresses
 *   presence.c    who sees what of us, and we of them
 *   meet.c        agreed times (meet.h): meet_wire.c
 *   peers/        connections (its map: peers/internal.h)
 *   reconnect/    who is dialled when nobody asks for it by hand
 *   delivery/     text: outbox -> link -> acknowledgement -> store, and back
 *   transfers/    files, folders and streams (its map: transfers/internal.h)
 *   calls/        voice (its map: calls/calls.h)
 *   key/          psst-key, a process of its own; client.c and requests.c are psstd's side of it
 *   tar/          psst-tar, another (tar/tar.h)
 *   voice/        psst-voice, another (its map: voice/voice.h); calls/voice_child.c is psstd's side of it
 *
 * What waits for a disk or for another process knows nothing of the daemon: store_thread.c, workers.c, safe_file.c;
 * transfers/source.c, transfers/sink.c, transfers/folder_child.c; backup/format.c, backup/file.c, backup/restore_home.c;
 * key/client.c, key/requests.c; calls/voice_process.c.
 *
 * Everything here runs on the loop thread. A module is given the daemon and reaches the others through it.
 */
#ifndef PSST_DAEMON_DAEMON_H
#define PSST_DAEMON_DAEMON_H

#include "base/log.h"
#include "base/map.h"
#include "daemon/key/client.h"
#include "daemon/store_thread.h"
#include "identity/card.h"
#include "ipc/paths.h"
#include "net/admission.h"
#include "proto/link.h"

#include <jansson.h>
#include <uv.h>

/* Declared below, under the names of their files. */
struct psst_settings;
struct psst_identity;
struct psst_book;
struct psst_presences;
struct psst_meets;
struct psst_peers;
struct psst_delivery;
struct psst_transfers;
struct psst_calls;
struct psst_messages;
struct psst_reconnect;
struct psst_backup;
struct psst_retention;
struct psst_control;

#define PSST_COUNTERS_MAX 64 /* distinct names */
struct psst_counter {
    const char *name;
    uint64_t n;
};

struct psst_daemon {
    uv_loop_t *loop;
    struct psst_log log;
    struct psst_paths paths;
    struct psst_settings *settings;
    struct psst_key_client *key;
    struct psst_store_thread *store;
    struct psst_workers *workers;
    struct psst_identity *identity;
    struct psst_book *book;
    struct psst_presences *presences;
    struct psst_meets *meets;
    struct psst_peers *peers;
    struct psst_delivery *delivery;
    struct psst_transfers *transfers;
    struct psst_calls *calls;
    struct psst_messages *messages; /* calls/message.h */
    struct psst_reconnect *reconnect;
    struct psst_backup *backup;
    struct psst_retention *retention;
    struct psst_control *control;
    struct psst_counter counters[PSST_COUNTERS_MAX];
    bool stopping;
};

struct psst_now psst_daemon_now(struct psst_daemon *d); /* monotonic from the loop, unix from the system */

/* Begins an orderly end: byes, lock, store closed, sockets closed; the loop then runs out. */
void psst_daemon_stop(struct psst_daemon *d);

/* A notification to all subscribers of this event; takes params (a new reference). */
void psst_daemon_event(struct psst_daemon *d, const char *event, json_t *params);

/* Counters shown by `psst status`: how often something happened since the start. name is a string constant. */
void psst_daemon_count(struct psst_daemon *d, const char *name);
json_t *psst_daemon_counters(const struct psst_daemon *d); /* {name: number}; new reference */
/* After `set`: what the daemon itself does about it (log level, listening addresses). PSST_ERR_IO with a sentence when the
 * new addresses cannot be listened on. */
PSST_MUST_USE enum psst_err psst_daemon_setting_changed(struct psst_daemon *d, const char *key, struct psst_diag *diag);

/* ---- contacts (book.c) ---- */

struct psst_conn; /* conn.c: one connection */

struct psst_contact {
    int64_t id;
    char alias[PSST_NAME_MAX + 1];
    struct psst_rsa_public *key; /* owned */
    bool has_our_secret, has_their_secret;
    struct psst_pair_secret our_secret, their_secret;
    /* On the heap and the book's; borrowed in a copy that psst_book_put is given. NULL: none. */
    const char *addresses; /* as in addresses.h */
    const char *presence_text;
    bool blocked, verified, keep_history, paused, receipts, reconnect; /* as in the store's row */
    uint32_t keep_days;
    uint8_t presence;
    uint64_t added_ms;
    /* alive */
    struct psst_conn *session;        /* the session that is used for sending; NULL: none */
    char *last_good;                  /* heap: the address that a call of ours last got through to; NULL: none */
    union psst_sockaddr last_numeric; /* the same in digits; counts only while last_good does */
    union psst_sockaddr called_from;  /* the host that he last called from, with his usual port; AF_UNSPEC: none */
    uint32_t unread, waiting;         /* for lists */
    uint64_t unread_bytes;            /* of text that nobody has seen */
    bool paused_us;                   /* his last answer to a text was that */
    bool is_seen, is_reached;         /* the book's: seen_from, reached_at are set */
    struct psst_source seen_from;     /* of his last session */
    struct psst_source reached_at;    /* of our last call that got through */
    struct psst_map_node by_seen, by_reached, by_id, by_fpr, by_name; /* the book's */
    void *delivery;                                                   /* delivery.c's state of this contact */
    void *transfers;                                                  /* transfers.c's */
    struct psst_conn *conns; /* session.c: all sessions with him that stand, the newest first */
    /* transfers that a session would bring further: transfers.c counts, and calls psst_reconnect_changed when this becomes
     * 0, or is not any more */
    uint32_t unfinished;
    void *redial; /* reconnect.c's */
    struct psst_contact *next;

    uint64_t seen_ms; /* unix: when his last session ended; 0: he has one, or had none since the start */
    void *meets;      /* meet.c's */
    uint32_t untold;  /* meetings that he has not been told of yet: a reason to call him */
};

typedef void psst_book_done(void *ctx, enum psst_err err, const char *words);

PSST_MUST_USE enum psst_err psst_book_new(struct psst_book **out, struct psst_daemon *d);
void psst_book_free(struct psst_book *book);
/* Reads all contacts from the store that has just been opened. */
void psst_book_load(struct psst_book *book, psst_book_done *done, void *ctx);
void psst_book_unload(struct psst_book *book); /* at locking: wipes all */
struct psst_contact *psst_book_first(struct psst_book *book);
struct psst_contact *psst_book_by_name(struct psst_book *book, const char *alias); /* exact, else ASCII case-folded */
struct psst_contact *psst_book_by_fpr(struct psst_book *book, const struct psst_fpr *fpr);
struct psst_contact *psst_book_by_id(struct psst_book *book, int64_t id);
/* A copy with changes is written through: memory changes once the store has committed. row's fields are taken from
 * *with (key referenced); contact NULL: a new one. done is called later with the contact in place. */
void psst_book_put(struct psst_book *book, struct psst_contact *contact, const struct psst_contact *with,
                   psst_book_done *done, void *ctx);
void psst_book_remove(struct psst_book *book, struct psst_contact *contact, psst_book_done *done, void *ctx);
/* A session with him stands, and where it leads; ours: by a call of ours. */
void psst_book_met(struct psst_book *book, struct psst_contact *contact, const union psst_sockaddr *at, bool ours);
/* Whether a contact was last seen there, or was last reached there. Anybody may make us ask: no walk. */
bool psst_book_knows_source(const struct psst_book *book, const struct psst_source *source);
/* The secret that goes into the handshake; NULL: none. */
const struct psst_pair_secret *psst_contact_psk(struct psst_daemon *d, const struct psst_contact *contact);

/* ---- presence (presence.c, presence.h) ---- */

/* He is not to see us: no session that he begins comes about, and nobody but the user calls him. */
bool psst_presence_hides(const struct psst_daemon *d, const struct psst_contact *contact);
/* The user is not to be disturbed by this one: no bell. */
bool psst_presence_is_busy(const struct psst_daemon *d, const struct psst_contact *contact);

/* ---- identity (identity.c) ---- */

enum psst_identity_state {
    PSST_IDENTITY_NONE,
    PSST_IDENTITY_LOCKED,
    PSST_IDENTITY_OPENING, /* or being closed */
    PSST_IDENTITY_UNLOCKED,
    PSST_IDENTITY_RESCUE, /* the history is damaged and open for reading only; psst-key is locked, nobody is reached */
};
typedef void psst_identity_done(void *ctx, enum psst_err err, const char *words);

PSST_MUST_USE enum psst_err psst_identity_new(struct psst_identity **out, struct psst_daemon *d);
void psst_identity_free(struct psst_identity *identity);
/* At start: reads one's own card; without a passphrase, or with a passphrase_command, unlocks by itself. */
void psst_identity_start(struct psst_identity *identity);
enum psst_identity_state psst_identity_state(const struct psst_identity *identity);
const struct psst_rsa_public *psst_identity_key(const struct psst_identity *identity); /* NULL: none */
const char *psst_identity_name(const struct psst_identity *identity);
bool psst_identity_encrypted(const struct psst_identity *identity);
/* Unlocks psst-key, opens (or creates) the store, loads the book, starts peers. Takes the descriptor (-1: none). */
void psst_identity_unlock(struct psst_identity *identity, int passphrase_fd, psst_identity_done *done, void *ctx);
/* Ends all sessions (bye, locked), shuts the store, wipes the book, locks psst-key. */
void psst_identity_lock(struct psst_identity *identity, psst_identity_done *done, void *ctx);
/* import_fd -1: generate. Refuses when an identity exists. Ends unlocked. */
void psst_identity_init(struct psst_identity *identity, const char *name, unsigned bits, int import_fd,
                        int passphrase_fd, psst_key_progress *progress, psst_identity_done *done, void *ctx);
void psst_identity_passwd(struct psst_identity *identity, int old_fd, int new_fd, psst_identity_done *done, void *ctx);

/* ---- settings (settings.c): `key = value` lines in the file config, 0600 ---- */

PSST_MUST_USE enum psst_err psst_settings_load(struct psst_settings **out, const struct psst_paths *paths,
                                               struct psst_diag *diag);
void psst_settings_free(struct psst_settings *settings);
/* Keys: listen (list of ADDR:PORT, blank-separated; default "[::]:4516 0.0.0.0:4516"), passphrase_command,
 * download_dir, log_level. get gives the default when unset, NULL for an unknown key. */
const char *psst_settings_get(const struct psst_settings *settings, const char *key);
/* Checks the value, writes the file atomically. value NULL: back to the default. */
PSST_MUST_USE enum psst_err psst_settings_set(struct psst_settings *settings, const char *key, const char *value,
                                              struct psst_diag *diag);
json_t *psst_settings_all(const struct psst_settings *settings); /* new reference */
/* What was set; NULL: the default holds, or there is no such key. */
const char *psst_settings_own(const struct psst_settings *settings, const char *key);

/* ---- peers (peers.c) ---- */

PSST_MUST_USE enum psst_err psst_peers_new(struct psst_peers **out, struct psst_daemon *d);
void psst_peers_free(struct psst_peers *peers);
/* (Re)binds the addresses of the settings. Listens also while locked: a stranger cannot tell. */
PSST_MUST_USE enum psst_err psst_peers_listen(struct psst_peers *peers, struct psst_diag *diag);
json_t *psst_peers_listening(const struct psst_peers *peers); /* list of ADDR:PORT really bound */
json_t *psst_peers_sessions(const struct psst_peers *peers);
/* Tries the address given, else all that the contact has, one after another (happy eyeballs between families).
 * exit_code as in docs/IPC.md: 0, 5 or 6. A session that stands already answers at once. */
typedef void psst_dial_done(void *ctx, int exit_code, const char *words, const char *address);
void psst_peers_dial(struct psst_peers *peers, struct psst_contact *contact, const char *address, psst_dial_done *done,
                     void *ctx);
/* Something new waits to be sent to him: psst_reconnect_now (reconnect.h). Failures are only logged, and no more than a few
 * a contact in a few seconds are begun. Nothing happens for a contact that is blocked or has a session. */
void psst_peers_dial_quietly(struct psst_peers *peers, struct psst_contact *contact);
/* Ends the sessions with this contact, with a bye; the words go into the session event. */
void psst_peers_hangup(struct psst_peers *peers, struct psst_contact *contact, uint8_t bye_reason, const char *words);
void psst_peers_hangup_all(struct psst_peers *peers, uint8_t bye_reason, const char *words);
/* Sessions that have had our bye and are not closed yet. */
size_t psst_peers_open(const struct psst_peers *peers);
/* Closes every socket and timer; the loop runs out. */
void psst_peers_close(struct psst_peers *peers);

/* A connection with a standing session. */
struct psst_link *psst_conn_link(struct psst_conn *conn);
struct psst_contact *psst_conn_contact(struct psst_conn *conn); /* NULL: the session is over for its contact */
/* A number for answers that come later, when the connection may be gone: by_serial gives NULL then. Never 0. */
uint64_t psst_conn_serial(const struct psst_conn *conn);
/* Whether both sides go on with conn rather than with before (NULL: is over), another session with the same contact, as far as
 * that is known here. False: it depends on what the other side saw first; it will say bye over one of them. */
bool psst_conn_stays(const struct psst_conn *conn, const struct psst_conn *before);
struct psst_conn *psst_conn_by_serial(struct psst_peers *peers, uint64_t serial);
/* After putting anything into the link: writes out and sets the timer. */
void psst_conn_kick(struct psst_conn *conn);
/* What presence.c knows of this session. */
void **psst_conn_showing(struct psst_conn *conn);
/* The addresses of its two ends; here is AF_UNSPEC when the system does not tell. */
void psst_conn_ends(const struct psst_conn *conn, union psst_sockaddr *here, union psst_sockaddr *there);
/* Bytes that wait between link and kernel: bulk senders stay under PSST_BULK_WAITING. */
#define PSST_BULK_WAITING ((size_t)4 * 65536)
size_t psst_conn_waiting(const struct psst_conn *conn);
/* Flow control: while held (counted), the socket is not read. */
void psst_conn_hold(struct psst_conn *conn);
void psst_conn_release(struct psst_conn *conn);

/* ---- delivery (delivery.c) and transfers (transfers.c): told by session.c and conn.c ---- */

PSST_MUST_USE enum psst_err psst_delivery_new(struct psst_delivery **out, struct psst_daemon *d);
void psst_delivery_close(struct psst_delivery *delivery); /* its timer; free after the loop has run out */
void psst_delivery_free(struct psst_delivery *delivery);
void psst_delivery_loaded(struct psst_delivery *delivery);   /* store open: counts what waits and what is unread */
void psst_delivery_unloaded(struct psst_delivery *delivery); /* before the book is wiped */
void psst_delivery_up(struct psst_delivery *delivery, struct psst_contact *contact);   /* contact->session stands */
void psst_delivery_down(struct psst_delivery *delivery, struct psst_contact *contact); /* it is gone */
void psst_delivery_event(struct psst_delivery *delivery, struct psst_conn *conn, const struct psst_event *ev);
/* Stores, then sends or dials. done gets the row after the commit. */
typedef void psst_say_done(void *ctx, enum psst_err err, const char *words, const struct psst_message_row *row);
void psst_delivery_say(struct psst_delivery *delivery, struct psst_contact *contact, struct psst_view text,
                       psst_say_done *done, void *ctx);
/* A message row as docs/IPC.md shows it; new reference. */
json_t *psst_message_json(const struct psst_contact *contact, const struct psst_message_row *row);

PSST_MUST_USE enum psst_err psst_transfers_new(struct psst_transfers **out, struct psst_daemon *d);
void psst_transfers_free(struct psst_transfers *transfers);
/* Reads what is not over; loaded (may be NULL) is told, and before that no session may stand. */
typedef void psst_transfers_loaded(void *ctx, enum psst_err err, const char *words);
void psst_transfers_load(struct psst_transfers *transfers, psst_transfers_loaded *loaded, void *ctx);
void psst_transfers_unloaded(struct psst_transfers *transfers);
void psst_transfers_up(struct psst_transfers *transfers, struct psst_contact *contact);
/* This connection is over for its contact, which may have another session by now. */
void psst_transfers_down(struct psst_transfers *transfers, struct psst_contact *contact, uint64_t serial);
/* FILE events, and ACK / NOT_ACCEPTED whose id is a transfer's: true when it was. */
bool psst_transfers_event(struct psst_transfers *transfers, struct psst_conn *conn, const struct psst_event *ev);
/* Output drained under PSST_BULK_WAITING: more file data may go. */
void psst_transfers_writable(struct psst_transfers *transfers, struct psst_conn *conn);
/* What users ask of transfers: transfers.h. */

/* ---- control (control.c) ---- */

/* Makes the socket. The caller holds the lock (ipc/lockfile.h), so that a socket found there is a dead psstd's. Control
 * is the last that is closed, and freed after the loop has run out: requests may be answered until then. */
PSST_MUST_USE enum psst_err psst_control_new(struct psst_control **out, struct psst_daemon *d, struct psst_diag *diag);
void psst_control_close(struct psst_control *control);
void psst_control_free(struct psst_control *control);
/* Hands a notification to the subscribers; takes params. What psst_daemon_event does once control is there. */
void psst_control_event(struct psst_control *control, const char *event, json_t *params);

#endif
