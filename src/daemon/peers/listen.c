/* Listening: sockets after the settings, and who is let in at the door (net/admission.h). */
#include "daemon/peers/internal.h"

#include "daemon/calls/calls.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define ACCEPTS_A_TURN 64

/* ---- at the door ---- */

static void enter(struct psst_peers *peers, int fd, const union psst_sockaddr *from)
{
    struct psst_place *evicted = NULL;
    struct psst_place probe;
    struct psst_source source = psst_source_of(from);
    psst_daemon_count(peers->d, "connections");
    /* asked with a place of its own first, so that a newcomer without one costs no memory */
    if (!psst_admission_enter(&peers->admission, &probe, source, &evicted)) {
        psst_daemon_count(peers->d, "connections-dropped");
        (void)close(fd);
        return;
    }
    psst_admission_leave(&peers->admission, &probe);
    if (evicted != NULL) {
        psst_daemon_count(peers->d, "connections-dropped");
        psst_conn_close((struct psst_conn *)((char *)evicted - offsetof(struct psst_conn, place)));
    }
    struct psst_conn *conn = psst_conn_accepted(peers, fd, from);
    if (conn == NULL) return;
    if (!psst_admission_enter(&peers->admission, &conn->place, source, &evicted)) {
        psst_conn_close(conn);
        return;
    }
    /* at once: a first message that is there already makes its place safe from the newcomers behind it */
    psst_conn_readable(conn);
}

/* Descriptors are exhausted: the one in reserve is given up for as long as it takes to turn the newcomer away. Otherwise
 * he would stay in the queue, and the loop would be told of him again and again (attack 7). */
static bool turn_away(struct psst_peers *peers, int listener)
{
    psst_daemon_count(peers->d, "descriptors-exhausted");
    psst_log_limited(&peers->d->log, PSST_LOG_WARNING, "descriptors-exhausted", "%s", "");
    if (peers->reserve_fd >= 0) (void)close(peers->reserve_fd);
    int fd = -1;
    union psst_sockaddr from;
    enum psst_err err = psst_socket_accept(listener, &fd, &from);
    if (err == PSST_OK) (void)close(fd);
    peers->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return err == PSST_OK;
}

static void on_retry(uv_timer_t *timer)
{
    struct psst_listener *l = timer->data;
    (void)uv_timer_stop(timer);
    if (l->fd >= 0) (void)uv_poll_start(&l->poll, UV_READABLE, l->on_readable);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct psst_listener *l = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        int fd;
        union psst_sockaddr from;
        enum psst_err err = psst_socket_accept(l->fd, &fd, &from);
        if (err == PSST_ERR_AGAIN) return;
        if (err == PSST_ERR_IO) continue; /* that one was gone again before it was accepted */
        if (err == PSST_OK) {
            enter(l->peers, fd, &from);
        } else if (!turn_away(l->peers, l->fd)) {
            /* not even that: look again in a second, not in a circle */
            (void)uv_poll_stop(&l->poll);
            (void)uv_timer_start(&l->retry, on_retry, 1000, 0);
            return;
        }
    }
}

/* ---- the sockets ---- */

static void on_closed(uv_handle_t *handle)
{
    struct psst_listener *l = handle->data;
    if (--l->handles == 0) free(l);
}

static void close_listener(struct psst_listener *l)
{
    (void)uv_poll_stop(&l->poll);
    uv_close((uv_handle_t *)&l->poll, on_closed);
    uv_close((uv_handle_t *)&l->retry, on_closed);
    (void)close(l->fd);
    l->fd = -1;
    psst_udp_close(l->udp);
    l->udp = NULL;
}

void psst_listeners_close(struct psst_peers *peers)
{
    for (size_t i = 0; i < peers->n_listeners; i++) close_listener(peers->listeners[i]);
    peers->n_listeners = 0;
}

