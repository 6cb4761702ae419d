/* /call, /answer, /hangup, /dial, and what can be turned during a call. Over the interface's own connection: a call lasts no
 * longer than the connection that made it. */
#include "client/out.h"
#include "tui/commands_run.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_CHARS 64

/* ---- beginning and ending ---- */

void psst_run_call(struct psst_app *app, int n, char **words)
{
    const struct psst_call_now *call = psst_model_call(app->model);
    bool message = false;
    int named = 0;
    for (int i = 1; i < n; i++) {
        if (strcmp(words[i], "--message") == 0)
            message = true;
        else if (words[i][0] != '-' && named == 0)
            named = i;
        else {
            psst_app_error(app,
                           "/call [NAME], or /call [NAME] --message; more options has psst call, on a command line");
            return;
        }
    }
    const struct psst_person *person = psst_command_whom(app, named > 0 ? n : 0, words, named);
    if (person == NULL) return;
    if (message) {
        char *argv[] = {(char *)"call", strdup(person->name), (char *)"--message", NULL};
        if (argv[1] != NULL) psst_child_ask(app, argv);
        free(argv[1]);
        return;
    }
    bool rings = call->state == PSST_CALL_OFFERED && strcmp(call->name, person->name) == 0;
    psst_app_request(app, rings ? "answer" : "call", psst_rpc_name(person->name), NULL, 0, NULL, NULL);
    psst_app_open(app, person->name);
}

/* What the person did not know when the line was begun is said, and done the second time. */
static const char *caller(const struct psst_call_now *call)
{
    return psst_out_text(call->name, NAME_CHARS);
}

void psst_run_answer(struct psst_app *app, int n, char **words)
{
    const struct psst_call_now *call = psst_model_call(app->model);
    const struct psst_person *person = n > 1 ? psst_command_whom(app, n, words, 1) : NULL;
    if (n > 1 && person == NULL) return;
    bool rings = call->state == PSST_CALL_OFFERED;
    if (person == NULL && call->waiting > 0) {
        psst_app_error(app, "%s: /answer NAME says which one",
                       rings ? "several calls ring" : "it rings besides this call");
    } else if (person == NULL && !rings && app->meant.call == PSST_CALL_OFFERED) {
        psst_app_error(app, "the call of %s rings no more", psst_out_text(app->meant.who, NAME_CHARS));
    } else if (person == NULL && rings && !psst_moment_rang(&app->meant, call->name)) {
        psst_app_error(app, "%s began to call only while you wrote: /answer again answers", caller(call));
    } else if (person == NULL && !rings) {
        psst_app_error(app, "nobody calls"); /* psstd is not asked: what began to ring this moment, nobody has seen */
    } else {
        const char *name = person != NULL ? person->name : call->name;
        psst_app_request(app, "answer", psst_rpc_name(name), NULL, 0, NULL, NULL);
        if (psst_model_find(app->model, name) != NULL) psst_app_open(app, name);
    }
}

/* True: a call was meant that is over, or one that nobody could know of; said. */
static bool other_call(struct psst_app *app, const struct psst_call_now *call)
{
    bool another = app->meant.call != PSST_CALL_NONE && strcmp(app->meant.who, call->name) != 0;
    if (another)
        psst_app_error(app, "the call with %s has ended already, this one is %s's: /hangup again ends it",
                       psst_out_text(app->meant.who, NAME_CHARS), caller(call));
    else if (call->state == PSST_CALL_OFFERED && !psst_moment_rang(&app->meant, call->name))
        psst_app_error(app, "%s began to call only while you wrote: /hangup again declines", caller(call));
    else
        return false;
    return true;
}

/* True: the call has ended just before, and this was meant for it, not for the session; said, once. */
static bool over_already(struct psst_app *app, const struct psst_person *person, bool named)
{
    struct psst_sight *sight = &app->sight;
    bool lately = sight->call_before != PSST_CALL_NONE && sight->call == PSST_CALL_NONE &&
                  psst_client_now_ms() - sight->call_ms < PSST_CALL_OVER_MS;
    bool begun_during = app->meant.call != PSST_CALL_NONE;
    if (sight->end_told || (!lately && !begun_during)) return false;
    const char *who = begun_during ? app->meant.who : sight->who_before;
    if (named && strcmp(person->name, who) != 0) return false;
    sight->end_told = true;
    psst_app_error(app, "the call has ended already: /hangup again ends the session with %s",
                   psst_out_text(person->name, NAME_CHARS));
    return true;
}

