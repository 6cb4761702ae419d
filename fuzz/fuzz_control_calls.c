/* What fuzz_control.c plays besides: calls, as far as the control socket sees them. Each stand-in checks what psstd promises to
 * the real one. */
#include "fuzz.h"

#include "daemon/calls/calls.h"
#include "daemon/control/control.h"

#include <unistd.h>

static void take_ends(struct psst_call_ends ends)
{
    if (ends.wav_in >= 0) FUZZ_CHECK(close(ends.wav_in) == 0);
    if (ends.wav_out >= 0) FUZZ_CHECK(close(ends.wav_out) == 0);
}

void psst_calls_call(struct psst_calls *calls, struct psst_contact *contact, struct psst_call_ends ends,
                     psst_call_done *done, void *ctx)
{
    (void)calls;
    FUZZ_CHECK(!contact->blocked);
    take_ends(ends);
    done(ctx, 0, NULL, NULL, json_pack("{s:i}", "id", 1));
}

enum psst_err psst_calls_answer(struct psst_calls *calls, const struct psst_contact *contact,
                                struct psst_call_ends ends, struct psst_diag *diag)
{
    (void)calls;
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
