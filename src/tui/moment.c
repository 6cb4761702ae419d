#include "tui/moment.h"

#include "tui/app.h"

#include <stdio.h>
#include <string.h>

void psst_sight_call(struct psst_app *app)
{
    struct psst_sight *sight = &app->sight;
    static const struct psst_call_now none = {.state = PSST_CALL_NONE, .name = ""};
    const struct psst_call_now *call = app->model != NULL ? psst_model_call(app->model) : &none;
    const char *who = call->state != PSST_CALL_NONE ? call->name : "";
    if (call->state == sight->call && strcmp(who, sight->who) == 0) return;
    sight->call_before = sight->call;
    memcpy(sight->who_before, sight->who, sizeof sight->who_before);
    sight->call = call->state;
    (void)snprintf(sight->who, sizeof sight->who, "%s", who);
    sight->call_ms = psst_client_now_ms();
    sight->end_told = false;
}

void psst_sight_files(struct psst_app *app, const struct psst_seen_file *files, size_t n)
{
    struct psst_sight *sight = &app->sight, was = *sight;
    uint64_t now = psst_client_now_ms();
    sight->n_files = n < PSST_SIGHT_FILES ? n : PSST_SIGHT_FILES;
    for (size_t i = 0; i < sight->n_files; i++) {
        sight->files[i] = files[i];
        sight->files[i].ms = now;
        for (size_t j = 0; j < was.n_files; j++)
            if (was.files[j].id == files[i].id && was.files[j].offer == files[i].offer)
                sight->files[i].ms = was.files[j].ms;
    }
}

void psst_moment_take(const struct psst_app *app, struct psst_moment *out)
{
    const struct psst_sight *sight = &app->sight;
    uint64_t now = psst_client_now_ms();
    bool noticed = now - sight->call_ms >= PSST_NOTICED_MS;
    *out = (struct psst_moment){.call = noticed ? sight->call : sight->call_before};
    memcpy(out->who, noticed ? sight->who : sight->who_before, sizeof out->who);
    for (size_t i = 0; i < sight->n_files; i++)
        if (now - sight->files[i].ms >= PSST_NOTICED_MS) out->files[out->n_files++] = sight->files[i];
    if (app->model == NULL) return;
    const struct psst_call_now *call = psst_model_call(app->model);
    out->send = call->send;
    out->receive = call->receive;
    out->ptt = call->ptt;
}

bool psst_moment_has_call(const struct psst_moment *moment, const char *who)
{
    return moment->call != PSST_CALL_NONE && strcmp(moment->who, who) == 0;
}

bool psst_moment_rang(const struct psst_moment *moment, const char *who)
{
    return moment->call == PSST_CALL_OFFERED && strcmp(moment->who, who) == 0;
}

const struct psst_seen_file *psst_moment_file(const struct psst_moment *moment, int64_t id)
{
    for (size_t i = 0; i < moment->n_files; i++)
        if (moment->files[i].id == id) return &moment->files[i];
    return NULL;
}
