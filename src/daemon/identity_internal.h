/* What identity.c (opening, closing, damage, the start) and identity_make.c (a new one, another passphrase) share. Nothing
 * else includes this. */
#ifndef PSST_DAEMON_IDENTITY_INTERNAL_H
#define PSST_DAEMON_IDENTITY_INTERNAL_H

#include "daemon/identity.h"
#include "daemon/small_file.h"

#include <unistd.h>

struct waiter {
    struct waiter *next;
    psst_identity_done *done;
    void *ctx;
};

struct psst_identity {
    struct psst_daemon *d;
    enum psst_identity_state state;
    struct psst_rsa_public *key;
    char name[PSST_NAME_MAX + 1];
    bool encrypted, locking, changing, store_open;
    bool again;    /* unlock once the lock is through */
    bool rescuing; /* the store that is open has met damage: it is opened anew, for reading only */
    char trouble[sizeof((struct psst_diag *)NULL)->text]; /* of a store that cannot be opened at all */
    bool key_lost; /* psst-key died while the identity was being opened: the new one is locked */
    struct waiter *waiters;
    psst_key_progress *progress;
    void *progress_ctx;
    struct waiter passwd;
    struct psst_passphrase_command *command;
    uint64_t died_ns;
};

static inline bool psst_identity_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* False: out of memory, and done has been told. */
bool psst_identity_wait(struct psst_identity *identity, psst_identity_done *done, void *ctx);
/* This is the state now; who waits is told. */
void psst_identity_finish(struct psst_identity *identity, enum psst_identity_state state, enum psst_err err,
                          const char *words);
/* What was begun has come to nothing: psst-key is locked, who waits is told. */
void psst_identity_fail(struct psst_identity *identity, enum psst_err err, const char *words);
PSST_MUST_USE enum psst_err psst_identity_write_card(struct psst_identity *identity, struct psst_diag *diag);
void psst_identity_listen(struct psst_identity *identity);
/* The key is open: now the history, then everything that needs it. */
void psst_identity_open_store(struct psst_identity *identity);
/* identity.pem. -1: diag says why. */
int psst_identity_open_key(struct psst_identity *identity, struct psst_diag *diag);
void psst_identity_close_fd(int fd); /* -1: nothing */

#endif
