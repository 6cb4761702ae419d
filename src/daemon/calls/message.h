/* What psst-voice does beside calls: voice messages are recorded and played, the sound is checked, the devices are listed. One at
 * a time, and not during a call; a call that is answered meanwhile ends it. Loop thread only.
 *
 *   record: file in our folder -> psst-voice writes it -> a transfer of form "voice" (transfers/voice.c)
 *   play:   row in the store -> its file -> psst-voice decodes it, in its sandbox -> it was heard
 *
 * What records or plays for a user interface ends with it: nobody would know any more that the microphone is open.
 */
#ifndef PSST_DAEMON_CALLS_MESSAGE_H
#define PSST_DAEMON_CALLS_MESSAGE_H

#include "daemon/calls/calls.h"

PSST_MUST_USE enum psst_err psst_messages_new(struct psst_messages **out, struct psst_daemon *d);
void psst_messages_free(struct psst_messages *messages); /* after the loop has run out */
/* Locked, or psstd ends: what is under way is over, and thrown away. Before psst_calls_unloaded. */
void psst_messages_unloaded(struct psst_messages *messages);

/* Once, for each of the following: at its end. name: of the error, NULL: by err; result is taken. */
typedef void psst_sound_done(void *ctx, enum psst_err err, const char *name, const char *words, json_t *result);
/* ends are taken; client: psst_request_client's number. */
void psst_messages_record(struct psst_messages *messages, const struct psst_contact *contact, unsigned seconds,
                          struct psst_call_ends ends, uint64_t client, psst_sound_done *done, void *ctx);
void psst_messages_play(struct psst_messages *messages, int64_t id, struct psst_call_ends ends, uint64_t client,
                        psst_sound_done *done, void *ctx);
void psst_messages_check(struct psst_messages *messages, unsigned seconds, struct psst_call_ends ends, uint64_t client,
                         psst_sound_done *done, void *ctx);
void psst_messages_devices(struct psst_messages *messages, uint64_t client, psst_sound_done *done, void *ctx);
/* Ends what is under way, in order. discard: a recording is thrown away. PSST_ERR_NOT_FOUND: there is nothing. */
PSST_MUST_USE enum psst_err psst_messages_stop(struct psst_messages *messages, bool discard);
/* This user interface is gone. */
void psst_messages_client_gone(struct psst_messages *messages, uint64_t client);

#endif
