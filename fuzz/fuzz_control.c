/* The control socket of psstd: framing, descriptors, JSON-RPC, dispatch and every method's params, over a real socket and
 * loop. What the methods call - identity, book, peers, store - is played here: two contacts, nothing else. Input: one
 * byte of circumstances, then what a user interface writes. Each line that comes back must be JSON-RPC.
 */
#include "fuzz.h"

#include "base/text.h"
#include "daemon/addresses.h"
#include "daemon/backup/backup.h"
#include "daemon/control/control.h"
#include "daemon/delivery/delivery.h"
#include "daemon/meet.h"
#include "daemon/presence.h"
#include "daemon/reconnect/reconnect.h"
#include "daemon/rescue.h"
#include "daemon/retention.h"
#include "daemon/transfers/transfers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define STATE_BITS 3 /* of the first byte: enum psst_identity_state */
#define WITH_FDS   4 /* two descriptors ride on the first byte */
#define DIES_EARLY 8 /* closes without reading a word */
#define IN_PIECES  16
#define DEFERRED   64
#define TURNS      400

/* ---- the rest of psstd, played ---- */

static struct psst_daemon daemon_played;
static struct psst_contact bob, eve;
static enum psst_identity_state state;
static struct {
    psst_dial_done *done;
    void *ctx;
} deferred[DEFERRED];
static size_t n_deferred;

struct psst_now psst_daemon_now(struct psst_daemon *d)
{
    (void)d;
    return (struct psst_now){0};
}

void psst_daemon_stop(struct psst_daemon *d)
{
    d->stopping = true;
}

void psst_daemon_event(struct psst_daemon *d, const char *event, json_t *params)
{
    psst_control_event(d->control, event, params);
}

void psst_daemon_count(struct psst_daemon *d, const char *name)
{
    (void)d;
    FUZZ_CHECK(name != NULL);
}

json_t *psst_daemon_counters(const struct psst_daemon *d)
{
    (void)d;
    return json_object();
}

enum psst_err psst_daemon_setting_changed(struct psst_daemon *d, const char *key, struct psst_diag *diag)
{
    (void)d;
    return strcmp(key, "listen") == 0 ? psst_fail(diag, PSST_ERR_IO, "not here") : PSST_OK;
}

struct psst_contact *psst_book_first(struct psst_book *book)
{
    (void)book;
    return &bob;
}

struct psst_contact *psst_book_by_name(struct psst_book *book, const char *alias)
{
    (void)book;
    if (strcmp(alias, bob.alias) == 0) return &bob;
    return strcmp(alias, eve.alias) == 0 ? &eve : NULL;
}

struct psst_contact *psst_book_by_fpr(struct psst_book *book, const struct psst_fpr *fpr)
{
    (void)book;
    return memcmp(psst_rsa_public_fpr(bob.key)->b, fpr->b, sizeof fpr->b) == 0 ? &bob : NULL;
}

struct psst_contact *psst_book_by_id(struct psst_book *book, int64_t id)
{
    (void)book;
    return id == bob.id ? &bob : id == eve.id ? &eve : NULL;
}

void psst_book_put(struct psst_book *book, struct psst_contact *contact, const struct psst_contact *with,
                   psst_book_done *done, void *ctx)
{
    (void)book;
    (void)contact;
    FUZZ_CHECK(with->key != NULL);
    size_t len = with->addresses != NULL ? strlen(with->addresses) : 0;
    FUZZ_CHECK(len <= PSST_ADDRESSES_TEXT_MAX && (len == 0 || with->addresses[len - 1] == '\n'));
    struct psst_diag diag = {{0}};
    FUZZ_CHECK(psst_name_check(with->alias, &diag) == PSST_OK);
    done(ctx, PSST_OK, NULL);
}

void psst_book_remove(struct psst_book *book, struct psst_contact *contact, psst_book_done *done, void *ctx)
{
    (void)book;
    FUZZ_CHECK(contact != NULL);
    done(ctx, PSST_ERR_DISK_FULL, NULL);
}

enum psst_identity_state psst_identity_state(const struct psst_identity *identity)
{
    (void)identity;
    return state;
}

const struct psst_rsa_public *psst_identity_key(const struct psst_identity *identity)
{
    (void)identity;
    return state == PSST_IDENTITY_NONE ? NULL : psst_rsa_private_public(fuzz_key_a());
}

const char *psst_identity_name(const struct psst_identity *identity)
{
    (void)identity;
    return "Alice";
}

bool psst_identity_encrypted(const struct psst_identity *identity)
{
    (void)identity;
    return true;
}

/* A pipe that must be ours alone now. */
static void take_fd(int fd)
{
    if (fd >= 0) FUZZ_CHECK(close(fd) == 0);
}

