/* Folders as the ends of a transfer, with the real psst-tar. */
#include "folder.h"

#include "crypto/crypto.h"
#include "daemon/tar/tree.h"
#include "daemon/transfers/folder_child.h"
#include "daemon/transfers/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES 40
#define BYTES 100000 /* of each */

static const struct psst_msg_id id = {.b = {0xcd, 9}};
#define HIDDEN ".psst-cd090000000000000000000000000000.d"
#define PART   ".psst-cd090000000000000000000000000000.part"

struct bench {
    struct folder folder; /* from/ and to/ in it */
    uv_loop_t loop;
    struct psst_workers *workers;
    char from[256], to[256];
    const char *program;
    struct psst_folder_report report;
    uint8_t *tar; /* what the source gave */
    size_t len;
    struct psst_hash hash;
    enum psst_err err; /* of the source, or of finish */
    bool opened, failed, whole, done, closed;
    char path[512], sentence[256];
};

static struct bench *b;

static int setup(void **state)
{
    b = calloc(1, sizeof *b);
    if (b == NULL || uv_loop_init(&b->loop) != 0) return -1;
    if (psst_workers_new(&b->workers, &b->loop) != PSST_OK) return -1;
    folder_init(&b->folder);
    b->program = getenv("PSST_TAR_PROGRAM");
    assert_non_null(b->program);
    (void)snprintf(b->from, sizeof b->from, "%s", folder_file(&b->folder, "from"));
    (void)snprintf(b->to, sizeof b->to, "%s", folder_file(&b->folder, "to"));
    assert_int_equal(0, mkdir(b->from, 0700));
    assert_int_equal(0, mkdir(b->to, 0700));
    static uint8_t content[BYTES];
    for (unsigned i = 0; i < FILES; i++) {
        char name[32];
        memset(content, (int)i, sizeof content);
        (void)snprintf(name, sizeof name, "from/%02u", i);
        folder_put(&b->folder, name, content, sizeof content);
    }
    struct psst_diag diag = {{0}};
    assert_ok(psst_folder_measure(b->program, b->from, &b->report, &diag));
    *state = b;
    return 0;
}

static void empty(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_ok(psst_tree_empty(fd));
    (void)close(fd);
}

static int teardown(void **state)
{
    (void)state;
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    psst_workers_free(b->workers);
    int rc = uv_loop_close(&b->loop);
    empty(b->folder.path);
    folder_fini(&b->folder);
    free(b->tar);
    free(b);
    /* nothing that was started is left behind, not even as a zombie */
    for (int i = 0; i < 1000 && waitid(P_ALL, 0, NULL, WEXITED | WNOHANG | WNOWAIT) == 0; i++) {
        psst_folder_reap();
        (void)usleep(10000);
    }
    assert_int_equal(-1, waitid(P_ALL, 0, NULL, WEXITED | WNOHANG | WNOWAIT));
    assert_int_equal(ECHILD, errno);
    return rc;
}

static bool has(const char *name)
{
    char path[512];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/%s", b->to, name);
    return lstat(path, &st) == 0;
}

/* ---- out ---- */

static void on_ready(void *ctx, enum psst_err err, const struct psst_diag *diag)
{
    assert_ptr_equal(ctx, b);
    b->err = err;
    (void)snprintf(b->sentence, sizeof b->sentence, "%s", diag->text);
}

static struct psst_file_source *source(uint64_t stamp, uint64_t start)
{
    const struct psst_source_id offered = {.size = b->report.facts.size, .inode = stamp};
    struct psst_origin *origin;
    struct psst_file_source *s;
    assert_ok(psst_origin_of_folder(&origin, b->program, b->from, &offered));
    assert_ok(psst_file_source_new(&s, b->workers, origin, offered.size, start, on_ready, b));
    return s;
}

/* All that comes, in records, as transfers/out.c takes it: a full one, or what there is when no more comes by itself. */
static void take_all(struct psst_file_source *s)
{
    size_t most = (size_t)b->report.facts.size;
    b->tar = malloc(most);
    assert_non_null(b->tar);
    while (b->err == PSST_OK && !psst_file_source_end(s)) {
        size_t available = psst_file_source_available(s);
        bool enough = available >= 65473 || psst_file_source_complete(s) || psst_file_source_full(s);
        if (available > 0 && enough) {
            b->len += psst_file_source_take(s, b->tar + b->len, 65473);
            continue;
        }
        bool more = uv_run(&b->loop, UV_RUN_ONCE) != 0; /* false: nothing is under way any more */
        assert_true(more || b->err != PSST_OK || psst_file_source_complete(s) ||
                    psst_file_source_available(s) > available);
    }
}

