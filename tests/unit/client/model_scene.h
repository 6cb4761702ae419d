/* A psstd that the test plays: it answers what the model asks from a script, and tells what the test says. */
#ifndef PSST_TESTS_MODEL_SCENE_H
#define PSST_TESTS_MODEL_SCENE_H

#include "support/check.h"

#include "client/conversation.h"
#include "client/model.h"

#define SCENE_STEP 3 /* between the seqs of one contact: others speak too */

struct scene {
    struct psst_client *client;
    struct psst_model *model;
    struct psst_lines psstd;
    json_t *answers;        /* method: result; a string: the name of an error */
    json_t *asked;          /* method: list of the params it was asked with */
    json_t *waiting;        /* requests that are not answered yet */
    const char *hold;       /* method that is not answered until scene_release; NULL */
    size_t messages;        /* in bob's history: seq SCENE_STEP, 2 * SCENE_STEP, ... */
    size_t gone, bare;      /* the first so many of them are erased; have no text any more */
    size_t page_most;       /* messages of a page at most, as when they are long; 0: as asked for */
    void (*aside)(bool on); /* around what psstd itself does, in scene_try; NULL */
    /* what was heard */
    unsigned changed;
    int arrivals, answered, refused, stopped;
    enum psst_arrival_kind kind;
    char arrived[2048], failure[64];
    bool quiet;
};

/* bob and carol are contacts, and there is a status; nothing else. The model is loaded. */
void scene_open(struct scene *s);
/* The same, and nothing is asked yet: the script can be changed before scene_begin. */
void scene_init(struct scene *s);
void scene_begin(struct scene *s);
void scene_close(struct scene *s);

/* Until nobody has anything more to say. */
void scene_run(struct scene *s);
/* One turn of both sides, where memory may be out. */
void scene_try(struct scene *s);
void scene_release(struct scene *s);
void scene_answer(struct scene *s, const char *method, const char *json);
/* An event with params as printf makes them, and run. */
void scene_tell(struct scene *s, const char *event, const char *fmt, ...) PSST_PRINTF(3, 4);
/* How often it was asked; the params of the last time. */
size_t scene_times(const struct scene *s, const char *method);
const json_t *scene_last(const struct scene *s, const char *method);
json_int_t scene_last_int(const struct scene *s, const char *method, const char *key);

struct psst_conversation *scene_talk(struct scene *s, const char *name);
/* The texts of the items, " | " between them. Static storage. */
const char *scene_items(const struct psst_conversation *conversation);
void scene_said(void *ctx, json_t *result, const struct psst_failure *failure);

#endif
