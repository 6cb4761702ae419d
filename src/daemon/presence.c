#include "daemon/presence.h"

#include "base/bucket.h"
#include "base/text.h"
#include "daemon/reconnect/reconnect.h"

#include <stdio.h>
#include <stdlib.h>

_Static_assert(PSST_PRESENCE_TEXT_MAX == PSST_PRESENCE_MAX, "what is kept is what can be sent");
_Static_assert(PSST_PRESENCE_ONLINE == 1 && PSST_PRESENCE_AWAY == 2 && PSST_PRESENCE_BUSY == 3, "the wire's numbers");

/* At most PSST_OPTIONAL_SENT_A_MINUTE within any minute: half of them at once, and half of them flow in. */
#define BUCKET_CHUNK 10 /* what one takes, of one unit a second */
#define BUCKET_DEPTH (BUCKET_CHUNK * (PSST_OPTIONAL_SENT_A_MINUTE / 2 - 1))
#define VALUE_NAME   "presence"
#define COIN_NAME    "coin"

struct psst_presences {
    struct psst_daemon *d;
    struct psst_own_presence own;
    uv_timer_t later; /* runs while a change waits for its turn */
    bool counted;
    size_t seeing, hidden; /* contacts that are not blocked; once counted */
};

/* Of one session; there is none before there is something to say about it. */
struct showing {
    struct psst_bucket bucket; /* of what is sent */
    bool due;                  /* a change waits for the bucket; what is sent then is what holds then */
    uint8_t state;             /* his */
    char *text;                /* rendered; NULL: none */
};

/* ---- names ---- */

static const char *const names[] = {
    [PSST_PRESENCE_AS_ALL] = "as-all", [PSST_PRESENCE_ONLINE] = "online",       [PSST_PRESENCE_AWAY] = "away",
    [PSST_PRESENCE_BUSY] = "busy",     [PSST_PRESENCE_INVISIBLE] = "invisible",
};
#define NAMES (sizeof names / sizeof names[0])

const char *psst_presence_name(enum psst_presence state)
{
    return (size_t)state < NAMES ? names[state] : NULL;
}

bool psst_presence_find(const char *name, enum psst_presence *state)
{
    if (strcmp(name, "dnd") == 0) name = names[PSST_PRESENCE_BUSY];
    for (size_t i = 0; i < NAMES; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *state = (enum psst_presence)i;
        return true;
    }
    return false;
}

/* ---- one's own, in the store: u8 state || text ---- */

static enum psst_err read_state(struct psst_store *store, struct psst_own_presence *own)
{
    uint8_t value[1 + PSST_PRESENCE_TEXT_MAX];
    size_t len = 0;
    enum psst_err err = psst_store_own_get(store, VALUE_NAME, value, sizeof value, &len);
    if (err != PSST_OK) return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
    if (len < 1 || value[0] < PSST_PRESENCE_ONLINE || value[0] > PSST_PRESENCE_INVISIBLE) return PSST_ERR_DAMAGED;
    own->state = (enum psst_presence)value[0];
    memcpy(own->text, value + 1, len - 1);
    own->text[len - 1] = '\0';
    return PSST_OK;
}

enum psst_err psst_own_presence_read(struct psst_store *store, struct psst_own_presence *own)
{
    uint8_t coin[PSST_COIN_BYTES];
    size_t len = 0;
    own->state = PSST_PRESENCE_ONLINE;
    own->text[0] = '\0';
    enum psst_err err = read_state(store, own);
    if (err != PSST_OK) return err;
    err = psst_store_own_get(store, COIN_NAME, coin, sizeof coin, &len);
    if (err == PSST_OK && len == sizeof coin) {
        memcpy(own->coin, coin, sizeof coin);
        return PSST_OK;
    }
    if (err != PSST_ERR_NOT_FOUND) return err == PSST_OK ? PSST_ERR_DAMAGED : err;
    /* a store that nothing can be written to: this coin lasts until the next start */
    (void)!psst_store_own_put(store, COIN_NAME, psst_view(own->coin, sizeof own->coin));
    return PSST_OK;
}

