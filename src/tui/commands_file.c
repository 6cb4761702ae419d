/* /file, /accept, /decline, /cancel. */
#include "client/file_words.h"
#include "tui/commands_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_AT_ONCE 32

/* ---- sending ---- */

static void offered(void *ctx, json_t *result, const struct psst_failure *failure)
{
    const json_t *left_out = json_object_get(result, "left_out");
    struct psst_buf words;
    (void)failure;
    if (result == NULL || json_array_size(left_out) == 0) return; /* the row of the file says the rest */
    psst_buf_init(&words, 1 << 20);
    psst_buf_put_str(&words, "Of the folder these are left out:\n");
    for (size_t i = 0; i < json_array_size(left_out); i++) {
        const char *one = json_string_value(json_array_get(left_out, i));
        psst_buf_printf(&words, "  %s\n", one != NULL ? one : "");
    }
    psst_buf_put_u8(&words, 0);
    if (!words.failed) psst_pager_open(ctx, "Left out", (const char *)words.data);
    psst_buf_fini(&words);
}

/* All are looked at before the first is offered. */
void psst_run_file(struct psst_app *app, int n, char **words)
{
    char *paths[FILES_AT_ONCE];
    int found = 0;
    const struct psst_person *person = psst_command_whom(app, 0, words, 0);
    if (person == NULL) return;
    if (n == 1 || n > FILES_AT_ONCE + 1) {
        psst_app_error(app, "/file PATH...: one file or folder, at most %d", FILES_AT_ONCE);
        return;
    }
    bool good = true;
    for (int i = 1; i < n && good; i++) {
        paths[found] = realpath(words[i], NULL);
        good = paths[found] != NULL && access(paths[found], R_OK) == 0;
        if (!good) psst_app_error(app, "%s: %s; nothing was offered", words[i], strerror(errno));
        if (good && !psst_text_valid(psst_view_str(paths[found]))) {
            psst_app_error(app, "%s: its path is no UTF-8; nothing was offered", words[i]);
            good = false;
        }
        if (paths[found] != NULL) found++;
    }
    for (int i = 0; i < found; i++) {
        json_t *params = good ? psst_rpc_name(person->name) : NULL;
        if (good) (void)json_object_set_new(params, "path", json_string(paths[i]));
        if (good) psst_app_request(app, "send", params, NULL, 0, offered, app);
        free(paths[i]);
    }
    if (good) psst_app_say(app, "offered to %s, now or at the next session", person->name);
}

/* ---- deciding ---- */

/* Whether the person could know of this one when the line was begun, and of nothing else of the kind that has gone since: what
 * came in its place was not meant. */
static bool meant(const struct psst_app *app, int64_t id, bool (*fits)(const struct psst_transfer *t))
{
    const struct psst_seen_file *file = psst_moment_file(&app->meant, id);
    if (file == NULL) return false;
    for (size_t i = 0; i < app->meant.n_files; i++) {
        if (app->meant.files[i].offer != file->offer) continue;
        bool there = false;
        for (size_t j = 0; j < psst_model_transfers(app->model) && !there; j++) {
            const struct psst_transfer *t = psst_model_transfer(app->model, j);
            there = t->id == app->meant.files[i].id && fits(t);
        }
        if (!there) return false;
    }
    return true;
}

static void say_unseen(struct psst_app *app, int64_t id, const char *command)
{
    for (size_t i = 0; i < psst_model_transfers(app->model); i++) {
        const struct psst_transfer *t = psst_model_transfer(app->model, i);
        if (t->id != id) continue;
        psst_app_error(app, "/%s %lld means this %s of %s, which was not on the screen yet: %s", command, (long long)id,
                       psst_transfer_word(t), psst_out_text(t->contact, 64), psst_out_text(t->name, 120));
    }
}

