/* Agreed times: at such a time both sides try hard to be in session (docs/PROTOCOL.md, "Meetings").
 *
 *   out:  stored -> chunk, in each session until acknowledged -> acknowledged: agreed
 *   in:   chunk -> stored -> acknowledged: agreed
 *   time - 30 s .. time + 10 min: psst_reconnect_urgent; then forgotten
 *
 * All are in memory while the identity is open: few. The store has the truth; what is in memory follows its commit. Loop
 * thread only.
 */
#ifndef PSST_DAEMON_MEET_H
#define PSST_DAEMON_MEET_H

#include "daemon/daemon.h"

#define PSST_MEET_BEFORE_MS UINT64_C(30000)
#define PSST_MEET_AFTER_MS  UINT64_C(600000)
#define PSST_MEET_AHEAD_MS  (UINT64_C(30) * 86400 * 1000)
#define PSST_MEETS_LISTED   1000 /* in one answer, the earliest */

PSST_MUST_USE enum psst_err psst_meets_new(struct psst_meets **out, struct psst_daemon *d);
void psst_meets_close(struct psst_meets *meets); /* its timer; free after the loop has run out */
void psst_meets_free(struct psst_meets *meets);
void psst_meets_loaded(struct psst_meets *meets);   /* the store is open, the book stands */
void psst_meets_unloaded(struct psst_meets *meets); /* before the book is wiped */
/* The contact is about to be removed. */
void psst_meets_forget(struct psst_meets *meets, struct psst_contact *contact);

/* contact->session stands: what he does not know is sent. */
void psst_meets_up(struct psst_meets *meets, struct psst_contact *contact);
/* MEET; and ACK and NOT_ACCEPTED as far as they are about meetings: true when nothing is left for others. */
bool psst_meets_event(struct psst_meets *meets, struct psst_conn *conn, const struct psst_event *ev);

/* ---- for control ---- */

/* id: of the meeting, once committed. */
typedef void psst_meet_done(void *ctx, enum psst_err err, const char *words, int64_t id);
/* PSST_ERR_USAGE: no time to come, or more than 30 days ahead. PSST_ERR_FULL: 16 with him already. */
void psst_meet_propose(struct psst_meets *meets, struct psst_contact *contact, uint64_t time_ms, psst_meet_done *done,
                       void *ctx);
/* PSST_ERR_NOT_FOUND. */
void psst_meet_cancel(struct psst_meets *meets, int64_t id, psst_meet_done *done, void *ctx);
/* As docs/IPC.md has it, the earliest first; contact NULL: of all. New reference. */
json_t *psst_meets_json(const struct psst_meets *meets, const struct psst_contact *contact);

#endif
