/* One's own identity: unlocked and locked (identity_make.c makes one, and gives it another passphrase). psst-key does what
 * needs the private key; here is the order of things.
 *
 *   NONE --init--> OPENING --> UNLOCKED --lock--> OPENING --> LOCKED --unlock--> OPENING --> UNLOCKED
 *
 *   opening: identity.pem -> psst-key unlocks -> store.key (made when there is neither it nor a store) -> psst-key opens
 *            it -> store -> book -> delivery and transfers loaded -> UNLOCKED
 * Whatever fails on the way locks psst-key again. A store that is damaged, or is found to be while it is used, ends in
 * RESCUE: it is open for reading only, psst-key is locked, and nobody outside can tell that from LOCKED (attack 47).
 */
#include "daemon/identity_internal.h"

#include "daemon/calls/calls.h"
#include "daemon/calls/message.h"

#include "daemon/backup/backup.h"
#include "daemon/meet.h"
#include "daemon/reconnect/reconnect.h"
#include "daemon/retention.h"
#include "daemon/transfers/transfers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STORE_KEY_MAX    4096
#define AGAIN_AFTER_NS   (10 * PSST_SECOND_NS) /* psst-key that died is not trusted to live at once again */
#define ENCRYPTED_HEADER "-----BEGIN ENCRYPTED PRIVATE KEY-----"

/* ---- life ---- */

static void on_damage(void *ctx);

enum psst_err psst_identity_new(struct psst_identity **out, struct psst_daemon *d)
{
    struct psst_identity *identity = calloc(1, sizeof *identity);
    if (identity == NULL) return PSST_ERR_MEMORY;
    identity->d = d;
    psst_store_thread_on_damage(d->store, on_damage, identity);
    *out = identity;
    return PSST_OK;
}

const char *psst_identity_store_trouble(const struct psst_identity *identity)
{
    return identity->trouble;
}

void psst_identity_close(struct psst_identity *identity)
{
    psst_passphrase_command_kill(identity->command);
}

void psst_identity_free(struct psst_identity *identity)
{
    if (identity == NULL) return;
    psst_rsa_public_free(identity->key);
    free(identity);
}

enum psst_identity_state psst_identity_state(const struct psst_identity *identity)
{
    return identity->state;
}

const struct psst_rsa_public *psst_identity_key(const struct psst_identity *identity)
{
    return identity->key;
}

const char *psst_identity_name(const struct psst_identity *identity)
{
    return identity->name;
}

bool psst_identity_encrypted(const struct psst_identity *identity)
{
    return identity->encrypted;
}

/* ---- waiting for an end ---- */

bool psst_identity_wait(struct psst_identity *identity, psst_identity_done *done, void *ctx)
{
    struct waiter *w = malloc(sizeof *w);
    if (w == NULL) {
        done(ctx, PSST_ERR_MEMORY, "out of memory");
        return false;
    }
    *w = (struct waiter){identity->waiters, done, ctx};
    identity->waiters = w;
    return true;
}

void psst_identity_when_settled(struct psst_identity *identity, psst_identity_done *done, void *ctx)
{
    if (identity->state == PSST_IDENTITY_OPENING)
        (void)psst_identity_wait(identity, done, ctx);
    else
        done(ctx, PSST_OK, "");
}

void psst_identity_finish(struct psst_identity *identity, enum psst_identity_state state, enum psst_err err,
                          const char *words)
{
    bool was_open = identity->store_open, damaged = state == PSST_IDENTITY_RESCUE;
    identity->key_lost = identity->rescuing = false;
    identity->state = state;
    identity->store_open = state == PSST_IDENTITY_UNLOCKED || damaged;
    if (was_open != identity->store_open || damaged)
        psst_daemon_event(identity->d, "identity",
                          json_pack("{s:b, s:b}", "locked", !identity->store_open, "damaged", damaged));
    struct waiter *w = identity->waiters;
    identity->waiters = NULL;
    while (w != NULL) {
        struct waiter *next = w->next;
        w->done(w->ctx, err, words);
        free(w);
        w = next;
    }
}

static void ignore_key(void *ctx, const struct psst_key_reply *reply)
{
    (void)ctx;
    (void)reply;
}

void psst_identity_fail(struct psst_identity *identity, enum psst_err err, const char *words)
{
    if (!identity->d->stopping) psst_key_lock(identity->d->key, ignore_key, NULL); /* else psst-key ends by itself */
    psst_log(&identity->d->log, PSST_LOG_WARNING, "not-unlocked", "reason=\"%s\"", words);
    psst_identity_finish(identity,
                         psst_identity_exists(identity->d->paths.identity) ? PSST_IDENTITY_LOCKED : PSST_IDENTITY_NONE,
                         err, words);
}