void psst_run_hangup(struct psst_app *app, int n, char **words)
{
    const struct psst_call_now *call = psst_model_call(app->model);
    bool call_only = n > 1 && strcmp(words[n - 1], "--call") == 0;
    if (call_only) n--;
    const struct psst_person *person = n > 1 ? psst_command_whom(app, n, words, 1) : NULL;
    if (n > 1 && person == NULL) return;
    bool calls = call->state != PSST_CALL_NONE && (person == NULL || strcmp(person->name, call->name) == 0);
    if (calls) {
        if (person == NULL && other_call(app, call)) return;
        const char *method = call->state == PSST_CALL_OFFERED ? "decline" : "call.hangup";
        psst_app_request(app, method, psst_rpc_name(call->name), NULL, 0, NULL, NULL);
        return;
    }
    if (call_only) {
        psst_app_error(app, "there is no call%s", call->state != PSST_CALL_NONE ? " with this contact" : "");
        return;
    }
    bool named = person != NULL;
    if (person == NULL) person = psst_command_whom(app, 0, words, 0);
    if (person == NULL || over_already(app, person, named)) return;
    psst_app_request(app, "hangup", psst_rpc_name(person->name), NULL, 0, NULL, NULL);
}

struct dialling {
    struct psst_app *app;
    char *name;
};

static void dialled(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct dialling *dialling = ctx;
    const char *address = json_string_value(json_object_get(result, "address"));
    (void)failure;
    if (result != NULL)
        psst_app_say(dialling->app, "a session with %s stands, at %s", dialling->name,
                     address != NULL ? address : "an unknown address");
    else if (dialling->app->model != NULL)
        psst_model_dialling(dialling->app->model, dialling->name, false);
    free(dialling->name);
    free(dialling);
}

void psst_run_dial(struct psst_app *app, int n, char **words)
{
    bool address_only = n == 2 && psst_command_person(app, words[1]) == NULL && strpbrk(words[1], ".:") != NULL;
    const struct psst_person *person = psst_command_whom(app, address_only ? 0 : n, words, 1);
    struct dialling *dialling = person != NULL ? calloc(1, sizeof *dialling) : NULL;
    if (dialling == NULL) return;
    *dialling = (struct dialling){app, strdup(person->name)};
    if (dialling->name == NULL) {
        free(dialling);
        return;
    }
    json_t *params = psst_rpc_name(person->name);
    const char *address = address_only ? words[1] : n > 2 ? words[2] : NULL;
    if (address != NULL) (void)json_object_set_new(params, "address", json_string(address));
    psst_app_say(app, "dialling %s ...", person->name);
    psst_model_dialling(app->model, dialling->name, true);
    psst_app_request(app, "dial", params, NULL, 0, dialled, dialling);
}

/* ---- switches ---- */

/* What holds goes to the model; then it is said. */
static bool took(struct psst_app *app, json_t *result, const struct psst_failure *failure)
{
    if (result != NULL) psst_app_voice_answered(app, result, failure);
    return result != NULL;
}

static void told_mute(void *ctx, json_t *result, const struct psst_failure *failure)
{
    if (!took(ctx, result, failure)) return;
    psst_app_say(ctx, json_is_true(json_object_get(result, "send"))
                          ? "the microphone is open"
                          : "the microphone is closed: the other side hears silence");
}

static void told_receive(void *ctx, json_t *result, const struct psst_failure *failure)
{
    if (!took(ctx, result, failure)) return;
    psst_app_say(ctx, json_is_true(json_object_get(result, "receive"))
                          ? "what comes is played"
                          : "what comes is not played, and the other side is told so");
}

static void told_ptt(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct psst_app *app = ctx;
    if (!took(app, result, failure)) return;
    app->talking = json_is_true(json_object_get(result, "ptt"));
    psst_app_say(app, app->talking ? "push to talk: the microphone is open until /ptt off" : "push to talk is off");
}

static const struct turned {
    const char *command, *key;
    bool inverted; /* muted: not sent */
    psst_client_answer *told;
} switches[] = {
    {"mute", "send", true, told_mute},
    {"receive", "receive", false, told_receive},
    {"ptt", "ptt", false, told_ptt},
};

/* As it was when the line was begun: turning over what another program has turned over meanwhile opens no microphone. */
static bool holds(const struct psst_app *app, const struct turned *turned)
{
    const struct psst_call_now *call = psst_model_call(app->model);
    const struct psst_moment *meant = &app->meant;
    bool known = psst_moment_has_call(meant, call->name);
    bool send = known ? meant->send : call->send, receive = known ? meant->receive : call->receive;
    bool ptt = known ? meant->ptt : call->ptt;
    bool value = strcmp(turned->key, "send") == 0 ? send : strcmp(turned->key, "receive") == 0 ? receive : ptt;
    return value != turned->inverted;
}

