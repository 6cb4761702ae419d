/* What of delivery and transfers is for the daemon's other modules, beyond daemon.h. */
#ifndef PSST_DAEMON_DELIVERY_DELIVERY_H
#define PSST_DAEMON_DELIVERY_DELIVERY_H

#include "daemon/daemon.h"

/* Output drained: texts that found no room may go. */
void psst_delivery_writable(struct psst_delivery *delivery, struct psst_conn *conn);
/* He takes nothing now (not accepted, reason PAUSED or DISK_FULL): what waits stays where it is, texts and offers, and
 * is tried again later, or at the next session. */
void psst_delivery_rest(struct psst_delivery *delivery, struct psst_contact *contact, uint8_t reason);
/* Takes back what waits and was never sent. */
struct psst_recall {
    enum { PSST_RECALL_LAST, PSST_RECALL_SEQ, PSST_RECALL_ID, PSST_RECALL_ALL } kind; /* LAST: of what is not settled */
    int64_t seq;
    struct psst_msg_id id;
};
/* PSST_OK: n were taken back, or left is the one asked for, as it stands, without text. PSST_ERR_NOT_FOUND: no such
 * message. */
typedef void psst_recall_done(void *ctx, enum psst_err err, const char *words, size_t n,
                              const struct psst_message_row *left);
void psst_delivery_recall(struct psst_delivery *delivery, struct psst_contact *contact, const struct psst_recall *what,
                          psst_recall_done *done, void *ctx);
/* Messages of his were shown to the user, and that is committed. */
void psst_delivery_shown(struct psst_delivery *delivery, struct psst_contact *contact);
/* Why what is for him has not gone: a sentence, without full stop. */
#define PSST_WHY_SIZE 200
const char *psst_delivery_why(struct psst_delivery *delivery, const struct psst_contact *contact,
                              char out[PSST_WHY_SIZE]);
/* Offers that wait are made again, in the session that stands. */
void psst_transfers_offer_again(struct psst_transfers *transfers, struct psst_contact *contact);
/* message_json.c: "waiting", "delivered", ...; a sentence for a reason byte of "not accepted". */
const char *psst_message_state_name(enum psst_message_state state);
#define PSST_REASON_SIZE 200
const char *psst_message_reason(char out[PSST_REASON_SIZE], const char *alias, uint8_t reason);
/* The contact is about to be removed; frees what hangs on it. */
void psst_delivery_forget(struct psst_delivery *delivery, struct psst_contact *contact);
void psst_transfers_forget(struct psst_transfers *transfers, struct psst_contact *contact);

#endif
