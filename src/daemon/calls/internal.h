/* What the files of calls share: calls.c (life, changes of state), call.c (what the user wants), wire.c (what the link says),
 * sound.c (psst-voice, frames), udp.c, rows.c (store), json.c. Nothing else includes this.
 *
 *   NONE --call--> DIALLING --session--> CALLING --ring--> RINGING --accept--> ACTIVE --> NONE
 *   NONE --offer--> OFFERED --answer--> ACTIVE --> NONE
 */
#ifndef PSST_DAEMON_CALLS_INTERNAL_H
#define PSST_DAEMON_CALLS_INTERNAL_H

#include "base/bucket.h"
#include "daemon/calls/calls.h"
#include "net/address.h"

enum call_state { CALL_NONE, CALL_DIALLING, CALL_CALLING, CALL_RINGING, CALL_OFFERED, CALL_ACTIVE };

struct call {
    enum call_state state;
    uint64_t number; /* of this psstd; never twice: for answers that come after it is over */
    int64_t id;      /* the row in the store; 0: none yet */
    int64_t contact_id;
    uint64_t serial; /* of the connection */
    uint64_t other;  /* of one over which he has called while ours was out over this; 0: none */
    char name[PSST_NAME_MAX + 1];
    bool out;
    uint64_t began_ms, answered_ms; /* unix; 0: not */
    struct psst_call_ends ends;     /* ours */
    uint64_t client;                /* the user interface that made or answered it; 0: nobody has yet */
    psst_call_done *done;           /* of a `call` that is not answered yet; NULL: none */
    void *ctx;

    /* ACTIVE */
    bool send, receive, ptt;
    bool peer_receiving, silent;
    enum psst_voice_way way;
    bool works[2]; /* by enum psst_audio_end */
    char words[PSST_VOICE_WORDS_MAX + 1];
    uint32_t timestamp; /* of the next frame */
    struct psst_voice_report report;
    uint32_t receiver_id;
    struct psst_udp *via;   /* which socket goes there; NULL: no address is known */
    union psst_sockaddr to; /* where he is */
};

#define PSST_CALLERS 16 /* of whom it is known how often they call */

struct psst_caller {
    int64_t contact_id; /* 0: nobody */
    struct psst_bucket bucket;
};

struct psst_calls {
    struct psst_daemon *d;
    struct psst_voice_child *voice;
    struct call call;
    uint64_t numbers;
    uv_timer_t later;    /* a process is begun after what the state has to say has left: that takes milliseconds */
    uv_timer_t deserted; /* runs when the user interface of the call is gone: */
    uint64_t gone;       /* this one */
    int64_t last_id;     /* in the store; -1: not read yet */
    struct psst_caller callers[PSST_CALLERS];
    size_t next_caller;
    bool closing;

    struct psst_udp *udps;
    uint8_t *datagrams; /* while the sockets are read; NULL: they are not */
};

/* ---- calls.c ---- */

struct psst_conn *psst_call_conn(const struct psst_calls *calls); /* NULL: it is gone */
struct psst_contact *psst_call_contact(const struct psst_calls *calls);
/* A new call, in none of the states yet. */
void psst_call_begin(struct psst_calls *calls, const struct psst_contact *contact, bool out);
/* On to another state: the event, and the sound that belongs to it. */
void psst_call_enter(struct psst_calls *calls, enum call_state state, const char *words);
/* Over; what the link has to hear of it has been said. */
void psst_call_end(struct psst_calls *calls, enum psst_called result, const char *words);
/* It cannot go on: hung up, FAILED. */
void psst_call_fail(struct psst_calls *calls, const char *words);
/* The user interfaces are told how it stands. */
void psst_call_tell(struct psst_calls *calls, const char *words);

/* ---- call.c ---- */

/* The user's call goes over this session. again: it went over another before. */
void psst_call_offer(struct psst_calls *calls, struct psst_conn *conn, bool again);
/* The other side is told whether it is heard. */
void psst_call_say_receiving(struct psst_calls *calls);

/* ---- wire.c ---- */

/* Our call is over: what he had called meanwhile over another session is not left without an answer. */
void psst_call_turn_down_other(struct psst_calls *calls, uint64_t serial);
/* Nobody tells when the way of the voice changes: it is looked at whenever something else comes. conn: the call's own session. */
void psst_call_look_at_way(struct psst_calls *calls, struct psst_conn *conn);

/* ---- sound.c ---- */

uint16_t psst_call_frame_size(const struct psst_calls *calls); /* of a call that we offer */
/* What psst-voice has to do in this state. */
void psst_sound_follow(struct psst_calls *calls);
/* Settings, or what is sent and received, have changed. afresh: the devices. */
void psst_sound_set(struct psst_calls *calls, bool afresh);
/* A frame has come, by whichever way. */
void psst_sound_frame(struct psst_calls *calls, const struct psst_voice_frame *frame, uint64_t time_ns);
void psst_sound_voice(const struct psst_calls *calls, struct psst_voice_settings *out);

/* ---- udp.c ---- */

/* The datagrams of the call that is active are read from now on; on false: not any more. */
void psst_udp_watch(struct psst_calls *calls, bool on);
/* The socket for a datagram there, from the address that the session has here; NULL: none of that family. */
struct psst_udp *psst_udp_towards(struct psst_calls *calls, const union psst_sockaddr *to,
                                  const union psst_sockaddr *from);
/* False: it did not leave. */
bool psst_udp_send(struct psst_udp *udp, const union psst_sockaddr *to, struct psst_view datagram);

/* ---- rows.c ---- */

void psst_call_row_begin(struct psst_calls *calls, int64_t contact_id, enum psst_direction direction, int64_t id,
                         uint64_t began_ms);
void psst_call_row_answered(struct psst_calls *calls, int64_t id, uint64_t now_ms);
void psst_call_row_ended(struct psst_calls *calls, int64_t id, enum psst_called result, uint64_t now_ms);
/* Reads the highest number. */
void psst_call_rows_load(struct psst_calls *calls);

/* ---- json.c ---- */

const char *psst_call_state_name(enum call_state state);
void psst_call_event_json(struct psst_calls *calls, const char *state, enum psst_called result, const char *words);
void psst_call_missed_json(struct psst_calls *calls, const struct psst_contact *contact, int64_t id, const char *words);
void psst_call_levels_json(struct psst_calls *calls, const struct psst_voice_levels *levels);

#endif
