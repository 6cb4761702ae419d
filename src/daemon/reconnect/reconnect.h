/* Calls that nobody makes by hand: which contacts are wanted, and when each is dialled. On the loop thread, as all of psstd.
 *
 * Wanted is a contact
 *   - that is marked for it (contact->reconnect, `psst reconnect NAME on`), or
 *   - for whom something waits: contact->waiting texts, contact->unfinished transfers, or
 *   - whose session broke (cut off, dead, tampered with) or who went off line, for an hour, or
 *   - with whom a meeting is near (psst_reconnect_urgent);
 * but none that is blocked, is not to see us, has no address, or was hung up on (until something new waits).
 *
 *   session broke     at once, then every 1 to 2 s for two minutes, then at most 8 s apart for an hour
 *   he went off line  from 4 s up to a minute apart, for an hour
 *   otherwise         up to 5 minutes apart
 *   at once also      network changed, woken up, clock set, unlocked, something new waits
 *
 * One timer for all, set to the next moment that something is due; none when nothing is.
 */
#ifndef PSST_DAEMON_RECONNECT_RECONNECT_H
#define PSST_DAEMON_RECONNECT_RECONNECT_H

#include "daemon/daemon.h"

/* ---- for whoever has something for a contact: delivery, transfers, presence, control ---- */

/* contact->waiting, ->unfinished, ->reconnect, ->blocked, ->presence or an address of his has changed: looks anew whether
 * he is wanted. Cheap; may be called for nothing, and for contacts that have a session. */
void psst_reconnect_changed(struct psst_daemon *d, struct psst_contact *contact);
/* Something new waits for him (a text was said, a file offered or accepted): he is dialled now, also when he was hung up
 * on. psst_peers_dial_quietly does this. Not more often than a few times in a few seconds. */
void psst_reconnect_now(struct psst_daemon *d, struct psst_contact *contact);
/* He is to be there soon (an agreed time): wanted, every 1 to 2 s, until until_ns (monotonic, as psst_daemon_now gives it; 0:
 * not any more). Also when he was hung up on. Not for more than some 75 minutes of a day: proposals one after the other
 * cannot keep us calling for ever. */
void psst_reconnect_urgent(struct psst_daemon *d, struct psst_contact *contact, uint64_t until_ns);
/* A user has hung up on him: not wanted until something new waits. */
void psst_reconnect_hung_up(struct psst_daemon *d, struct psst_contact *contact);

/* ---- for peers: session.c, dial.c, suspect.c ---- */

/* A session with him stands. */
void psst_reconnect_up(struct psst_daemon *d, struct psst_contact *contact);
/* One has ended otherwise than by our own bye, lived_ns after it stood. Nothing happens when he has another. */
void psst_reconnect_ended(struct psst_daemon *d, struct psst_contact *contact, enum psst_link_end end,
                          uint8_t bye_reason, uint64_t lived_ns);
/* His session stands but may be dead (suspect.c), or is heard of again. */
void psst_reconnect_suspect(struct psst_daemon *d, struct psst_contact *contact, bool suspected);
/* A dial is over, whoever began it. left: some attempt left this machine, so that there is a network. */
void psst_reconnect_dialled(struct psst_daemon *d, int64_t contact_id, int exit_code, const char *words, bool left);

/* ---- for the daemon ---- */

PSST_MUST_USE enum psst_err psst_reconnect_new(struct psst_reconnect **out, struct psst_daemon *d);
void psst_reconnect_close(struct psst_reconnect *reconnect); /* its handles; free after the loop has run out */
void psst_reconnect_free(struct psst_reconnect *reconnect);
void psst_reconnect_loaded(struct psst_reconnect *reconnect);   /* unlocked: the book stands */
void psst_reconnect_unloaded(struct psst_reconnect *reconnect); /* before the sessions end and the book is wiped */
/* The contact is about to be removed; frees what hangs on it. */
void psst_reconnect_forget(struct psst_reconnect *reconnect, struct psst_contact *contact);
/* Whether he is dialled from time to time. */
bool psst_reconnect_wanted(const struct psst_contact *contact);
/* {"changed_ms", "what"} of what last happened to the network or the clock; null: nothing yet. New reference. */
json_t *psst_reconnect_network(const struct psst_reconnect *reconnect);

#endif
