/* Sessions whose path may be gone, long before they count as dead (src/proto/timers.h):
 *
 *   something waits for an answer, and nothing is heard
 *       2 s, or twice the round trip, and the system has sent it again in vain -+
 *       6 s, or three round trips -----------------------------------------------+-> suspected: he is dialled beside it
 *   the network changed, or we slept -> pinged -> 1 s of silence -> suspected -> 3 s, or three round trips: ended
 *   something is heard ----------------------------------------------------------> not suspected any more
 *
 * A call beside a session harms nothing: while it is answered the other session goes on, and what completes takes its place
 * (docs/PROTOCOL.md, "Both dial at once, and duplicates"). A path that is only slow is told from one that is gone by the
 * round trip, which the system knows from its first packets on, and by its acknowledgements, which come also while the
 * other side's program is busy.
 */
#include "daemon/peers_internal.h"

#include "daemon/reconnect.h"

#include <stdio.h>

#define LOOK_NS       (2 * PSST_SECOND_NS)
#define LOOK_AGAIN_NS (PSST_SECOND_NS / 2)
#define SILENT_NS     (6 * PSST_SECOND_NS) /* who is too busy to answer still says something each 5 s (docs/PROTOCOL.md) */
#define PROBE_LOOK_NS PSST_SECOND_NS
#define PROBE_NS      (3 * PSST_SECOND_NS)
#define TIMEOUTS      2

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The session that speaks for its contact: others are left to their end. */
static bool counts(const struct psst_conn *conn)
{
    return conn->state == PSST_CONN_SESSION && conn->contact != NULL && conn->contact->session == conn;
}

static bool probing(const struct psst_conn *conn)
{
    return conn->probe_ns != PSST_NEVER;
}

void psst_suspect_begin(struct psst_conn *conn)
{
    conn->probe_ns = PSST_NEVER;
}

uint64_t psst_suspect_at(const struct psst_conn *conn)
{
    if (!counts(conn)) return PSST_NEVER;
    uint64_t since_ns = psst_link_unanswered(conn->link);
    uint64_t at_ns = conn->probe_ns;
    if (since_ns == PSST_NEVER || conn->suspected) return at_ns;
    uint64_t look_ns = since_ns + later(probing(conn) ? PROBE_LOOK_NS : LOOK_NS, 2 * conn->slow_ns);
    return earlier(at_ns, later(look_ns, conn->looked_ns + LOOK_AGAIN_NS));
}

static bool path_is_gone(struct psst_conn *conn, uint64_t silent_ns)
{
    struct psst_socket_path path;
    bool known = psst_socket_path(conn->fd, &path);
    uint64_t rtt_ns = later(conn->slow_ns, known ? path.rtt_ns : 0);
    if (silent_ns >= later(SILENT_NS, 3 * rtt_ns)) return true;
    if (!known || silent_ns < later(probing(conn) ? PROBE_LOOK_NS : LOOK_NS, 2 * rtt_ns)) return false;
    return path.waits && path.timeouts >= TIMEOUTS;
}

static void end_unanswered(struct psst_conn *conn)
{
    struct psst_daemon *d = conn->peers->d;
    struct psst_contact *contact = conn->contact;
    char words[128];
    (void)snprintf(words, sizeof words, "%s does not answer any more", contact->alias);
    psst_daemon_count(d, "sessions-probed-in-vain");
    psst_session_detach(conn, words);
    psst_conn_close(conn);
    psst_reconnect_ended(d, contact, PSST_END_NO_PONG, 0, PSST_NEVER);
}

bool psst_suspect_turn(struct psst_conn *conn)
{
    if (!counts(conn)) return true;
    uint64_t now_ns = uv_hrtime();
    if (probing(conn) && psst_link_counters(conn->link).records_in != conn->probe_count) conn->probe_ns = PSST_NEVER;
    if (now_ns >= conn->probe_ns) {
        end_unanswered(conn);
        return false;
    }
    uint64_t since_ns = psst_link_unanswered(conn->link);
    if (conn->suspected && (since_ns == PSST_NEVER || since_ns > conn->looked_ns)) {
        conn->suspected = false;
        psst_reconnect_suspect(conn->peers->d, conn->contact, false);
    }
    if (conn->suspected || since_ns == PSST_NEVER || now_ns < psst_suspect_at(conn)) return true;
    conn->looked_ns = now_ns;
    if (!path_is_gone(conn, now_ns - since_ns)) return true;
    conn->suspected = true;
    psst_daemon_count(conn->peers->d, "sessions-suspected");
    psst_reconnect_suspect(conn->peers->d, conn->contact, true);
    return true;
}

void psst_suspect_pong(struct psst_conn *conn, uint64_t rtt_ns)
{
    conn->rtt_ns = rtt_ns;
    conn->slow_ns = later(rtt_ns, conn->slow_ns - conn->slow_ns / 4);
}

static void probe(struct psst_conn *conn)
{
    struct psst_socket_path path;
    uint64_t rtt_ns = later(conn->slow_ns, psst_socket_path(conn->fd, &path) ? path.rtt_ns : 0);
    psst_link_probe(conn->link, psst_daemon_now(conn->peers->d));
    conn->probe_count = psst_link_counters(conn->link).records_in;
    conn->probe_ns = uv_hrtime() + later(PROBE_NS, 3 * rtt_ns);
    psst_conn_kick(conn);
}

/* This machine has lost the address that the line went out from: nothing can ever come back on it. */
static void end_homeless(struct psst_conn *conn)
{
    struct psst_daemon *d = conn->peers->d;
    struct psst_contact *contact = conn->contact;
    char words[160];
    (void)snprintf(words, sizeof words, "the network changed: the line to %s is gone with its address", contact->alias);
    psst_session_detach(conn, words);
    psst_conn_close(conn);
    psst_reconnect_ended(d, contact, PSST_END_CUT_OFF, 0, PSST_NEVER);
}

void psst_suspect_all(struct psst_peers *peers)
{
    struct psst_conn *next;
    for (struct psst_conn *conn = peers->conns; conn != NULL; conn = next) {
        next = conn->next; /* ending one may begin to use another, and closes none */
        if (conn->state != PSST_CONN_SESSION || conn->contact == NULL) continue;
        if (!psst_socket_is_home(conn->fd))
            end_homeless(conn);
        else if (counts(conn) && !probing(conn))
            probe(conn);
    }
}