void psst_identity_unlock(struct psst_identity *identity, int passphrase_fd, psst_identity_done *done, void *ctx)
{
    (void)identity;
    take_fd(passphrase_fd);
    done(ctx, PSST_ERR_PASSPHRASE, "no");
}

void psst_identity_lock(struct psst_identity *identity, psst_identity_done *done, void *ctx)
{
    (void)identity;
    done(ctx, PSST_OK, NULL);
}

void psst_identity_init(struct psst_identity *identity, const char *name, unsigned bits, int import_fd,
                        int passphrase_fd, psst_key_progress *progress, psst_identity_done *done, void *ctx)
{
    struct psst_diag diag = {{0}};
    (void)identity;
    FUZZ_CHECK(psst_name_check(name, &diag) == PSST_OK && (import_fd >= 0 || (bits >= 1024 && bits <= 4096)));
    take_fd(import_fd);
    take_fd(passphrase_fd);
    progress(ctx, 7);
    done(ctx, PSST_OK, NULL);
}

void psst_identity_passwd(struct psst_identity *identity, int old_fd, int new_fd, psst_identity_done *done, void *ctx)
{
    (void)identity;
    take_fd(old_fd);
    take_fd(new_fd);
    done(ctx, PSST_OK, NULL);
}

const char *psst_presence_name(enum psst_presence presence)
{
    FUZZ_CHECK(presence <= PSST_PRESENCE_INVISIBLE);
    return "away";
}

bool psst_presence_find(const char *name, enum psst_presence *presence)
{
    *presence = strlen(name) == 6 ? PSST_PRESENCE_AS_ALL : PSST_PRESENCE_AWAY;
    return strlen(name) < 7;
}

json_t *psst_presence_own_json(const struct psst_daemon *d)
{
    (void)d;
    return json_object();
}

void psst_presence_add_json(json_t *object, const struct psst_contact *contact)
{
    FUZZ_CHECK(object != NULL && contact != NULL);
}

void psst_presence_set(struct psst_daemon *d, enum psst_presence presence, const char *text, psst_book_done *done,
                       void *ctx)
{
    (void)d;
    FUZZ_CHECK(presence != PSST_PRESENCE_AS_ALL && strlen(text) <= PSST_PRESENCE_TEXT_MAX);
    FUZZ_CHECK(psst_text_valid(psst_view_str(text)));
    done(ctx, PSST_OK, NULL);
}

void psst_presence_applied(struct psst_daemon *d, struct psst_contact *contact)
{
    FUZZ_CHECK(d != NULL && contact != NULL);
}

void psst_backup_make(struct psst_backup *backup, const char *path, int out_fd, int passphrase_fd,
                      psst_backup_done *done, void *ctx)
{
    const struct psst_backup_result result = {.bytes = 1};
    (void)backup;
    FUZZ_CHECK((path == NULL) == (out_fd >= 0) && (path == NULL || path[0] == '/') && passphrase_fd >= 0);
    take_fd(out_fd);
    take_fd(passphrase_fd);
    done(ctx, PSST_OK, "", &result);
}

void psst_backup_check(struct psst_backup *backup, const char *path, int passphrase_fd, psst_backup_done *done,
                       void *ctx)
{
    (void)backup;
    FUZZ_CHECK(path[0] == '/' && passphrase_fd >= 0);
    take_fd(passphrase_fd);
    done(ctx, PSST_ERR_PASSPHRASE, "no", NULL);
}

void psst_backup_restore(struct psst_backup *backup, const char *path, int passphrase_fd, psst_backup_done *done,
                         void *ctx)
{
    const struct psst_backup_result result = {
        .name = "Alice", .key = psst_rsa_private_public(fuzz_key_a()), .settings_words = "a sentence"};
    (void)backup;
    FUZZ_CHECK(path[0] == '/' && passphrase_fd >= 0);
    take_fd(passphrase_fd);
    done(ctx, PSST_OK, "", &result);
}

void psst_meet_propose(struct psst_meets *meets, struct psst_contact *contact, uint64_t time_ms, psst_meet_done *done,
                       void *ctx)
{
    (void)meets;
    FUZZ_CHECK(contact != NULL && time_ms > 0);
    done(ctx, time_ms < 100 ? PSST_ERR_FULL : PSST_OK, NULL, 1);
}

void psst_meet_cancel(struct psst_meets *meets, int64_t id, psst_meet_done *done, void *ctx)
{
    (void)meets;
    FUZZ_CHECK(id >= 1);
    done(ctx, PSST_ERR_NOT_FOUND, "there is no such meeting", id);
}

