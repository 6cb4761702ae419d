/* The two users: they talk in bursts, take things back, read, pause each other; and they remember what they were told. */
#include "outbox.h"

#include <stdlib.h>

/* ---- what is said ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    a ^= b * UINT64_C(0x9e3779b97f4a7c15);
    a ^= a >> 29;
    a *= UINT64_C(0xbf58476d1ce4e5b9);
    return a ^ a >> 32;
}

struct psst_view ob_speech(const struct ob_party *p, size_t i)
{
    static char text[60000 + 32];
    uint64_t h = mix(p->w->seed + (uint64_t)p->letter, i);
    size_t filler = (size_t)(h % 40);
    if (h >> 60 == 0) filler = (size_t)(h % 4000); /* over some pages */
    if (h >> 57 == 1) filler = (size_t)(h % 60000);
    int head = snprintf(text, sizeof text, "%c%zu:", p->letter, i);
    for (size_t k = 0; k < filler; k++) text[(size_t)head + k] = (char)('a' + (h >> (k % 50)) % 26);
    return psst_view(text, (size_t)head + filler);
}

struct ob_text *ob_text_of(struct ob_party *p, const char *id, struct psst_view utf8)
{
    if (utf8.len == 0) {
        for (size_t i = 0; i < p->n_texts; i++)
            if (strcmp(p->texts[i].id, id) == 0) return &p->texts[i];
        return NULL;
    }
    char number[16] = "";
    size_t n = utf8.len - 1 < sizeof number - 1 ? utf8.len - 1 : sizeof number - 1;
    memcpy(number, utf8.data + 1, n);
    size_t i = strtoul(number, NULL, 10);
    OB_CHECK(p->w, utf8.data[0] == (uint8_t)p->letter && i < p->n_texts);
    OB_CHECK(p->w, psst_view_equal(utf8, ob_speech(p, i)));
    struct ob_text *t = &p->texts[i];
    OB_CHECK(p->w, t->id[0] == '\0' || strcmp(t->id, id) == 0); /* one message, one identifier */
    memcpy(t->id, id, OB_ID_SIZE);
    return t;
}

struct saying {
    struct ob_party *p;
    unsigned life;
    size_t i;
};

static void said(void *ctx, enum psst_err err, const char *words, const struct psst_message_row *row)
{
    struct saying *saying = ctx;
    struct ob_party *p = saying->p;
    (void)words, (void)row;
    if (p->up && p->life == saying->life) {
        ob_trace(p->w, "%s: said %zu: %s\n", p->name, saying->i, psst_err_name(err));
        p->texts[saying->i].confirmed = err == PSST_OK;
        p->texts[saying->i].failed = err != PSST_OK;
    }
    free(saying);
}

static void say(struct ob_party *p)
{
    struct ob_world *w = p->w;
    size_t burst = (size_t)ob_draw(w, 1, ob_chance(w, 20) ? 40 : 4);
    for (; burst > 0 && p->to_say > 0; burst--) {
        struct saying *saying = malloc(sizeof *saying);
        OB_CHECK(w, saying != NULL && p->n_texts < OB_TEXTS);
        *saying = (struct saying){p, p->life, p->n_texts++};
        struct psst_view text = ob_speech(p, saying->i);
        p->texts[saying->i].len = text.len;
        p->to_say--;
        ob_tally.texts++;
        psst_delivery_say(p->d.delivery, p->contact, text, said, saying);
    }
    p->say_ns = ob_soon(w, 0, ob_chance(w, 30) ? 60000 : 3000);
}

/* ---- taking back ---- */

static void recalled(void *ctx, enum psst_err err, const char *words, size_t n, const struct psst_message_row *left)
{
    (void)ctx, (void)words;
    if (err == PSST_OK && left == NULL) ob_tally.recalls += n;
}

static void recall(struct ob_party *p)
{
    struct ob_world *w = p->w;
    struct psst_recall what = {.kind = ob_chance(w, 70) ? PSST_RECALL_LAST : PSST_RECALL_ALL};
    if (ob_chance(w, 30)) {
        what.kind = PSST_RECALL_SEQ;
        what.seq = (int64_t)ob_draw(w, 1, 2 * p->n_texts + 1);
    }
    psst_delivery_recall(p->d.delivery, p->contact, &what, recalled, NULL);
    p->recall_ns = ob_soon(w, 1000, 90000);
}

/* ---- reading: as the control method `shown` does ---- */

struct reading {
    struct ob_party *p;
    int64_t contact_id, seq;
    struct psst_unread left;
};

static enum psst_err note_last(void *ctx, const struct psst_message_row *row)
{
    *(int64_t *)ctx = row->seq;
    return PSST_OK;
}

static enum psst_err read_work(struct psst_store *store, void *arg)
{
    struct reading *r = arg;
    enum psst_err err = psst_store_log(store, r->contact_id, 0, 1, note_last, &r->seq);
    if (err == PSST_OK) err = psst_store_messages_shown(store, r->contact_id, r->seq);
    return err == PSST_OK ? psst_store_unread(store, r->contact_id, &r->left) : err;
}

