/* Files as the ends of a transfer (transfers/ends.h): a file of ours on its way out, a part file on its way in. */
#include "daemon/transfers/ends.h"

#include "daemon/safe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- out ---- */

/* What the kernel reads ahead by itself may be 16 MiB in one call, where disks are set up for it. That holds a processor for
 * as long as 80 ms, and a message that comes meanwhile waits: so it is told what to read ahead, and how much. */
#define AHEAD ((uint64_t)1 << 20)

struct file_origin {
    struct psst_origin origin; /* first */
    struct psst_outgoing file;
    struct psst_source_id id;
    uint64_t at, asked; /* read; and what the kernel was told to have ready */
    char path[];
};

static enum psst_err changed(const struct file_origin *f, const char *since, struct psst_diag *diag)
{
    return psst_fail(diag, PSST_ERR_NOT_FOUND, "%.200s has changed %s.", f->path, since);
}

static bool is_what_was_offered(const struct file_origin *f)
{
    if (f->id.mtime_ns == 0) return f->file.size >= f->id.size; /* offered by a psst that did not look */
    bool same_inode = f->id.inode == 0 || f->file.inode == 0 || f->id.inode == f->file.inode;
    return same_inode && f->file.size == f->id.size && f->file.mtime_ns == f->id.mtime_ns;
}

static enum psst_err file_open(struct psst_origin *o, struct psst_diag *diag)
{
    struct file_origin *f = (struct file_origin *)o;
    enum psst_err err = psst_outgoing_open(&f->file, f->path, diag);
    if (err != PSST_OK) return err;
    if (!is_what_was_offered(f)) return changed(f, "since it was offered", diag);
    (void)posix_fadvise(f->file.fd, 0, 0, POSIX_FADV_RANDOM);
    return PSST_OK;
}

/* So that the disk is at it while these bytes are hashed and sent. */
static void read_ahead(struct file_origin *f, size_t len)
{
    for (; f->asked < f->at + len + AHEAD && f->asked < f->id.size; f->asked += AHEAD)
        (void)posix_fadvise(f->file.fd, (off_t)f->asked, (off_t)AHEAD, POSIX_FADV_WILLNEED);
}

static enum psst_err file_read(struct psst_origin *o, uint8_t *into, size_t len, size_t *n, struct psst_diag *diag)
{
    struct file_origin *f = (struct file_origin *)o;
    uint64_t left = f->id.size - f->at;
    size_t most = left < len ? (size_t)left : len, got = 0;
    read_ahead(f, most);
    while (got < most) {
        ssize_t rc = pread(f->file.fd, into + got, most - got, (off_t)(f->at + got));
        if (rc < 0 && errno == EINTR) continue;
        if (rc < 0) return psst_fail(diag, PSST_ERR_IO, "Cannot read %.160s: %s.", f->path, strerror(errno));
        if (rc == 0) return changed(f, "while it was being sent", diag);
        got += (size_t)rc;
    }
    f->at += got;
    *n = got;
    return PSST_OK;
}

static enum psst_err file_check(struct psst_origin *o, struct psst_diag *diag)
{
    struct file_origin *f = (struct file_origin *)o;
    return psst_outgoing_changed(&f->file, f->id.size) ? changed(f, "while it was being sent", diag) : PSST_OK;
}

static void file_free(struct psst_origin *o)
{
    struct file_origin *f = (struct file_origin *)o;
    if (f->file.fd >= 0) (void)close(f->file.fd);
    free(f);
}

enum psst_err psst_origin_of_file(struct psst_origin **out, const char *path, const struct psst_source_id *id)
{
    static const struct psst_origin_ops ops = {file_open, file_read, file_check, file_free};
    size_t size = strlen(path) + 1;
    struct file_origin *f = calloc(1, sizeof *f + size);
    if (f == NULL) return PSST_ERR_MEMORY;
    f->origin = (struct psst_origin){&ops, -1};
    f->file.fd = -1;
    f->id = *id;
    memcpy(f->path, path, size);
    *out = &f->origin;
    return PSST_OK;
}

/* ---- in ---- */

struct part_target {
    struct psst_target target; /* first */
    struct psst_incoming in;
    struct psst_msg_id id;
    uint64_t inode; /* of an earlier run's part file */
    uint64_t written;
    bool exact;
    char name[PSST_SAFE_NAME_SIZE];
    char dir[];
};

static enum psst_err io_error(const struct part_target *p, const char *what, struct psst_diag *diag)
{
    int e = errno;
    return psst_fail(diag, psst_file_err(e), "%s %s: %s.", what, p->name, strerror(e));
}

/* A wish for more than there is room for is refused now, not after an hour. */
static enum psst_err check_room(const struct part_target *p, uint64_t need, struct psst_diag *diag)
{
    struct statvfs fs;
    if (need == 0 || fstatvfs(p->in.fd, &fs) != 0) return PSST_OK;
    uint64_t frag = fs.f_frsize == 0 ? 1 : fs.f_frsize;
    if (need / frag < fs.f_bavail) return PSST_OK;
    return psst_fail(diag, PSST_ERR_DISK_FULL, "There is no room for %s in %s.", p->name, p->dir);
}