/* Nothing of the store can be read: status goes on saying so. */
static void fail_store(struct psst_identity *identity, enum psst_err err, const char *words)
{
    if (err == PSST_ERR_DAMAGED) (void)snprintf(identity->trouble, sizeof identity->trouble, "%s", words);
    psst_book_unload(identity->d->book); /* of the one that was open before */
    psst_identity_fail(identity, err, words);
}

/* ---- opening: the store ---- */

static void begin_rescue(struct psst_identity *identity);

static void ignore_shut(void *ctx)
{
    (void)ctx;
}

/* What can be read is shown; the key is not needed for that, and locked again. */
static void open_for_rescue(struct psst_identity *identity)
{
    struct psst_daemon *d = identity->d;
    size_t parts = 0;
    (void)psst_store_thread_parts(d->store, &parts);
    psst_log(&d->log, PSST_LOG_ERROR, "history-damaged", "file=\"%s\" parts=%zu open=read-only", d->paths.store_db,
             parts);
    psst_key_lock(d->key, ignore_key, NULL);
    identity->state = PSST_IDENTITY_RESCUE;
    psst_delivery_loaded(d->delivery);
    psst_transfers_load(d->transfers, NULL, NULL);
    psst_identity_finish(identity, PSST_IDENTITY_RESCUE, PSST_OK, "");
}

static void give_up(struct psst_identity *identity, enum psst_err err, const char *words)
{
    struct psst_daemon *d = identity->d;
    psst_transfers_unloaded(d->transfers);
    psst_book_unload(d->book);
    psst_store_thread_shut(d->store, ignore_shut, NULL);
    psst_identity_fail(identity, err != PSST_OK ? err : PSST_ERR_LOCKED, err != PSST_OK ? words : "psstd stops");
}

/* Only now may sessions begin: an acceptance or an acknowledgement that came for a transfer not yet read would be lost. */
static void on_transfers_loaded(void *ctx, enum psst_err err, const char *words)
{
    struct psst_identity *identity = ctx;
    struct psst_daemon *d = identity->d;
    if (err == PSST_OK && identity->key_lost) {
        err = PSST_ERR_IO;
        words = "psst-key, which holds the key, has ended: try again";
    }
    if (err == PSST_ERR_DAMAGED && !d->stopping) {
        begin_rescue(identity);
        return;
    }
    if (err != PSST_OK || d->stopping) {
        give_up(identity, err, words);
        return;
    }
    psst_log(&d->log, PSST_LOG_INFO, "unlocked", "%s", "");
    identity->state = PSST_IDENTITY_UNLOCKED;
    psst_delivery_loaded(d->delivery);
    psst_reconnect_loaded(d->reconnect);
    psst_retention_loaded(d->retention);
    psst_meets_loaded(d->meets);
    psst_calls_loaded(d->calls);
    psst_identity_finish(identity, PSST_IDENTITY_UNLOCKED, PSST_OK, "");
}

static void on_book_loaded(void *ctx, enum psst_err err, const char *words)
{
    struct psst_identity *identity = ctx;
    struct psst_daemon *d = identity->d;
    bool rescue = psst_store_thread_is_rescue(d->store);
    if (err == PSST_ERR_DAMAGED && !rescue && !d->stopping) { /* it looked sound when it was opened */
        begin_rescue(identity);
        return;
    }
    if (err == PSST_OK && rescue && !d->stopping) {
        open_for_rescue(identity);
        return;
    }
    if (err != PSST_OK || d->stopping)
        give_up(identity, err, words);
    else
        psst_transfers_load(d->transfers, on_transfers_loaded, identity);
}

static void on_store_opened(void *ctx, enum psst_err err, const struct psst_diag *diag)
{
    struct psst_identity *identity = ctx;
    if (err != PSST_OK)
        fail_store(identity, err, diag->text);
    else if (identity->rescuing && psst_book_first(identity->d->book) != NULL)
        on_book_loaded(identity, PSST_OK, ""); /* what is in memory may be more than what can still be read */
    else
        psst_book_load(identity->d->book, on_book_loaded, identity);
}

