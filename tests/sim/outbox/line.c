/* Connections: the real links over a bad network, driven as src/daemon/peers/conn.c and session.c do. */
#include "outbox.h"

#include "proto/duplicate.h"

static uint8_t scratch[65536];

/* ---- beginning and end ---- */

static struct psst_conn *free_place(struct ob_party *p)
{
    for (size_t i = 0; i < OB_LINES; i++)
        if (!p->conns[i].used) return &p->conns[i];
    return NULL;
}

static void conn_init(struct psst_conn *conn, struct ob_party *p, struct psst_conn *other)
{
    *conn = (struct psst_conn){.p = p, .other = other, .serial = ++p->w->serials, .used = true};
    net_init(&conn->in, &p->w->weather, &p->w->rng);
}

/* What was on its way to it is on its way to nobody. */
static void conn_free(struct psst_conn *conn)
{
    if (!conn->used) return;
    psst_link_free(conn->link);
    net_fini(&conn->in);
    if (conn->other != NULL) conn->other->other = NULL;
    conn->used = false;
}

void ob_dial(struct ob_party *p)
{
    struct ob_world *w = p->w;
    p->dial_ns = ob_soon(w, 500, 10000);
    if (p->contact->session != NULL || !p->other->up) return;
    struct psst_conn *caller = free_place(p), *callee = free_place(p->other);
    if (caller == NULL || callee == NULL) return;
    conn_init(caller, p, callee);
    conn_init(callee, p->other, caller);
    OB_CHECK(w, psst_link_call(&caller->link, &p->config, p->other->pub, NULL, w->now) == PSST_OK);
    OB_CHECK(w, psst_link_accept(&callee->link, &p->other->config, w->now) == PSST_OK);
}

/* ---- sessions of the contact, as session.c has them ---- */

static void use_session(struct psst_conn *conn)
{
    struct psst_contact *contact = conn->contact;
    contact->session = conn;
    ob_tally.sessions++;
    psst_delivery_up(conn->p->d.delivery, contact);
}

static struct psst_conn *another_session(const struct psst_conn *but)
{
    struct psst_conn *best = NULL;
    for (size_t i = 0; i < OB_LINES; i++) {
        struct psst_conn *conn = &but->p->conns[i];
        if (conn == but || !conn->used || conn->contact == NULL) continue;
        if (best == NULL || conn->serial > best->serial) best = conn;
    }
    return best;
}

static void detach(struct psst_conn *conn)
{
    struct psst_contact *contact = conn->contact;
    if (contact == NULL) return;
    bool in_use = contact->session == conn;
    struct psst_conn *other = in_use ? another_session(conn) : NULL;
    if (in_use) contact->session = NULL;
    conn->contact = NULL;
    if (other != NULL)
        use_session(other);
    else if (in_use)
        psst_delivery_down(conn->p->d.delivery, contact);
}

static void replace(struct psst_conn *old)
{
    struct psst_contact *contact = old->contact;
    if (contact->session == old) {
        psst_delivery_down(old->p->d.delivery, contact);
        contact->session = NULL;
    }
    old->contact = NULL;
    psst_link_bye(old->link, old->p->w->now, PSST_BYE_DUPLICATE);
}

static void established(struct psst_conn *conn)
{
    struct ob_party *p = conn->p;
    bool stays = true;
    conn->contact = p->contact;
    for (size_t i = 0; i < OB_LINES && stays; i++) {
        struct psst_conn *old = &p->conns[i];
        if (old == conn || !old->used || old->contact == NULL) continue;
        switch (psst_duplicate_decide(psst_rsa_public_fpr(p->pub), psst_rsa_public_fpr(p->other->pub),
                                      psst_link_times(old->link), psst_link_times(conn->link))) {
        case PSST_DUPLICATE_KEEP_BOTH: break;
        case PSST_DUPLICATE_CLOSE_OLD: replace(old); break;
        case PSST_DUPLICATE_CLOSE_NEW: stays = false; break;
        }
    }
    if (stays) {
        use_session(conn);
        return;
    }
    conn->contact = NULL;
    psst_link_bye(conn->link, p->w->now, PSST_BYE_DUPLICATE);
}

/* ---- turns ---- */

static void decapsulate(struct psst_conn *conn, const uint8_t *x)
{
    struct psst_kem_secret secret;
    enum psst_err err = psst_kem_decapsulate(conn->p->key, "z", x, &secret);
    psst_link_decapsulated(conn->link, err == PSST_OK ? &secret : NULL);
}

static void ended(struct psst_conn *conn)
{
    struct ob_world *w = conn->p->w;
    detach(conn);
    if (conn->other != NULL) net_close(&conn->other->in, w->now.mono_ns);
    conn_free(conn);
}

