/* Sessions whose path may be gone, long before they count as dead (src/proto/timers.h):
 *
 *   something waits, and for 2 s, or two round trips, the system has sent it again in vain -+
 *   something waits, and for 6 s, or three round trips, nothing is heard --------------------+-> suspected: dialled beside
 *   the network changed, or we slept -> pinged -> 1 s, and as above -> suspected; 3 s, or three round trips -> ended,
 *                                       unless the other system has taken the ping: its program is busy, and has 6 s in all
 *   something is heard, and nothing lies in the system unsent -> not suspected any more
 *
 * A call beside a session harms nothing: while it is answered the other session goes on, and what completes takes its place
 * (docs/PROTOCOL.md, "Both dial at once, and duplicates"). A path that is only slow is told from one that is gone by the
 * round trip, which the system knows from its first packets on, and by its acknowledgements, which come also while the
 * other side's program is busy. And where the path is back, the system may wait for long before it tries once more: the
 * pause grows with each time that it was in vain. A new session says at once what waits.
 */
#include "daemon/peers/internal.h"

#include "daemon/calls/calls.h"
#include "daemon/reconnect/reconnect.h"

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

/* The session that speaks for its contact: others are left to their end. One that somebody talks over is not given up for
 * another, which would end the call: it has its own signs of life (docs/PROTOCOL.md, "Keeping alive"). */
static bool counts(const struct psst_conn *conn)
{
    return conn->state == PSST_CONN_SESSION && conn->contact != NULL && conn->contact->session == conn &&
           !psst_calls_talks(conn->peers->d->calls, conn);
}

static bool probing(const struct psst_conn *conn)
{
    return conn->probe_ns != PSST_NEVER;
}

void psst_suspect_begin(struct psst_conn *conn)
{
    conn->probe_ns = PSST_NEVER;
}

static uint64_t look_after_ns(const struct psst_conn *conn, uint64_t rtt_ns)
{
    return later(probing(conn) ? PROBE_LOOK_NS : LOOK_NS, 2 * rtt_ns);
}

uint64_t psst_suspect_at(const struct psst_conn *conn)
{
    if (!counts(conn)) return PSST_NEVER;
    uint64_t waits_ns = psst_link_waiting(conn->link);
    if (waits_ns == PSST_NEVER || (conn->suspected && !probing(conn))) return conn->probe_ns;
    uint64_t look_ns = later(waits_ns + look_after_ns(conn, conn->slow_ns), conn->looked_ns + LOOK_AGAIN_NS);
    return earlier(conn->probe_ns, look_ns);
}

/* Since when the system's own repetitions are in vain, or as far back as we know. */
static uint64_t stuck_since_ns(struct psst_conn *conn, uint64_t acked, uint64_t waits_ns, uint64_t now_ns)
{
    bool first = conn->looked_ns < waits_ns;
    if (first)
        conn->acked_ns = waits_ns;
    else if (acked != conn->acked)
        conn->acked_ns = now_ns;
    conn->acked = acked;
    return conn->acked_ns;
}

static bool path_is_gone(struct psst_conn *conn, uint64_t waits_ns, uint64_t now_ns)
{
    struct psst_socket_path path = {.waits = false};
    bool known = psst_socket_path(conn->fd, &path);
    uint64_t rtt_ns = later(conn->slow_ns, path.rtt_ns), since_ns = psst_link_unanswered(conn->link);
    if (now_ns >= since_ns && now_ns - since_ns >= later(SILENT_NS, 3 * rtt_ns)) return true;
    if (!known) return false;
    uint64_t stuck_ns = now_ns - stuck_since_ns(conn, path.acked, waits_ns, now_ns);
    return path.waits && path.timeouts >= TIMEOUTS && stuck_ns >= look_after_ns(conn, rtt_ns);
}

static bool is_stuck(const struct psst_conn *conn)
{
    struct psst_socket_path path;
    return psst_socket_path(conn->fd, &path) && path.waits && path.timeouts >= TIMEOUTS;
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

/* No answer in time. Who is too busy for one says something of his own accord before long; and while we do not read, what he
 * says cannot be heard. A line that is gone takes nothing: there the ping lies unacknowledged. */
static bool may_be_busy(struct psst_conn *conn)
{
    struct psst_socket_path path;
    if (!psst_socket_path(conn->fd, &path) || (path.waits && path.acked == conn->probe_acked)) return false;
    if (conn->holds > 0) {
        conn->probe_ns = PSST_NEVER;
        return true;
    }
    if (conn->patient) return false;
    conn->patient = true;
    conn->probe_ns += SILENT_NS - PROBE_NS;
    return true;
}

bool psst_suspect_turn(struct psst_conn *conn)
{
    if (!counts(conn)) return true;
    uint64_t now_ns = uv_hrtime();
    if (probing(conn) && psst_link_counters(conn->link).records_in != conn->probe_count) conn->probe_ns = PSST_NEVER;
    if (now_ns >= conn->probe_ns && !may_be_busy(conn)) {
        end_unanswered(conn);
        return false;
    }
    uint64_t waits_ns = psst_link_waiting(conn->link), since_ns = psst_link_unanswered(conn->link);
    bool heard = since_ns == PSST_NEVER || (since_ns > conn->looked_ns && !is_stuck(conn));
    if (conn->suspected && heard) {
        conn->suspected = false;
        psst_reconnect_suspect(conn->peers->d, conn->contact, false);
    }
    if (waits_ns == PSST_NEVER || now_ns < psst_suspect_at(conn)) return true;
    bool was = conn->suspected;
    conn->suspected = was || path_is_gone(conn, waits_ns, now_ns);
    conn->looked_ns = now_ns;
    if (probing(conn)) { /* again: who was asked a moment before by another ping answers once a second */
        psst_link_probe(conn->link, psst_daemon_now(conn->peers->d));
        psst_conn_kick(conn);
    }
    if (was || !conn->suspected) return true;
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
    struct psst_socket_path path = {.waits = false};
    bool known = psst_socket_path(conn->fd, &path);
    uint64_t rtt_ns = later(conn->slow_ns, known ? path.rtt_ns : 0);
    conn->probe_acked = path.acked;
    conn->patient = false;
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
