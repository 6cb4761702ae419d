/* What the files of messages share: message.c (a job of psst-voice, from a request to its answer), message_file.c (those that have a
 * file: recorded into one, played from one). Nothing else includes this. */
#ifndef PSST_DAEMON_CALLS_MESSAGE_INTERNAL_H
#define PSST_DAEMON_CALLS_MESSAGE_INTERNAL_H

#include "daemon/calls/message.h"

#define PSST_MESSAGE_QUIET_DBFS (-100)

struct psst_message_job {
    enum psst_voice_job kind; /* 0: nothing is under way */
    uint64_t number;          /* of this psstd; for what comes later */
    uint64_t client;
    psst_sound_done *done;
    void *ctx;
    struct psst_call_ends ends;
    unsigned seconds;
    bool discard, started;
    bool sending;                  /* RECORD: it is being made a transfer, which says when that is done */
    int64_t contact_id;            /* RECORD */
    int64_t id;                    /* PLAY: the transfer */
    bool theirs;                   /* PLAY: it came */
    int fd;                        /* of the message; -1: none */
    char path[PSST_PATH_MAX + 64]; /* RECORD */
    int level_dbfs;                /* CHECK: the loudest */
    json_t *devices;
};

struct psst_messages {
    struct psst_daemon *d;
    struct psst_message_job job;
    uint64_t numbers;
};

/* ---- message.c ---- */

/* False: said; ends are closed. */
bool psst_message_begin(struct psst_messages *messages, enum psst_voice_job kind, struct psst_call_ends ends,
                        uint64_t client, psst_sound_done *done, void *ctx);
/* psst-voice begins. What cannot be started is over. */
void psst_message_start(struct psst_messages *messages);
/* Takes result. What was recorded and is no message of anybody's is removed. */
void psst_message_finish(struct psst_messages *messages, enum psst_err err, const char *name, const char *words,
                         json_t *result);

/* ---- message_file.c: psst-voice is done ---- */

void psst_message_recorded(struct psst_messages *messages, const struct psst_voice_message *m);
void psst_message_played(struct psst_messages *messages, const struct psst_voice_message *m);

#endif