/* False: it is over. */
static bool handle(struct psst_conn *conn, const struct psst_event *ev)
{
    struct ob_party *p = conn->p;
    switch (ev->type) {
    case PSST_EV_ADMIT: psst_link_admit(conn->link, true); break;
    case PSST_EV_DECAPSULATE: decapsulate(conn, ev->x); break;
    case PSST_EV_CONTACT: psst_link_contact(conn->link, p->other->pub, NULL); break;
    case PSST_EV_ESTABLISHED: established(conn); break;
    case PSST_EV_TEXT:
    case PSST_EV_ACK:
    case PSST_EV_READ:
    case PSST_EV_NOT_ACCEPTED:
        if (conn->contact != NULL) psst_delivery_event(p->d.delivery, conn, ev);
        break;
    case PSST_EV_ENDED: ended(conn); return false;
    default: break;
    }
    return true;
}

static bool flush(struct psst_conn *conn)
{
    bool moved = false;
    while (conn->link != NULL) {
        if (conn->contact != NULL && conn->contact->session == conn &&
            psst_link_output(conn->link).len < PSST_BULK_WAITING)
            psst_delivery_writable(conn->p->d.delivery, conn);
        struct psst_view out = psst_link_output(conn->link);
        uint64_t now_ns = conn->p->w->now.mono_ns;
        size_t n = out.len;
        if (n > 0 && conn->other != NULL) n = net_write(&conn->other->in, now_ns, out);
        if (n == 0) break;
        psst_link_sent(conn->link, n);
        moved = true;
    }
    return moved;
}

static bool receive(struct psst_conn *conn)
{
    uint64_t now_ns = conn->p->w->now.mono_ns;
    if (conn->holds > 0 || !psst_link_wants_input(conn->link)) return false;
    if (net_readable(&conn->in, now_ns)) {
        struct psst_span space = psst_link_space(conn->link, (struct psst_span){scratch, sizeof scratch});
        size_t n = net_read(&conn->in, now_ns, space.data, space.len);
        psst_link_received(conn->link, space.data, n);
        return true;
    }
    if (!net_ended(&conn->in, now_ns) || conn->ended_input) return false;
    conn->ended_input = true;
    psst_link_eof(conn->link);
    return true;
}

bool ob_line_step(struct psst_conn *conn)
{
    if (!conn->used || conn->link == NULL) return false;
    bool moved = psst_link_deadline(conn->link) <= conn->p->w->now.mono_ns;
    moved |= receive(conn);
    struct psst_event ev = {.type = PSST_EV_NONE};
    do {
        psst_link_next(conn->link, conn->p->w->now, &ev);
        if (ev.type != PSST_EV_NONE) moved = true;
        if (!handle(conn, &ev)) return true;
    } while (ev.type != PSST_EV_NONE);
    moved |= flush(conn);
    /* the other direction goes with this one */
    if (conn->other != NULL && conn->other->in.end_ns != NET_NEVER) net_close(&conn->in, conn->p->w->now.mono_ns);
    return moved;
}

uint64_t ob_line_next(const struct psst_conn *conn)
{
    if (!conn->used || conn->link == NULL) return OB_NEVER;
    uint64_t next = psst_link_deadline(conn->link);
    bool reads = conn->holds == 0 && psst_link_wants_input(conn->link);
    uint64_t in = net_next(&conn->in);
    if (reads && !(conn->ended_input && conn->in.first == NULL) && in < next) next = in;
    return next;
}

/* ---- what happens to them ---- */

void ob_lines_gone(struct ob_party *p, bool silently)
{
    for (size_t i = 0; i < OB_LINES; i++) {
        struct psst_conn *conn = &p->conns[i], *other = conn->other;
        if (!conn->used) continue;
        conn->contact = NULL;
        if (other != NULL && silently) {
            other->in.cut_at = NET_NEVER;
            other->in.black_hole = true;
        }
        if (other != NULL && !silently) net_close(&other->in, p->w->now.mono_ns);
        conn_free(conn);
    }
}

void ob_lines_bye(struct ob_party *p)
{
    for (size_t i = 0; i < OB_LINES; i++) {
        struct psst_conn *conn = &p->conns[i];
        if (!conn->used || conn->link == NULL) continue;
        psst_link_bye(conn->link, p->w->now, PSST_BYE_STOPPING);
        (void)flush(conn);
    }
}

void ob_line_break(struct ob_party *p)
{
    struct ob_world *w = p->w;
    struct psst_conn *conn = p->contact != NULL ? p->contact->session : NULL;
    if (conn == NULL || conn->other == NULL || conn->in.black_hole) return;
    ob_tally.breaks++;
    switch (ob_draw(w, 0, 2)) {
    case 0: /* a black hole, both ways or one */
        conn->in.cut_at = NET_NEVER;
        conn->in.black_hole = true;
        if (ob_chance(w, 50) && conn->other->in.cut_at == NET_NEVER) conn->other->in.black_hole = true;
        break;
    case 1: /* cut off within what comes next */ conn->in.cut_at = conn->in.carried + ob_draw(w, 0, 3000); break;
    default: psst_link_bye(conn->link, w->now, PSST_BYE_CLOSED); break;
    }
}

void ob_lines_free(struct ob_party *p)
{
    for (size_t i = 0; i < OB_LINES; i++) {
        p->conns[i].contact = NULL;
        conn_free(&p->conns[i]);
    }
}
