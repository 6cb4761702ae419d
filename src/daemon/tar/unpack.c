/* An archive, onto the disk in two processes: a child reads what a stranger made, with nothing but its descriptor and a pipe;
 * what it says comes back in a form too simple to hide anything in, and is believed in nothing.
 *
 *   child: psst_tar_read -> entry, entry, ... end -> pipe -> plan -> (all is well) -> write
 */
#include "daemon/tar/sandbox.h"
#include "daemon/tar/tar.h"
#include "daemon/tar/tree.h"

#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENTRY      1 /* u8 folder, u64 size, u64 offset, u64 mtime, u16 length of the path, the path */
#define END        2 /* u8 error, u16 length of the sentence, the sentence */
#define ENTRY_HEAD 28
#define END_HEAD   4
#define RECORD_MAX (ENTRY_HEAD + PSST_TAR_PATH_MAX)
#define PIECE      ((size_t)65536)

#define CPU_SECONDS  60
#define MEMORY_BYTES ((rlim_t)256 * 1024 * 1024)

/* ---- in the child ---- */

struct teller {
    int fd;
    struct psst_buf buf;
};

static enum psst_err flush(struct teller *t)
{
    size_t done = 0;
    while (!t->buf.failed && done < t->buf.len) {
        ssize_t n = write(t->fd, t->buf.data + done, t->buf.len - done);
        if (n < 0 && errno != EINTR) return PSST_ERR_EXPIRED;
        if (n > 0) done += (size_t)n;
    }
    psst_buf_consume(&t->buf, done);
    return t->buf.failed ? PSST_ERR_MEMORY : PSST_OK;
}

static enum psst_err tell_entry(void *ctx, const struct psst_tar_item *item, struct psst_diag *diag)
{
    struct teller *t = ctx;
    if (item->path.len > PSST_TAR_PATH_MAX)
        return psst_fail(diag, PSST_ERR_MALFORMED, "What came is refused: %s has a path that is too long.",
                         psst_tar_shown(item->path));
    psst_buf_put_u8(&t->buf, ENTRY);
    psst_buf_put_u8(&t->buf, item->folder);
    psst_buf_put_u64(&t->buf, item->size);
    psst_buf_put_u64(&t->buf, item->offset);
    psst_buf_put_u64(&t->buf, (uint64_t)item->mtime_s);
    psst_buf_put_u16(&t->buf, (uint16_t)item->path.len);
    psst_buf_put_view(&t->buf, item->path);
    return t->buf.len < PIECE - RECORD_MAX ? PSST_OK : flush(t);
}

/* Whatever is in the archive: no more than this is spent on reading it. */
static void limit_child(void)
{
    const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS}, file = {0, 0};
    (void)setrlimit(RLIMIT_CPU, &cpu);
    (void)setrlimit(RLIMIT_FSIZE, &file);
#ifndef PSST_SANITIZED
    const struct rlimit memory = {MEMORY_BYTES, MEMORY_BYTES};
    (void)setrlimit(RLIMIT_AS, &memory);
#endif
}

_Noreturn static void read_in_child(int archive_fd, uint64_t size, int pipe_fd)
{
    struct teller t = {.fd = pipe_fd};
    struct psst_diag diag = {{0}};
    psst_buf_init(&t.buf, PIECE);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    limit_child();
    enum psst_err err = psst_tar_sandbox(PSST_TAR_MAY_READ);
    if (err == PSST_OK) err = psst_tar_read(archive_fd, size, tell_entry, &t, &diag);
    psst_buf_put_u8(&t.buf, END);
    psst_buf_put_u8(&t.buf, (uint8_t)err);
    psst_buf_put_u16(&t.buf, (uint16_t)strlen(diag.text));
    psst_buf_put_str(&t.buf, diag.text);
    _exit(flush(&t) == PSST_OK ? PSST_TAR_DONE : PSST_TAR_FAILED);
}

/* ---- in the parent ---- */

struct listener {
    struct psst_buf buf;
    struct psst_tar_plan *plan;
    bool ended;
};

static enum psst_err take_end(struct listener *l, struct psst_reader r, struct psst_diag *diag)
{
    uint8_t err = psst_read_u8(&r);
    struct psst_view words = psst_read_view(&r, psst_read_u16(&r));
    if (!psst_reader_end(&r)) return PSST_ERR_INTERNAL;
    l->ended = true;
    if (err == PSST_OK) return PSST_OK;
    bool known = err == PSST_ERR_MALFORMED || err == PSST_ERR_MEMORY || err == PSST_ERR_IO;
    struct psst_buf shown; /* it was rendered over there, but it comes from over there */
    psst_buf_init(&shown, 4 * sizeof diag->text);
    psst_text_render(&shown, words, PSST_RENDER_LINE, sizeof diag->text);
    enum psst_err result = psst_fail(diag, known ? (enum psst_err)err : PSST_ERR_INTERNAL, "%.*s", (int)shown.len,
                                     shown.len > 0 ? (const char *)shown.data : "");
    psst_buf_fini(&shown);
    return result;
}

