/* The whole of the peers: what all connections share, and what the other modules ask of them. */
#include "daemon/peers/internal.h"
#include "daemon/presence.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- turns for whoever had something put into its link ---- */

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* that it runs is enough: the loop then does not wait */
}

/* One turn for each that wants one now. Who wants another (a file that the kernel takes as fast as it comes) waits until
 * the sockets of the others have been looked at. */
static void turns(struct psst_peers *peers)
{
    size_t n = 0;
    for (struct psst_conn *c = peers->dirty; c != NULL; c = c->next_dirty) n++;
    for (; n > 0 && peers->dirty != NULL; n--) {
        struct psst_conn *conn = peers->dirty;
        peers->dirty = conn->next_dirty;
        if (peers->dirty == NULL) peers->dirty_end = &peers->dirty;
        conn->dirty = false;
        psst_conn_turn(conn);
    }
    if (peers->dirty != NULL)
        (void)uv_idle_start(&peers->idle, on_idle);
    else
        (void)uv_idle_stop(&peers->idle);
}

static void on_prepare(uv_prepare_t *prepare)
{
    turns(prepare->data);
}

static void on_check(uv_check_t *check)
{
    turns(check->data);
}

/* ---- life ---- */

static enum psst_err prepare_all(struct psst_peers *peers)
{
    struct psst_daemon *d = peers->d;
    peers->scratch = malloc(PSST_SCRATCH_BYTES);
    peers->replay = psst_replay_cache_new();
    if (peers->scratch == NULL || peers->replay == NULL) return PSST_ERR_MEMORY;
    enum psst_err err = psst_replay_file_open(&peers->replay_file, d, peers->replay);
    if (err != PSST_OK) return err;
    peers->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    psst_admission_init(&peers->admission, psst_replay_cache_count(peers->replay), psst_daemon_now(d).mono_ns);
    peers->waiting_end = &peers->waiting;
    peers->dirty_end = &peers->dirty;
    peers->config = (struct psst_link_config){.rng = &psst_crypto_rng};
    (void)uv_prepare_init(d->loop, &peers->prepare);
    (void)uv_check_init(d->loop, &peers->check);
    (void)uv_idle_init(d->loop, &peers->idle);
    peers->prepare.data = peers->check.data = peers;
    (void)uv_prepare_start(&peers->prepare, on_prepare);
    (void)uv_check_start(&peers->check, on_check);
    /* they serve others, and are no reason for the loop to go on */
    uv_unref((uv_handle_t *)&peers->prepare);
    uv_unref((uv_handle_t *)&peers->check);
    return PSST_OK;
}

enum psst_err psst_peers_new(struct psst_peers **out, struct psst_daemon *d)
{
    struct psst_peers *peers = calloc(1, sizeof *peers);
    if (peers == NULL) return PSST_ERR_MEMORY;
    peers->d = d;
    peers->reserve_fd = -1;
    enum psst_err err = prepare_all(peers);
    if (err != PSST_OK)
        psst_peers_free(peers);
    else
        *out = peers;
    return err;
}

void psst_peers_close(struct psst_peers *peers)
{
    if (peers->closing) return;
    peers->closing = true;
    psst_listeners_close(peers);
    psst_dial_give_up(peers, 0, "the daemon stops");
    while (peers->conns != NULL) {
        psst_session_detach(peers->conns, "the daemon stops");
        psst_conn_close(peers->conns);
    }
    uv_close((uv_handle_t *)&peers->prepare, NULL);
    uv_close((uv_handle_t *)&peers->check, NULL);
    uv_close((uv_handle_t *)&peers->idle, NULL);
    psst_replay_file_close(peers->replay_file);
    peers->replay_file = NULL;
    if (peers->reserve_fd >= 0) (void)close(peers->reserve_fd);
    peers->reserve_fd = -1;
}

void psst_peers_free(struct psst_peers *peers)
{
    if (peers == NULL) return;
    psst_replay_file_close(peers->replay_file);
    if (peers->reserve_fd >= 0) (void)close(peers->reserve_fd);
    psst_replay_cache_free(peers->replay);
    psst_map_fini(&peers->by_serial);
    psst_map_fini(&peers->dials_by_contact);
    if (peers->scratch != NULL) psst_wipe(peers->scratch, PSST_SCRATCH_BYTES);
    free(peers->scratch);
    free(peers);
}

/* ---- for the others ---- */

void psst_peers_hangup(struct psst_peers *peers, struct psst_contact *contact, uint8_t bye_reason, const char *words)
{
    psst_dial_give_up(peers, contact->id, words);
    struct psst_conn *next;
    /* the one in use last, so that none of the others takes its place for a moment */
    for (struct psst_conn *conn = contact->conns; conn != NULL; conn = next) {
        next = conn->next_of_contact;
        if (conn == contact->session) continue;
        psst_session_detach(conn, words);
        psst_conn_bye(conn, bye_reason);
    }
    struct psst_conn *session = contact->session;
    if (session == NULL) return;
    psst_session_detach(session, words);
    psst_conn_bye(session, bye_reason);
}

void psst_peers_hangup_all(struct psst_peers *peers, uint8_t bye_reason, const char *words)
{
    psst_dial_give_up(peers, 0, words);
    struct psst_contact *contact = psst_book_first(peers->d->book);
    for (; contact != NULL; contact = contact->next) psst_peers_hangup(peers, contact, bye_reason, words);
    psst_wipe(peers->scratch, PSST_SCRATCH_BYTES); /* records are opened in place: what was said last stands there */
}

size_t psst_peers_open(const struct psst_peers *peers)
{
    size_t n = 0;
    for (const struct psst_conn *conn = peers->conns; conn != NULL; conn = conn->next)
        if (conn->state == PSST_CONN_ENDING || conn->state == PSST_CONN_LINGER) n++;
    return n;
}

json_t *psst_peers_sessions(const struct psst_peers *peers)
{
    json_t *list = json_array();
    for (struct psst_conn *conn = peers->conns; conn != NULL; conn = conn->next) {
        if (conn->state != PSST_CONN_SESSION || conn->contact == NULL) continue;
        char address[PSST_SOCKADDR_TEXT_MAX];
        psst_sockaddr_text(address, &conn->address);
        struct psst_link_counters counters = psst_link_counters(conn->link);
        json_t *session =
            json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "contact", conn->contact->alias, "address", address,
                      "role", psst_link_role(conn->link) == PSST_CALLER ? "caller" : "callee", "since_ms",
                      (json_int_t)conn->since_ms, "rtt_us", (json_int_t)(conn->rtt_ns / 1000), "bytes_in",
                      (json_int_t)counters.bytes_in, "bytes_out", (json_int_t)counters.bytes_out);
        psst_presence_add_json(session, conn->contact);
        (void)json_array_append_new(list, session);
    }
    return list;
}