static void received(void)
{
    struct psst_file_source *s = source(b->report.facts.stamp, 0);
    take_all(s);
    assert_ok(b->err);
    assert_int_equal(b->report.facts.size, b->len);
    assert_ok(psst_file_source_hash(s, &b->hash));
    psst_file_source_close(s);
}

static void source__gives__the_whole_stream_and_any_end_of_it(void **state)
{
    (void)state;
    received();
    uint8_t *whole = b->tar;
    size_t len = b->len;
    struct psst_hash hash = b->hash, again;
    b->len = 0;
    struct psst_file_source *s = source(b->report.facts.stamp, 1234567);
    take_all(s);
    assert_ok(b->err);
    assert_int_equal(len - 1234567, b->len);
    assert_memory_equal(whole + 1234567, b->tar, b->len);
    assert_ok(psst_file_source_hash(s, &again));
    assert_memory_equal(hash.b, again.b, sizeof hash.b);
    psst_file_source_close(s);
    free(whole);
}

static void source__of_a_folder_that_changed__says_so(void **state)
{
    (void)state;
    struct psst_file_source *s = source(b->report.facts.stamp + 1, 0);
    take_all(s);
    assert_err(PSST_ERR_NOT_FOUND, b->err);
    assert_string_equal("The folder has changed since it was offered.", b->sentence);
    psst_file_source_close(s);
}

static void source__closed_in_the_middle__leaves_nothing_behind(void **state)
{
    (void)state;
    struct psst_file_source *s = source(b->report.facts.stamp, 0);
    while (psst_file_source_available(s) == 0) (void)uv_run(&b->loop, UV_RUN_ONCE);
    psst_file_source_close(s);
    psst_file_source_close(source(b->report.facts.stamp, 0)); /* and before it has begun */
}

static void source__without_psst_tar_or_folder__says_so(void **state)
{
    (void)state;
    const char *program = b->program;
    struct psst_diag diag = {{0}};
    b->program = "";
    struct psst_file_source *s = source(b->report.facts.stamp, 0);
    take_all(s);
    assert_err(PSST_ERR_IO, b->err);
    assert_non_null(strstr(b->sentence, "psst-tar, which packs folders, is missing"));
    psst_file_source_close(s);
    assert_err(PSST_ERR_IO, psst_folder_measure("/nonexistent/psst-tar", b->from, &b->report, &diag));
    assert_non_null(strstr(diag.text, "cannot be started"));
    diag.text[0] = '\0';
    assert_err(PSST_ERR_NOT_FOUND, psst_folder_measure(program, "/nonexistent", &b->report, &diag));
    assert_string_equal("Cannot open the folder /nonexistent: No such file or directory.", diag.text);
}

/* ---- in ---- */

static void on_sink(void *ctx, enum psst_file_sink_state state, enum psst_err err, const struct psst_diag *diag)
{
    assert_ptr_equal(ctx, b);
    if (state == PSST_SINK_OPENED) b->opened = true;
    if (state == PSST_SINK_WHOLE) b->whole = true;
    if (state != PSST_SINK_FAILED) return;
    b->failed = true;
    b->err = err;
    (void)snprintf(b->sentence, sizeof b->sentence, "%s", diag->text);
}

static void on_done(void *ctx, enum psst_err err, const char *path, const struct psst_diag *diag)
{
    assert_ptr_equal(ctx, b);
    b->done = true;
    b->err = err;
    (void)snprintf(b->path, sizeof b->path, "%s", path);
    (void)snprintf(b->sentence, sizeof b->sentence, "%s", diag->text);
}

static void on_closed(void *ctx, uint64_t safe)
{
    assert_ptr_equal(ctx, b);
    (void)safe;
    b->closed = true;
}

static struct psst_file_sink *sink(uint64_t size, uint64_t start, uint64_t inode)
{
    struct psst_target *target;
    struct psst_file_sink *s;
    b->opened = b->done = b->closed = b->failed = false;
    assert_ok(psst_target_of_folder(&target, b->program, b->to, psst_view_str("photos"), false, &id, inode));
    assert_ok(psst_file_sink_new(&s, b->workers, target, size, start, on_sink, b));
    while (!b->opened && !b->whole && !b->failed) (void)uv_run(&b->loop, UV_RUN_ONCE);
    return s;
}

static void put(struct psst_file_sink *s, size_t from, size_t to)
{
    while (from < to) {
        size_t n = to - from < 65473 ? to - from : 65473;
        enum psst_err err = psst_file_sink_put(s, psst_view(b->tar + from, n));
        if (err == PSST_OK)
            from += n;
        else
            assert_err(PSST_ERR_FULL, err);
        if (psst_file_sink_full(s)) (void)uv_run(&b->loop, UV_RUN_ONCE);
    }
}

