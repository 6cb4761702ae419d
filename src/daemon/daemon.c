/* The life of psstd: brought up in order, run, brought down in the other order.
 *
 *   up:    directories, lock, settings -> psst-key, store thread -> modules -> listening -> control socket -> ready
 *   down:  byes (a second for them to leave) -> connections -> store, psst-key -> control socket -> the loop runs out
 */
#include "daemon/daemon.h"

#include "daemon/backup/backup.h"
#include "daemon/backup/restore_home.h"
#include "daemon/calls/calls.h"
#include "daemon/calls/message.h"
#include "daemon/delivery/delivery.h"
#include "daemon/identity.h"
#include "daemon/meet.h"
#include "daemon/presence.h"
#include "daemon/program.h"
#include "daemon/reconnect/reconnect.h"
#include "daemon/retention.h"
#include "daemon/run.h"
#include "daemon/transfers/transfers.h"
#include "daemon/workers.h"
#include "ipc/lockfile.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LOCK_TRIES    10 /* one that is just ending holds the lock for a moment longer than its socket */
#define LOCK_PAUSE_MS 50
#define STOP_CHECK_MS 10
#define STOP_PATIENCE 100 /* checks: a second */
#define SIGNALS       3

struct runtime {
    struct psst_daemon d; /* first: the daemon is this */
    uv_loop_t loop;
    const struct psst_run_options *options;
    uv_signal_t signals[SIGNALS];
    uv_timer_t stop;
    unsigned stop_checks;
    unsigned closing;    /* of store thread and psst-key: how many are not gone yet */
    char *listen_before; /* the setting that --listen took the place of; NULL: none */
    int lock_fd;
    int ready_fd;
};

static struct runtime *runtime_of(struct psst_daemon *d)
{
    return (struct runtime *)d;
}

/* ---- small services ---- */

struct psst_now psst_daemon_now(struct psst_daemon *d)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    struct psst_now now = {uv_hrtime(), (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000};
    d->log.now_ns = now.mono_ns;
    return now;
}

/* What comes of one who is told that we are not to be disturbed rings no bell. */
static void mark_quiet(const struct psst_daemon *d, json_t *params)
{
    const char *name = json_string_value(json_object_get(params, "contact"));
    const struct psst_contact *contact = name != NULL ? psst_book_by_name(d->book, name) : NULL;
    if (contact != NULL && psst_presence_is_busy(d, contact)) (void)json_object_set_new(params, "quiet", json_true());
}

void psst_daemon_event(struct psst_daemon *d, const char *event, json_t *params)
{
    if (d->book != NULL && d->presences != NULL) mark_quiet(d, params);
    if (d->control != NULL)
        psst_control_event(d->control, event, params);
    else
        json_decref(params);
}

void psst_daemon_count(struct psst_daemon *d, const char *name)
{
    for (size_t i = 0; i < PSST_COUNTERS_MAX; i++) {
        struct psst_counter *c = &d->counters[i];
        if (c->name == NULL) c->name = name;
        if (strcmp(c->name, name) != 0) continue;
        c->n++;
        return;
    }
}

json_t *psst_daemon_counters(const struct psst_daemon *d)
{
    json_t *all = json_object();
    for (size_t i = 0; i < PSST_COUNTERS_MAX && d->counters[i].name != NULL; i++)
        (void)json_object_set_new(all, d->counters[i].name, json_integer((json_int_t)d->counters[i].n));
    return all;
}

static void set_level(struct psst_daemon *d, const char *level)
{
    static const char *const names[] = {[PSST_LOG_ERROR] = "error",
                                        [PSST_LOG_WARNING] = "warning",
                                        [PSST_LOG_INFO] = "info",
                                        [PSST_LOG_DEBUG] = "debug"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(level, names[i]) == 0) d->log.most = (enum psst_log_level)i;
}