json_t *psst_meets_json(const struct psst_meets *meets, const struct psst_contact *contact)
{
    (void)meets;
    (void)contact;
    return json_array();
}

const char *psst_settings_get(const struct psst_settings *settings, const char *key)
{
    (void)settings;
    if (strcmp(key, "listen") == 0) return "[::]:4516";
    if (strncmp(key, "voice_", 6) == 0) return "5";
    if (strcmp(key, "microphone") == 0 || strcmp(key, "speaker") == 0) return "";
    if (strcmp(key, "echo") == 0 || strcmp(key, "clean") == 0) return "off";
    return strcmp(key, "download_dir") == 0 ? "/nowhere" : NULL;
}

enum psst_err psst_settings_set(struct psst_settings *settings, const char *key, const char *value,
                                struct psst_diag *diag)
{
    (void)settings;
    (void)value;
    (void)diag;
    FUZZ_CHECK(psst_settings_get(NULL, key) != NULL);
    return PSST_OK;
}

json_t *psst_settings_all(const struct psst_settings *settings)
{
    (void)settings;
    return json_object();
}

json_t *psst_peers_listening(const struct psst_peers *peers)
{
    (void)peers;
    return json_array();
}

json_t *psst_peers_sessions(const struct psst_peers *peers)
{
    (void)peers;
    return json_array();
}

void psst_peers_dial(struct psst_peers *peers, struct psst_contact *contact, const char *address, psst_dial_done *done,
                     void *ctx)
{
    (void)peers;
    FUZZ_CHECK(contact != NULL && (address == NULL || strlen(address) <= PSST_ADDRESS_MAX));
    if (n_deferred == DEFERRED) {
        done(ctx, 0, NULL, "127.0.0.1:4516");
        return;
    }
    deferred[n_deferred].done = done;
    deferred[n_deferred++].ctx = ctx;
}

void psst_peers_hangup(struct psst_peers *peers, struct psst_contact *contact, uint8_t bye_reason, const char *words)
{
    (void)peers;
    (void)bye_reason;
    FUZZ_CHECK(contact != NULL && words != NULL);
}

bool psst_reconnect_wanted(const struct psst_contact *contact)
{
    return contact->waiting > 0;
}

json_t *psst_reconnect_network(const struct psst_reconnect *reconnect)
{
    (void)reconnect;
    return json_null();
}

void psst_reconnect_hung_up(struct psst_daemon *daemon, struct psst_contact *contact)
{
    FUZZ_CHECK(daemon != NULL && contact != NULL);
}

/* ---- a user interface ---- */

static int write_ends[2] = {-1, -1}; /* of the pipes that were handed over */
static char home[] = "/tmp/psst-fuzz-XXXXXX";

static void quiet(void *ctx, enum psst_log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    (void)line;
}

static void clean_up(void)
{
    (void)unlink(daemon_played.paths.socket);
    (void)rmdir(daemon_played.paths.run_dir);
    (void)rmdir(home);
}

static void answer_deferred(void)
{
    static const int exit_codes[] = {0, 5, 6};
    for (size_t i = 0; i < n_deferred; i++) deferred[i].done(deferred[i].ctx, exit_codes[i % 3], "words", "[::1]:4516");
    n_deferred = 0;
}

static void make_control(struct psst_daemon *d)
{
    struct psst_diag diag = {{0}};
    FUZZ_CHECK(psst_control_new(&d->control, d, &diag) == PSST_OK);
}

/* After a shutdown the socket of who asked stays open to the end, so there has to be one. */
static void end_and_begin_again(struct psst_daemon *d)
{
    struct psst_control *control = d->control;
    psst_control_close(control);
    d->control = NULL;
    for (int turn = 0; turn < 3; turn++) (void)uv_run(d->loop, UV_RUN_NOWAIT);
    answer_deferred();
    psst_control_free(control);
    d->stopping = false;
    make_control(d);
}

static void begin(void)
{
    struct psst_daemon *d = &daemon_played;
    struct psst_diag diag = {{0}};
    fuzz_init();
    d->loop = uv_default_loop();
    FUZZ_CHECK(mkdtemp(home) != NULL);
    (void)setenv("PSST_HOME", home, 1);
    FUZZ_CHECK(psst_paths_get(&d->paths, &diag) == PSST_OK);
    psst_log_init(&d->log, quiet, NULL, PSST_LOG_ERROR);
    bob = (struct psst_contact){.id = 1, .alias = "Bob", .keep_history = true};
    bob.key = psst_rsa_public_ref((struct psst_rsa_public *)psst_rsa_private_public(fuzz_key_b()));
    eve = (struct psst_contact){.id = 2, .alias = "Eve", .key = bob.key, .blocked = true, .has_our_secret = true};
    make_control(d);
    (void)atexit(clean_up);
}

