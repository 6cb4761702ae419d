/* Transfers, as the control socket sees them: what a user may ask for and is shown (docs/IPC.md, "Methods"). What sessions
 * tell them stands in daemon.h. Loop thread; done is called when it is in the store, with words when it is not. */
#ifndef PSST_DAEMON_TRANSFERS_TRANSFERS_H
#define PSST_DAEMON_TRANSFERS_TRANSFERS_H

#include "daemon/daemon.h"

typedef void psst_transfer_done(void *ctx, enum psst_err err, const char *words, int64_t id);

/* Offers the file or folder at path (absolute). done's words, when it is well: what of a folder is left out, a line each. */
void psst_transfers_send(struct psst_transfers *transfers, struct psst_contact *contact, const char *path,
                         psst_transfer_done *done, void *ctx);
/* Offers what comes out of fd (taken) as a stream of that name. It is cancelled when the user interface with this number
 * (psst_request_client) goes. */
void psst_transfers_send_stream(struct psst_transfers *transfers, struct psst_contact *contact, int fd,
                                const char *name, uint64_t client, psst_transfer_done *done, void *ctx);

/* Where something that is offered is to go. */
struct psst_accept {
    const char *dir;  /* absolute; NULL with fd */
    const char *name; /* in dir; NULL: as it was offered, made harmless */
    int fd;           /* streams alone: passed on into it; -1: into dir. Taken, also on errors */
    uint64_t client;  /* with fd: the user interface that it is for */
};
void psst_transfers_accept(struct psst_transfers *transfers, int64_t id, const struct psst_accept *accept,
                           psst_transfer_done *done, void *ctx);
/* Ends it, whatever it is at; an offer that nobody has decided on is declined. */
void psst_transfers_cancel(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done, void *ctx);
void psst_transfers_pause(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done, void *ctx);
void psst_transfers_resume(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done, void *ctx);
/* Out: goes before all others to this contact. */
void psst_transfers_first(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done, void *ctx);

json_t *psst_transfers_json(struct psst_transfers *transfers); /* a list of those in memory, docs/IPC.md */
json_t *psst_transfers_json_one(struct psst_transfers *transfers, int64_t id); /* NULL: not in memory */
/* The last limit with id < before (0: of all) that the store knows, oldest first; takes list. */
typedef void psst_transfers_page_done(void *ctx, enum psst_err err, const char *words, json_t *list, bool more);
void psst_transfers_page(struct psst_transfers *transfers, int64_t before, size_t limit, psst_transfers_page_done *done,
                         void *ctx);
/* This user interface is gone. */
void psst_transfers_client_gone(struct psst_transfers *transfers, uint64_t client);

/* ---- for the daemon ---- */

void psst_transfers_close(struct psst_transfers *transfers); /* its timer; free after the loop has run out */
/* The setting upload_limit has changed. */
void psst_transfers_limit_changed(struct psst_transfers *transfers);
/* Parts that are being written to the disk, and noted after that; quiet is called once there are none, at once or later. */
size_t psst_transfers_busy(const struct psst_transfers *transfers);
void psst_transfers_when_quiet(struct psst_transfers *transfers, void (*quiet)(void *ctx), void *ctx);

#endif