static enum psst_err open_listener(struct psst_peers *peers, const union psst_sockaddr *at, bool *missing,
                                   struct psst_diag *diag)
{
    int fd;
    enum psst_err err = psst_socket_listen(&fd, at, missing, diag);
    if (err != PSST_OK) return err;
    struct psst_listener *l = calloc(1, sizeof *l);
    if (l == NULL || psst_socket_local(fd, &l->bound) != PSST_OK || uv_poll_init(peers->d->loop, &l->poll, fd) != 0) {
        free(l);
        (void)close(fd);
        return psst_fail(diag, PSST_ERR_MEMORY, "out of memory");
    }
    (void)uv_timer_init(peers->d->loop, &l->retry);
    l->handles = 2;
    l->peers = peers;
    l->wanted = *at;
    l->fd = fd;
    l->on_readable = on_readable;
    l->poll.data = l->retry.data = l;
    peers->listeners[peers->n_listeners++] = l;
    (void)uv_poll_start(&l->poll, UV_READABLE, on_readable);
    char text[PSST_SOCKADDR_TEXT_MAX];
    psst_sockaddr_text(text, &l->bound);
    l->udp = psst_udp_open(peers->d->calls, &l->bound);
    psst_log(&peers->d->log, PSST_LOG_INFO, "listening", "address=%s", text);
    return PSST_OK;
}

static size_t read_wanted(union psst_sockaddr *wanted, const char *list)
{
    size_t n = 0;
    while (n < PSST_LISTENERS_MAX) {
        list += strspn(list, " ");
        size_t len = strcspn(list, " ");
        char word[PSST_ADDRESS_MAX + 1];
        if (len == 0) break;
        if (len < sizeof word) {
            memcpy(word, list, len);
            word[len] = '\0';
            if (psst_sockaddr_parse(&wanted[n], word) == PSST_OK) n++;
        }
        list += len;
    }
    return n;
}

static bool is_wanted(const struct psst_listener *l, const union psst_sockaddr *wanted, size_t n, size_t *which)
{
    for (size_t i = 0; i < n; i++) {
        if (!psst_sockaddr_equal(&l->wanted, &wanted[i])) continue;
        *which = i;
        return true;
    }
    return false;
}

/* Closes what is not wanted any more; marks in open what stays. */
static void close_unwanted(struct psst_peers *peers, const union psst_sockaddr *wanted, size_t n, bool *open)
{
    size_t kept = 0;
    for (size_t i = 0; i < peers->n_listeners; i++) {
        size_t which;
        if (is_wanted(peers->listeners[i], wanted, n, &which) && !open[which]) {
            open[which] = true;
            peers->listeners[kept++] = peers->listeners[i];
        } else {
            close_listener(peers->listeners[i]);
        }
    }
    peers->n_listeners = kept;
}

enum psst_err psst_peers_listen(struct psst_peers *peers, struct psst_diag *diag)
{
    const struct psst_rsa_public *self = psst_identity_key(peers->d->identity);
    if (self == NULL || peers->closing || peers->d->stopping) return PSST_OK;
    peers->config.self = self;
    union psst_sockaddr wanted[PSST_LISTENERS_MAX];
    bool is_open[PSST_LISTENERS_MAX] = {false};
    size_t n = read_wanted(wanted, psst_settings_get(peers->d->settings, "listen"));
    close_unwanted(peers, wanted, n, is_open);
    enum psst_err result = PSST_OK;
    struct psst_diag absent = {{0}};
    for (size_t i = 0; i < n; i++) {
        if (is_open[i]) continue;
        struct psst_diag one = {{0}};
        bool missing = false;
        enum psst_err err = open_listener(peers, &wanted[i], &missing, &one);
        if (err == PSST_OK) continue;
        psst_log(&peers->d->log, missing ? PSST_LOG_INFO : PSST_LOG_ERROR, "not-listening", "reason=\"%s\"", one.text);
        if (missing)
            absent = one; /* a machine without IPv6 goes on with IPv4 */
        else
            result = psst_fail(diag, err, "%s", one.text);
    }
    if (result == PSST_OK && peers->n_listeners == 0)
        result = psst_fail(diag, PSST_ERR_IO, "%s", absent.text[0] != '\0' ? absent.text : "no address to listen on");
    return result;
}

json_t *psst_peers_listening(const struct psst_peers *peers)
{
    json_t *list = json_array();
    for (size_t i = 0; i < peers->n_listeners; i++) {
        char text[PSST_SOCKADDR_TEXT_MAX];
        psst_sockaddr_text(text, &peers->listeners[i]->bound);
        (void)json_array_append_new(list, json_string(text));
    }
    return list;
}
