#include "model_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- what it hears ---- */

static void on_changed(void *ctx, unsigned parts)
{
    ((struct scene *)ctx)->changed |= parts;
}

static void on_arrived(void *ctx, const struct psst_arrival *arrival)
{
    struct scene *s = ctx;
    s->arrivals++;
    s->kind = arrival->kind;
    s->quiet = arrival->quiet;
    (void)snprintf(s->arrived, sizeof s->arrived, "%s: %s", arrival->contact, arrival->words);
}

static void on_stopping(void *ctx)
{
    ((struct scene *)ctx)->stopped++;
}

void scene_said(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct scene *s = ctx;
    if (result != NULL)
        s->answered++;
    else
        s->refused++;
    if (result == NULL) (void)snprintf(s->failure, sizeof s->failure, "%s", failure->name);
}

/* ---- what it answers ---- */

static json_t *message(json_int_t seq)
{
    char id[33], text[32];
    (void)snprintf(id, sizeof id, "%032llx", (unsigned long long)seq);
    (void)snprintf(text, sizeof text, "m%lld", (long long)seq);
    bool out = seq / SCENE_STEP % 2 == 0;
    return json_pack("{s:s, s:I, s:s, s:I, s:s, s:s, s:s}", "id", id, "seq", seq, "contact", "bob", "time_ms",
                     seq * 1000, "direction", out ? "out" : "in", "state", out ? "delivered" : "shown", "text", text);
}

static json_t *log_page(const struct scene *s, const json_t *params)
{
    json_int_t limit = json_integer_value(json_object_get(params, "limit")), taken = 0;
    json_int_t after = json_integer_value(json_object_get(params, "after"));
    json_int_t before = json_integer_value(json_object_get(params, "before"));
    bool first = json_is_true(json_object_get(params, "first"));
    json_int_t lo = after / SCENE_STEP + 1, hi = (json_int_t)s->messages;
    if (lo <= (json_int_t)s->gone) lo = (json_int_t)s->gone + 1;
    bool cut = s->page_most > 0 && (json_int_t)s->page_most < limit;
    json_t *list = json_array();
    assert_int_equal(0, after % SCENE_STEP == 0 ? 0 : (after + 1) % SCENE_STEP); /* seqs that it was given */
    if (before > 0 && (before - 1) / SCENE_STEP < hi) hi = (before - 1) / SCENE_STEP;
    if (cut) limit = (json_int_t)s->page_most;
    if (first && hi - lo + 1 > limit) hi = lo + limit - 1, taken = 1;
    if (!first && hi - lo + 1 > limit) lo = hi - limit + 1, taken = 1;
    for (json_int_t i = lo; i <= hi; i++) {
        json_t *one = message(i * SCENE_STEP);
        if (i <= (json_int_t)s->bare) assert_int_equal(0, json_object_set_new(one, "text", json_string("")));
        assert_int_equal(0, json_array_append_new(list, one));
    }
    return json_pack("{s:o, s:b}", "messages", list, "more", (int)(cut && taken));
}

static void put(struct scene *s, json_t *object)
{
    assert_ok(psst_rpc_put(&s->psstd, object, NULL, 0));
    assert_ok(psst_lines_flush(&s->psstd));
}

static void answer(struct scene *s, const json_t *request)
{
    const char *method = json_string_value(json_object_get(request, "method"));
    json_t *id = json_object_get(request, "id"), *scripted = json_object_get(s->answers, method);
    if (json_is_string(scripted))
        put(s, psst_rpc_error(id, 1001, PSST_EXIT_LOCKED, json_string_value(scripted), "it is so"));
    else if (scripted != NULL)
        put(s, psst_rpc_result(id, json_incref(scripted)));
    else if (strcmp(method, "log") == 0)
        put(s, psst_rpc_result(id, log_page(s, json_object_get(request, "params"))));
    else
        put(s, psst_rpc_result(id, NULL));
}

static bool take_requests(struct scene *s)
{
    struct psst_view line;
    bool any = false;
    enum psst_err err = psst_lines_read(&s->psstd);
    assert_true(err == PSST_OK || err == PSST_ERR_AGAIN);
    while (psst_lines_next(&s->psstd, &line) == PSST_OK) {
        struct psst_rpc rpc;
        assert_ok(psst_rpc_parse(&rpc, line));
        if (json_object_get(s->asked, rpc.method) == NULL)
            assert_int_equal(0, json_object_set_new(s->asked, rpc.method, json_array()));
        assert_int_equal(0, json_array_append(json_object_get(s->asked, rpc.method), rpc.params));
        if (s->hold != NULL && strcmp(s->hold, rpc.method) == 0)
            assert_int_equal(0, json_array_append(s->waiting, rpc.root));
        else
            answer(s, rpc.root);
        psst_rpc_fini(&rpc);
        any = true;
    }
    return any;
}

