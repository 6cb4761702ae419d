#include "cli/bar.h"

#include "client/out.h"

#include <unistd.h>

#define BAR_COLUMNS  24
#define NAME_CHARS   24
#define EARLY_EVENTS 1024

static void clear_bar(struct psst_follow *follow)
{
    if (follow->shown_id != 0) (void)fprintf(stderr, "\r\x1b[K");
    follow->shown_id = 0;
}

/* Of what has no size yet: how much has gone. */
static void draw_count(const struct psst_follow *follow, const json_t *file, long long done)
{
    char of[PSST_SIZE_TEXT], rate[PSST_SIZE_TEXT];
    (void)fprintf(
        stderr, "\r\x1b[K%s %s%s%s%s", psst_out_text(json_string_value(json_object_get(file, "name")), NAME_CHARS),
        psst_out_size(of, (unsigned long long)done), follow->rate > 0 ? ", " : "",
        follow->rate > 0 ? psst_out_size(rate, (unsigned long long)follow->rate) : "", follow->rate > 0 ? "/s" : "");
    (void)fflush(stderr);
}

static void draw_bar(struct psst_follow *follow, const json_t *file)
{
    long long size = psst_out_int(file, "size"), done = psst_out_int(file, "done");
    uint64_t now = psst_client_now_ms();
    if (follow->shown_id != psst_out_int(file, "id")) {
        follow->rate = 0;
    } else if (now > follow->last_ms && done >= follow->last_done) {
        double rate = (double)(done - follow->last_done) * 1000 / (double)(now - follow->last_ms);
        follow->rate = follow->rate > 0 ? 0.7 * follow->rate + 0.3 * rate : rate;
    }
    follow->shown_id = psst_out_int(file, "id");
    follow->last_done = done;
    follow->last_ms = now;
    if (!json_is_integer(json_object_get(file, "size"))) {
        draw_count(follow, file, done);
        return;
    }
    int filled = size > 0 ? (int)((double)done * BAR_COLUMNS / (double)size) : BAR_COLUMNS;
    if (filled > BAR_COLUMNS) filled = BAR_COLUMNS;
    char bar[BAR_COLUMNS + 1], of[PSST_SIZE_TEXT], rate[PSST_SIZE_TEXT];
    memset(bar, '.', BAR_COLUMNS);
    memset(bar, '#', (size_t)filled);
    bar[BAR_COLUMNS] = '\0';
    (void)fprintf(stderr, "\r\x1b[K%s [%s] %3d%% of %s%s%s%s",
                  psst_out_text(json_string_value(json_object_get(file, "name")), NAME_CHARS), bar,
                  size > 0 ? (int)((double)done * 100 / (double)size) : 100,
                  psst_out_size(of, (unsigned long long)size), follow->rate > 0 ? ", " : "",
                  follow->rate > 0 ? psst_out_size(rate, (unsigned long long)follow->rate) : "",
                  follow->rate > 0 ? "/s" : "");
    (void)fflush(stderr);
}

static void worse(struct psst_follow *follow, int code)
{
    if (follow->code == PSST_EXIT_DONE) follow->code = code;
}

/* One that is followed has come to its end. */
static void settle(struct psst_follow *follow, const json_t *file)
{
    char words[256], size[PSST_SIZE_TEXT];
    const char *state = psst_out_string(file, "state");
    clear_bar(follow);
    follow->settled++;
    if (strcmp(state, "done") == 0) {
        bool in = strcmp(psst_out_string(file, "direction"), "in") == 0 && !follow->streams;
        FILE *f = follow->streams ? stderr : stdout;
        (void)fprintf(f, "%s %lld, %s, %s: done, and checked%s%s\n",
                      follow->streams ? "psst: stream" : psst_file_word(file), psst_out_int(file, "id"),
                      psst_out_string(file, "name"),
                      psst_out_size(size, (unsigned long long)psst_out_int(file, "size")), in ? "; it is " : "",
                      in ? psst_out_string(file, "path") : "");
        (void)fflush(f);
        return;
    }
    bool declined = strcmp(state, "declined") == 0;
    worse(follow, psst_cli_error(declined ? PSST_EXIT_REFUSED : PSST_EXIT_FAILED, "%s %lld, %s: %s",
                                 follow->streams ? "stream" : psst_file_word(file), psst_out_int(file, "id"),
                                 psst_out_string(file, "name"), psst_file_state(words, file)));
}

static void take(struct psst_follow *follow, const json_t *file)
{
    size_t at = 0;
    while (at < follow->n && follow->ids[at] != psst_out_int(file, "id")) at++;
    if (at == follow->n) return;
    const char *state = psst_out_string(file, "state");
    bool over = strcmp(state, "done") == 0 || strcmp(state, "declined") == 0 || strcmp(state, "failed") == 0;
    if (over) {
        follow->ids[at] = 0; /* told once */
        settle(follow, file);
    } else if (strcmp(state, "running") == 0 && follow->terminal) {
        draw_bar(follow, file);
    }
}

static void on_event(void *ctx, const char *event, json_t *params)
{
    struct psst_follow *follow = ctx;
    if (strcmp(event, "file") != 0) return;
    if (follow->early != NULL && json_array_size(follow->early) < EARLY_EVENTS)
        (void)json_array_append(follow->early, params);
    else
        take(follow, params);
}

int psst_follow_begin(struct psst_follow *follow, struct psst_cli *cli)
{
    int code = PSST_EXIT_DONE;
    *follow = (struct psst_follow){.cli = cli, .terminal = isatty(STDERR_FILENO) != 0, .early = json_array()};
    json_t *result = psst_cli_call(cli, "subscribe", json_pack("{s:[s]}", "events", "file"), &code);
    json_decref(result);
    if (result != NULL) psst_client_on_event(cli->client, on_event, follow);
    return code;
}

void psst_follow_add(struct psst_follow *follow, long long id)
{
    if (follow->n < PSST_FOLLOW_MAX) follow->ids[follow->n++] = id;
}

int psst_follow_wait(struct psst_follow *follow, long long seconds)
{
    uint64_t deadline = psst_client_now_ms() + (uint64_t)seconds * 1000;
    json_t *early = follow->early;
    follow->early = NULL;
    for (size_t i = 0; i < json_array_size(early); i++) take(follow, json_array_get(early, i));
    json_decref(early);
    while (follow->settled < follow->n) {
        uint64_t now = psst_client_now_ms();
        if (seconds > 0 && now >= deadline) {
            clear_bar(follow);
            return psst_cli_error(PSST_EXIT_UNREACHABLE,
                                  follow->streams ? "not done within %lld s: it is cancelled"
                                                  : "not done within %lld s: it goes on, psst files shows how far",
                                  seconds);
        }
        if (psst_client_wait(follow->cli->client, seconds > 0 ? (int)(deadline - now) : -1) == PSST_ERR_IO) {
            clear_bar(follow);
            return psst_cli_error(PSST_EXIT_LOCKED, follow->streams
                                                        ? "psstd has ended: the stream is cut off"
                                                        : "psstd has ended; it goes on at the next session");
        }
    }
    return follow->code;
}

void psst_follow_end(struct psst_follow *follow)
{
    clear_bar(follow);
    if (follow->cli->client != NULL) psst_client_on_event(follow->cli->client, NULL, NULL);
    json_decref(follow->early);
    follow->early = NULL;
}
