/* Between key/requests.c, which shapes the requests, and key/client.c, which carries them. */
#ifndef PSST_DAEMON_KEY_CLIENT_INTERNAL_H
#define PSST_DAEMON_KEY_CLIENT_INTERNAL_H

#include "daemon/key/client.h"
#include "daemon/key/protocol.h"

struct psst_key_wish {
    struct psst_key_request request; /* without its number */
    int fds[PSST_KEY_FDS_MAX];
    size_t n_fds;
    psst_key_done *done;
    psst_key_progress *progress; /* NULL: none */
    void *ctx;
    enum psst_err refused; /* not PSST_OK: known without asking; words say why */
    const char *words;
};

/* Takes the descriptors; copies the data. */
void psst_key_submit(struct psst_key_client *kc, const struct psst_key_wish *wish);

#endif