void psst_run_switch(struct psst_app *app, int n, char **words)
{
    const struct psst_call_now *call = psst_model_call(app->model);
    const struct turned *turned = &switches[0];
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
        if (strcmp(switches[i].command, words[0]) == 0) turned = &switches[i];
    bool on = n > 1 ? strcasecmp(words[1], "on") == 0 : !holds(app, turned);
    if (n > 2 || (n == 2 && !on && strcasecmp(words[1], "off") != 0)) {
        psst_app_error(app, "on or off? /%s alone turns it over", words[0]);
        return;
    }
    if (call->state == PSST_CALL_NONE) {
        psst_app_error(app, "there is no call; /set push_to_talk yes begins calls with the microphone closed");
        return;
    }
    json_t *params = json_pack("{s:b}", turned->key, on != turned->inverted);
    psst_app_request(app, "voice.set", params, NULL, 0, turned->told, app);
}

/* ---- numbers ---- */

static void told_sense(void *ctx, json_t *result, const struct psst_failure *failure)
{
    if (!took(ctx, result, failure)) return;
    psst_app_say(ctx, "sensitivity: what is louder than %d dBFS goes out",
                 (int)json_integer_value(json_object_get(result, "sense")));
}

static void told_quality(void *ctx, json_t *result, const struct psst_failure *failure)
{
    static const int kbit[] = {8, 12, 16, 20, 24, 28, 32, 40, 48, 64, 96};
    json_int_t quality = json_integer_value(json_object_get(result, "quality"));
    if (!took(ctx, result, failure)) return;
    if (quality < 0 || quality > 10) quality = 0;
    psst_app_say(ctx, "quality %d of 10: %d kbit/s", (int)quality, kbit[quality]);
}

static void told_volume(void *ctx, json_t *result, const struct psst_failure *failure)
{
    if (!took(ctx, result, failure)) return;
    psst_app_say(ctx, "volume: %d percent", (int)json_integer_value(json_object_get(result, "volume")));
}

static const struct number {
    const char *key;
    long lo, hi;
    psst_client_answer *told;
} numbers[] = {
    {"sense", -100, 0, told_sense},
    {"quality", 0, 10, told_quality},
    {"volume", 0, 200, told_volume},
};

void psst_run_number(struct psst_app *app, int n, char **words)
{
    const struct number *number = &numbers[0];
    char *end = NULL;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(numbers[i].key, words[0]) == 0) number = &numbers[i];
    if (n == 1) {
        psst_app_request(app, "voice", NULL, NULL, 0, number->told, app);
        return;
    }
    long value = strtol(words[1], &end, 10);
    if (n > 2 || end == words[1] || *end != '\0' || value < number->lo || value > number->hi) {
        psst_app_error(app, "%s is a number from %ld to %ld", number->key, number->lo, number->hi);
        return;
    }
    psst_app_request(app, "voice.set", json_pack("{s:i}", number->key, (int)value), NULL, 0, number->told, app);
}

/* ---- voice messages ---- */

static void played(void *ctx, json_t *result, const struct psst_failure *failure)
{
    (void)failure;
    if (result != NULL) psst_app_say(ctx, "played");
}

/* Without a number: the oldest that was not heard, of who is open. */
static int64_t unheard(struct psst_app *app)
{
    for (size_t i = 0; i < psst_model_transfers(app->model); i++) {
        const struct psst_transfer *t = psst_model_transfer(app->model, i);
        bool fits = t->in && !t->heard && strcmp(t->form, "voice") == 0 && strcmp(t->state, "done") == 0;
        if (fits && app->open != NULL && strcmp(t->contact, app->open) == 0) return t->id;
    }
    return 0;
}

void psst_run_play(struct psst_app *app, int n, char **words)
{
    char *end = NULL;
    long long id = n > 1 ? strtoll(words[1], &end, 10) : unheard(app);
    if (n > 2 || (n > 1 && (end == words[1] || *end != '\0' || id <= 0))) {
        psst_app_error(app, "/play ID: the number of a voice message, as /files --all shows it");
        return;
    }
    if (id == 0) {
        psst_app_error(app, "no voice message here that was not heard; /files --all shows all");
        return;
    }
    psst_app_say(app, "playing; /stop ends it");
    psst_app_request(app, "play", json_pack("{s:I}", "id", (json_int_t)id), NULL, 0, played, app);
}

void psst_run_stop(struct psst_app *app, int n, char **words)
{
    (void)n;
    (void)words;
    size_t ended = psst_child_stop_all(app);
    if (ended > 0)
        psst_app_say(app, "ended");
    else
        psst_app_request(app, "voice.stop", NULL, NULL, 0, NULL, NULL);
}
