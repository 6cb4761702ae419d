#include "cli/history.h"

#include "client/out.h"

#define PAGE 1000 /* what psstd gives at most */

/* Each before the first message that comes after it. */
static bool put_between(json_t *page, const json_t *damaged)
{
    size_t at = 0;
    for (size_t i = 0; i < json_array_size(damaged); i++) {
        const json_t *gap = json_array_get(damaged, i);
        long long first = psst_out_int(gap, "first");
        while (at < json_array_size(page) && psst_out_int(json_array_get(page, at), "seq") < first) at++;
        json_t *note = json_pack("{s:b, s:I, s:s}", "damaged", true, "seq", (json_int_t)first, "words",
                                 psst_out_string(gap, "words"));
        if (json_array_insert_new(page, at, note) != 0) return false;
    }
    return true;
}

/* ---- pages ---- */

static json_t *fetch(struct psst_cli *cli, const struct psst_history *h, long long after, long long before,
                     long long limit, bool first, int *code)
{
    json_t *params = h->name != NULL ? psst_rpc_name(h->name) : json_object();
    (void)json_object_set_new(params, "limit", json_integer(limit));
    if (h->search != NULL) (void)json_object_set_new(params, "search", psst_rpc_text(h->search));
    if (h->since_ms > 0) (void)json_object_set_new(params, "since_ms", json_integer(h->since_ms));
    if (h->until_ms > 0) (void)json_object_set_new(params, "until_ms", json_integer(h->until_ms));
    if (after > 0) (void)json_object_set_new(params, "after", json_integer(after));
    if (before > 0) (void)json_object_set_new(params, "before", json_integer(before));
    if (first) (void)json_object_set_new(params, "first", json_true());
    return psst_cli_call(cli, "log", params, code);
}

static bool is_full(const json_t *answer, long long limit)
{
    return psst_out_bool(answer, "more") || (long long)json_array_size(json_object_get(answer, "messages")) >= limit;
}

/* Of the first and of the last message of a page. */
static long long first_seq(const json_t *page)
{
    return psst_out_int(json_array_get(page, 0), "seq");
}

static long long last_seq(const json_t *page)
{
    return psst_out_int(json_array_get(page, json_array_size(page) - 1), "seq");
}

/* *goes_on becomes false when each has had enough. */
static int give(json_t *answer, psst_history_each *each, void *ctx, bool *goes_on)
{
    json_t *page = json_object_get(answer, "messages");
    if (!put_between(page, json_object_get(answer, "damaged")))
        return psst_cli_error(PSST_EXIT_FAILED, "out of memory");
    for (size_t i = 0; *goes_on && i < json_array_size(page); i++) *goes_on = each(ctx, json_array_get(page, i));
    return PSST_EXIT_DONE;
}

/* Everything behind after and before before, oldest first. */
static int forwards(struct psst_cli *cli, const struct psst_history *h, long long after, long long before,
                    psst_history_each *each, void *ctx)
{
    int code = PSST_EXIT_DONE;
    for (bool goes_on = true; goes_on && code == PSST_EXIT_DONE;) {
        json_t *answer = fetch(cli, h, after, before, PAGE, true, &code);
        if (answer == NULL) return code;
        const json_t *page = json_object_get(answer, "messages");
        bool more = json_array_size(page) > 0 && is_full(answer, PAGE);
        if (more) after = last_seq(page);
        code = give(answer, each, ctx, &goes_on);
        json_decref(answer);
        goes_on = goes_on && more;
    }
    return code;
}

/* The last ones. What does not go into a page is counted off from the end first, so that no more than a page is ever held. */
int psst_history_walk(struct psst_cli *cli, const struct psst_history *h, psst_history_each *each, void *ctx)
{
    int code = PSST_EXIT_DONE;
    long long before = h->before, end = h->before, missing = h->last;
    if (h->last == 0) return forwards(cli, h, 0, h->before, each, ctx);
    for (bool is_first = true;; is_first = false) {
        long long limit = missing < PAGE ? missing : PAGE;
        json_t *answer = fetch(cli, h, 0, before, limit, false, &code);
        if (answer == NULL) return code;
        const json_t *page = json_object_get(answer, "messages");
        long long got = (long long)json_array_size(page);
        bool goes_on = true, more = got > 0 && is_full(answer, limit) && got < missing;
        if (is_first && !more) code = give(answer, each, ctx, &goes_on);
        if (is_first && got > 0) end = last_seq(page) + 1; /* what comes meanwhile is not of these */
        if (got > 0) before = first_seq(page);
        missing -= got;
        json_decref(answer);
        if (is_first && !more) return code;
        if (!more) return forwards(cli, h, before - 1, end, each, ctx);
    }
}

static bool keep(void *ctx, const json_t *message)
{
    return json_array_append(ctx, (json_t *)message) == 0;
}

json_t *psst_history_last(struct psst_cli *cli, const char *name, long long n, int *code)
{
    json_t *all = json_array();
    const struct psst_history history = {.name = name, .last = n};
    if (all != NULL && n > 0) *code = psst_history_walk(cli, &history, keep, all);
    if (*code == PSST_EXIT_DONE) return all;
    json_decref(all);
    return NULL;
}

/* ---- shown ---- */

void psst_shown_note(struct psst_shown *shown, const json_t *message)
{
    long long seq = psst_out_int(message, "seq");
    bool fresh = strcmp(psst_out_string(message, "state"), "received") == 0;
    if (fresh && seq > shown->seq) shown->seq = seq;
}

bool psst_shown_mark(struct psst_cli *cli, const char *name, struct psst_shown *shown)
{
    struct psst_failure failure;
    if (shown->seq <= shown->marked) return true;
    json_t *params = psst_rpc_name(name);
    (void)json_object_set_new(params, "seq", json_integer(shown->seq));
    shown->marked = shown->seq;
    json_t *answer = psst_cli_try(cli, "shown", params, &failure);
    json_decref(answer);
    return answer != NULL;
}
