/* The rest of psstd, played for src/daemon/delivery/: each function finds its side through what it is given. */
#include "outbox.h"

#include "daemon/reconnect/reconnect.h"
#include "daemon/retention.h"

/* The files under test are compiled so that they call these three in the place of the real ones (meson.build). */
extern const struct psst_rng psst_sim_rng;
enum psst_err psst_sim_link_text(struct psst_link *link, struct psst_now now, const struct psst_text *text);
enum psst_err psst_sim_link_ack(struct psst_link *link, struct psst_now now, const struct psst_msg_id *id);

static struct ob_world *world; /* whose randomness identifiers are made of */

static struct ob_party *party_of(struct psst_daemon *d)
{
    return (struct ob_party *)(void *)((char *)d - offsetof(struct ob_party, d));
}

/* ---- the daemon ---- */

struct psst_now psst_daemon_now(struct psst_daemon *d)
{
    world = party_of(d)->w;
    return world->now;
}

void psst_daemon_event(struct psst_daemon *d, const char *event, json_t *params)
{
    ob_people_event(party_of(d), event, params);
    json_decref(params);
}

void psst_daemon_count(struct psst_daemon *d, const char *name)
{
    (void)d, (void)name;
}

static void fill(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    world->rng.fill(world->rng.ctx, out, len);
}

const struct psst_rng psst_sim_rng = {.fill = fill};

/* ---- the book: one contact, while psstd runs ---- */

struct psst_contact *psst_book_first(struct psst_book *book)
{
    return book->p->contact;
}

struct psst_contact *psst_book_by_id(struct psst_book *book, int64_t id)
{
    struct psst_contact *contact = book->p->contact;
    return contact != NULL && contact->id == id ? contact : NULL;
}

/* ---- peers ---- */

void psst_peers_dial_quietly(struct psst_peers *peers, struct psst_contact *contact)
{
    struct ob_party *p = peers->p;
    uint64_t soon_ns = ob_soon(p->w, 0, 500);
    if (contact->session == NULL && soon_ns < p->dial_ns) p->dial_ns = soon_ns;
}

void psst_retention_soon(struct psst_retention *retention)
{
    (void)retention;
}

void psst_reconnect_changed(struct psst_daemon *d, struct psst_contact *contact)
{
    (void)d, (void)contact;
}

void psst_transfers_offer_again(struct psst_transfers *transfers, struct psst_contact *contact)
{
    (void)transfers, (void)contact;
}

struct psst_link *psst_conn_link(struct psst_conn *conn)
{
    return conn->link;
}

struct psst_contact *psst_conn_contact(struct psst_conn *conn)
{
    return conn->contact;
}

uint64_t psst_conn_serial(const struct psst_conn *conn)
{
    return conn->serial;
}

struct psst_conn *psst_conn_by_serial(struct psst_peers *peers, uint64_t serial)
{
    for (size_t i = 0; i < OB_LINES; i++) {
        struct psst_conn *conn = &peers->p->conns[i];
        if (conn->used && conn->serial == serial && conn->link != NULL) return conn;
    }
    return NULL;
}

void psst_conn_kick(struct psst_conn *conn)
{
    (void)conn; /* output is looked for after every step */
}

void psst_conn_hold(struct psst_conn *conn)
{
    if (conn->holds++ == 0) psst_link_pause(conn->link, conn->p->w->now, true);
}

void psst_conn_release(struct psst_conn *conn)
{
    if (conn->holds > 0 && --conn->holds == 0) psst_link_pause(conn->link, conn->p->w->now, false);
}

/* ---- the loop's timer ---- */

int uv_timer_init(uv_loop_t *loop, uv_timer_t *timer)
{
    struct ob_party *p = loop->data;
    timer->loop = loop;
    timer->flags = 0;
    p->alarm = timer;
    p->alarm_ns = OB_NEVER;
    return 0;
}

int uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t timeout, uint64_t repeat)
{
    struct ob_party *p = timer->loop->data;
    OB_CHECK(p->w, repeat == 0);
    p->alarm_cb = cb;
    p->alarm_ns = p->w->now.mono_ns + timeout * OB_MS;
    return 0;
}

void uv_close(uv_handle_t *handle, uv_close_cb cb)
{
    struct ob_party *p = handle->loop->data;
    (void)cb;
    p->alarm_ns = OB_NEVER;
    p->alarm = NULL;
}

int uv_is_closing(const uv_handle_t *handle)
{
    const struct ob_party *p = handle->loop->data;
    return p->alarm == NULL;
}

/* ---- what leaves ---- */

static struct psst_conn *conn_of(struct psst_link *link)
{
    struct ob_party *parties[] = {&world->alice, &world->bob};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < OB_LINES; i++)
            if (parties[k]->conns[i].used && parties[k]->conns[i].link == link) return &parties[k]->conns[i];
    return NULL;
}

/* What leaves is sent by a commit that is over, and was not taken back. It may have been acknowledged a moment ago. */
enum psst_err psst_sim_link_text(struct psst_link *link, struct psst_now now, const struct psst_text *text)
{
    struct psst_conn *conn = conn_of(link);
    struct ob_row row;
    OB_CHECK(world, conn != NULL);
    OB_CHECK(world, ob_store_row(conn->p, &text->id, PSST_OUT, &row));
    OB_CHECK(world, row.sent && row.state != PSST_MESSAGE_RECALLED);
    char id[OB_ID_SIZE];
    for (size_t i = 0; i < sizeof text->id.b; i++) (void)snprintf(id + 2 * i, 3, "%02x", text->id.b[i]);
    struct ob_text *t = ob_text_of(conn->p, id, text->utf8);
    OB_CHECK(world, t != NULL && !t->recalled);
    t->wired = true;
    return psst_link_text(link, now, text);
}

/* What is acknowledged lies in the store. */
enum psst_err psst_sim_link_ack(struct psst_link *link, struct psst_now now, const struct psst_msg_id *id)
{
    struct psst_conn *conn = conn_of(link);
    struct ob_row row;
    OB_CHECK(world, conn != NULL && ob_store_row(conn->p, id, PSST_IN, &row));
    return psst_link_ack(link, now, id);
}
