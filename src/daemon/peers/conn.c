/* One connection: a socket, a timer and a link, and the turns that the link is given.
 *
 * The socket is polled, not streamed: what is written lies in the link until the kernel has it, without a copy, and what
 * is read goes into the one scratch buffer that all connections share, or straight behind the half record that waits.
 */
#include "daemon/peers/internal.h"
#include "daemon/presence.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define READS_A_TURN      4
#define WRITES_A_TURN     16
#define ROUNDS_A_TURN     4
#define READS_WHEN_BROKEN 64
#define NS_A_MS           UINT64_C(1000000)

static uint64_t loop_ms(const struct psst_conn *conn)
{
    return uv_now(conn->peers->d->loop);
}

/* ---- birth and death ---- */

static void on_poll(uv_poll_t *poll, int status, int events);
static void on_timer(uv_timer_t *timer);

static struct psst_conn *conn_new(struct psst_peers *peers, int fd, const union psst_sockaddr *address)
{
    struct psst_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL || uv_poll_init(peers->d->loop, &conn->poll, fd) != 0) {
        free(conn);
        (void)close(fd);
        return NULL;
    }
    (void)uv_timer_init(peers->d->loop, &conn->timer);
    conn->poll.data = conn->timer.data = conn;
    conn->handles = 2;
    conn->peers = peers;
    conn->fd = fd;
    conn->address = *address;
    conn->timer_ms = PSST_NEVER;
    conn->give_up_ms = PSST_NEVER;
    conn->serial = ++peers->serials;
    psst_map_add(&peers->by_serial, &conn->by_serial, psst_hash_u64(conn->serial));
    conn->next = peers->conns;
    if (conn->next != NULL) conn->next->prev = conn;
    peers->conns = conn;
    peers->n_conns++;
    return conn;
}

static void on_closed(uv_handle_t *handle)
{
    struct psst_conn *conn = handle->data;
    if (--conn->handles == 0) free(conn);
}

static void forget_dirty(struct psst_conn *conn)
{
    if (!conn->dirty) return;
    struct psst_conn **at = &conn->peers->dirty;
    while (*at != conn) at = &(*at)->next_dirty;
    *at = conn->next_dirty;
    if (*at == NULL) conn->peers->dirty_end = at;
    conn->dirty = false;
}

void psst_conn_close(struct psst_conn *conn)
{
    if (conn->state == PSST_CONN_CLOSED) return;
    struct psst_peers *peers = conn->peers;
    conn->state = PSST_CONN_CLOSED;
    psst_question_drop(conn);
    psst_presence_forget(conn);
    psst_admission_leave(&peers->admission, &conn->place);
    forget_dirty(conn);
    psst_link_free(conn->link);
    conn->link = NULL;
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        peers->conns = conn->next;
    if (conn->next != NULL) conn->next->prev = conn->prev;
    psst_map_remove(&peers->by_serial, &conn->by_serial);
    peers->n_conns--;
    (void)uv_poll_stop(&conn->poll);
    uv_close((uv_handle_t *)&conn->poll, on_closed);
    uv_close((uv_handle_t *)&conn->timer, on_closed);
    (void)close(conn->fd);
    conn->fd = -1;
}

struct psst_conn *psst_conn_by_serial(struct psst_peers *peers, uint64_t serial)
{
    struct psst_map_node *n = psst_map_find(&peers->by_serial, psst_hash_u64(serial));
    for (; n != NULL; n = psst_map_next(n)) {
        struct psst_conn *conn = PSST_MAP_ITEM(n, struct psst_conn, by_serial);
        if (conn->serial == serial) return conn;
    }
    return NULL;
}

/* ---- what the loop must watch for ---- */

