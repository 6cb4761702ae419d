/* See reconnect.h. */
#include "daemon/reconnect.h"

#include <stdlib.h>

struct psst_reconnect {
    struct psst_daemon *d;
};

enum psst_err psst_reconnect_new(struct psst_reconnect **out, struct psst_daemon *d)
{
    struct psst_reconnect *reconnect = calloc(1, sizeof *reconnect);
    if (reconnect == NULL) return PSST_ERR_MEMORY;
    reconnect->d = d;
    *out = reconnect;
    return PSST_OK;
}

void psst_reconnect_close(struct psst_reconnect *reconnect)
{
    (void)reconnect;
}

void psst_reconnect_free(struct psst_reconnect *reconnect)
{
    free(reconnect);
}

void psst_reconnect_loaded(struct psst_reconnect *reconnect)
{
    (void)reconnect;
}

void psst_reconnect_unloaded(struct psst_reconnect *reconnect)
{
    (void)reconnect;
}

void psst_reconnect_forget(struct psst_reconnect *reconnect, struct psst_contact *contact)
{
    (void)reconnect;
    (void)contact;
}

void psst_reconnect_changed(struct psst_daemon *d, struct psst_contact *contact)
{
    (void)d;
    (void)contact;
}

void psst_reconnect_now(struct psst_daemon *d, struct psst_contact *contact)
{
    psst_peers_dial_quietly(d->peers, contact);
}

void psst_reconnect_urgent(struct psst_daemon *d, struct psst_contact *contact, uint64_t until_ns)
{
    (void)d;
    (void)contact;
    (void)until_ns;
}

void psst_reconnect_hung_up(struct psst_daemon *d, struct psst_contact *contact)
{
    (void)d;
    (void)contact;
}
