/* How one shows oneself to others, and how they show themselves to us (docs/PROTOCOL.md, "Presence").
 *
 *   own, for all: store (table own)  --+--> what one contact is to see --> sent when a session begins, and on change
 *   own, for one: the contact's row  --+        or INVISIBLE: no session that he begins, none begun by ourselves
 *
 * What he shows lasts as long as the session. Loop thread only, but for psst_own_presence_read.
 */
#ifndef PSST_DAEMON_PRESENCE_H
#define PSST_DAEMON_PRESENCE_H

#include "daemon/daemon.h"

#define PSST_COIN_BYTES 16

/* As the store has it. */
struct psst_own_presence {
    enum psst_presence state; /* never AS_ALL */
    char text[PSST_PRESENCE_TEXT_MAX + 1];
    uint8_t coin[PSST_COIN_BYTES]; /* secret: decides which strangers get silence; see psst_presence_answer */
};
/* On the store thread. own->coin holds random bytes, which are kept when there are none yet. */
PSST_MUST_USE enum psst_err psst_own_presence_read(struct psst_store *store, struct psst_own_presence *own);

/* ---- for the daemon ---- */

PSST_MUST_USE enum psst_err psst_presences_new(struct psst_presences **out, struct psst_daemon *d);
void psst_presences_close(struct psst_presences *presences); /* its timer; free after the loop has run out */
void psst_presences_free(struct psst_presences *presences);
/* With the book, before anybody can ask. */
void psst_presences_loaded(struct psst_presences *presences, const struct psst_own_presence *own);
void psst_presences_unloaded(struct psst_presences *presences); /* with the book: wipes */
/* A contact was added, changed or removed. */
void psst_presences_book_changed(struct psst_presences *presences);

/* ---- for session.c ---- */

enum psst_caller_answer {
    PSST_ANSWER_CONTACT,
    PSST_ANSWER_DECOY,   /* M4 as for a contact, and nothing comes of it */
    PSST_ANSWER_SILENCE, /* no M4 */
};
/* What M3 with this fingerprint gets; contact NULL: it is nobody's that we know.
 *
 * Whom we are invisible to gets silence, as from somebody off line. But M3 is only a claim: were silence theirs alone, who
 * holds our public key could find out who they are, and, were it everybody's but theirs, who the others are. So, as long as
 * one contact sees us and another does not, strangers get one or the other by a coin that falls once for each fingerprint. */
enum psst_caller_answer psst_presence_answer(struct psst_daemon *d, const struct psst_contact *contact,
                                             const struct psst_fpr *fpr);
void psst_presence_up(struct psst_daemon *d, struct psst_contact *contact);   /* contact->session stands */
void psst_presence_down(struct psst_daemon *d, struct psst_contact *contact); /* he has none any more */
void psst_presence_forget(struct psst_conn *conn);                            /* it is closed */
void psst_presence_event(struct psst_daemon *d, struct psst_conn *conn, const struct psst_event *ev);

/* ---- for control ---- */

/* What this contact is to see; *text may be NULL, and is the daemon's. */
enum psst_presence psst_presence_to(const struct psst_daemon *d, const struct psst_contact *contact, const char **text);
/* NULL: there is no such state. */
const char *psst_presence_name(enum psst_presence state);
bool psst_presence_find(const char *name, enum psst_presence *state); /* "dnd" is "busy" */
/* For all; memory follows the commit. state is not AS_ALL; text at most PSST_PRESENCE_TEXT_MAX bytes. */
void psst_presence_set(struct psst_daemon *d, enum psst_presence state, const char *text, psst_book_done *done,
                       void *ctx);
/* After contact->presence has been committed. */
void psst_presence_applied(struct psst_daemon *d, struct psst_contact *contact);
/* {state, text}: one's own for all; new reference. */
json_t *psst_presence_own_json(const struct psst_daemon *d);
/* Adds how he shows himself: presence, presence_text, seen_ms; and shows, what is set for him alone. */
void psst_presence_add_json(json_t *object, const struct psst_contact *contact);

#endif