static int connect_ui(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)snprintf(to.sun_path, sizeof to.sun_path, "%.100s", daemon_played.paths.socket);
    FUZZ_CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    return fd;
}

/* Two pipes that hold a word each, on the first byte of what is written. */
static ssize_t write_with_fds(int fd, const uint8_t *data, size_t size)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    int pipes[2][2];
    for (int i = 0; i < 2; i++) {
        FUZZ_CHECK(pipe2(pipes[i], O_CLOEXEC) == 0);
        FUZZ_CHECK(write(pipes[i][1], "word", 4) == 4);
        write_ends[i] = pipes[i][1];
    }
    int fds[2] = {pipes[0][0], pipes[1][0]};
    struct iovec iov = {(void *)(uintptr_t)data, size};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(c), fds, sizeof fds);
    ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL);
    psst_fds_close(fds, 2);
    return n;
}

/* Everything that has come back is JSON-RPC; true at its end. */
static bool read_back(struct psst_lines *lines)
{
    while (psst_lines_read(lines) == PSST_OK) {
        struct psst_view line;
        enum psst_err err;
        while ((err = psst_lines_next(lines, &line)) == PSST_OK) {
            struct psst_rpc rpc;
            FUZZ_CHECK(psst_rpc_parse(&rpc, line) == PSST_OK && rpc.kind != PSST_RPC_REQUEST);
            psst_rpc_fini(&rpc);
        }
        FUZZ_CHECK(err == PSST_ERR_AGAIN);
        if (lines->ended) return true;
    }
    return false;
}

/* Nobody reads the pipes any more: every copy of their other ends was closed. */
static void check_pipes(void)
{
    for (int i = 0; i < 2; i++) {
        struct pollfd p = {.fd = write_ends[i], .events = 0};
        if (write_ends[i] < 0) continue;
        FUZZ_CHECK(poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0);
        (void)close(write_ends[i]);
        write_ends[i] = -1;
    }
}

static void converse(uint8_t how, const uint8_t *data, size_t size)
{
    struct psst_lines lines;
    size_t at = 0;
    bool shut = false, gone = false;
    psst_lines_init(&lines, connect_ui());
    for (int turn = 0; turn < TURNS && !gone; turn++) {
        size_t piece = (how & IN_PIECES) != 0 && size - at > 7 ? (size - at) / 3 : size - at;
        if (at < size) {
            ssize_t n = at == 0 && (how & WITH_FDS) != 0 ? write_with_fds(lines.fd, data, piece)
                                                         : send(lines.fd, data + at, piece, MSG_NOSIGNAL);
            if (n > 0) at += (size_t)n;
            if (n < 0 && errno != EAGAIN) at = size; /* thrown out */
        } else if ((how & DIES_EARLY) != 0) {
            break;
        } else if (!shut) {
            (void)shutdown(lines.fd, SHUT_WR);
            shut = true;
        }
        (void)uv_run(daemon_played.loop, UV_RUN_NOWAIT);
        if (turn == 20) state = PSST_IDENTITY_UNLOCKED; /* OPENING does not last */
        if (shut) answer_deferred();
        if ((how & DIES_EARLY) == 0) gone = read_back(&lines);
        if (shut && !gone && turn > 20) (void)poll(NULL, 0, 1);
    }
    FUZZ_CHECK(gone || daemon_played.stopping || (how & DIES_EARLY) != 0);
    psst_lines_fini(&lines);
    for (int turn = 0; turn < 4; turn++) {
        (void)uv_run(daemon_played.loop, UV_RUN_NOWAIT);
        answer_deferred(); /* after who asked has died */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (daemon_played.control == NULL) begin();
    if (size == 0) return 0;
    state = (enum psst_identity_state)(data[0] & STATE_BITS);
    converse(data[0], data + 1, size - 1);
    state = PSST_IDENTITY_UNLOCKED;
    /* what was held while the identity opened runs after 20 ms, also when who asked is gone */
    if ((data[0] & (STATE_BITS | DIES_EARLY)) == (PSST_IDENTITY_OPENING | DIES_EARLY))
        for (uint64_t over = uv_now(daemon_played.loop) + 25; uv_now(daemon_played.loop) < over;)
            (void)uv_run(daemon_played.loop, UV_RUN_NOWAIT);
    for (int turn = 0; turn < 3; turn++) (void)uv_run(daemon_played.loop, UV_RUN_NOWAIT);
    answer_deferred();
    if (daemon_played.stopping) end_and_begin_again(&daemon_played);
    check_pipes();
    return 0;
}