enum psst_err psst_daemon_setting_changed(struct psst_daemon *d, const char *key, struct psst_diag *diag)
{
    if (strcmp(key, "log_level") == 0) set_level(d, psst_settings_get(d->settings, key));
    static const char *const sound[] = {"voice_sense", "voice_quality", "voice_volume", "echo", "clean"};
    for (size_t i = 0; i < sizeof sound / sizeof sound[0]; i++)
        if (strcmp(key, sound[i]) == 0) psst_calls_settings_changed(d->calls, false);
    if (strcmp(key, "microphone") == 0 || strcmp(key, "speaker") == 0) psst_calls_settings_changed(d->calls, true);
    if (strcmp(key, "upload_limit") == 0) psst_transfers_limit_changed(d->transfers);
    if (strcmp(key, "listen") == 0) return psst_peers_listen(d->peers, diag);
    return PSST_OK;
}

/* ---- down ---- */

static void signal_closed(uv_handle_t *handle)
{
    (void)handle;
}

static void gone(void *ctx)
{
    struct runtime *r = ctx;
    if (--r->closing > 0) return;
    if (r->d.control != NULL) psst_control_close(r->d.control);
    for (int i = 0; i < SIGNALS; i++) uv_close((uv_handle_t *)&r->signals[i], signal_closed);
    uv_close((uv_handle_t *)&r->stop, NULL);
}

/* The connections are closed; now what they wrote to. */
static void close_rest(struct runtime *r)
{
    struct psst_daemon *d = &r->d;
    if (d->peers != NULL) psst_peers_close(d->peers);
    r->closing = 1u + (d->store != NULL) + (d->key != NULL);
    struct psst_store_thread *store = d->store;
    struct psst_key_client *key = d->key;
    if (store != NULL) psst_store_thread_close(store, gone, r);
    if (key != NULL) psst_key_client_close(key, gone, r);
    gone(r);
}

static void on_stop_check(uv_timer_t *timer)
{
    struct runtime *r = timer->data;
    bool over = ++r->stop_checks >= STOP_PATIENCE;
    if (!over && r->d.peers != NULL && psst_peers_open(r->d.peers) > 0) return;
    if (!over && r->d.transfers != NULL && psst_transfers_busy(r->d.transfers) > 0) return; /* what came is made safe */
    (void)uv_timer_stop(timer);
    close_rest(r);
}

void psst_daemon_stop(struct psst_daemon *d)
{
    struct runtime *r = runtime_of(d);
    if (d->stopping) return;
    psst_log(&d->log, PSST_LOG_INFO, "stopping", "%s", "");
    psst_daemon_event(d, "stopping", json_object());
    if (d->reconnect != NULL) psst_reconnect_close(d->reconnect);
    if (d->peers != NULL && d->book != NULL) psst_peers_hangup_all(d->peers, PSST_BYE_STOPPING, "psstd stops");
    d->stopping = true;
    if (d->delivery != NULL) {
        psst_delivery_unloaded(d->delivery);
        psst_delivery_close(d->delivery);
    }
    if (d->transfers != NULL) {
        psst_transfers_unloaded(d->transfers);
        psst_transfers_close(d->transfers);
    }
    if (d->messages != NULL) psst_messages_unloaded(d->messages);
    if (d->calls != NULL) psst_calls_close(d->calls);
    if (d->retention != NULL) psst_retention_close(d->retention);
    if (d->presences != NULL) psst_presences_close(d->presences);
    if (d->backup != NULL) psst_backup_close(d->backup);
    if (d->meets != NULL) psst_meets_close(d->meets);
    if (d->identity != NULL) psst_identity_close(d->identity);
    (void)uv_timer_start(&r->stop, on_stop_check, STOP_CHECK_MS, STOP_CHECK_MS);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct runtime *r = handle->data;
    psst_log(&r->d.log, PSST_LOG_INFO, "signal", "number=%d", number);
    psst_daemon_stop(&r->d);
}

static void free_all(struct runtime *r)
{
    struct psst_daemon *d = &r->d;
    psst_backup_free(d->backup);
    psst_retention_free(d->retention);
    psst_transfers_free(d->transfers);
    psst_messages_free(d->messages);
    psst_calls_free(d->calls);
    psst_delivery_free(d->delivery);
    psst_reconnect_free(d->reconnect);
    psst_peers_free(d->peers);
    psst_book_free(d->book);
    psst_presences_free(d->presences);
    psst_meets_free(d->meets);
    psst_identity_free(d->identity);
    psst_settings_free(d->settings);
    free(r->listen_before);
    if (r->lock_fd >= 0) (void)close(r->lock_fd);
    if (r->ready_fd >= 0) (void)close(r->ready_fd);
    psst_control_free(d->control); /* whoever waits for our end sees it now */
}

