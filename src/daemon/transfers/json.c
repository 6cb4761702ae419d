/* Transfers as user interfaces see them (docs/IPC.md, "file"). */
#include "daemon/transfers/internal.h"
#include "daemon/transfers/transfers.h"

#include "daemon/reconnect/reconnect.h"

#include <stdio.h>

#define PROGRESS_NS (PSST_SECOND_NS / 4)

/* ---- figures ---- */

static bool runs(const struct psst_transfer *t)
{
    return t->source != NULL || t->sink != NULL;
}

static uint64_t position(const struct psst_transfer *t)
{
    if (t->direction == PSST_OUT && t->source != NULL) return psst_file_source_position(t->source);
    if (t->direction == PSST_IN && t->sink != NULL) return psst_file_sink_position(t->sink);
    return t->reached;
}

static uint64_t bytes_done(const struct psst_transfer *t)
{
    if (t->state == PSST_TRANSFER_DONE) return t->size;
    if (t->whole || t->stage == PSST_STAGE_SETTLING) return t->size;
    uint64_t at = position(t);
    if (t->direction == PSST_OUT) return at;
    return t->stage > PSST_STAGE_OPENING ? at : t->safe; /* what is not safe is not counted on */
}

/* How many of this contact's go before it; 0: none, or it is not in a line. */
static unsigned queue_position(const struct psst_transfer *t)
{
    bool waits = t->direction == PSST_OUT && t->state == PSST_TRANSFER_ACCEPTED && !psst_transfer_is_paused(t) &&
                 t->form != PSST_FILE_FORM_STREAM && t->stage != PSST_STAGE_RUNNING && t->stage != PSST_STAGE_FINISHING;
    if (!waits) return 0;
    unsigned before = 0;
    for (const struct psst_transfer *o = t->all->first; o != NULL; o = o->next) {
        if (o == t || o->contact_id != t->contact_id || o->direction != PSST_OUT) continue;
        if (o->state != PSST_TRANSFER_ACCEPTED || psst_transfer_is_paused(o) || o->form == PSST_FILE_FORM_STREAM)
            continue;
        before += o->stage == PSST_STAGE_RUNNING || (o->stage != PSST_STAGE_FINISHING && psst_transfer_is_before(o, t));
    }
    return before;
}

/* ---- words ---- */

const char *psst_transfer_state_name(const struct psst_transfer *t)
{
    switch (t->state) {
    case PSST_TRANSFER_WAITING: return (t->flags & PSST_TRANSFER_PAUSED) != 0 ? "paused" : "waiting";
    case PSST_TRANSFER_ACCEPTED:
        if (psst_transfer_is_paused(t)) return "paused";
        return t->stage > PSST_STAGE_IN_LINE ? "running" : "waiting";
    case PSST_TRANSFER_DONE: return "done";
    case PSST_TRANSFER_DECLINED: return "declined";
    case PSST_TRANSFER_FAILED: return "failed";
    }
    return "unknown";
}

static const char *either(bool ours, const char *here, const char *there)
{
    return ours ? here : there;
}

/* The sentence for a transfer that has ended otherwise than well. */
static void reason_words(char out[200], const struct psst_transfer *t, const char *who)
{
    bool ours = (t->reason & PSST_TRANSFER_OURS) != 0, stream = t->form == PSST_FILE_FORM_STREAM;
    if (ours) who = "you";
    switch (t->reason & ~PSST_TRANSFER_OURS) {
    case PSST_FILE_BY_USER:
        (void)snprintf(out, 200, "%s %s it", who, t->state == PSST_TRANSFER_DECLINED ? "declined" : "cancelled");
        return;
    case PSST_FILE_NOT_SUPPORTED: (void)snprintf(out, 200, "%s cannot take such a file", who); return;
    case PSST_FILE_PROTOCOL:
        (void)snprintf(out, 200, "%s",
                       either(ours, "what came was not what was offered", "the other side got what it did not expect"));
        return;
    case PSST_FILE_CHANGED:
        (void)snprintf(out, 200, "the %s changed or went away%s after it was offered",
                       either(t->form == PSST_FILE_FORM_FOLDER, "folder", "file"),
                       either(ours, "", " on the other side"));
        return;
    case PSST_FILE_NOT_SAVED:
        if (stream)
            (void)snprintf(out, 200, "it could not be passed on %s", either(ours, "here", "on the other side"));
        else
            (void)snprintf(out, 200, "it could not be saved %s", either(ours, "here", "on the other side"));
        return;
    case PSST_FILE_HASH:
        (void)snprintf(out, 200, "its checksum was not the sender's: %s",
                       either(stream, "do not trust what has come", "nothing was kept"));
        return;
    case PSST_FILE_REFUSED:
        (void)snprintf(out, 200, "what is in it was refused %s", either(ours, "here", "on the other side"));
        return;
    case PSST_FILE_CUT_OFF:
        (void)snprintf(out, 200, "cut off after %llu bytes: a stream cannot be taken up again",
                       (unsigned long long)t->safe);
        return;
    default: (void)snprintf(out, 200, "it was ended on %s side", ours ? "this" : "the other"); return;
    }
}