struct change {
    struct psst_presences *presences;
    enum psst_presence state;
    char text[PSST_PRESENCE_TEXT_MAX + 1];
    psst_book_done *done;
    void *ctx;
};

static enum psst_err set_work(struct psst_store *store, void *arg)
{
    const struct change *change = arg;
    uint8_t value[1 + PSST_PRESENCE_TEXT_MAX];
    size_t len = strlen(change->text);
    value[0] = (uint8_t)change->state;
    memcpy(value + 1, change->text, len);
    return psst_store_own_put(store, VALUE_NAME, psst_view(value, 1 + len));
}

static void set_done(void *arg, enum psst_err err, const char *words)
{
    struct change *change = arg;
    struct psst_presences *presences = change->presences;
    struct psst_daemon *d = presences->d;
    if (err == PSST_OK) {
        presences->own.state = change->state;
        memcpy(presences->own.text, change->text, sizeof presences->own.text);
        presences->counted = false;
        for (struct psst_contact *c = psst_book_first(d->book); c != NULL; c = c->next)
            if (c->presence == PSST_PRESENCE_AS_ALL) psst_presence_applied(d, c);
        psst_daemon_event(d, "presence", psst_presence_own_json(d));
    }
    change->done(change->ctx, err, words);
    psst_wipe(change, sizeof *change);
    free(change);
}

void psst_presence_set(struct psst_daemon *d, enum psst_presence state, const char *text, psst_book_done *done,
                       void *ctx)
{
    struct change *change = calloc(1, sizeof *change);
    if (change == NULL) {
        done(ctx, PSST_ERR_MEMORY, "out of memory");
        return;
    }
    *change = (struct change){.presences = d->presences, .state = state, .done = done, .ctx = ctx};
    (void)snprintf(change->text, sizeof change->text, "%s", text);
    psst_store_run(d->store, set_work, set_done, change);
}

/* ---- who sees what ---- */

enum psst_presence psst_presence_to(const struct psst_daemon *d, const struct psst_contact *contact, const char **text)
{
    bool as_all = contact->presence == PSST_PRESENCE_AS_ALL;
    if (text != NULL)
        *text = as_all ? d->presences->own.text : contact->presence_text != NULL ? contact->presence_text : "";
    return as_all ? d->presences->own.state : (enum psst_presence)contact->presence;
}

bool psst_presence_hides(const struct psst_daemon *d, const struct psst_contact *contact)
{
    return psst_presence_to(d, contact, NULL) == PSST_PRESENCE_INVISIBLE;
}

bool psst_presence_is_busy(const struct psst_daemon *d, const struct psst_contact *contact)
{
    return psst_presence_to(d, contact, NULL) == PSST_PRESENCE_BUSY;
}

void psst_presences_book_changed(struct psst_presences *presences)
{
    presences->counted = false;
}

static void count(struct psst_presences *presences)
{
    if (presences->counted) return;
    presences->seeing = presences->hidden = 0;
    for (const struct psst_contact *c = psst_book_first(presences->d->book); c != NULL; c = c->next) {
        if (c->blocked) continue;
        if (psst_presence_hides(presences->d, c))
            presences->hidden++;
        else
            presences->seeing++;
    }
    presences->counted = true;
}

static bool coin_says_silence(const struct psst_presences *presences, const struct psst_fpr *fpr)
{
    struct psst_hash hash;
    const struct psst_view parts[] = {psst_view(presences->own.coin, sizeof presences->own.coin),
                                      psst_view(fpr->b, sizeof fpr->b)};
    return psst_sha256(&hash, parts, 2) != PSST_OK || (hash.b[0] & 1) != 0;
}

enum psst_caller_answer psst_presence_answer(struct psst_daemon *d, const struct psst_contact *contact,
                                             const struct psst_fpr *fpr)
{
    struct psst_presences *presences = d->presences;
    if (contact != NULL && !contact->blocked)
        return psst_presence_hides(d, contact) ? PSST_ANSWER_SILENCE : PSST_ANSWER_CONTACT;
    count(presences);
    bool all_hidden = presences->seeing == 0 && presences->own.state == PSST_PRESENCE_INVISIBLE;
    if (presences->hidden == 0 && !all_hidden) return PSST_ANSWER_DECOY;
    if (presences->seeing == 0) return PSST_ANSWER_SILENCE;
    return coin_says_silence(presences, fpr) ? PSST_ANSWER_SILENCE : PSST_ANSWER_DECOY;
}