static void finish(struct psst_file_sink *s)
{
    psst_file_sink_finish(s, b->len, &b->hash, on_done, b);
    while (!b->done) assert_true(uv_run(&b->loop, UV_RUN_ONCE) != 0 || b->done);
}

static void assert_unpacked(const char *name)
{
    char file[64];
    static uint8_t want[BYTES];
    for (unsigned i = 0; i < FILES; i++) {
        memset(want, (int)i, sizeof want);
        (void)snprintf(file, sizeof file, "to/%s/%02u", name, i);
        folder_assert_is(&b->folder, file, want, sizeof want);
    }
    assert_false(has(HIDDEN));
    assert_false(has(PART));
}

static void sink__of_a_folder__becomes_it(void **state)
{
    (void)state;
    received();
    struct psst_file_sink *s = sink(b->len, 0, 0);
    assert_true(has(HIDDEN) && has(PART));
    put(s, 0, b->len);
    finish(s);
    assert_ok(b->err);
    assert_string_equal("", b->sentence);
    assert_non_null(strstr(b->path, "/to/photos"));
    assert_unpacked("photos");
    s = sink(b->len, 0, 0); /* once more: another name */
    put(s, 0, b->len);
    finish(s);
    assert_ok(b->err);
    assert_non_null(strstr(b->path, "/to/photos (2)"));
    assert_unpacked("photos (2)");
}

static void sink__taken_up_again__goes_on_and_knows_what_was_whole(void **state)
{
    (void)state;
    received();
    struct psst_file_sink *s = sink(b->len, 0, 0);
    uint64_t inode = psst_file_sink_inode(s);
    assert_true(inode != 0);
    put(s, 0, 1000000);
    psst_file_sink_close(s, true, on_closed, b);
    while (!b->closed) (void)uv_run(&b->loop, UV_RUN_ONCE);
    assert_true(has(HIDDEN) && has(PART));

    s = sink(b->len, 1000000, inode);
    assert_int_equal(1000000, psst_file_sink_position(s));
    assert_int_equal(inode, psst_file_sink_inode(s));
    put(s, 1000000, b->len);
    /* as a psstd that was killed in the middle of unpacking leaves it */
    assert_int_equal(0, mkdir(folder_file(&b->folder, "to/" HIDDEN "/05"), 0700));
    folder_put(&b->folder, "to/" HIDDEN "/99", "x", 1);
    finish(s);
    assert_ok(b->err);
    assert_unpacked("photos");
    assert_false(has("photos/99"));

    folder_put(&b->folder, "to/" PART, "x", 1); /* killed before the part was removed */
    s = sink(b->len, b->len, inode);
    assert_true(b->whole);
    assert_non_null(strstr(psst_file_sink_whole(s), "/to/photos"));
    psst_file_sink_close(s, true, on_closed, b);
    while (!b->closed) (void)uv_run(&b->loop, UV_RUN_ONCE);
    assert_unpacked("photos");
}

static void sink__closed_while_it_unpacks__keeps_the_part(void **state)
{
    (void)state;
    received();
    struct psst_file_sink *s = sink(b->len, 0, 0);
    put(s, 0, b->len);
    psst_file_sink_finish(s, b->len, &b->hash, on_done, b);
    (void)uv_run(&b->loop, UV_RUN_NOWAIT);
    psst_file_sink_close(s, true, on_closed, b);
    while (!b->closed) (void)uv_run(&b->loop, UV_RUN_ONCE);
    assert_false(b->done);
    if (has("photos")) return; /* the worker was quicker */
    assert_true(has(PART) && has(HIDDEN));
    s = sink(b->len, b->len, 0);
    finish(s);
    assert_ok(b->err);
    assert_unpacked("photos");
}

static void sink__refused_or_given_up__leaves_nothing(void **state)
{
    (void)state;
    received();
    struct psst_file_sink *s = sink(b->len, 0, 0);
    memset(b->tar + b->len - 1, 1, 1); /* behind its end */
    struct psst_view view = psst_view(b->tar, b->len);
    assert_ok(psst_sha256(&b->hash, &view, 1));
    put(s, 0, b->len);
    finish(s);
    assert_err(PSST_ERR_MALFORMED, b->err);
    assert_non_null(strstr(b->sentence, "What came is damaged behind \"39\"."));
    assert_false(has("photos") || has(PART) || has(HIDDEN));

    s = sink(b->len, 0, 0);
    put(s, 0, 1000000);
    psst_file_sink_close(s, false, on_closed, b);
    while (!b->closed) (void)uv_run(&b->loop, UV_RUN_ONCE);
    assert_false(has("photos") || has(PART) || has(HIDDEN));
}

