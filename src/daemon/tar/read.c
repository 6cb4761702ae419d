/* The headers of an archive, by libarchive, which may be given anything. It is asked for tar and nothing else: no compression,
 * so that nothing can swell. What it says is held against the bytes once more: entries lie one behind the other without gaps,
 * and behind the last there are zeros. So no reading of the same archive differs from another one. */
#include "daemon/tar/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE    ((size_t)64 * 1024)
#define TAIL_MIN ((uint64_t)2 * PSST_TAR_BLOCK)
#define TAIL_MAX ((uint64_t)1024 * 1024) /* some writers fill up the last of their large blocks */

struct reading {
    int fd;
    uint64_t size, at, next;          /* at: where libarchive reads; next: where the next entry must begin */
    char last[PSST_TAR_PATH_MAX + 1]; /* path of the entry before */
    uint8_t piece[PIECE];
};

/* ---- what libarchive calls ---- */

static la_ssize_t on_read(struct archive *archive, void *ctx, const void **data)
{
    struct reading *r = ctx;
    for (;;) {
        uint64_t left = r->at < r->size ? r->size - r->at : 0;
        ssize_t n = pread(r->fd, r->piece, left < PIECE ? (size_t)left : PIECE, (off_t)r->at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) archive_set_error(archive, errno, "not read");
        if (n > 0) r->at += (uint64_t)n;
        *data = r->piece;
        return n;
    }
}

static la_int64_t on_skip(struct archive *archive, void *ctx, la_int64_t wanted)
{
    struct reading *r = ctx;
    (void)archive;
    uint64_t left = r->at < r->size ? r->size - r->at : 0;
    uint64_t n = wanted < 0 ? 0 : (uint64_t)wanted < left ? (uint64_t)wanted : left;
    r->at += n;
    return (la_int64_t)n;
}

/* ---- what is allowed ---- */

static enum psst_err damaged(const struct reading *r, struct psst_diag *diag)
{
    if (r->last[0] == '\0')
        return psst_fail(diag, PSST_ERR_MALFORMED, "What came is no folder: its beginning is damaged.");
    return psst_fail(diag, PSST_ERR_MALFORMED, "What came is damaged behind %s.",
                     psst_tar_shown(psst_view_str(r->last)));
}

static enum psst_err refuse(struct psst_view path, const char *what, struct psst_diag *diag)
{
    return psst_fail(diag, PSST_ERR_MALFORMED, "What came is refused: %s is %s.", psst_tar_shown(path), what);
}

/* NULL: a file or a folder. */
static const char *forbidden(struct archive_entry *entry)
{
    if (archive_entry_hardlink(entry) != NULL) return "a link to another file";
    if (archive_entry_sparse_count(entry) > 0) return "a file with holes";
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
    case AE_IFDIR: return NULL;
    case AE_IFLNK: return "a symbolic link";
    case AE_IFIFO: return "a pipe";
    case AE_IFSOCK: return "a socket";
    case AE_IFCHR:
    case AE_IFBLK: return "a device";
    default: return "no file and no folder";
    }
}

static enum psst_err look_at(struct reading *r, struct archive *archive, struct archive_entry *entry,
                             struct psst_tar_item *item, struct psst_diag *diag)
{
    const char *path = archive_entry_pathname(entry);
    la_int64_t begin = archive_read_header_position(archive), data = archive_filter_bytes(archive, 0);
    la_int64_t size = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : 0;
    if (path == NULL || path[0] == '\0') return damaged(r, diag);
    struct psst_view view = psst_view_str(path);
    const char *what = forbidden(entry);
    if (what != NULL) return refuse(view, what, diag);
    bool folder = archive_entry_filetype(entry) == AE_IFDIR;
    if (begin < 0 || data < begin + PSST_TAR_BLOCK || (uint64_t)begin != r->next || data % PSST_TAR_BLOCK != 0)
        return damaged(r, diag);
    if (size < 0 || (uint64_t)data > r->size || (uint64_t)size > r->size - (uint64_t)data)
        return refuse(view, "longer than all that came", diag);
    if (folder && size != 0) return refuse(view, "a folder with the size of a file", diag);
    *item = (struct psst_tar_item){.path = view,
                                   .folder = folder,
                                   .size = (uint64_t)size,
                                   .offset = (uint64_t)data,
                                   .mtime_s = archive_entry_mtime_is_set(entry) ? archive_entry_mtime(entry) : 0};
    r->next = (uint64_t)data + ((uint64_t)size + PSST_TAR_BLOCK - 1) / PSST_TAR_BLOCK * PSST_TAR_BLOCK;
    size_t keep = view.len < PSST_TAR_PATH_MAX ? view.len : PSST_TAR_PATH_MAX;
    memcpy(r->last, path, keep);
    r->last[keep] = '\0';
    return PSST_OK;
}

/* Behind the last entry there are zeros, and not too many. */
static enum psst_err check_tail(struct reading *r, struct psst_diag *diag)
{
    if (r->next > r->size || r->size - r->next < TAIL_MIN)
        return psst_fail(diag, PSST_ERR_MALFORMED, "What came is cut short.");
    if (r->size - r->next > TAIL_MAX) return damaged(r, diag);
    for (uint64_t at = r->next; at < r->size;) {
        uint64_t left = r->size - at;
        ssize_t n = pread(r->fd, r->piece, left < PIECE ? (size_t)left : PIECE, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return psst_fail(diag, PSST_ERR_IO, "What came cannot be read: %s.", strerror(n < 0 ? errno : EIO));
        for (ssize_t i = 0; i < n; i++)
            if (r->piece[i] != 0) return damaged(r, diag);
        at += (uint64_t)n;
    }
    return PSST_OK;
}

/* ---- all of it ---- */

static enum psst_err read_all(struct reading *r, struct archive *archive, psst_tar_each *each, void *ctx,
                              struct psst_diag *diag)
{
    for (;;) {
        struct archive_entry *entry;
        struct psst_tar_item item;
        int rc = archive_read_next_header(archive, &entry);
        if (rc == ARCHIVE_EOF) return check_tail(r, diag);
        if (rc != ARCHIVE_OK) return damaged(r, diag);
        enum psst_err err = look_at(r, archive, entry, &item, diag);
        if (err == PSST_OK) err = each(ctx, &item, diag);
        if (err != PSST_OK) return err;
    }
}

enum psst_err psst_tar_read(int fd, uint64_t size, psst_tar_each *each, void *ctx, struct psst_diag *diag)
{
    struct reading *r = calloc(1, sizeof *r);
    struct archive *archive = r == NULL ? NULL : archive_read_new();
    if (archive == NULL) {
        free(r);
        return PSST_ERR_MEMORY;
    }
    r->fd = fd;
    r->size = size;
    bool good = archive_read_support_format_tar(archive) == ARCHIVE_OK &&
                archive_read_set_callback_data(archive, r) == ARCHIVE_OK &&
                archive_read_set_read_callback(archive, on_read) == ARCHIVE_OK &&
                archive_read_set_skip_callback(archive, on_skip) == ARCHIVE_OK;
    enum psst_err err = good ? PSST_OK : PSST_ERR_MEMORY;
    if (err == PSST_OK && archive_read_open1(archive) != ARCHIVE_OK) err = damaged(r, diag);
    if (err == PSST_OK) err = read_all(r, archive, each, ctx, diag);
    (void)archive_read_free(archive);
    free(r);
    return err;
}