static void on_store_key(void *ctx, const struct psst_key_reply *reply)
{
    struct psst_identity *identity = ctx;
    struct psst_daemon *d = identity->d;
    struct psst_diag diag = reply->diag;
    enum psst_err err = reply->err;
    if (err == PSST_ERR_AUTH)
        (void)psst_fail(&diag, err, "store.key was made for another identity, or is damaged: the history stays closed");
    /* a key that was just made is kept before anything is written under it */
    if (err == PSST_OK && reply->wrapped.len > 0)
        err = psst_small_file_write(d->paths.store_key, reply->wrapped, &diag);
    if (err != PSST_OK || d->stopping)
        fail_store(identity, err != PSST_OK ? err : PSST_ERR_LOCKED, diag.text);
    else if (identity->rescuing)
        psst_store_thread_rescue(d->store, d->paths.store_db, &reply->store_key, on_store_opened, identity);
    else
        psst_store_thread_open(d->store, d->paths.store_db, &reply->store_key, on_store_opened, identity);
}

void psst_identity_open_store(struct psst_identity *identity)
{
    struct psst_daemon *d = identity->d;
    struct psst_diag diag = {{0}};
    struct psst_buf wrapped;
    psst_buf_init(&wrapped, STORE_KEY_MAX);
    enum psst_err err = psst_paths_check_private(d->paths.store_key, &diag);
    if (err == PSST_OK) err = psst_small_file_read(d->paths.store_key, STORE_KEY_MAX, &wrapped, &diag);
    if (err == PSST_OK)
        psst_key_open_store(d->key, psst_buf_view(&wrapped), on_store_key, identity);
    else if (err == PSST_ERR_NOT_FOUND && psst_identity_exists(d->paths.store_db))
        fail_store(
            identity, PSST_ERR_DAMAGED,
            "the history's key (store.key) is gone, so what was kept cannot be read: move store.db away to begin a new one");
    else if (err == PSST_ERR_NOT_FOUND)
        psst_key_create_store(d->key, on_store_key, identity);
    else
        psst_identity_fail(identity, err, diag.text);
    psst_buf_fini(&wrapped);
}

/* ---- damage ---- */

/* Whatever lives on the history that is open: sessions end with a goodbye, nothing more is begun. */
static void unload(struct psst_daemon *d, const char *words)
{
    psst_reconnect_unloaded(d->reconnect);
    psst_peers_hangup_all(d->peers, PSST_BYE_LOCKED, words);
    psst_delivery_unloaded(d->delivery);
    psst_transfers_unloaded(d->transfers);
    psst_messages_unloaded(d->messages);
    psst_calls_unloaded(d->calls);
    psst_retention_unloaded(d->retention);
    psst_backup_unloaded(d->backup);
    psst_meets_unloaded(d->meets);
}

/* The store's key is had from psst-key once more: nobody else has kept it. */
static void begin_rescue(struct psst_identity *identity)
{
    struct psst_daemon *d = identity->d;
    identity->state = PSST_IDENTITY_OPENING;
    identity->rescuing = true;
    unload(d, "the history on this side is damaged");
    for (struct psst_contact *c = psst_book_first(d->book); c != NULL; c = c->next) {
        c->waiting = c->unread = 0; /* counted again */
        c->unread_bytes = 0;
    }
    psst_identity_open_store(identity);
}

static void on_damage(void *ctx)
{
    struct psst_identity *identity = ctx;
    if (identity->state == PSST_IDENTITY_UNLOCKED && !identity->d->stopping) begin_rescue(identity);
}

/* ---- opening: the key ---- */

enum psst_err psst_identity_write_card(struct psst_identity *identity, struct psst_diag *diag)
{
    struct psst_card card = {.key = identity->key};
    memcpy(card.name, identity->name, sizeof card.name);
    struct psst_buf text;
    psst_buf_init(&text, PSST_CARD_MAX);
    enum psst_err err = psst_card_write(&card, &text);
    if (err == PSST_OK) err = psst_small_file_write(identity->d->paths.card, psst_buf_view(&text), diag);
    psst_buf_fini(&text);
    return err;
}

void psst_identity_listen(struct psst_identity *identity)
{
    struct psst_diag diag = {{0}};
    if (psst_peers_listen(identity->d->peers, &diag) != PSST_OK)
        psst_log(&identity->d->log, PSST_LOG_ERROR, "not-listening", "reason=\"%s\"", diag.text);
}

/* The public half that psst-key found must be the one that the card has always said. A card that is gone is made anew,
 * without its name. */