static void sink__with_a_link_at_the_hidden_name__is_refused(void **state)
{
    (void)state;
    assert_int_equal(0, symlink(b->from, folder_file(&b->folder, "to/" HIDDEN)));
    struct psst_file_sink *s = sink(1024, 0, 0);
    assert_true(b->failed);
    psst_file_sink_close(s, false, on_closed, b);
    while (!b->closed) (void)uv_run(&b->loop, UV_RUN_ONCE);
    assert_true(folder_has(&b->folder, "from/00"));
    psst_folder_remove(b->to, &id, 0); /* not through it either */
    assert_true(folder_has(&b->folder, "from/00"));
}

/* Data comes only when the store knows the hidden folder by its inode: one that it does not know is somebody's, if it is not empty. */
static void sink__with_a_folder_of_somebody_at_the_hidden_name__leaves_it(void **state)
{
    (void)state;
    assert_int_equal(0, mkdir(folder_file(&b->folder, "to/" HIDDEN), 0700));
    folder_put(&b->folder, "to/" HIDDEN "/kept", "x", 1);
    struct psst_file_sink *s = sink(1024, 0, 0);
    assert_true(b->failed);
    assert_err(PSST_ERR_EXISTS, b->err);
    psst_file_sink_close(s, false, on_closed, b);
    while (!b->closed) (void)uv_run(&b->loop, UV_RUN_ONCE);
    struct stat st;
    assert_int_equal(0, stat(folder_file(&b->folder, "to/" HIDDEN), &st));
    psst_folder_remove(b->to, &id, (uint64_t)st.st_ino + 1);
    folder_assert_is(&b->folder, "to/" HIDDEN "/kept", "x", 1);
    psst_folder_remove(b->to, &id, st.st_ino); /* the one that was noted goes */
    assert_false(has(HIDDEN));
}

/* A psst-tar of an earlier psstd, which waits for its disk. */
static void sink__while_another_one_works_there__is_told_to_wait(void **state)
{
    (void)state;
    struct psst_file_sink *s = sink(1024, 0, 0);
    psst_file_sink_close(s, true, on_closed, b);
    while (!b->closed) (void)uv_run(&b->loop, UV_RUN_ONCE);
    int other = open(folder_file(&b->folder, "to/" HIDDEN), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(other >= 0);
    assert_int_equal(0, flock(other, LOCK_EX));
    s = sink(1024, 0, 0);
    assert_true(b->failed);
    assert_err(PSST_ERR_AGAIN, b->err);
    psst_file_sink_close(s, true, on_closed, b);
    while (!b->closed) (void)uv_run(&b->loop, UV_RUN_ONCE);
    assert_true(has(HIDDEN) && has(PART));
    (void)close(other);
    s = sink(1024, 0, 0);
    assert_true(b->opened);
    psst_file_sink_close(s, false, on_closed, b);
    while (!b->closed) (void)uv_run(&b->loop, UV_RUN_ONCE);
}

static void sink__of_more_than_there_is_room__is_refused_at_once(void **state)
{
    (void)state;
    struct psst_file_sink *s = sink(UINT64_C(1) << 50, 0, 0);
    assert_true(b->failed);
    assert_err(PSST_ERR_DISK_FULL, b->err);
    assert_non_null(strstr(b->sentence, "it is needed twice, packed and unpacked"));
    psst_file_sink_close(s, false, on_closed, b);
    while (!b->closed) (void)uv_run(&b->loop, UV_RUN_ONCE);
    assert_false(has(PART) || has(HIDDEN));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    if (psst_crypto_init(0) != PSST_OK) return 1;
    const struct CMUnitTest tests[] = {
        T(source__gives__the_whole_stream_and_any_end_of_it),
        T(source__of_a_folder_that_changed__says_so),
        T(source__closed_in_the_middle__leaves_nothing_behind),
        T(source__without_psst_tar_or_folder__says_so),
        T(sink__of_a_folder__becomes_it),
        T(sink__taken_up_again__goes_on_and_knows_what_was_whole),
        T(sink__closed_while_it_unpacks__keeps_the_part),
        T(sink__refused_or_given_up__leaves_nothing),
        T(sink__with_a_link_at_the_hidden_name__is_refused),
        T(sink__with_a_folder_of_somebody_at_the_hidden_name__leaves_it),
        T(sink__while_another_one_works_there__is_told_to_wait),
        T(sink__of_more_than_there_is_room__is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
