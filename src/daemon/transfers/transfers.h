/* Transfers, as the control socket sees them: what a user may ask for and is shown (docs/IPC.md, "Methods"). What sessions
 * tell them stands in daemon.h. Loop thread; done is called when it is in the store, with words when it is not. */
#ifndef PSST_DAEMON_TRANSFERS_TRANSFERS_H
#define PSST_DAEMON_TRANSFERS_TRANSFERS_H

#include "daemon/daemon.h"

typedef void psst_transfer_done(void *ctx, enum psst_err err, const char *words, int64_t id);

/* Offers the file or folder at path (absolute). done's words, when it is well: what of a folder is left out, a line each. */
void psst_transfers_send(struct psst_transfers *transfers, struct psst_contact *contact, const char *path,
                         psst_transfer_done *done, void *ctx);
/* Offers a voice message that lies at path (absolute), and stays there until the history of the contact goes. */
void psst_transfers_send_voice(struct psst_transfers *transfers, struct psst_contact *contact, const char *path,
                               unsigned seconds, psst_transfer_done *done, void *ctx);
/* Where voice messages lie: out is PSST_PATH_MAX bytes. It is made (0700) when make is set. */
PSST_MUST_USE enum psst_err psst_transfers_voice_dir(const struct psst_daemon *d, char *out, bool make,
                                                     struct psst_diag *diag);
/* A voice message has been played: noted. */
void psst_transfers_heard(struct psst_transfers *transfers, int64_t id);
/* On the store thread: files and rows of some that are not kept any longer go. dir as above. */
PSST_MUST_USE enum psst_err psst_transfers_voice_sweep(struct psst_store *store, const char *dir, uint64_t now_ms,
                                                       int64_t ids[PSST_VOICE_DUE_MAX], size_t *n);
/* This one's row is gone from the store. */
void psst_transfers_erased(struct psst_transfers *transfers, int64_t id);

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
