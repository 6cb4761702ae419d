#include "cli/call_watch.h"
#include "cli/interrupts.h"
#include "cli/print.h"
#include "cli/voice_wait.h"

#include "client/call_words.h"

#include <errno.h>
#include <strings.h>
#include <unistd.h>

struct watch {
    struct psst_cli *cli;
    const struct psst_call_wish *wish;
    bool terminal; /* the line of levels is drawn */
    bool drawn;    /* it stands there */
    bool answered; /* psstd has answered the request */
    bool refused;  /* with an error: failure */
    bool quitting; /* we have asked for the end */
    bool silent, deaf;
    long long id;
    uint64_t active_ms; /* monotonic; 0: it never stood */
    char state[16], result[32], words[256], way[8];
    struct psst_failure failure;
};

static void clear_line(struct watch *watch)
{
    if (watch->drawn) (void)fprintf(stderr, "\r\x1b[K");
    watch->drawn = false;
}

static void say(struct watch *watch, const char *words)
{
    if (watch->wish->as_json || words[0] == '\0') return;
    clear_line(watch);
    (void)printf("%s\n", words);
    (void)fflush(stdout);
}

static void print_event(const char *event, const json_t *params)
{
    json_t *line = json_copy((json_t *)params); /* borrows what is in it: nothing is changed but the copy */
    if (line == NULL) return;
    (void)json_object_set_new(line, "event", json_string(event));
    psst_out_json(line);
    (void)fflush(stdout);
    json_decref(line);
}

/* Before psstd has answered there is only the name to go by. */
static bool is_ours(const struct watch *watch, const json_t *params)
{
    if (watch->id != 0) return psst_out_int(params, "id") == watch->id;
    const char *name = watch->wish->name;
    return name == NULL || strcasecmp(psst_out_string(params, "name"), name) == 0;
}

static void on_call(struct watch *watch, const json_t *params)
{
    char words[PSST_CALL_WORDS];
    char state[16], way[8]; /* copies: what psst_out_string gives does not last */
    (void)snprintf(state, sizeof state, "%s", psst_out_string(params, "state"));
    (void)snprintf(way, sizeof way, "%s", psst_out_string(params, "way"));
    bool silent = psst_out_bool(params, "silent");
    bool changed = strcmp(state, watch->state) != 0;
    bool active = strcmp(state, "active") == 0;
    watch->id = psst_out_int(params, "id");
    (void)snprintf(watch->state, sizeof watch->state, "%s", state);
    if (active && watch->active_ms == 0) watch->active_ms = psst_client_now_ms();
    if (strcmp(state, "ended") == 0) {
        (void)snprintf(watch->result, sizeof watch->result, "%s", psst_out_string(params, "result"));
        (void)snprintf(watch->words, sizeof watch->words, "%s", psst_out_string(params, "words"));
        return; /* told at the end, once */
    }
    watch->deaf = active && json_is_false(json_object_get(params, "peer_receiving"));
    if (changed)
        say(watch, psst_call_event_line(words, params));
    else if (psst_out_string(params, "words")[0] != '\0' && strcmp(psst_out_string(params, "words"), watch->words) != 0)
        say(watch, psst_out_string(params, "words"));
    else if (silent != watch->silent)
        say(watch, silent ? "nothing has been heard for 2 s" : "heard again");
    else if (active && strcmp(way, watch->way) != 0)
        say(watch, strcmp(way, "tcp") == 0 ? "voice goes by TCP" : strcmp(way, "udp") == 0 ? "voice goes by UDP" : "");
    watch->silent = silent;
    (void)snprintf(watch->way, sizeof watch->way, "%s", way);
    (void)snprintf(watch->words, sizeof watch->words, "%s", psst_out_string(params, "words"));
}

static void on_voice(struct watch *watch, const json_t *params)
{
    char line[PSST_METER_SIZE];
    if (!watch->terminal || watch->active_ms == 0) return;
    (void)fprintf(stderr, "\r\x1b[K%s",
                  psst_call_meter(line, params, (psst_client_now_ms() - watch->active_ms) / 1000, watch->silent,
                                  watch->deaf, psst_out_columns(stderr)));
    (void)fflush(stderr);
    watch->drawn = true;
}

static void on_event(void *ctx, const char *event, json_t *params)
{
    struct watch *watch = ctx;
    bool call = strcmp(event, "call") == 0;
    if ((!call && strcmp(event, "voice") != 0) || watch->result[0] != '\0' || watch->refused) return;
    if (!is_ours(watch, params) || (!call && watch->id == 0)) return;
    if (watch->wish->as_json) print_event(event, params);
    if (call)
        on_call(watch, params);
    else
        on_voice(watch, params);
}

static void on_answer(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct watch *watch = ctx;
    watch->answered = true;
    if (result != NULL) {
        watch->id = psst_out_int(result, "id");
        return;
    }
    watch->refused = true;
    watch->failure = *failure;
}

