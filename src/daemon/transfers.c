#include "daemon/delivery.h"

#include <stdlib.h>

struct psst_transfers {
    struct psst_daemon *d;
};

enum psst_err psst_transfers_new(struct psst_transfers **out, struct psst_daemon *d)
{
    *out = calloc(1, sizeof **out);
    if (*out == NULL) return PSST_ERR_MEMORY;
    (*out)->d = d;
    return PSST_OK;
}

void psst_transfers_free(struct psst_transfers *transfers)
{
    free(transfers);
}

void psst_transfers_loaded(struct psst_transfers *transfers)
{
    (void)transfers;
}

void psst_transfers_unloaded(struct psst_transfers *transfers)
{
    (void)transfers;
}

void psst_transfers_up(struct psst_transfers *transfers, struct psst_contact *contact)
{
    (void)transfers;
    (void)contact;
}

void psst_transfers_down(struct psst_transfers *transfers, struct psst_contact *contact)
{
    (void)transfers;
    (void)contact;
}

void psst_transfers_forget(struct psst_transfers *transfers, struct psst_contact *contact)
{
    (void)transfers;
    (void)contact;
}

bool psst_transfers_event(struct psst_transfers *transfers, struct psst_conn *conn, const struct psst_event *ev)
{
    (void)transfers;
    (void)conn;
    return ev->type == PSST_EV_FILE;
}

void psst_transfers_writable(struct psst_transfers *transfers, struct psst_conn *conn)
{
    (void)transfers;
    (void)conn;
}

void psst_transfers_send(struct psst_transfers *transfers, struct psst_contact *contact, const char *path,
                         psst_transfer_done *done, void *ctx)
{
    (void)transfers;
    (void)contact;
    (void)path;
    done(ctx, PSST_ERR_INTERNAL, "files are not there yet", 0);
}

void psst_transfers_accept(struct psst_transfers *transfers, int64_t id, const char *dir, psst_transfer_done *done,
                           void *ctx)
{
    (void)transfers;
    (void)dir;
    done(ctx, PSST_ERR_NOT_FOUND, "there is no such file", id);
}

void psst_transfers_decline(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done, void *ctx)
{
    (void)transfers;
    done(ctx, PSST_ERR_NOT_FOUND, "there is no such file", id);
}

json_t *psst_transfers_json(struct psst_transfers *transfers)
{
    (void)transfers;
    return json_array();
}