/* ---- up ---- */

static enum psst_err take_lock(struct runtime *r, struct psst_diag *diag)
{
    for (int i = 0;; i++) {
        struct psst_diag one = {{0}};
        enum psst_err err = psst_lockfile_take(&r->lock_fd, r->d.paths.lock, &one);
        if (err != PSST_ERR_EXISTS || i == LOCK_TRIES)
            return err == PSST_OK ? err : psst_fail(diag, err, "%s", one.text);
        const struct timespec pause = {0, LOCK_PAUSE_MS * 1000000L};
        (void)nanosleep(&pause, NULL);
    }
}

/* The new addresses are kept; what was there before comes back when they cannot be had. */
static enum psst_err replace_listen(struct runtime *r, struct psst_diag *diag)
{
    r->listen_before = strdup(psst_settings_get(r->d.settings, "listen"));
    if (r->listen_before == NULL) return psst_fail(diag, PSST_ERR_MEMORY, "out of memory");
    return psst_settings_set(r->d.settings, "listen", r->options->listen, diag);
}

static enum psst_err listen_or_restore(struct runtime *r, struct psst_diag *diag)
{
    enum psst_err err = psst_peers_listen(r->d.peers, diag);
    if (err != PSST_OK && r->listen_before != NULL &&
        psst_settings_set(r->d.settings, "listen", r->listen_before, NULL) != PSST_OK)
        psst_log(&r->d.log, PSST_LOG_WARNING, "setting-not-restored", "key=listen");
    return err;
}

/* What a restore that was cut off has left, must not be taken for a history. */
static void clean_up_restore(struct psst_daemon *d)
{
    struct psst_diag diag = {{0}};
    if (psst_restore_home_clean_up(&d->paths, &diag) != PSST_OK)
        psst_log(&d->log, PSST_LOG_ERROR, "restore-not-cleaned-up", "reason=\"%s\"", diag.text);
}

static enum psst_err open_home(struct runtime *r, struct psst_diag *diag)
{
    struct psst_daemon *d = &r->d;
    enum psst_err err = psst_paths_get(&d->paths, diag);
    if (err == PSST_OK) err = psst_paths_make_dir(d->paths.run_dir, true, diag);
    if (err == PSST_OK) err = psst_paths_make_dir(d->paths.data_dir, true, diag);
    if (err == PSST_OK) err = take_lock(r, diag);
    if (err == PSST_OK) clean_up_restore(d);
    if (err == PSST_OK) err = psst_settings_load(&d->settings, &d->paths, diag);
    if (err == PSST_OK && r->options->listen != NULL &&
        strcmp(r->options->listen, psst_settings_get(d->settings, "listen")) != 0)
        err = replace_listen(r, diag);
    if (err != PSST_OK) return err;
    set_level(d, psst_settings_get(d->settings, "log_level"));
    if (r->options->log_level != NULL) set_level(d, r->options->log_level);
    return PSST_OK;
}

static void key_died(void *ctx)
{
    struct runtime *r = ctx;
    if (r->d.identity != NULL) psst_identity_key_died(r->d.identity);
}

static enum psst_err start_key(struct runtime *r, struct psst_diag *diag)
{
    char program[PSST_PATH_MAX];
    if (!psst_program_find(program, "psst-key"))
        return psst_fail(diag, PSST_ERR_NOT_FOUND, "psst-key is missing: it belongs beside psstd");
    enum psst_err err = psst_key_client_new(&r->d.key, r->d.loop, program, &r->d.log, key_died, r);
    return err == PSST_OK ? err : psst_fail(diag, err, "cannot start %.160s", program);
}

