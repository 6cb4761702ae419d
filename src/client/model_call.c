/* The call. psstd has one at a time today; the model does not rely on it.
 *
 *   event call -> calls[] -> the one that concerns us most -> call_now     event voice -> levels
 *              -> note, arrival                                             answer to voice -> switches, settings
 */
#include "client/call_words.h"
#include "client/model_internal.h"

#include <stdio.h>
#include <string.h>

static enum psst_call_state state_of(const char *state)
{
    static const struct {
        const char *name;
        enum psst_call_state state;
    } states[] = {{"dialling", PSST_CALL_DIALLING},
                  {"calling", PSST_CALL_CALLING},
                  {"ringing", PSST_CALL_RINGING},
                  {"offered", PSST_CALL_OFFERED},
                  {"active", PSST_CALL_ACTIVE}};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (strcmp(states[i].name, state) == 0) return states[i].state;
    return PSST_CALL_NONE;
}

static int weight(const struct psst_held_call *call)
{
    if (call->state == PSST_CALL_ACTIVE) return 3;
    return call->state == PSST_CALL_OFFERED ? 1 : call->state == PSST_CALL_NONE ? 0 : 2;
}

/* The one that is shown; of equals, the first. */
static void choose(struct psst_model *model)
{
    const struct psst_held_call *best = NULL;
    struct psst_call_now *now = &model->call;
    unsigned ringing = 0;
    for (size_t i = 0; i < PSST_MODEL_CALLS; i++) {
        const struct psst_held_call *call = &model->calls[i];
        if (call->state == PSST_CALL_OFFERED) ringing++;
        if (weight(call) == 0) continue;
        if (best == NULL || weight(call) > weight(best) || (weight(call) == weight(best) && call->order < best->order))
            best = call;
    }
    now->state = best != NULL ? best->state : PSST_CALL_NONE;
    now->waiting = ringing - (now->state == PSST_CALL_OFFERED ? 1 : 0);
    now->since_ms = best != NULL && best->state == PSST_CALL_ACTIVE ? best->since_ms : 0;
    now->peer_receiving = best == NULL || best->peer_receiving;
    now->silent = best != NULL && best->silent;
    psst_model_copy(model->call_name, sizeof model->call_name, best != NULL ? best->name : "");
    psst_model_copy(model->call_way, sizeof model->call_way, best != NULL ? best->way : "");
    if (now->state == PSST_CALL_ACTIVE) return;
    now->microphone_dbfs = now->speaker_dbfs = -100;
    now->loss = now->delay_ms = 0;
    now->voice = now->clipping = now->fec = false;
    if (best == NULL) now->ptt = false;
    if (best == NULL) model->call_words[0] = '\0';
}

/* The place of a call, or a free one; NULL: there are too many. */
static struct psst_held_call *place(struct psst_model *model, int64_t id)
{
    struct psst_held_call *spare = NULL;
    for (size_t i = 0; i < PSST_MODEL_CALLS; i++) {
        if (model->calls[i].id == id && model->calls[i].state != PSST_CALL_NONE) return &model->calls[i];
        if (spare == NULL && model->calls[i].state == PSST_CALL_NONE) spare = &model->calls[i];
    }
    if (spare != NULL) *spare = (struct psst_held_call){.id = id, .order = ++model->call_order, .peer_receiving = true};
    return spare;
}

static void take_over(struct psst_held_call *call, enum psst_call_state state, const json_t *from)
{
    const json_t *receiving = json_object_get(from, "peer_receiving");
    uint64_t now_ms = psst_client_now_ms(), ms = (uint64_t)psst_model_int(from, "seconds", 0) % 100000000 * 1000;
    if (state == PSST_CALL_ACTIVE && call->state != PSST_CALL_ACTIVE) call->since_ms = now_ms > ms ? now_ms - ms : 1;
    call->state = state;
    call->peer_receiving = !json_is_false(receiving);
    call->silent = json_is_true(json_object_get(from, "silent"));
    psst_model_copy(call->name, sizeof call->name, psst_model_string(from, "name"));
    psst_model_copy(call->way, sizeof call->way, psst_model_string(from, "way"));
}

/* ---- the event ---- */

static void tell(struct psst_model *model, const json_t *event, enum psst_call_state state)
{
    struct psst_held_person *person = psst_model_held(model, psst_model_string(event, "name"));
    int64_t id = psst_model_int(event, "id", 0);
    const char *is = psst_model_string(event, "state");
    char words[PSST_CALL_WORDS];
    if (id == model->noted_call && strncmp(is, model->noted_state, sizeof model->noted_state - 1) == 0) return;
    model->noted_call = id;
    psst_model_copy(model->noted_state, sizeof model->noted_state, is);
    if (person == NULL || psst_call_event_line(words, event)[0] == '\0') return;
    bool quiet = json_is_true(json_object_get(event, "quiet"));
    bool missed = strcmp(is, "ended") == 0 && strcmp(psst_model_string(event, "direction"), "in") == 0 &&
                  strcmp(psst_model_string(event, "result"), "missed") == 0;
    if (missed) person->pub.missed_call = true;
    psst_model_put_note(model, person, words, false);
    if (missed) psst_model_arrived(model, PSST_ARRIVAL_MISSED, person->name, words, quiet);
    if (state == PSST_CALL_OFFERED) psst_model_arrived(model, PSST_ARRIVAL_RINGS, person->name, words, quiet);
}