/* The only one that fits, of who is open if he has some, else of anybody; and that was meant. 0: said. */
static int64_t only(struct psst_app *app, bool (*fits)(const struct psst_transfer *t), const char *command,
                    const char *none)
{
    struct psst_buf list;
    int64_t here = 0, all = 0;
    size_t n_here = 0, n_all = 0;
    psst_buf_init(&list, 4096);
    for (size_t i = 0; i < psst_model_transfers(app->model); i++) {
        const struct psst_transfer *t = psst_model_transfer(app->model, i);
        if (!fits(t)) continue;
        if (app->open != NULL && strcmp(t->contact, app->open) == 0) {
            here = t->id;
            n_here++;
        }
        all = t->id;
        if (n_all++ < 20)
            psst_buf_printf(&list, "  /%s %lld   %.120s (%s %.60s)\n", command, (long long)t->id, t->name,
                            t->in ? "from" : "to", t->contact);
    }
    psst_buf_put_u8(&list, 0);
    if (n_here == 1 || (n_here == 0 && n_all == 1)) {
        int64_t id = n_here == 1 ? here : all;
        psst_buf_fini(&list);
        if (meant(app, id, fits)) return id;
        say_unseen(app, id, command);
        return 0;
    }
    if (n_all == 0)
        psst_app_error(app, "%s", none);
    else
        psst_pager_open(app, "Which one?", list.failed ? "" : (const char *)list.data);
    psst_buf_fini(&list);
    return 0;
}

/* 0: it is no number. */
static int64_t number(const char *word)
{
    char *end = NULL;
    errno = 0;
    long long id = word[0] >= '1' && word[0] <= '9' ? strtoll(word, &end, 10) : 0;
    return end != NULL && *end == '\0' && errno == 0 ? id : 0;
}

static void decide(struct psst_app *app, const char *method, int64_t id)
{
    if (id > 0) psst_app_request(app, method, json_pack("{s:I}", "id", (json_int_t)id), NULL, 0, NULL, NULL);
}

static void decide_all(struct psst_app *app, const char *method, int n, char **words)
{
    for (int i = 1; i < n; i++) {
        if (number(words[i]) > 0) continue;
        psst_app_error(app, "%s is no number of a file: /files shows them", words[i]);
        return;
    }
    for (int i = 1; i < n; i++) decide(app, method, number(words[i]));
}

void psst_run_accept(struct psst_app *app, int n, char **words)
{
    const struct psst_call_now *call = psst_model_call(app->model);
    if (psst_command_has_options(n, words)) {
        bool to_stdout = strcmp(words[n - 1], "-") == 0;
        if (to_stdout)
            psst_app_error(app, "a stream is not shown here: psst accept ID -o - passes it on, on a command line");
        else
            psst_child_run(app, words);
    } else if (n > 1) {
        decide_all(app, "file.accept", n, words);
    } else {
        bool rings = call->state == PSST_CALL_OFFERED;
        decide(app, "file.accept",
               only(app, psst_transfer_is_offer, "accept",
                    rings ? "no file is offered; /answer takes the call" : "no file is offered"));
    }
}

void psst_run_decline(struct psst_app *app, int n, char **words)
{
    const struct psst_call_now *call = psst_model_call(app->model);
    bool by_name = n > 2 && strcmp(words[1], "--call") == 0;
    if (n == 1 && call->state == PSST_CALL_OFFERED) {
        if (psst_moment_rang(&app->meant, call->name))
            psst_app_request(app, "decline", psst_rpc_name(call->name), NULL, 0, NULL, NULL);
        else
            psst_app_error(app, "%s began to call only while you wrote: /decline again refuses the call",
                           psst_out_text(call->name, 64));
    } else if (n == 1 && app->meant.call == PSST_CALL_OFFERED) {
        psst_app_error(app, "the call of %s rings no more", psst_out_text(app->meant.who, 64));
    } else if (n == 1) {
        decide(app, "file.decline",
               only(app, psst_transfer_is_offer, "decline", "no call rings, and no file is offered"));
    } else if (by_name || words[1][0] < '0' || words[1][0] > '9') {
        const struct psst_person *person = psst_command_whom(app, n, words, by_name ? 2 : 1);
        if (person != NULL) psst_app_request(app, "decline", psst_rpc_name(person->name), NULL, 0, NULL, NULL);
    } else {
        decide_all(app, "file.decline", n, words);
    }
}

void psst_run_cancel(struct psst_app *app, int n, char **words)
{
    if (n > 1)
        decide_all(app, "file.cancel", n, words);
    else
        decide(app, "file.cancel", only(app, psst_transfer_is_under_way, "cancel", "no file is under way"));
}