static enum psst_err make_modules(struct runtime *r, struct psst_diag *diag)
{
    struct psst_daemon *d = &r->d;
    enum psst_err err = start_key(r, diag);
    if (err == PSST_OK) err = psst_store_thread_new(&d->store, d->loop);
    if (err == PSST_OK) err = psst_workers_new(&d->workers, d->loop);
    if (err == PSST_OK) err = psst_identity_new(&d->identity, d);
    if (err == PSST_OK) err = psst_book_new(&d->book, d);
    if (err == PSST_OK) err = psst_reconnect_new(&d->reconnect, d);
    if (err == PSST_OK) err = psst_retention_new(&d->retention, d);
    if (err == PSST_OK) err = psst_presences_new(&d->presences, d);
    if (err == PSST_OK) err = psst_meets_new(&d->meets, d);
    if (err == PSST_OK) err = psst_calls_new(&d->calls, d);
    if (err == PSST_OK) err = psst_messages_new(&d->messages, d);
    if (err == PSST_OK) err = psst_peers_new(&d->peers, d);
    if (err == PSST_OK) err = psst_delivery_new(&d->delivery, d);
    if (err == PSST_OK) err = psst_transfers_new(&d->transfers, d);
    if (err == PSST_OK) err = psst_backup_new(&d->backup, d);
    return err == PSST_OK ? err : psst_fail(diag, err, "psstd cannot begin: %s", psst_err_name(err));
}

static void on_ready(void *ctx, enum psst_err err, const char *words)
{
    struct runtime *r = ctx;
    (void)err;
    (void)words;
    psst_log(&r->d.log, PSST_LOG_INFO, "ready", "pid=%ld", (long)getpid());
    if (r->ready_fd < 0) return;
    if (write(r->ready_fd, "\n", 1) != 1) psst_log(&r->d.log, PSST_LOG_WARNING, "nobody-waits", "%s", "");
    (void)close(r->ready_fd);
    r->ready_fd = -1;
}

static enum psst_err bring_up(struct runtime *r, struct psst_diag *diag)
{
    struct psst_daemon *d = &r->d;
    enum psst_err err = make_modules(r, diag);
    if (err != PSST_OK) return err;
    psst_identity_start(d->identity);
    err = listen_or_restore(r, diag);
    if (err == PSST_OK) err = psst_control_new(&d->control, d, diag);
    if (err != PSST_OK) return err;
    /* whoever waits for us wants to go on at once: a key without a passphrase is opened first */
    if (psst_identity_encrypted(d->identity))
        on_ready(r, PSST_OK, "");
    else
        psst_identity_when_settled(d->identity, on_ready, r);
    return PSST_OK;
}

static void start_handles(struct runtime *r)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    for (int i = 0; i < SIGNALS; i++) {
        (void)uv_signal_init(&r->loop, &r->signals[i]);
        r->signals[i].data = r;
        (void)uv_signal_start(&r->signals[i], on_signal, numbers[i]);
    }
    (void)uv_timer_init(&r->loop, &r->stop);
    r->stop.data = r;
}

enum psst_err psst_daemon_run(const struct psst_run_options *options, struct psst_diag *diag)
{
    struct runtime *r = calloc(1, sizeof *r);
    if (r == NULL) return psst_fail(diag, PSST_ERR_MEMORY, "out of memory");
    r->options = options;
    r->lock_fd = -1;
    r->ready_fd = options->ready_fd;
    psst_log_init(&r->d.log, options->sink, options->sink_ctx, PSST_LOG_INFO);
    enum psst_err err = open_home(r, diag);
    if (err == PSST_OK && psst_crypto_init(0) != PSST_OK)
        err = psst_fail(diag, PSST_ERR_INTERNAL, "libcrypto does not compute what it should: psstd does not start");
    if (err == PSST_OK && uv_loop_init(&r->loop) != 0) err = psst_fail(diag, PSST_ERR_MEMORY, "out of memory");
    if (err == PSST_OK) {
        r->d.loop = &r->loop;
        start_handles(r);
        err = bring_up(r, diag);
        if (err != PSST_OK) psst_daemon_stop(&r->d);
        (void)uv_run(&r->loop, UV_RUN_DEFAULT);
        psst_workers_free(r->d.workers);
        if (uv_loop_close(&r->loop) != 0) psst_log(&r->d.log, PSST_LOG_ERROR, "loop-not-empty", "%s", "");
    }
    free_all(r);
    free(r);
    return err;
}
