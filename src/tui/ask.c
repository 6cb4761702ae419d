#include "tui/ask.h"

#define ASKS_MAX 16 /* under way at once; a page has one or two */

static struct ask {
    bool used;
    struct psst_page *page; /* NULL: it has gone */
    struct psst_app *app;
    psst_page_answer *answer;
} asks[ASKS_MAX];

static void answered(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct ask *slot = ctx, ask = *slot;
    *slot = (struct ask){.used = false};
    if (ask.page == NULL) return;
    ask.answer(ask.page, ask.app, result, failure);
    psst_app_dirty(ask.app, PSST_DIRTY_PAGE);
}

static enum psst_err send(struct psst_page *page, struct psst_app *app, const char *method, json_t *params,
                          const int *fds, size_t n, psst_page_answer *answer)
{
    for (size_t i = 0; i < ASKS_MAX; i++) {
        if (asks[i].used) continue;
        asks[i] = (struct ask){true, page, app, answer};
        enum psst_err err = psst_client_request(app->client, method, params, fds, n, answered, &asks[i]);
        if (err != PSST_OK) asks[i] = (struct ask){.used = false};
        return err;
    }
    json_decref(params);
    psst_fds_close(fds, n);
    return PSST_ERR_FULL;
}

void psst_page_ask(struct psst_page *page, struct psst_app *app, const char *method, json_t *params, const int *fds,
                   size_t n, psst_page_answer *answer)
{
    struct psst_failure failure;
    enum psst_err err = send(page, app, method, params, fds, n, answer);
    if (err == PSST_OK) return;
    (void)psst_failure_set(&failure, err, PSST_EXIT_FAILED, "no-daemon", "%s",
                           err == PSST_ERR_IO         ? "psstd has ended"
                           : err == PSST_ERR_TOO_LONG ? "that is too long to be handed to psstd"
                           : err == PSST_ERR_FULL     ? "too much is asked at once: try again"
                                                      : "out of memory");
    answer(page, app, NULL, &failure);
}

void psst_page_ask_secret(struct psst_page *page, struct psst_app *app, const char *method, json_t *params,
                          struct psst_passphrase *pass, psst_page_answer *answer)
{
    struct psst_diag diag = {{0}};
    bool some = pass->len > 0;
    int fd = -1;
    if (!some || psst_passphrase_pipe(&fd, pass, &diag) == PSST_OK) {
        psst_passphrase_wipe(pass);
        psst_page_ask(page, app, method, params, &fd, some, answer);
        return;
    }
    struct psst_failure failure;
    json_decref(params);
    (void)psst_failure_set(&failure, PSST_ERR_IO, PSST_EXIT_FAILED, "passphrase-pipe", "%s", diag.text);
    answer(page, app, NULL, &failure);
}

void psst_page_ask_forget(const struct psst_page *page)
{
    for (size_t i = 0; i < ASKS_MAX; i++)
        if (asks[i].page == page) asks[i].page = NULL;
}