/* Takes one record off the front. PSST_ERR_AGAIN: it is not all there yet. */
static enum psst_err take_record(struct listener *l, struct psst_diag *diag)
{
    struct psst_reader r = psst_reader(psst_buf_view(&l->buf));
    uint8_t kind = psst_read_u8(&r);
    if (l->ended) return PSST_ERR_INTERNAL;
    if (kind == END) {
        if (l->buf.len < END_HEAD || l->buf.len < END_HEAD + (size_t)psst_load_u16(l->buf.data + 2))
            return PSST_ERR_AGAIN;
        enum psst_err err = take_end(l, r, diag);
        psst_buf_consume(&l->buf, l->buf.len);
        return err;
    }
    struct psst_tar_item item = {.folder = psst_read_u8(&r) != 0};
    item.size = psst_read_u64(&r);
    item.offset = psst_read_u64(&r);
    item.mtime_s = (int64_t)psst_read_u64(&r);
    size_t len = psst_read_u16(&r);
    if (kind != ENTRY || len > PSST_TAR_PATH_MAX) return PSST_ERR_INTERNAL;
    item.path = psst_read_view(&r, len);
    if (r.failed) return PSST_ERR_AGAIN;
    enum psst_err err = psst_tar_plan_add(l->plan, &item, diag);
    psst_buf_consume(&l->buf, ENTRY_HEAD + len);
    return err;
}

static enum psst_err take_all(struct listener *l, struct psst_diag *diag)
{
    while (l->buf.len > 0) {
        enum psst_err err = take_record(l, diag);
        if (err == PSST_ERR_AGAIN) return PSST_OK;
        if (err != PSST_OK) return err;
    }
    return PSST_OK;
}

enum psst_err psst_tar_listen(int fd, struct psst_tar_plan *plan, struct psst_diag *diag)
{
    struct listener l = {.plan = plan};
    const int line = psst_tar_line();
    enum psst_err err = PSST_OK;
    psst_buf_init(&l.buf, PIECE + RECORD_MAX);
    while (err == PSST_OK) {
        struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = line}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR) err = PSST_ERR_IO;
        if (err == PSST_OK) err = psst_tar_alive();
        if (err != PSST_OK || (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
        err = psst_buf_reserve(&l.buf, PIECE);
        if (err != PSST_OK) break;
        ssize_t n = read(fd, l.buf.data + l.buf.len, PIECE);
        if (n == 0) break;
        if (n < 0 && errno != EINTR) err = PSST_ERR_IO;
        if (n > 0) l.buf.len += (size_t)n;
        if (err == PSST_OK) err = take_all(&l, diag);
    }
    bool ended = l.ended && l.buf.len == 0;
    psst_buf_fini(&l.buf);
    if (err == PSST_ERR_INTERNAL || (err == PSST_OK && !ended))
        return psst_fail(diag, PSST_ERR_MALFORMED, "What came is refused: reading it goes wrong.");
    return err;
}

static enum psst_err read_plan(int archive_fd, uint64_t size, struct psst_tar_plan *plan, struct psst_diag *diag)
{
    int ends[2];
    if (pipe(ends) != 0) return PSST_ERR_IO;
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        (void)close(STDOUT_FILENO);
        read_in_child(archive_fd, size, ends[1]);
    }
    (void)close(ends[1]);
    enum psst_err err = child < 0 ? PSST_ERR_IO : psst_tar_sandbox(PSST_TAR_MAY_WRITE);
    if (err == PSST_OK) err = psst_tar_listen(ends[0], plan, diag);
    (void)close(ends[0]); /* whoever still writes ends by that */
    if (child > 0)
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    return err;
}

enum psst_err psst_tar_unpack(int archive_fd, int dir_fd, struct psst_tar_facts *facts, struct psst_diag *diag)
{
    struct stat st;
    struct psst_tar_plan plan;
    if (fstat(archive_fd, &st) != 0 || !S_ISREG(st.st_mode))
        return psst_fail(diag, PSST_ERR_USAGE, "An archive is read from a file.");
    psst_tar_plan_init(&plan, (uint64_t)st.st_size);
    enum psst_err err = read_plan(archive_fd, (uint64_t)st.st_size, &plan, diag);
    if (err == PSST_OK) {
        err = psst_tar_write(&plan, archive_fd, dir_fd, diag);
        if (err != PSST_OK) (void)!psst_tree_empty(dir_fd); /* gives its room back */
    }
    *facts = (struct psst_tar_facts){.size = plan.archive_size,
                                     .bytes = plan.bytes,
                                     .files = plan.files,
                                     .folders = plan.folders,
                                     .renamed = plan.renamed};
    psst_tar_plan_fini(&plan);
    return err;
}