static void watch(struct psst_conn *conn)
{
    int events = 0;
    if (conn->state == PSST_CONN_CONNECTING) {
        events = UV_WRITABLE;
    } else if (conn->state == PSST_CONN_LINGER) {
        events = UV_READABLE;
    } else {
        if (!conn->eof && conn->holds == 0 && psst_link_wants_input(conn->link)) events |= UV_READABLE;
        if (psst_link_output(conn->link).len > 0) events |= UV_WRITABLE;
    }
    if (events == conn->polled) return;
    conn->polled = (uint8_t)events;
    if (events == 0)
        (void)uv_poll_stop(&conn->poll);
    else
        (void)uv_poll_start(&conn->poll, events, on_poll);
}

/* A timer that is set too early is left alone: it finds nothing to do when it comes, and is set again then. That costs
 * one more awakening in ten seconds, instead of a change for every record. */
static void set_timer(struct psst_conn *conn)
{
    uint64_t at_ms = conn->give_up_ms;
    if (conn->link != NULL) {
        uint64_t deadline = psst_link_deadline(conn->link), suspect = psst_suspect_at(conn);
        if (suspect < deadline) deadline = suspect;
        uint64_t deadline_ms = deadline == PSST_NEVER ? PSST_NEVER : deadline / NS_A_MS + (deadline % NS_A_MS != 0);
        if (deadline_ms < at_ms) at_ms = deadline_ms;
    }
    if (at_ms >= conn->timer_ms) return;
    uint64_t now_ms = loop_ms(conn);
    conn->timer_ms = at_ms;
    (void)uv_timer_start(&conn->timer, on_timer, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

/* ---- turns ---- */

/* All events that there are. False: the connection is gone. */
static bool work(struct psst_conn *conn)
{
    struct psst_event ev;
    while (conn->link != NULL) {
        psst_link_next(conn->link, psst_daemon_now(conn->peers->d), &ev);
        if (ev.type == PSST_EV_NONE) return true;
        psst_conn_event(conn, &ev);
    }
    return conn->state != PSST_CONN_CLOSED;
}

/* ---- reading ---- */

/* One read and all that follows from it. False: no more for now. */
static bool read_once(struct psst_conn *conn)
{
    struct psst_span scratch = {conn->peers->scratch, PSST_SCRATCH_BYTES};
    struct psst_span room = psst_link_space(conn->link, scratch);
    ssize_t n = recv(conn->fd, room.data, room.len, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return false;
    if (n <= 0) {
        if (n < 0 && conn->error == 0) conn->error = errno;
        conn->eof = true;
        if (n < 0 && conn->state == PSST_CONN_VOID)
            psst_conn_close(conn); /* a reset: nobody is left to see when we close */
        else
            psst_link_eof(conn->link);
        return false;
    }
    psst_link_received(conn->link, room.data, (size_t)n);
    bool nested = conn->in_turn;
    conn->in_turn = true;
    bool alive = work(conn); /* scratch is free again after this */
    conn->in_turn = nested;
    return alive && conn->link != NULL && (size_t)n == room.len;
}

static void read_in(struct psst_conn *conn)
{
    for (int i = 0; i < READS_A_TURN; i++) {
        if (conn->eof || conn->holds > 0 || !psst_link_wants_input(conn->link)) return;
        if (!read_once(conn) || conn->link == NULL) return;
    }
}

/* The socket has an error: what it still holds is read (a bye may be the last of it), then it ends. */
static void broken(struct psst_conn *conn)
{
    for (int i = 0; i < READS_WHEN_BROKEN && conn->link != NULL && !conn->eof && conn->holds == 0; i++)
        if (psst_link_wants_input(conn->link)) (void)read_once(conn);
    if (conn->link == NULL || conn->eof) return;
    if (conn->error == 0) conn->error = psst_socket_error(conn->fd);
    conn->eof = true;
    psst_link_eof(conn->link);
}

/* ---- writing, and the turn ---- */

/* Senders of bulk fill up what has drained; they add to the output and nothing else. */
static void offer_room(struct psst_conn *conn)
{
    if (conn->state != PSST_CONN_SESSION || conn->contact == NULL) return;
    if (psst_conn_waiting(conn) >= PSST_BULK_WAITING) return;
    if (conn->contact->session == conn) psst_delivery_writable(conn->peers->d->delivery, conn);
    psst_transfers_writable(conn->peers->d->transfers, conn);
}

/* Nothing can be written any more, and the link has been told; it ends with its next event. */
static bool broken_off(const struct psst_conn *conn)
{
    return conn->eof && conn->error != 0;
}

/* Writes what the kernel takes. True: something went. */
static bool write_out(struct psst_conn *conn)
{
    bool moved = false;
    for (int i = 0; i < WRITES_A_TURN && conn->link != NULL && !broken_off(conn); i++) {
        offer_room(conn);
        struct psst_view out = psst_link_output(conn->link);
        if (out.len == 0) break;
        ssize_t n = send(conn->fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (n < 0) {
            if (conn->error == 0) conn->error = errno;
            broken(conn);
            return true;
        }
        psst_link_sent(conn->link, (size_t)n);
        moved = true;
    }
    return moved;
}

void psst_conn_turn(struct psst_conn *conn)
{
    if (conn->link == NULL || conn->in_turn) return;
    conn->in_turn = true;
    bool more = true;
    for (int i = 0; i < ROUNDS_A_TURN && more; i++) {
        conn->again = false;
        more = work(conn) && conn->link != NULL && (write_out(conn) || conn->again);
    }
    conn->in_turn = false;
    if (conn->state == PSST_CONN_CLOSED || !psst_suspect_turn(conn)) return;
    if (more) psst_conn_kick(conn);
    watch(conn);
    set_timer(conn);
}

void psst_conn_readable(struct psst_conn *conn)
{
    read_in(conn);
    psst_conn_turn(conn);
}

void psst_conn_kick(struct psst_conn *conn)
{
    if (conn->in_turn) {
        conn->again = true;
        return;
    }
    if (conn->dirty || conn->link == NULL) return;
    conn->dirty = true;
    conn->next_dirty = NULL;
    *conn->peers->dirty_end = conn;
    conn->peers->dirty_end = &conn->next_dirty;
}

/* ---- the other states ---- */

static void connect_failed(struct psst_conn *conn, int error)
{
    conn->error = error;
    psst_dial_failed(conn, PSST_END_NO_ANSWER);
    psst_conn_close(conn);
}

/* TCP stands: M1 goes out. */
static void connected(struct psst_conn *conn)
{
    struct psst_peers *peers = conn->peers;
    int error = psst_socket_error(conn->fd);
    if (error != 0) {
        connect_failed(conn, error);
        return;
    }
    struct psst_contact *contact = psst_dial_contact(conn->dial);
    enum psst_err err = PSST_ERR_NOT_FOUND;
    if (contact != NULL)
        err = psst_link_call(&conn->link, &peers->config, contact->key, psst_contact_psk(peers->d, contact),
                             psst_daemon_now(peers->d));
    if (err != PSST_OK) {
        connect_failed(conn, err == PSST_ERR_MEMORY ? ENOMEM : EINVAL);
        return;
    }
    conn->state = PSST_CONN_HANDSHAKE;
    conn->give_up_ms = PSST_NEVER;
    psst_conn_turn(conn);
}

/* Waits for the other side to close first: a close with something unread would send a reset, which may overtake our bye. */
void psst_conn_linger(struct psst_conn *conn)
{
    psst_question_drop(conn);
    psst_link_free(conn->link);
    conn->link = NULL;
    if (conn->eof || shutdown(conn->fd, SHUT_WR) != 0) {
        psst_conn_close(conn);
        return;
    }
    conn->state = PSST_CONN_LINGER;
    conn->give_up_ms = loop_ms(conn) + PSST_LINGER_MS;
    conn->timer_ms = PSST_NEVER;
    set_timer(conn);
    watch(conn);
}

static void linger_read(struct psst_conn *conn)
{
    uint8_t waste[4096];
    ssize_t n = recv(conn->fd, waste, sizeof waste, MSG_DONTWAIT);
    if (n > 0) {
        psst_socket_drain(conn->fd, PSST_SCRATCH_BYTES);
        return;
    }
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    psst_conn_close(conn);
}

void psst_conn_bye(struct psst_conn *conn, uint8_t reason)
{
    if (conn->state == PSST_CONN_ENDING || conn->link == NULL) return;
    conn->state = PSST_CONN_ENDING;
    conn->holds = 0;
    conn->give_up_ms = loop_ms(conn) + PSST_LINGER_MS;
    psst_link_bye(conn->link, psst_daemon_now(conn->peers->d), reason);
    psst_conn_kick(conn);
}

/* ---- the loop's calls ---- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct psst_conn *conn = poll->data;
    if (status < 0) conn->polled = 0; /* libuv has stopped it */
    if (conn->state == PSST_CONN_CONNECTING) {
        connected(conn);
        return;
    }
    if (conn->state == PSST_CONN_LINGER) {
        if (status < 0)
            psst_conn_close(conn);
        else
            linger_read(conn);
        return;
    }
    if (status < 0)
        broken(conn);
    else if (events & UV_READABLE)
        read_in(conn);
    psst_conn_turn(conn);
}

static void on_timer(uv_timer_t *timer)
{
    struct psst_conn *conn = timer->data;
    conn->timer_ms = PSST_NEVER;
    if (conn->give_up_ms <= loop_ms(conn)) {
        if (conn->state == PSST_CONN_CONNECTING)
            connect_failed(conn, ETIMEDOUT);
        else
            psst_conn_close(conn);
        return;
    }
    if (conn->link == NULL)
        set_timer(conn);
    else
        psst_conn_turn(conn);
}

struct psst_conn *psst_conn_accepted(struct psst_peers *peers, int fd, const union psst_sockaddr *from)
{
    struct psst_conn *conn = conn_new(peers, fd, from);
    if (conn == NULL) return NULL;
    conn->state = PSST_CONN_HANDSHAKE;
    if (psst_link_accept(&conn->link, &peers->config, psst_daemon_now(peers->d)) != PSST_OK) {
        psst_conn_close(conn);
        return NULL;
    }
    return conn;
}

struct psst_conn *psst_conn_connecting(struct psst_peers *peers, int fd, const union psst_sockaddr *to,
                                       struct psst_dial *dial)
{
    struct psst_conn *conn = conn_new(peers, fd, to);
    if (conn == NULL) return NULL;
    conn->dial = dial;
    conn->state = PSST_CONN_CONNECTING;
    conn->give_up_ms = loop_ms(conn) + PSST_CONNECT_MS;
    set_timer(conn);
    watch(conn);
    return conn;
}

/* ---- what delivery and transfers see ---- */

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

void psst_conn_ends(const struct psst_conn *conn, union psst_sockaddr *here, union psst_sockaddr *there)
{
    *there = conn->address;
    if (psst_socket_local(conn->fd, here) != PSST_OK) *here = (union psst_sockaddr){.any.sa_family = AF_UNSPEC};
}

size_t psst_conn_waiting(const struct psst_conn *conn)
{
    return psst_link_output(conn->link).len;
}

void **psst_conn_showing(struct psst_conn *conn)
{
    return &conn->showing;
}

void psst_conn_hold(struct psst_conn *conn)
{
    if (conn->holds++ == 0 && conn->link != NULL) psst_link_pause(conn->link, psst_daemon_now(conn->peers->d), true);
    if (!conn->is_short) conn->is_short = psst_socket_keep_short(conn->fd);
    psst_conn_kick(conn);
}

void psst_conn_release(struct psst_conn *conn)
{
    if (conn->holds > 0 && --conn->holds == 0 && conn->link != NULL)
        psst_link_pause(conn->link, psst_daemon_now(conn->peers->d), false);
    psst_conn_kick(conn);
}