static void read_done(void *arg, enum psst_err err, const char *words)
{
    struct reading *r = arg;
    struct ob_party *p = r->p;
    struct psst_contact *contact = psst_book_by_id(&p->book, r->contact_id);
    (void)words;
    if (err == PSST_OK && contact != NULL) {
        contact->unread = r->left.texts;
        contact->unread_bytes = r->left.bytes;
        psst_delivery_shown(p->d.delivery, contact);
    }
    free(r);
}

static void read_all(struct ob_party *p)
{
    struct reading *r = calloc(1, sizeof *r);
    OB_CHECK(p->w, r != NULL);
    *r = (struct reading){.p = p, .contact_id = p->contact_id};
    /* whatever is there may be marked as shown from here on, whether or not we hear of it */
    for (size_t i = 0; i < p->other->n_texts; i++)
        if (p->other->texts[i].wired) p->other->texts[i].shown_there = true;
    psst_store_run(&p->thread, read_work, read_done, r);
    p->read_ns = ob_soon(p->w, 500, 40000);
}

/* ---- what they are told ---- */

static const char *string(const json_t *params, const char *key)
{
    const char *value = json_string_value(json_object_get(params, key));
    return value != NULL ? value : "";
}

static void on_message(struct ob_party *p, const json_t *params)
{
    const json_t *text = json_object_get(params, "text");
    bool own = strcmp(string(params, "direction"), "out") == 0;
    struct ob_text *t = ob_text_of(own ? p : p->other, string(params, "id"),
                                   psst_view(json_string_value(text), json_string_length(text)));
    OB_CHECK(p->w, t != NULL);
    if (own) return;
    OB_CHECK(p->w, t->stored_there);
    OB_CHECK(p->w, ++t->told_there == 1); /* shown once */
}

static void on_state(struct ob_party *p, const json_t *params)
{
    const char *state = string(params, "state");
    struct ob_text *t = ob_text_of(p, string(params, "id"), psst_view(NULL, 0));
    OB_CHECK(p->w, t != NULL);
    OB_CHECK(p->w, strcmp(state, "refused") != 0); /* nobody has a reason to */
    ob_trace(p->w, "%s: %zu is %s\n", p->name, (size_t)(t - p->texts), state);
    if (strcmp(state, "delivered") == 0 || strcmp(state, "read") == 0) {
        OB_CHECK(p->w, t->stored_there && !t->recalled);
        t->delivered = true;
    }
    if (strcmp(state, "read") == 0) {
        OB_CHECK(p->w, t->shown_there && p->w->receipts);
        ob_tally.receipts++;
    }
    if (strcmp(state, "recalled") == 0) {
        OB_CHECK(p->w, !t->wired);
        t->recalled = true;
    }
}

void ob_people_event(struct ob_party *p, const char *event, const json_t *params)
{
    if (strcmp(event, "message") == 0) on_message(p, params);
    if (strcmp(event, "message.state") == 0) on_state(p, params);
}

/* ---- when ---- */

void ob_people_begin(struct ob_party *p)
{
    struct ob_world *w = p->w;
    p->say_ns = ob_soon(w, 0, 5000);
    p->read_ns = ob_soon(w, 0, 40000);
    p->recall_ns = ob_soon(w, 0, 90000);
    p->pause_ns = ob_soon(w, 10000, 300000);
}

static bool due(const struct ob_party *p, uint64_t at_ns)
{
    return at_ns <= p->w->now.mono_ns;
}

bool ob_people_step(struct ob_party *p)
{
    struct ob_world *w = p->w;
    if (!p->up) return false;
    if (p->to_say > 0 && due(p, p->say_ns)) {
        say(p);
        return true;
    }
    if (due(p, p->read_ns)) {
        read_all(p);
        return true;
    }
    bool over = p->to_say == 0 && w->mishaps == 0; /* then it must be able to come to an end */
    if (!over && due(p, p->recall_ns)) {
        recall(p);
        return true;
    }
    if (due(p, p->pause_ns)) {
        p->contact->paused = !p->contact->paused && !over;
        uint64_t most_ms = ob_chance(w, 50) ? 400 : p->contact->paused ? 60000 : 300000;
        p->pause_ns = ob_soon(w, 0, most_ms);
        return true;
    }
    return false;
}

uint64_t ob_people_next(const struct ob_party *p)
{
    uint64_t next = OB_NEVER;
    if (!p->up) return next;
    bool over = p->to_say == 0 && p->w->mishaps == 0;
    if (p->to_say > 0) next = p->say_ns;
    if (p->read_ns < next) next = p->read_ns;
    if (!over && p->recall_ns < next) next = p->recall_ns;
    if (p->pause_ns < next) next = p->pause_ns;
    return next;
}

bool ob_people_done(const struct ob_party *p)
{
    if (!p->up || p->to_say > 0 || p->thread.queue != NULL || p->thread.finished != NULL) return false;
    return p->contact->waiting == 0 && !p->contact->paused;
}