static char *join(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);
    if (path == NULL) return NULL;
    const char *slash = dir[0] != '\0' && dir[strlen(dir) - 1] == '/' ? "" : "/";
    (void)snprintf(path, size, "%s%s%s", dir, slash, name);
    return path;
}

static enum psst_err part_open(struct psst_target *t, struct psst_target_open *open, struct psst_diag *diag)
{
    struct part_target *p = (struct part_target *)t;
    const struct psst_incoming_wish wish = {p->dir, psst_view_str(p->name), p->exact, &p->id, p->inode, open->size};
    enum psst_err err = psst_incoming_open(&p->in, &wish, diag);
    if (err == PSST_ERR_EXISTS) { /* it has its name already: psstd ended before that was noted */
        open->whole = join(p->dir, p->in.name);
        return open->whole != NULL ? PSST_OK : PSST_ERR_MEMORY;
    }
    if (err != PSST_OK) return err;
    if (p->in.size < open->start) open->start = p->in.size;
    if (open->size < open->start) open->start = open->size;
    if (ftruncate(p->in.fd, (off_t)open->start) != 0) return io_error(p, "Cannot write", diag);
    p->written = open->start;
    t->inode = p->in.inode;
    return open->size == UINT64_MAX ? PSST_OK : check_room(p, open->size - open->start, diag);
}

static enum psst_err part_read_back(struct psst_target *t, uint8_t *into, size_t len, uint64_t at,
                                    struct psst_diag *diag)
{
    struct part_target *p = (struct part_target *)t;
    for (size_t got = 0; got < len;) {
        ssize_t n = pread(p->in.fd, into + got, len - got, (off_t)(at + got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return io_error(p, "Cannot read the part that is here of", diag);
        if (n == 0) return psst_fail(diag, PSST_ERR_DAMAGED, "The part of %s that was here has gone.", p->name);
        got += (size_t)n;
    }
    return PSST_OK;
}

static enum psst_err part_write(struct psst_target *t, const uint8_t *data, size_t len, size_t *n,
                                struct psst_diag *diag)
{
    struct part_target *p = (struct part_target *)t;
    for (size_t put = 0; put < len;) {
        ssize_t rc = pwrite(p->in.fd, data + put, len - put, (off_t)(p->written + put));
        if (rc < 0 && errno == EINTR) continue;
        if (rc < 0) return io_error(p, "Cannot write", diag);
        put += (size_t)rc;
    }
    /* the disk may begin now, so that the next sync has little left to wait for */
    (void)sync_file_range(p->in.fd, (off_t)p->written, (off_t)len, SYNC_FILE_RANGE_WRITE);
    p->written += len;
    *n = len;
    return PSST_OK;
}

static enum psst_err part_sync(struct psst_target *t, struct psst_diag *diag)
{
    struct part_target *p = (struct part_target *)t;
    return fdatasync(p->in.fd) == 0 ? PSST_OK : io_error(p, "Cannot save", diag);
}

static enum psst_err part_finish(struct psst_target *t, char **path, struct psst_diag *diag)
{
    struct part_target *p = (struct part_target *)t;
    enum psst_err err = psst_incoming_finish(&p->in, diag);
    if (err != PSST_OK) return err;
    *path = join(p->dir, p->in.name);
    return *path != NULL ? PSST_OK : PSST_ERR_MEMORY;
}

static bool part_end(struct psst_target *t, bool keep)
{
    struct part_target *p = (struct part_target *)t;
    if (keep) return psst_incoming_keep(&p->in);
    if (p->in.dir_fd < 0)
        psst_incoming_remove(p->dir, &p->id); /* never opened: an earlier run may have left something */
    else
        psst_incoming_abandon(&p->in);
    return false;
}

static void part_free(struct psst_target *t)
{
    struct part_target *p = (struct part_target *)t;
    psst_incoming_close(&p->in);
    free(p);
}

int psst_target_part_fd(const struct psst_target *part)
{
    return ((const struct part_target *)part)->in.fd;
}

enum psst_err psst_target_of_part(struct psst_target **out, const char *dir, struct psst_view name, bool exact,
                                  const struct psst_msg_id *transfer_id, uint64_t inode)
{
    static const struct psst_target_ops ops = {part_open,   part_read_back, part_write, part_sync,
                                               part_finish, part_end,       part_free};
    size_t size = strlen(dir) + 1;
    if (exact && name.len >= PSST_SAFE_NAME_SIZE) return PSST_ERR_TOO_LONG;
    struct part_target *p = calloc(1, sizeof *p + size);
    if (p == NULL) return PSST_ERR_MEMORY;
    p->target = (struct psst_target){&ops, -1, 0};
    p->in.fd = -1;
    p->in.dir_fd = -1;
    p->id = *transfer_id;
    p->inode = inode;
    p->exact = exact;
    if (exact)
        memcpy(p->name, name.data, name.len); /* terminated: all was zeros */
    else
        psst_file_name_sanitize(p->name, name);
    memcpy(p->dir, dir, size);
    *out = &p->target;
    return PSST_OK;
}