/* ---- sending ---- */

/* NULL: out of memory. */
static struct showing *showing_of(struct psst_conn *conn)
{
    void **place = psst_conn_showing(conn);
    if (*place != NULL) return *place;
    struct showing *s = calloc(1, sizeof *s);
    if (s == NULL) return NULL;
    s->state = PSST_PRESENCE_ONLINE;
    psst_bucket_init(&s->bucket, 1, BUCKET_DEPTH);
    *place = s;
    return s;
}

/* What stands; NULL: nothing yet. */
static const struct showing *shown_by(const struct psst_contact *contact)
{
    return contact->session != NULL ? *psst_conn_showing(contact->session) : NULL;
}

void psst_presence_forget(struct psst_conn *conn)
{
    void **place = psst_conn_showing(conn);
    struct showing *s = *place;
    if (s != NULL) free(s->text);
    free(s);
    *place = NULL;
}

static void on_later(uv_timer_t *timer);

static void send_later(struct psst_presences *presences, uint64_t wait_ns)
{
    uint64_t ms = wait_ns / 1000000 + 1;
    if (uv_is_closing((uv_handle_t *)&presences->later)) return;
    if (uv_is_active((uv_handle_t *)&presences->later) && uv_timer_get_due_in(&presences->later) <= ms) return;
    (void)uv_timer_start(&presences->later, on_later, ms, 0);
}

static void send_now_or_later(struct psst_presences *presences, struct psst_contact *contact)
{
    struct psst_daemon *d = presences->d;
    struct psst_now now = psst_daemon_now(d);
    const char *text;
    enum psst_presence state = psst_presence_to(d, contact, &text);
    if (state == PSST_PRESENCE_INVISIBLE) return; /* called by hand: he may think what he likes */
    struct showing *s = showing_of(contact->session);
    if (s == NULL) return;
    uint64_t wait_ns = psst_bucket_wait_ns(&s->bucket, now.mono_ns);
    s->due = wait_ns > 0;
    if (s->due) {
        send_later(presences, wait_ns);
        return;
    }
    const struct psst_presence_chunk chunk = {(uint8_t)state, psst_view_str(text)};
    enum psst_err err = psst_link_presence(psst_conn_link(contact->session), now, &chunk);
    if (err == PSST_OK) {
        psst_bucket_take(&s->bucket, now.mono_ns, BUCKET_CHUNK);
        psst_conn_kick(contact->session);
    } else if (err == PSST_ERR_AGAIN) { /* he reads nothing just now */
        s->due = true;
        send_later(presences, PSST_SECOND_NS);
    }
}

static void on_later(uv_timer_t *timer)
{
    struct psst_presences *presences = timer->data;
    for (struct psst_contact *c = psst_book_first(presences->d->book); c != NULL; c = c->next) {
        const struct showing *s = shown_by(c);
        if (s != NULL && s->due) send_now_or_later(presences, c);
    }
}

void psst_presence_applied(struct psst_daemon *d, struct psst_contact *contact)
{
    d->presences->counted = false;
    if (psst_presence_hides(d, contact)) {
        char words[PSST_NAME_MAX + 32];
        (void)snprintf(words, sizeof words, "you are invisible to %s", contact->alias);
        psst_peers_hangup(d->peers, contact, PSST_BYE_STOPPING, words);
    } else if (contact->session != NULL) {
        send_now_or_later(d->presences, contact);
    }
    psst_reconnect_changed(d, contact);
}

/* ---- his ---- */

static void event(struct psst_daemon *d, const struct psst_contact *contact, const struct showing *s)
{
    json_t *params =
        json_pack("{s:s, s:s, s:s}", "contact", contact->alias, "state",
                  psst_presence_name((enum psst_presence)s->state), "text", s->text != NULL ? s->text : "");
    if (params != NULL) psst_daemon_event(d, "presence", params);
}