static enum psst_err take_key(struct psst_identity *identity, struct psst_view spki, struct psst_diag *diag)
{
    if (identity->key != NULL) {
        if (psst_view_equal(psst_rsa_public_spki(identity->key), spki)) return PSST_OK;
        return psst_fail(diag, PSST_ERR_DAMAGED,
                         "identity.pem and card.psst hold different keys: one of them is not yours");
    }
    if (psst_rsa_public_load(&identity->key, spki) != PSST_OK)
        return psst_fail(diag, PSST_ERR_BAD_KEY, "the key cannot be used");
    if (identity->name[0] == '\0') (void)snprintf(identity->name, sizeof identity->name, "me");
    /* without it nobody hears us after the next start, until unlock: a pity, and no reason to be deaf now */
    struct psst_diag card = {{0}};
    if (psst_identity_write_card(identity, &card) != PSST_OK)
        psst_log(&identity->d->log, PSST_LOG_ERROR, "own-card-not-written", "reason=\"%s\"", card.text);
    return PSST_OK;
}

static void on_unlocked(void *ctx, const struct psst_key_reply *reply)
{
    struct psst_identity *identity = ctx;
    struct psst_diag diag = reply->diag;
    enum psst_err err = reply->err;
    bool had_key = identity->key != NULL;
    if (err == PSST_OK) err = take_key(identity, reply->spki, &diag);
    if (err != PSST_OK || identity->d->stopping) {
        psst_identity_fail(identity, err != PSST_OK ? err : PSST_ERR_LOCKED, diag.text);
        return;
    }
    identity->encrypted = reply->encrypted;
    if (!had_key) psst_identity_listen(identity);
    psst_identity_open_store(identity);
}

int psst_identity_open_key(struct psst_identity *identity, struct psst_diag *diag)
{
    const char *path = identity->d->paths.identity;
    enum psst_err err = psst_paths_check_private(path, diag);
    if (err != PSST_OK) {
        (void)psst_fail(diag, err, "there is no identity here yet: psst init makes one");
        return -1;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) (void)psst_fail(diag, PSST_ERR_IO, "cannot open %.160s: %s", path, strerror(errno));
    return fd;
}

void psst_identity_close_fd(int fd)
{
    if (fd >= 0) (void)close(fd);
}

static void unlock(struct psst_identity *identity, int passphrase_fd)
{
    struct psst_daemon *d = identity->d;
    struct psst_diag diag = {{0}};
    identity->state = PSST_IDENTITY_OPENING;
    identity->trouble[0] = '\0';
    int key_fd = psst_identity_open_key(identity, &diag);
    const char *line = psst_settings_get(d->settings, "passphrase_command");
    enum psst_err err = key_fd >= 0 ? PSST_OK : PSST_ERR_PERMISSION;
    if (err == PSST_OK && passphrase_fd < 0 && identity->encrypted && line[0] != '\0' && identity->command == NULL)
        err = psst_passphrase_command_run(&identity->command, d->loop, line, &passphrase_fd, &diag);
    if (err == PSST_OK) {
        psst_key_unlock(d->key, key_fd, passphrase_fd, on_unlocked, identity);
        return;
    }
    psst_identity_close_fd(key_fd);
    psst_identity_close_fd(passphrase_fd);
    psst_identity_fail(identity, err, diag.text);
}

void psst_identity_unlock(struct psst_identity *identity, int passphrase_fd, psst_identity_done *done, void *ctx)
{
    enum psst_err err = PSST_OK;
    const char *words = "";
    switch (identity->state) {
    case PSST_IDENTITY_LOCKED:
        if (psst_identity_wait(identity, done, ctx))
            unlock(identity, passphrase_fd);
        else
            psst_identity_close_fd(passphrase_fd);
        return;
    case PSST_IDENTITY_NONE:
        err = PSST_ERR_NOT_FOUND;
        words = "there is no identity here yet: psst init makes one";
        break;
    case PSST_IDENTITY_OPENING:
        err = PSST_ERR_AGAIN;
        words = "the identity is being opened or locked just now: try again";
        break;
    case PSST_IDENTITY_UNLOCKED:
    case PSST_IDENTITY_RESCUE: break;
    }
    psst_identity_close_fd(passphrase_fd);
    done(ctx, err, words);
}

/* ---- locking ---- */

static void ignore_done(void *ctx, enum psst_err err, const char *words)
{
    (void)ctx;
    (void)err;
    (void)words;
}

static bool needs_nobody(const struct psst_identity *identity)
{
    return !identity->encrypted || psst_settings_get(identity->d->settings, "passphrase_command")[0] != '\0';
}