void psst_model_on_call(struct psst_model *model, const json_t *event)
{
    enum psst_call_state state = state_of(psst_model_string(event, "state"));
    struct psst_held_call *call = place(model, psst_model_int(event, "id", 0));
    if (call != NULL) take_over(call, state, event);
    for (size_t i = 0; i < PSST_MODEL_CALLS && state != PSST_CALL_NONE; i++) /* it has a number now */
        if (model->calls[i].state == PSST_CALL_DIALLING && &model->calls[i] != call)
            model->calls[i].state = PSST_CALL_NONE;
    choose(model);
    tell(model, event, state);
    if (strcmp(psst_model_string(event, "state"), "ended") != 0 || model->call.state != PSST_CALL_NONE)
        psst_model_ask_voice(model);
    psst_model_changed(model, PSST_PART_CALL | PSST_PART_CONTACTS);
}

/* ---- the answer to voice ---- */

/* A whole number of a state of voice; what it was, when it is not there. */
static int number(const json_t *state, const char *key, int was, int lo, int hi)
{
    const json_t *value = json_object_get(state, key);
    json_int_t n = json_is_integer(value) ? json_integer_value(value) : was;
    return (int)(n < lo ? lo : n > hi ? hi : n);
}

static bool flag(const json_t *state, const char *key, bool was)
{
    const json_t *value = json_object_get(state, key);
    return json_is_boolean(value) ? json_is_true(value) : was;
}

void psst_model_voice(struct psst_model *model, const json_t *state)
{
    struct psst_call_now *now = &model->call;
    const json_t *call = json_object_get(state, "call");
    if (!json_is_object(state)) return;
    enum psst_call_state is = state_of(psst_model_string(call, "state"));
    if (json_is_null(call)) psst_model_calls_end(model);
    if (json_is_object(call) && is != PSST_CALL_NONE) {
        struct psst_held_call *held = place(model, psst_model_int(call, "id", 0));
        if (held != NULL) take_over(held, is, call);
    }
    choose(model);
    now->send = flag(state, "send", now->send);
    now->receive = flag(state, "receive", now->receive);
    now->ptt = flag(state, "ptt", now->ptt);
    now->sense_dbfs = number(state, "sense", now->sense_dbfs, -100, 0);
    now->quality = number(state, "quality", now->quality, 0, 10);
    now->volume = number(state, "volume", now->volume, 0, 200);
    psst_model_copy(model->call_words, sizeof model->call_words, psst_model_string(state, "words"));
    psst_model_changed(model, PSST_PART_CALL);
}

static void voice_answered(struct psst_asked *asked, json_t *result, const struct psst_failure *failure)
{
    (void)failure;
    if (result != NULL && asked->generation == asked->model->generation) psst_model_voice(asked->model, result);
}

void psst_model_ask_voice(struct psst_model *model)
{
    (void)psst_model_ask(model, "voice", NULL, voice_answered);
}

/* ---- levels ---- */

/* Not a number, and what no meter shows, is the lowest. */
static double level(const json_t *event, const char *key, double lo, double hi)
{
    double value = json_number_value(json_object_get(event, key));
    return value > lo ? value < hi ? value : hi : lo;
}

void psst_model_on_levels(struct psst_model *model, const json_t *event)
{
    struct psst_call_now *now = &model->call;
    if (now->state != PSST_CALL_ACTIVE) return;
    bool send = flag(event, "send", now->send), receive = flag(event, "receive", now->receive);
    bool ptt = flag(event, "ptt", now->ptt);
    int quality = number(event, "quality", now->quality, 0, 10);
    bool switched = send != now->send || receive != now->receive || ptt != now->ptt || quality != now->quality;
    now->send = send;
    now->receive = receive;
    now->ptt = ptt;
    now->quality = quality;
    now->microphone_dbfs = level(event, "microphone_dbfs", -100, 0);
    now->speaker_dbfs = level(event, "speaker_dbfs", -100, 0);
    now->loss = level(event, "loss", 0, 100);
    now->delay_ms = level(event, "delay_ms", 0, 100000);
    now->voice = flag(event, "voice", false);
    now->clipping = flag(event, "clipping", false);
    now->fec = flag(event, "fec", false);
    psst_model_changed(model, PSST_PART_LEVELS | (switched ? PSST_PART_CALL : 0));
}

/* ---- who is gone ---- */

void psst_model_calls_of(struct psst_model *model, const char *name, const char *renamed)
{
    for (size_t i = 0; i < PSST_MODEL_CALLS; i++) {
        if (strcmp(model->calls[i].name, name) != 0) continue;
        if (renamed == NULL)
            model->calls[i].state = PSST_CALL_NONE;
        else
            psst_model_copy(model->calls[i].name, sizeof model->calls[i].name, renamed);
    }
    choose(model);
    psst_model_changed(model, PSST_PART_CALL);
}

void psst_model_calls_end(struct psst_model *model)
{
    for (size_t i = 0; i < PSST_MODEL_CALLS; i++) model->calls[i].state = PSST_CALL_NONE;
    choose(model);
}