static bool contact_paused_us(const struct psst_transfer *t)
{
    const struct psst_contact *contact = psst_transfer_contact(t);
    return contact != NULL && contact->paused_us;
}

/* Why it is as it is; false: that is plain. */
static bool state_words(char out[200], const struct psst_transfer *t, const char *who)
{
    if (t->state == PSST_TRANSFER_DECLINED || t->state == PSST_TRANSFER_FAILED) {
        reason_words(out, t, who);
        return true;
    }
    if (t->state == PSST_TRANSFER_DONE) return t->words != NULL; /* a note */
    if ((t->flags & PSST_TRANSFER_PAUSED) != 0)
        (void)snprintf(out, 200, "you paused it: psst files resume %lld", (long long)t->id);
    else if (t->peer_paused)
        (void)snprintf(out, 200, "%s paused it", who);
    else if (t->state == PSST_TRANSFER_WAITING && t->direction == PSST_OUT && contact_paused_us(t))
        (void)snprintf(out, 200, "%s has paused you: it waits, and is offered again", who);
    else if (t->whole)
        (void)snprintf(out, 200, "it is here, and could not be noted yet: the disk was full");
    else if (t->state == PSST_TRANSFER_ACCEPTED && t->stage == PSST_STAGE_IDLE)
        (void)snprintf(out, 200, "accepted: goes on with the next session");
    else if (t->stage == PSST_STAGE_IN_LINE)
        (void)snprintf(out, 200, "accepted: others go first");
    else
        return false;
    return true;
}

/* ---- the object ---- */

static void set_int(json_t *file, const char *key, uint64_t v)
{
    (void)json_object_set_new(file, key, json_integer((json_int_t)v));
}

static void set_figures(json_t *file, const struct psst_transfer *t)
{
    uint64_t left_ms;
    unsigned queue = queue_position(t);
    if (queue > 0) set_int(file, "queue", queue);
    if (t->start > 0) set_int(file, "resumed_from", t->start);
    if (t->direction == PSST_IN && !psst_transfer_is_over(t)) set_int(file, "safe", t->safe);
    if (!psst_transfer_is_over(t) && psst_transfer_is_paused(t))
        (void)json_object_set_new(file, "paused_by",
                                  json_string((t->flags & PSST_TRANSFER_PAUSED) != 0 ? "us" : "them"));
    if (t->stage != PSST_STAGE_RUNNING) return;
    struct psst_pace pace = t->pace;
    uint64_t at = position(t);
    psst_pace_step(&pace, uv_hrtime(), at);
    set_int(file, "rate", psst_pace_rate(&pace));
    if (t->size != PSST_TRANSFER_SIZE_UNKNOWN && psst_pace_left_ms(&pace, t->size - at, &left_ms))
        set_int(file, "left_ms", left_ms);
}

/* Of a folder: what psst-tar found in it. */
static void set_contents(json_t *file, const struct psst_tar_facts *facts)
{
    if (facts->size == 0) return;
    (void)json_object_set_new(file, "contents",
                              json_pack("{s:I, s:I, s:I, s:I}", "files", (json_int_t)facts->files, "folders",
                                        (json_int_t)facts->folders, "bytes", (json_int_t)facts->bytes, "left_out",
                                        (json_int_t)facts->left));
}