void scene_run(struct scene *s)
{
    do assert_ok(psst_client_turn(s->client));
    while (take_requests(s));
}

void scene_try(struct scene *s)
{
    if (psst_client_turn(s->client) != PSST_OK) return; /* it heard nothing more of psstd */
    if (s->aside != NULL) s->aside(true);
    (void)take_requests(s);
    if (s->aside != NULL) s->aside(false);
}

void scene_release(struct scene *s)
{
    s->hold = NULL;
    for (size_t i = 0; i < json_array_size(s->waiting); i++) answer(s, json_array_get(s->waiting, i));
    assert_int_equal(0, json_array_clear(s->waiting));
    scene_run(s);
}

void scene_answer(struct scene *s, const char *method, const char *json)
{
    json_error_t error;
    json_t *value = json_loads(json, JSON_DECODE_ANY, &error);
    assert_non_null(value);
    assert_int_equal(0, json_object_set_new(s->answers, method, value));
}

void scene_tell(struct scene *s, const char *event, const char *fmt, ...)
{
    char params[8192];
    json_error_t error;
    va_list args;
    va_start(args, fmt);
    assert_in_range(vsnprintf(params, sizeof params, fmt, args), 0, sizeof params - 1);
    va_end(args);
    json_t *object = json_loads(params, 0, &error);
    assert_non_null(object);
    put(s, psst_rpc_event(event, object));
    scene_run(s);
}

size_t scene_times(const struct scene *s, const char *method)
{
    return json_array_size(json_object_get(s->asked, method));
}

const json_t *scene_last(const struct scene *s, const char *method)
{
    const json_t *list = json_object_get(s->asked, method);
    return json_array_get(list, json_array_size(list) - 1);
}

json_int_t scene_last_int(const struct scene *s, const char *method, const char *key)
{
    return json_integer_value(json_object_get(scene_last(s, method), key));
}

/* ---- life ---- */

void scene_init(struct scene *s)
{
    int fds[2];
    *s = (struct scene){.answers = json_object(), .asked = json_object(), .waiting = json_array()};
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
    assert_ok(psst_client_over(&s->client, fds[0]));
    psst_lines_init(&s->psstd, fds[1]);
    scene_answer(s, "status",
                 "{\"identity\": {\"name\": \"alice\", \"fingerprint\": \"aa\", \"bits\": 3072, \"weak\": false, "
                 "\"locked\": false}, \"history\": null, \"listen\": [\"127.0.0.1:7778\"], \"sessions\": "
                 "[{\"contact\": \"bob\", \"address\": \"192.0.2.7:4000\"}], \"presence\": {\"state\": \"away\", "
                 "\"text\": \"lunch\"}}");
    scene_answer(s, "contacts",
                 "{\"contacts\": [{\"name\": \"bob\", \"fingerprint\": \"b0b\", \"bits\": 3072, \"verified\": true, "
                 "\"online\": true, \"presence\": \"busy\", \"presence_text\": \"deep\", \"unread\": 2, \"waiting\": "
                 "1}, {\"name\": \"carol\", \"fingerprint\": \"ca401\", \"bits\": 1024, \"weak\": true}], \"more\": "
                 "false}");
}

void scene_begin(struct scene *s)
{
    const struct psst_model_watch watch = {s, on_changed, on_arrived, on_stopping};
    assert_ok(psst_model_new(&s->model, s->client, &watch));
    scene_run(s);
}

void scene_open(struct scene *s)
{
    scene_init(s);
    scene_begin(s);
    assert_true(psst_model_complete(s->model));
}

void scene_close(struct scene *s)
{
    psst_model_free(s->model);
    psst_client_close(s->client);
    psst_lines_fini(&s->psstd);
    json_decref(s->answers);
    json_decref(s->asked);
    json_decref(s->waiting);
}

struct psst_conversation *scene_talk(struct scene *s, const char *name)
{
    struct psst_conversation *conversation;
    assert_ok(psst_conversation_open(&conversation, s->model, name));
    scene_run(s);
    return conversation;
}

const char *scene_items(const struct psst_conversation *conversation)
{
    static char all[1 << 16];
    size_t at = 0;
    all[0] = '\0';
    for (size_t i = 0; i < psst_conversation_count(conversation); i++) {
        const struct psst_item *item = psst_conversation_item(conversation, i);
        int n = snprintf(all + at, sizeof all - at, "%s%.*s", i > 0 ? " | " : "", (int)item->text.len,
                         (const char *)item->text.data);
        assert_in_range(n, 0, sizeof all - at - 1);
        at += (size_t)n;
    }
    return all;
}
