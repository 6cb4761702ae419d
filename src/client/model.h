/* The model that user interfaces share: oneself, the contacts, the call, the files, as psstd has told, kept up to date by
 * its events. One thread, that of the client; nothing here waits. What comes from psstd is bounded and checked here, and is
 * still text from outside: whoever shows it renders it (base/text.h).
 *
 *   client event / answer -> model -> watch: changed (what to draw again), arrived (what a person should notice)
 *
 * conversation.h has the messages of one contact.
 */
#ifndef PSST_CLIENT_MODEL_H
#define PSST_CLIENT_MODEL_H

#include "client/client.h"

struct psst_model;

/* ---- what it knows ---- */

enum psst_there { PSST_THERE_NOT, PSST_THERE_ONLINE, PSST_THERE_AWAY, PSST_THERE_BUSY };

struct psst_person { /* a contact; pointers are good until the next turn of the client */
    const char *name;
    const char *fingerprint;
    const char *there_text; /* his words about his presence; "" */
    const char *address;    /* of the session; "" without one */
    enum psst_there there;  /* how he shows himself; PSST_THERE_NOT without a session */
    bool online;            /* a session stands */
    bool dialling;          /* we have asked for a session from here, and it is not there yet */
    bool redialled;         /* psstd calls him from time to time */
    bool verified, blocked, paused, weak, pair_secret, history, missed_call;
    unsigned bits;
    uint64_t unread, waiting; /* messages not shown to us yet; ours that are not acknowledged */
    int64_t seen_ms;          /* unix; 0: not known */
};

struct psst_self {
    bool known;   /* psstd has answered */
    bool exists;  /* there is an identity */
    bool locked;  /* it needs its passphrase */
    bool damaged; /* the history is open for reading only */
    bool weak;
    unsigned bits;
    const char *name, *fingerprint;
    const char *presence, *presence_text; /* how one shows oneself to all; "" while locked */
    const char *listen;                   /* the first address, "" when nobody can reach us */
    const char *words;                    /* about the damage; "" */
};

enum psst_call_state {
    PSST_CALL_NONE,
    PSST_CALL_DIALLING,
    PSST_CALL_CALLING,
    PSST_CALL_RINGING,
    PSST_CALL_OFFERED,
    PSST_CALL_ACTIVE
};

struct psst_call_now {          /* the one that concerns us most: active before calling before offered */
    enum psst_call_state state; /* OFFERED: it rings here; RINGING: over there */
    const char *name;
    uint64_t since_ms; /* psst_client_now_ms when it became active; 0 before that */
    bool peer_receiving, silent;
    const char *way;   /* "udp", "tcp", "both", "" */
    const char *words; /* a sentence, when something is amiss with the sound; "" */
    bool send, receive, ptt;
    int sense_dbfs, quality, volume;
    /* ten times a second while active, and only then (PSST_PART_LEVELS) */
    double microphone_dbfs, speaker_dbfs, loss, delay_ms;
    bool voice, clipping, fec; /* voice: something goes out this moment */
    unsigned waiting;          /* further calls that ring */
};

struct psst_transfer { /* a file, folder, stream or voice message that is not over, or ended lately */
    int64_t id;
    const char *contact, *name, *form, *state, *reason, *path; /* as in docs/IPC.md */
    bool in, heard;
    bool taken;            /* a voice message that psstd is about to take without asking */
    int64_t size, done;    /* bytes; size -1: not known */
    int64_t rate, left_ms; /* 0: not known */
    int64_t seconds;       /* of a voice message */
    int64_t time_ms;
    const char *paused_by; /* "", "us", "them" */
};

/* ---- who is told ---- */

enum psst_part { /* what has changed, as bits */
                 PSST_PART_SELF = 1,
                 PSST_PART_CONTACTS = 2,
                 PSST_PART_CONVERSATION = 4, /* some conversation.h object that is open */
                 PSST_PART_FILES = 8,
                 PSST_PART_CALL = 16,
                 PSST_PART_LEVELS = 32,
};

enum psst_arrival_kind {
    PSST_ARRIVAL_MESSAGE,
    PSST_ARRIVAL_RINGS,  /* a call that may be answered */
    PSST_ARRIVAL_MISSED, /* one that was not */
    PSST_ARRIVAL_OFFER,  /* a file that may be accepted */
    PSST_ARRIVAL_VOICE,  /* a voice message that can be played */
    PSST_ARRIVAL_MEETING,
};

struct psst_arrival {
    enum psst_arrival_kind kind;
    const char *contact;
    const char *words; /* the text of a message, else a sentence; not rendered */
    bool quiet;        /* show it, but ring no bell */
};

struct psst_model_watch { /* called from inside the client's turn; all may be NULL */
    void *ctx;
    void (*changed)(void *ctx, unsigned parts);
    void (*arrived)(void *ctx, const struct psst_arrival *arrival);
    void (*stopping)(void *ctx); /* psstd ends */
};

/* client is kept and must outlive the model; its events are the model's from now on. Asks for everything; the answers come
 * with the client's turns. */
PSST_MUST_USE enum psst_err psst_model_new(struct psst_model **out, struct psst_client *client,
                                           const struct psst_model_watch *watch);
void psst_model_free(struct psst_model *model); /* NULL is safe; conversations must be gone */

const struct psst_self *psst_model_self(const struct psst_model *model);
/* In psstd's order, which is stable. */
size_t psst_model_people(const struct psst_model *model);
const struct psst_person *psst_model_person(const struct psst_model *model, size_t i);
/* Exactly, else without regard to ASCII case; NULL. */
const struct psst_person *psst_model_find(const struct psst_model *model, const char *name);
const struct psst_call_now *psst_model_call(const struct psst_model *model);
size_t psst_model_transfers(const struct psst_model *model); /* the oldest first */
const struct psst_transfer *psst_model_transfer(const struct psst_model *model, size_t i);
/* All of the first answers are there: what is shown now is what there is. */
bool psst_model_complete(const struct psst_model *model);

/* ---- what is done through it, so that it knows ---- */

/* Stored, then shown in the open conversation; answer (may be NULL) hears how it went. The text is UTF-8. */
PSST_MUST_USE enum psst_err psst_model_say(struct psst_model *model, const char *name, struct psst_view text,
                                           psst_client_answer *answer, void *ctx);
/* What an answer to `voice` or `voice.set` says (the state of voice in docs/IPC.md): whoever asked hands it over. */
void psst_model_voice(struct psst_model *model, const json_t *state);
/* Whoever asks for a session (`dial`) says so, and again when it has failed; that it stands is known by itself. */
void psst_model_dialling(struct psst_model *model, const char *name, bool on);
/* A line of ours in this contact's conversation, kept as long as the program runs: the last 50 of each. */
void psst_model_note(struct psst_model *model, const char *name, const char *fmt, ...) PSST_PRINTF(3, 4);

#endif
