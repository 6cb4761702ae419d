/* What fuzz_control.c plays besides: calls, as far as the control socket sees them. Each stand-in checks what psstd promises to
 * the real one. */
#include "fuzz.h"

#include "daemon/calls/calls.h"
#include "daemon/calls/message.h"
#include "daemon/control/control.h"

#include <unistd.h>

static void take_ends(struct psst_call_ends ends)
{
    if (ends.wav_in >= 0) FUZZ_CHECK(close(ends.wav_in) == 0);
    if (ends.wav_out >= 0) FUZZ_CHECK(close(ends.wav_out) == 0);
}

/* ---- sound beside calls: it is over at once ---- */

void psst_messages_record(struct psst_messages *messages, const struct psst_contact *contact, unsigned seconds,
                          struct psst_call_ends ends, uint64_t client, psst_sound_done *done, void *ctx)
{
    (void)messages;
    (void)client;
    FUZZ_CHECK(contact != NULL && seconds >= 1 && seconds <= 300);
    take_ends(ends);
    done(ctx, PSST_ERR_USAGE, "discarded", "it was thrown away", NULL);
}

void psst_messages_play(struct psst_messages *messages, int64_t id, struct psst_call_ends ends, uint64_t client,
                        psst_sound_done *done, void *ctx)
{
    (void)messages;
    (void)client;
    FUZZ_CHECK(id >= 0);
    take_ends(ends);
    done(ctx, PSST_OK, NULL, "", json_object());
}

void psst_messages_check(struct psst_messages *messages, unsigned seconds, struct psst_call_ends ends, uint64_t client,
                         psst_sound_done *done, void *ctx)
{
    (void)messages;
    (void)client;
    FUZZ_CHECK(seconds >= 1 && seconds <= 30);
    take_ends(ends);
    done(ctx, PSST_ERR_IO, NULL, "there is no microphone", NULL);
}

void psst_messages_devices(struct psst_messages *messages, uint64_t client, psst_sound_done *done, void *ctx)
{
    (void)messages;
    (void)client;
    done(ctx, PSST_OK, NULL, "", json_pack("{s:[]}", "devices"));
}

enum psst_err psst_messages_stop(struct psst_messages *messages, bool discard)
{
    (void)messages;
    return discard ? PSST_OK : PSST_ERR_NOT_FOUND;
}

void psst_messages_client_gone(struct psst_messages *messages, uint64_t client)
{
    (void)messages;
    FUZZ_CHECK(client != 0);
}

/* ---- calls ---- */

void psst_calls_client_gone(struct psst_calls *calls, uint64_t client)
{
    (void)calls;
    FUZZ_CHECK(client != 0);
}

void psst_calls_call(struct psst_calls *calls, struct psst_contact *contact, struct psst_call_ends ends,
                     uint64_t client, psst_call_done *done, void *ctx)
{
    (void)calls;
    FUZZ_CHECK(client != 0);
    FUZZ_CHECK(!contact->blocked);
    take_ends(ends);
    done(ctx, 0, NULL, NULL, json_pack("{s:i}", "id", 1));
}

enum psst_err psst_calls_answer(struct psst_calls *calls, const struct psst_contact *contact,
                                struct psst_call_ends ends, uint64_t client, struct psst_diag *diag)
{
    (void)calls;
    FUZZ_CHECK(client != 0);
    take_ends(ends);
    return contact == NULL ? PSST_OK : psst_fail(diag, PSST_ERR_USAGE, "nobody calls");
}

enum psst_err psst_calls_decline(struct psst_calls *calls, const struct psst_contact *contact, struct psst_diag *diag)
{
    (void)calls;
    return contact == NULL ? PSST_OK : psst_fail(diag, PSST_ERR_USAGE, "nobody calls");
}

enum psst_err psst_calls_hangup(struct psst_calls *calls, const struct psst_contact *contact, struct psst_diag *diag)
{
    return psst_calls_decline(calls, contact, diag);
}

enum psst_err psst_calls_switch(struct psst_calls *calls, const bool *send, const bool *receive, const bool *ptt,
                                struct psst_diag *diag)
{
    (void)calls;
    FUZZ_CHECK(send != NULL || receive != NULL || ptt != NULL);
    return send != NULL ? PSST_OK : psst_fail(diag, PSST_ERR_USAGE, "there is no call");
}

void psst_calls_settings_changed(struct psst_calls *calls, bool afresh)
{
    (void)calls;
    (void)afresh;
}

json_t *psst_calls_brief_json(const struct psst_calls *calls)
{
    (void)calls;
    return json_object();
}

json_t *psst_calls_voice_json(const struct psst_calls *calls)
{
    (void)calls;
    return json_object();
}

json_t *psst_calls_call_json(const struct psst_calls *calls)
{
    (void)calls;
    return json_null();
}

const char *psst_call_result_name(enum psst_called result)
{
    FUZZ_CHECK(result <= PSST_CALLED_CUT_OFF);
    return "missed";
}

enum psst_err psst_store_call_list(struct psst_store *store, int64_t contact_id, int64_t before_id, size_t limit,
                                   psst_call_each *each, void *ctx)
{
    const struct psst_call_row row = {.id = 7, .contact_id = contact_id, .result = PSST_CALLED_MISSED};
    (void)store;
    FUZZ_CHECK(before_id >= 0 && limit >= 1);
    return each(ctx, &row);
}

enum psst_err psst_store_call_seen(struct psst_store *store, int64_t contact_id, int64_t first_id, int64_t last_id)
{
    (void)store;
    (void)contact_id;
    FUZZ_CHECK(first_id <= last_id);
    return PSST_OK;
}
