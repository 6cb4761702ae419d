#include "client/model_internal.h"

#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- who is told ---- */

void psst_model_changed(struct psst_model *model, unsigned parts)
{
    if (model->watch.changed != NULL && parts != 0) model->watch.changed(model->watch.ctx, parts);
}

void psst_model_arrived(struct psst_model *model, enum psst_arrival_kind kind, const char *contact, const char *words,
                        bool quiet)
{
    const struct psst_arrival arrival = {.kind = kind, .contact = contact, .words = words, .quiet = quiet};
    if (model->watch.arrived != NULL) model->watch.arrived(model->watch.ctx, &arrival);
}

/* ---- asking ---- */

static void asked_free(struct psst_asked *asked)
{
    *asked->at = asked->next;
    if (asked->next != NULL) asked->next->at = asked->at;
    if (asked->text != NULL) psst_wipe(asked->text, asked->len); /* what was said */
    free(asked->text);
    free(asked);
}

static void answered(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct psst_asked *asked = ctx;
    asked->done(asked, result, failure);
    asked_free(asked);
}

struct psst_asked *psst_model_ask(struct psst_model *model, const char *method, json_t *params,
                                  void (*done)(struct psst_asked *asked, json_t *result,
                                               const struct psst_failure *failure))
{
    struct psst_asked *asked = calloc(1, sizeof *asked);
    if (asked == NULL) {
        json_decref(params);
        return NULL;
    }
    *asked = (struct psst_asked){
        .model = model, .done = done, .next = model->asked, .at = &model->asked, .generation = model->generation};
    if (model->asked != NULL) model->asked->at = &asked->next;
    model->asked = asked;
    if (psst_client_request(model->client, method, params, NULL, 0, answered, asked) == PSST_OK) return asked;
    asked_free(asked);
    return NULL;
}

uint64_t psst_model_now_unix_ms(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- what psstd says ---- */

const char *psst_model_string(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s != NULL ? s : "";
}

void psst_model_copy(char *out, size_t size, const char *from)
{
    size_t len = strnlen(from, size - 1);
    memmove(out, from, len);
    out[len] = '\0';
}

bool psst_model_take_name(char out[PSST_MODEL_NAME], const json_t *object, const char *key)
{
    const char *s = psst_model_string(object, key);
    size_t len = strlen(s);
    if (len == 0 || len >= PSST_MODEL_NAME) return false;
    memcpy(out, s, len + 1);
    return true;
}

int64_t psst_model_int(const json_t *object, const char *key, int64_t lo)
{
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value < lo ? lo : value;
}

/* ---- life ---- */

enum psst_err psst_model_new(struct psst_model **out, struct psst_client *client, const struct psst_model_watch *watch)
{
    struct psst_model *model = calloc(1, sizeof *model);
    if (model == NULL) return PSST_ERR_MEMORY;
    model->client = client;
    if (watch != NULL) model->watch = *watch;
    model->self = (struct psst_self){.name = model->self_name,
                                     .fingerprint = model->self_fingerprint,
                                     .presence = model->self_presence,
                                     .presence_text = model->self_presence_text,
                                     .listen = model->listen,
                                     .words = model->self_words};
    model->call = (struct psst_call_now){.name = model->call_name, .way = model->call_way, .words = model->call_words};
    psst_client_on_event(client, psst_model_on_event, model);
    psst_model_load(model);
    if (model->asked == NULL) { /* not one could be asked */
        psst_model_free(model);
        return PSST_ERR_MEMORY;
    }
    *out = model;
    return PSST_OK;
}

void psst_model_free(struct psst_model *model)
{
    if (model == NULL) return;
    psst_client_on_event(model->client, NULL, NULL);
    while (model->asked != NULL) {
        psst_client_forget(model->client, model->asked);
        asked_free(model->asked);
    }
    model->n_shown = 0;
    psst_model_drop_hidden(model);
    free(model->people);
    psst_model_files_free(model);
    free(model->files);
    json_decref(model->sessions);
    json_decref(model->missed);
    json_decref(model->meets);
    free(model);
}

/* ---- what it knows ---- */

const struct psst_self *psst_model_self(const struct psst_model *model)
{
    return &model->self;
}

size_t psst_model_people(const struct psst_model *model)
{
    return model->n_shown;
}

const struct psst_person *psst_model_person(const struct psst_model *model, size_t i)
{
    return i < model->n_shown ? &model->people[i]->pub : NULL;
}

const struct psst_person *psst_model_find(const struct psst_model *model, const char *name)
{
    const struct psst_held_person *person = psst_model_held(model, name);
    return person != NULL ? &person->pub : NULL;
}

const struct psst_call_now *psst_model_call(const struct psst_model *model)
{
    return &model->call;
}

size_t psst_model_transfers(const struct psst_model *model)
{
    return model->n_files;
}

const struct psst_transfer *psst_model_transfer(const struct psst_model *model, size_t i)
{
    return i < model->n_files ? &model->files[i]->pub : NULL;
}

bool psst_model_complete(const struct psst_model *model)
{
    return model->self.known && model->loading == 0 && model->self.exists && !model->self.locked;
}

void psst_model_dialling(struct psst_model *model, const char *name, bool on)
{
    struct psst_held_person *person = psst_model_held(model, name);
    if (person == NULL) return;
    person->pub.dialling = on && !person->pub.online;
    psst_model_changed(model, PSST_PART_CONTACTS);
}
