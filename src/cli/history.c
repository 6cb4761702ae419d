#include "cli/history.h"

#include "cli/out.h"

#define PAGE 500

/* What the pages hold together stands in front of what is there already. */
static bool put_in_front(json_t *all, const json_t *page)
{
    for (size_t i = json_array_size(page); i > 0; i--)
        if (json_array_insert(all, 0, json_array_get(page, i - 1)) != 0) return false;
    return true;
}

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

json_t *psst_history_last(struct psst_cli *cli, const char *name, long long n, int *code)
{
    json_t *all = json_array();
    long long before = 0;
    while (all != NULL && (long long)json_array_size(all) < n) {
        long long missing = n - (long long)json_array_size(all);
        json_t *params = psst_cli_name(name);
        (void)json_object_set_new(params, "limit", json_integer(missing < PAGE ? missing : PAGE));
        if (before > 0) (void)json_object_set_new(params, "before", json_integer(before));
        json_t *answer = psst_cli_call(cli, "log", params, code);
        json_t *page = json_object_get(answer, "messages");
        size_t got = json_array_size(page);
        bool more = psst_out_bool(answer, "more") || got == (size_t)(missing < PAGE ? missing : PAGE);
        json_int_t first = got > 0 ? psst_out_int(json_array_get(page, 0), "seq") : 0;
        const json_t *damaged = json_object_get(answer, "damaged");
        if (answer == NULL || !put_between(page, damaged) || !put_in_front(all, page)) {
            json_decref(all);
            json_decref(answer);
            return NULL;
        }
        if (got > 0) before = first;
        json_decref(answer);
        if (got == 0 || !more) break;
    }
    return all;
}

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
    json_t *params = psst_cli_name(name);
    (void)json_object_set_new(params, "seq", json_integer(shown->seq));
    shown->marked = shown->seq;
    json_t *answer = psst_cli_try(cli, "shown", params, &failure);
    json_decref(answer);
    return answer != NULL;
}