void psst_presence_up(struct psst_daemon *d, struct psst_contact *contact)
{
    const char *text;
    const struct showing *s = shown_by(contact); /* another session that takes the place of the one in use */
    if (s != NULL) event(d, contact, s);
    contact->seen_ms = 0;
    if (psst_presence_to(d, contact, &text) != PSST_PRESENCE_ONLINE || text[0] != '\0')
        send_now_or_later(d->presences, contact);
}

void psst_presence_down(struct psst_daemon *d, struct psst_contact *contact)
{
    contact->seen_ms = psst_daemon_now(d).unix_ms;
}

/* Harmless for any screen; NULL: nothing to show, or out of memory. */
static char *rendered(struct psst_view utf8)
{
    struct psst_buf buf;
    char *text = NULL;
    psst_buf_init(&buf, 4096);
    psst_text_render(&buf, utf8, PSST_RENDER_LINE, PSST_PRESENCE_TEXT_MAX);
    psst_buf_put_u8(&buf, 0);
    if (!buf.failed && buf.len > 1) text = strdup((const char *)buf.data);
    psst_buf_fini(&buf);
    return text;
}

void psst_presence_event(struct psst_daemon *d, struct psst_conn *conn, const struct psst_event *ev)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    struct showing *s = showing_of(conn);
    if (s == NULL) return;
    char *text = rendered(ev->presence.utf8);
    bool same = s->state == ev->presence.state && strcmp(s->text != NULL ? s->text : "", text != NULL ? text : "") == 0;
    free(s->text);
    s->text = text;
    s->state = ev->presence.state;
    if (!same && contact->session == conn) event(d, contact, s);
}

/* ---- as user interfaces see it ---- */

json_t *psst_presence_own_json(const struct psst_daemon *d)
{
    const struct psst_own_presence *own = &d->presences->own;
    return json_pack("{s:s, s:s}", "state", psst_presence_name(own->state), "text", own->text);
}

void psst_presence_add_json(json_t *object, const struct psst_contact *contact)
{
    const struct showing *s = shown_by(contact);
    bool there = contact->session != NULL;
    enum psst_presence state = s != NULL ? (enum psst_presence)s->state : PSST_PRESENCE_ONLINE;
    if (object == NULL) return;
    (void)json_object_set_new(object, "presence", json_string(there ? psst_presence_name(state) : "offline"));
    (void)json_object_set_new(object, "presence_text", json_string(s != NULL && s->text != NULL ? s->text : ""));
    if (!there && contact->seen_ms > 0)
        (void)json_object_set_new(object, "seen_ms", json_integer((json_int_t)contact->seen_ms));
    if (contact->presence != PSST_PRESENCE_AS_ALL)
        (void)json_object_set_new(object, "shows",
                                  json_pack("{s:s, s:s}", "state",
                                            psst_presence_name((enum psst_presence)contact->presence), "text",
                                            contact->presence_text != NULL ? contact->presence_text : ""));
}

/* ---- life ---- */

enum psst_err psst_presences_new(struct psst_presences **out, struct psst_daemon *d)
{
    struct psst_presences *presences = calloc(1, sizeof *presences);
    if (presences == NULL) return PSST_ERR_MEMORY;
    presences->d = d;
    presences->own.state = PSST_PRESENCE_ONLINE;
    (void)uv_timer_init(d->loop, &presences->later); /* cannot fail */
    presences->later.data = presences;
    *out = presences;
    return PSST_OK;
}

void psst_presences_close(struct psst_presences *presences)
{
    uv_close((uv_handle_t *)&presences->later, NULL);
}

void psst_presences_free(struct psst_presences *presences)
{
    if (presences != NULL) psst_wipe(presences, sizeof *presences);
    free(presences);
}

void psst_presences_loaded(struct psst_presences *presences, const struct psst_own_presence *own)
{
    presences->own = *own;
    presences->counted = false;
}

void psst_presences_unloaded(struct psst_presences *presences)
{
    psst_wipe(&presences->own, sizeof presences->own);
    presences->own.state = PSST_PRESENCE_ONLINE;
    presences->counted = false;
    (void)uv_timer_stop(&presences->later);
}