static void ignore(void *ctx, json_t *result, const struct psst_failure *failure)
{
    (void)ctx;
    (void)result;
    (void)failure;
}

/* What was asked for may only come about later: then it is hung up again (see watch_on). */
static void hang_up(struct watch *watch)
{
    json_t *params = watch->wish->name != NULL ? psst_rpc_name(watch->wish->name) : json_object();
    watch->quitting = true;
    if (psst_client_request(watch->cli->client, "call.hangup", params, NULL, 0, ignore, NULL) != PSST_OK) return;
}

/* Until the call is over. False: given up by the person before that, or psstd is gone. */
static bool watch_on(struct watch *watch)
{
    long long seconds = watch->wish->seconds;
    bool again = false;
    while (watch->result[0] == '\0' && !watch->refused) {
        uint64_t now = psst_client_now_ms(), end = watch->active_ms + (uint64_t)seconds * 1000;
        bool timed = seconds > 0 && watch->active_ms != 0 && !watch->quitting;
        if (timed && now >= end) {
            hang_up(watch);
            timed = false;
        }
        if (watch->quitting && watch->answered && !again) { /* the interrupt may have come before the call */
            again = true;
            hang_up(watch);
        }
        unsigned woke = psst_interrupts_wait(watch->cli->client, false, timed ? (int)(end - now) : -1);
        if ((woke & PSST_WOKE_GONE) != 0) return false;
        if ((woke & PSST_WOKE_INTERRUPT) == 0) continue;
        if (watch->quitting) return false; /* the second one: at once */
        clear_line(watch);
        hang_up(watch);
        again = watch->answered;
    }
    return true;
}

static int tell_end(struct watch *watch)
{
    char took[PSST_SIZE_TEXT], words[PSST_CALL_WORDS];
    int code = psst_call_exit(watch->result);
    unsigned long long seconds = watch->active_ms != 0 ? (psst_client_now_ms() - watch->active_ms) / 1000 : 0;
    if (watch->quitting && watch->active_ms == 0) code = PSST_EXIT_FAILED; /* our user has changed his mind */
    if (watch->wish->as_json) return code;
    if (watch->words[0] != '\0')
        (void)snprintf(words, sizeof words, ": %.250s", watch->words);
    else if (code != PSST_EXIT_DONE)
        (void)snprintf(words, sizeof words, ": %s", watch->result);
    else
        words[0] = '\0';
    if (watch->active_ms != 0)
        (void)printf("the call has ended after %s%s\n", psst_call_clock(took, seconds), words);
    else
        (void)printf("no call%s\n", words);
    return code;
}

static int finish(struct watch *watch, bool over)
{
    clear_line(watch);
    if (watch->refused) {
        (void)snprintf(watch->result, sizeof watch->result, "%s", watch->failure.name);
        return psst_cli_fail(&watch->failure);
    }
    if (!over && !watch->quitting) return psst_cli_error(PSST_EXIT_LOCKED, "psstd has ended");
    if (!over) return PSST_EXIT_FAILED;
    return tell_end(watch);
}

int psst_call_watch(struct psst_cli *cli, const struct psst_call_wish *wish, char result[32])
{
    struct watch watch = {.cli = cli, .wish = wish, .terminal = !wish->as_json && isatty(STDERR_FILENO) != 0};
    struct psst_interrupts was;
    int fds[2] = {-1, -1}, code = psst_cli_need_unlocked(cli);
    size_t n = 0;
    if (code != PSST_EXIT_DONE) return code;
    json_t *done = psst_cli_call(cli, "subscribe", json_pack("{s:[s,s]}", "events", "call", "voice"), &code);
    json_decref(done);
    if (done == NULL) return code;
    json_t *params = wish->name != NULL ? psst_rpc_name(wish->name) : json_object();
    code = psst_wav_open(params, wish->wav_in, wish->wav_out, fds, &n);
    if (code == PSST_EXIT_DONE && !psst_interrupts_catch(&was)) {
        code = psst_cli_error(PSST_EXIT_FAILED, "%s", strerror(errno));
        while (n > 0) (void)close(fds[--n]);
    }
    if (code != PSST_EXIT_DONE) {
        json_decref(params);
        return code;
    }
    psst_client_on_event(cli->client, on_event, &watch);
    bool asked = psst_client_request(cli->client, wish->method, params, fds, n, on_answer, &watch) == PSST_OK;
    bool over = asked && watch_on(&watch);
    code = finish(&watch, over);
    psst_client_on_event(cli->client, NULL, NULL);
    if (result != NULL) (void)snprintf(result, 32, "%s", watch.result);
    psst_interrupts_release(&was);
    if (asked && !watch.answered) { /* its answer must not find us gone */
        psst_client_close(cli->client);
        cli->client = NULL;
    }
    return code;
}
