/* What the files of peers share: peers.c (the whole), listen.c (accepting), conn.c (one connection: socket, timer, link),
 * session.c (what the link's events mean), suspect.c (whether its path still leads anywhere), dial.c (calling), replay_file.c.
 * Nothing else includes this but reconnect/internal.h.
 *
 *   listen.c --accepted--> conn.c <--attempt-- dial.c
 *                            | events of the link
 *                        session.c --> book, delivery, transfers, psst-key
 *
 * The driving of links is never nested: whoever puts something into a link only marks its connection dirty
 * (psst_conn_kick), and all that are dirty have their turn when the loop has handed out what the sockets brought. So
 * acknowledgements of a whole group of messages leave in one chunk.
 */
#ifndef PSST_DAEMON_PEERS_INTERNAL_H
#define PSST_DAEMON_PEERS_INTERNAL_H

#include "daemon/daemon.h"
#include "daemon/delivery/delivery.h"
#include "net/admission.h"
#include "net/socket.h"
#include "proto/replay.h"

#define PSST_LISTENERS_MAX  16
#define PSST_SCRATCH_BYTES  ((size_t)256 * 1024)
#define PSST_CONNECT_MS     10000 /* until a TCP connection must stand */
#define PSST_LINGER_MS      1000  /* after our bye: how long the other side may take to read it */
#define PSST_DRAIN_BYTES    ((size_t)16 << 20)
#define PSST_STRANGER_OPENS 2 /* private operations for strangers at a time */

enum psst_conn_state {
    PSST_CONN_CONNECTING, /* ours, TCP does not stand yet */
    PSST_CONN_HANDSHAKE,
    PSST_CONN_VOID,
    PSST_CONN_SESSION,
    PSST_CONN_ENDING, /* our bye is on its way out; of no contact any more */
    PSST_CONN_LINGER, /* all is out, the other side closes */
    PSST_CONN_CLOSED, /* only the handles are not gone yet */
};

struct psst_dial;
struct psst_question;

/* One for each idle session, so it is kept small: about 0.5 KiB, and the link as much again. */
struct psst_conn {
    struct psst_peers *peers;
    struct psst_conn *next, *prev, *next_dirty;
    struct psst_conn *next_of_contact;
    struct psst_map_node by_serial;
    struct psst_link *link;
    struct psst_contact *contact; /* SESSION */
    struct psst_dial *dial;       /* ours, until the session stands */
    struct psst_question *question;
    uint64_t serial;      /* never used twice: for answers that come after the connection is gone */
    uint64_t timer_ms;    /* what the timer is set to, loop time; PSST_NEVER: not set */
    uint64_t give_up_ms;  /* CONNECTING, ENDING, LINGER: loop time */
    uint64_t since_ms;    /* unix */
    uint64_t rtt_ns;      /* of the last ping that was answered; 0: none yet */
    uint64_t slow_ns;     /* the longest of the last few */
    uint64_t looked_ns;   /* suspect.c: when the kernel was asked about it last; 0: never, */
    uint64_t acked;       /* what it said, */
    uint64_t acked_ns;    /* and when that was said first; */
    uint64_t probe_ns;    /* until when a sign of life must have come; PSST_NEVER: whenever it comes, */
    uint64_t probe_count; /* and how many records had come before, */
    uint64_t probe_acked; /* and what the kernel had said */
    uv_poll_t poll;
    uv_timer_t timer;
    struct psst_place place;
    union psst_sockaddr address;
    int fd;
    int error; /* errno of the socket, for the sentence; 0: none */
    unsigned holds;
    uint8_t state;  /* enum psst_conn_state */
    uint8_t polled; /* UV_READABLE | UV_WRITABLE */
    uint8_t handles;
    uint8_t dialled; /* index of the address in the dial */
    bool dirty, in_turn, again, eof;
    bool suspected;
    bool patient;  /* the probe was given more time */
    bool is_short; /* the kernel keeps little of it for us */

    void *showing; /* presence.c's */
};

struct psst_listener {
    struct psst_peers *peers;
    uv_poll_t poll;
    uv_timer_t retry; /* runs only after descriptors were exhausted beyond the reserve */
    uv_poll_cb on_readable;
    union psst_sockaddr wanted, bound;
    struct psst_udp *udp; /* calls': the same port; NULL: it could not be had */
    int fd;
    uint8_t handles;
};

struct psst_replay_file;