static void on_key_locked(void *ctx, const struct psst_key_reply *reply)
{
    struct psst_identity *identity = ctx;
    (void)reply;
    bool again = identity->again;
    identity->locking = identity->again = false;
    psst_log(&identity->d->log, PSST_LOG_INFO, "locked", "%s", "");
    psst_identity_finish(identity, PSST_IDENTITY_LOCKED, PSST_OK, "");
    if (again && !identity->d->stopping && needs_nobody(identity))
        psst_identity_unlock(identity, -1, ignore_done, NULL);
}

static void on_store_shut(void *ctx)
{
    struct psst_identity *identity = ctx;
    psst_book_unload(identity->d->book);
    psst_key_lock(identity->d->key, on_key_locked, identity);
}

static void shut_store(void *ctx)
{
    struct psst_identity *identity = ctx;
    psst_store_thread_shut(identity->d->store, on_store_shut, identity);
}

static void lock(struct psst_identity *identity, const char *words)
{
    struct psst_daemon *d = identity->d;
    identity->state = PSST_IDENTITY_OPENING;
    identity->locking = true;
    unload(d, words);
    psst_transfers_when_quiet(d->transfers, shut_store, identity); /* how far each file is safe is still noted */
}

void psst_identity_lock(struct psst_identity *identity, psst_identity_done *done, void *ctx)
{
    if (identity->state == PSST_IDENTITY_UNLOCKED || identity->state == PSST_IDENTITY_RESCUE) {
        if (!psst_identity_wait(identity, done, ctx)) return;
        lock(identity, "you locked your identity");
        /* not only when the store is shut: what is still to be erased there may take minutes */
        psst_key_lock(identity->d->key, ignore_key, NULL);
        return;
    }
    bool busy = identity->state == PSST_IDENTITY_OPENING && !identity->locking;
    if (identity->locking)
        (void)psst_identity_wait(identity, done, ctx);
    else
        done(ctx, busy ? PSST_ERR_AGAIN : PSST_OK, busy ? "the identity is being opened just now: try again" : "");
}

void psst_identity_key_died(struct psst_identity *identity)
{
    uint64_t now_ns = psst_daemon_now(identity->d).mono_ns;
    bool long_ago = identity->died_ns == 0 || now_ns - identity->died_ns > AGAIN_AFTER_NS;
    identity->died_ns = now_ns;
    psst_log(&identity->d->log, PSST_LOG_ERROR, "psst-key-ended", "%s", "");
    if (identity->state == PSST_IDENTITY_OPENING && !identity->locking) identity->key_lost = true;
    if (identity->state != PSST_IDENTITY_UNLOCKED || identity->d->stopping)
        return; /* who waits for it gets its error */
    lock(identity, "psst-key, which holds the key, has ended");
    identity->again = long_ago;
}

/* ---- at the start ---- */

/* Only the first line is read: the rest is psst-key's. */
static bool is_encrypted(const char *path)
{
    char line[sizeof ENCRYPTED_HEADER - 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return true;
    ssize_t n = read(fd, line, sizeof line);
    (void)close(fd);
    return n == (ssize_t)sizeof line && memcmp(line, ENCRYPTED_HEADER, sizeof line) == 0;
}

static void read_card(struct psst_identity *identity)
{
    struct psst_daemon *d = identity->d;
    struct psst_diag diag = {{0}};
    struct psst_card card = {.key = NULL};
    struct psst_buf text;
    psst_buf_init(&text, PSST_CARD_MAX);
    enum psst_err err = psst_small_file_read(d->paths.card, PSST_CARD_MAX, &text, &diag);
    if (err == PSST_OK) err = psst_card_parse(&card, psst_buf_view(&text), &diag);
    if (err == PSST_OK) {
        identity->key = psst_rsa_public_ref(card.key);
        memcpy(identity->name, card.name, sizeof identity->name);
        psst_card_fini(&card);
    } else if (err != PSST_ERR_NOT_FOUND) {
        psst_log(&d->log, PSST_LOG_ERROR, "own-card", "reason=\"%s\"", diag.text);
    }
    psst_buf_fini(&text);
}

void psst_identity_start(struct psst_identity *identity)
{
    struct psst_daemon *d = identity->d;
    if (!psst_identity_exists(d->paths.identity)) return;
    identity->state = PSST_IDENTITY_LOCKED;
    identity->encrypted = is_encrypted(d->paths.identity);
    read_card(identity);
    if (needs_nobody(identity)) psst_identity_unlock(identity, -1, ignore_done, NULL);
}