json_t *psst_transfer_json(const struct psst_transfer *t)
{
    static const char *const forms[] = {"file", "folder", "stream", "voice"};
    const struct psst_contact *contact = psst_transfer_contact(t);
    const char *who = contact != NULL ? contact->alias : "?";
    json_t *path = json_string(t->path);
    json_t *size = t->size == PSST_TRANSFER_SIZE_UNKNOWN ? json_null() : json_integer((json_int_t)t->size);
    json_t *file = json_pack("{s:I, s:s, s:s, s:s, s:s, s:o, s:I, s:s, s:o, s:I}", "id", (json_int_t)t->id, "contact",
                             who, "direction", t->direction == PSST_OUT ? "out" : "in", "form",
                             t->form < sizeof forms / sizeof forms[0] ? forms[t->form] : "file", "name", t->name,
                             "size", size, "done", (json_int_t)bytes_done(t), "state", psst_transfer_state_name(t),
                             "path", path != NULL ? path : json_string(""), "time_ms", (json_int_t)t->created_ms);
    char words[200];
    if (file == NULL) return NULL;
    if (state_words(words, t, who))
        (void)json_object_set_new(file, "reason",
                                  json_string(t->words != NULL && psst_transfer_is_over(t) ? t->words : words));
    if (t->form == PSST_FILE_FORM_VOICE) {
        set_int(file, "seconds", psst_transfer_voice_seconds(t));
        (void)json_object_set_new(file, "heard", json_boolean((t->flags & PSST_TRANSFER_HEARD) != 0));
        bool asks = t->direction == PSST_IN && t->state == PSST_TRANSFER_WAITING && !t->taking;
        (void)json_object_set_new(file, "asks", json_boolean(asks));
    }
    set_figures(file, t);
    set_contents(file, &t->contents);
    return file;
}

json_t *psst_transfers_json(struct psst_transfers *transfers)
{
    json_t *list = json_array();
    for (struct psst_transfer *t = transfers->first; t != NULL; t = t->next)
        (void)json_array_append_new(list, psst_transfer_json(t));
    return list;
}

json_t *psst_transfers_json_one(struct psst_transfers *transfers, int64_t id)
{
    const struct psst_transfer *t = psst_transfer_by_id(transfers, id);
    return t != NULL ? psst_transfer_json(t) : NULL;
}

/* ---- what has changed ---- */

/* Whether a session would bring it further. */
static bool wants_session(const struct psst_transfer *t)
{
    if (psst_transfer_is_over(t)) return (t->flags & PSST_TRANSFER_UNTOLD) != 0;
    if (psst_transfer_is_paused(t)) return false;
    return t->direction == PSST_OUT || t->state == PSST_TRANSFER_ACCEPTED;
}

void psst_transfer_count(struct psst_transfer *t)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    bool wants = wants_session(t);
    if (contact == NULL || wants == t->counted) return;
    t->counted = wants;
    if (wants)
        contact->unfinished++;
    else
        contact->unfinished--;
    if (contact->unfinished == (wants ? 1u : 0u)) psst_reconnect_changed(t->all->d, contact);
}

void psst_transfer_uncount(struct psst_transfer *t)
{
    struct psst_contact *contact = t->counted ? psst_transfer_contact(t) : NULL;
    if (contact != NULL && contact->unfinished > 0) contact->unfinished--;
    t->counted = false;
}

void psst_transfer_event(struct psst_transfer *t)
{
    psst_transfer_count(t);
    t->told_ns = uv_hrtime();
    t->owed = false;
    if (runs(t)) psst_pace_step(&t->pace, t->told_ns, position(t));
    psst_daemon_event(t->all->d, "file", psst_transfer_json(t));
}

static void on_owed(uv_timer_t *timer)
{
    struct psst_transfers *transfers = timer->data;
    for (struct psst_transfer *t = transfers->first; t != NULL; t = t->next)
        if (t->owed) psst_transfer_progress(t);
}

/* What came too soon after the last event is told later: it may have been the last for long. */
void psst_transfer_progress(struct psst_transfer *t)
{
    uv_timer_t *timer = &t->all->owed_timer;
    uint64_t passed_ns = uv_hrtime() - t->told_ns;
    if (passed_ns >= PROGRESS_NS) {
        psst_transfer_event(t);
        return;
    }
    t->owed = true;
    if (!uv_is_active((uv_handle_t *)timer) && !uv_is_closing((uv_handle_t *)timer))
        (void)uv_timer_start(timer, on_owed, (PROGRESS_NS - passed_ns) / 1000000 + 1, 0);
}