struct psst_peers {
    struct psst_daemon *d;
    struct psst_link_config config;
    struct psst_listener *listeners[PSST_LISTENERS_MAX];
    size_t n_listeners;
    int reserve_fd; /* given up for a moment when descriptors are exhausted; -1: it is given up */
    struct psst_admission admission;
    struct psst_replay_cache *replay;
    struct psst_replay_file *replay_file;
    struct psst_conn *conns;
    struct psst_map by_serial;
    struct psst_conn *dirty, **dirty_end; /* whose turn it is, in their order */
    size_t n_conns;
    uint64_t serials;
    struct psst_dial *dials;
    struct psst_map dials_by_contact;
    struct psst_question *waiting, **waiting_end; /* of strangers, not yet handed to psst-key */
    unsigned opening;                             /* handed to psst-key for strangers */
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle; /* runs while somebody's turn is left for the loop's next round */
    bool closing;
    uint8_t *scratch; /* PSST_SCRATCH_BYTES, for whichever connection reads */
};

/* ---- conn.c ---- */

/* Takes fd. NULL: out of memory, fd is closed. */
struct psst_conn *psst_conn_accepted(struct psst_peers *peers, int fd, const union psst_sockaddr *from);
struct psst_conn *psst_conn_connecting(struct psst_peers *peers, int fd, const union psst_sockaddr *to,
                                       struct psst_dial *dial);
void psst_conn_turn(struct psst_conn *conn);
void psst_conn_readable(struct psst_conn *conn); /* something may be there to read */
/* At once, without a word: the link is freed, the memory when the handles are gone. conn->link is NULL afterwards. */
void psst_conn_close(struct psst_conn *conn);
/* Bye, then close. The connection belongs to nobody from now on. */
void psst_conn_bye(struct psst_conn *conn, uint8_t reason);
void psst_conn_linger(struct psst_conn *conn);

/* ---- session.c ---- */

void psst_conn_event(struct psst_conn *conn, const struct psst_event *ev);
/* The session ends for its contact: the next best one takes its place, or the user is told the words. */
void psst_session_detach(struct psst_conn *conn, const char *words);
/* Forgets the open question of a connection that goes away. */
void psst_question_drop(struct psst_conn *conn);

/* ---- suspect.c ---- */

void psst_suspect_begin(struct psst_conn *conn); /* the session stands */
/* When it must be looked at, mono_ns; PSST_NEVER: not by itself. */
uint64_t psst_suspect_at(const struct psst_conn *conn);
/* After each turn of a session. False: it was ended, conn->link is NULL. */
bool psst_suspect_turn(struct psst_conn *conn);
/* An answer to a ping. */
void psst_suspect_pong(struct psst_conn *conn, uint64_t rtt_ns);
/* Something has happened to the network, or we slept: every session must show that it lives, or is ended. */
void psst_suspect_all(struct psst_peers *peers);

/* ---- listen.c ---- */

void psst_listeners_close(struct psst_peers *peers);

/* ---- dial.c ---- */

/* An attempt came to nothing: the socket has an error (conn->error), or the handshake ended like this. */
void psst_dial_failed(struct psst_conn *conn, enum psst_link_end end);
/* He has called from there: after moving to another network he may listen there too. */
void psst_dial_called_from(struct psst_contact *contact, const union psst_sockaddr *from);
struct psst_contact *psst_dial_contact(const struct psst_dial *dial); /* NULL: removed meanwhile */
/* A session with this contact stands, whoever has called: all who wait for it are told. */
void psst_dial_reached(struct psst_peers *peers, struct psst_contact *contact, struct psst_conn *conn);
void psst_dial_give_up(struct psst_peers *peers, int64_t contact_id, const char *words); /* 0: all */
/* Calls him, also beside a session, and nobody waits for it; psst_reconnect_dialled is told what became of it, as of every
 * dial. True when one is under way already. False: nothing to try. */
bool psst_dial_begin(struct psst_peers *peers, struct psst_contact *contact);
void psst_dial_stop(struct psst_peers *peers, const struct psst_contact *contact); /* unless somebody waits for it */
/* The network is another one: all that are under way begin anew. */
void psst_dial_afresh(struct psst_peers *peers);

/* ---- replay_file.c ---- */

/* Reads the file into the cache, leaves out what has expired. */
PSST_MUST_USE enum psst_err psst_replay_file_open(struct psst_replay_file **out, struct psst_daemon *d,
                                                  struct psst_replay_cache *cache);
/* Appends, without waiting for the disk. */
void psst_replay_file_add(struct psst_replay_file *file, const uint8_t mac[32], uint64_t day);
/* Writes what is left on its own; frees itself. */
void psst_replay_file_close(struct psst_replay_file *file);

#endif
