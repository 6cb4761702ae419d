/* A folder as a tar stream (docs/PROTOCOL.md, "Folders"): the same bytes each time, as long as nothing in it changes, for a
 * transfer that was cut off goes on in the middle of them. Measuring is packing into nothing: libarchive fills up what no
 * file was read for. */
#include "daemon/tar/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)1024 * 1024)
#define SMALL 65536 /* what is smaller is gathered: headers foremost */

struct packing {
    struct archive *archive;
    int out_fd;    /* -1: measured only */
    uint64_t most; /* more than that is never written */
    uint8_t *piece;
    struct psst_tar_facts facts;
    struct psst_diag *diag;
    enum psst_err err; /* of writing */
};

/* ---- what libarchive calls ---- */

/* Always content: libarchive would leak what belongs to a stream that failed. What went wrong is in p->err. */
static la_ssize_t on_write(struct archive *archive, void *ctx, const void *data, size_t len)
{
    struct packing *p = ctx;
    (void)archive;
    if (p->err != PSST_OK) return (la_ssize_t)len;
    p->facts.size += len;
    if (p->out_fd < 0) return (la_ssize_t)len;
    if (p->facts.size > p->most)
        p->err = psst_fail(p->diag, PSST_ERR_NOT_FOUND, "The folder has changed while it was being sent.");
    for (size_t done = 0; p->err == PSST_OK && done < len;) {
        ssize_t n = write(p->out_fd, (const uint8_t *)data + done, len - done);
        if (n > 0) done += (size_t)n;
        if (n < 0 && errno != EINTR) p->err = PSST_ERR_EXPIRED; /* nobody reads any more */
    }
    return (la_ssize_t)len;
}

static enum psst_err changed(struct psst_diag *diag, const char *path)
{
    return psst_fail(diag, PSST_ERR_NOT_FOUND, "%s has changed while it was being sent.",
                     psst_tar_shown(psst_view_str(path)));
}

/* What a call of libarchive came to. */
static enum psst_err result(struct packing *p, bool good)
{
    if (p->err != PSST_OK || good) return p->err;
    if (archive_errno(p->archive) == ENOMEM) return PSST_ERR_MEMORY;
    return psst_fail(p->diag, PSST_ERR_IO, "The folder cannot be packed (error %d).", archive_errno(p->archive));
}

/* ---- one entry ---- */

static void stamp_bytes(uint64_t *stamp, const void *data,
                        size_t len) /* FNV-1a: nobody is to be fooled but by mistake */
{
    for (size_t i = 0; i < len; i++) *stamp = (*stamp ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001b3);
}

/* A folder's own time is left out: it changes with every file that comes into it for a moment. */
static void count(struct psst_tar_facts *facts, const struct psst_tar_found *found)
{
    uint8_t fixed[21];
    psst_store_u64(fixed, found->size);
    psst_store_u64(fixed + 8, found->folder ? 0 : (uint64_t)found->mtime_s);
    psst_store_u32(fixed + 16, found->folder ? 0 : found->mtime_ns);
    fixed[20] = found->folder;
    stamp_bytes(&facts->stamp, found->path, strlen(found->path) + 1);
    stamp_bytes(&facts->stamp, fixed, sizeof fixed);
    facts->files += !found->folder;
    facts->folders += found->folder;
    facts->bytes += found->size;
}

/* In the locale "C", which this process never leaves, libarchive writes a name that is not ASCII as it is, byte for byte,
 * marks its entry with hdrcharset=BINARY, and gives ARCHIVE_WARN. */
static enum psst_err put_header(struct packing *p, const struct psst_tar_found *found)
{
    struct archive_entry *entry = archive_entry_new2(p->archive);
    if (entry == NULL) return PSST_ERR_MEMORY;
    archive_entry_copy_pathname(entry, found->path);
    archive_entry_set_filetype(entry, found->folder ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(entry, found->folder ? 0755 : 0644);
    archive_entry_set_size(entry, (la_int64_t)found->size);
    archive_entry_set_mtime(entry, found->folder || found->mtime_s < 0 ? 0 : found->mtime_s, 0);
    int rc = archive_write_header(p->archive, entry);
    archive_entry_free(entry);
    return result(p, rc == ARCHIVE_OK || rc == ARCHIVE_WARN);
}

static enum psst_err put_bytes(struct packing *p, const uint8_t *data, size_t len)
{
    while (len > 0) {
        la_ssize_t n = archive_write_data(p->archive, data, len);
        enum psst_err err = result(p, n > 0);
        if (err != PSST_OK) return err;
        data += n;
        len -= (size_t)n;
    }
    return PSST_OK;
}

/* Exactly the bytes that the header has announced. */
static enum psst_err put_contents(struct packing *p, const struct psst_tar_found *found)
{
    struct stat st;
    (void)posix_fadvise(found->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    for (uint64_t left = found->size; left > 0;) {
        ssize_t n = read(found->fd, p->piece, left < PIECE ? (size_t)left : PIECE);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            return psst_fail(p->diag, PSST_ERR_IO, "Cannot read %s: %s.", psst_tar_shown(psst_view_str(found->path)),
                             strerror(errno));
        if (n == 0) return changed(p->diag, found->path);
        enum psst_err err = put_bytes(p, p->piece, (size_t)n);
        if (err != PSST_OK) return err;
        left -= (uint64_t)n;
    }
    bool same = fstat(found->fd, &st) == 0 && (uint64_t)st.st_size == found->size &&
                st.st_mtim.tv_sec == found->mtime_s && (uint32_t)st.st_mtim.tv_nsec == found->mtime_ns;
    return same ? PSST_OK : changed(p->diag, found->path);
}

static enum psst_err put_entry(struct packing *p, const struct psst_tar_found *found)
{
    count(&p->facts, found);
    enum psst_err err = put_header(p, found);
    if (err == PSST_OK && !found->folder && p->out_fd >= 0) err = put_contents(p, found);
    if (found->fd >= 0) (void)close(found->fd);
    return err;
}

/* ---- all of them ---- */

struct naming {
    psst_tar_left_out *left;
    void *ctx;
    uint32_t *n;
};

static void on_left_out(void *ctx, const char *path, const char *why)
{
    struct naming *naming = ctx;
    ++*naming->n;
    if (naming->left != NULL) naming->left(naming->ctx, path, why);
}

static enum psst_err put_all(struct packing *p, struct psst_tar_walk *walk)
{
    for (;;) {
        struct psst_tar_found found;
        enum psst_err err = psst_tar_walk_next(walk, &found, p->diag);
        if (err == PSST_OK && found.path != NULL) err = put_entry(p, &found);
        if (err != PSST_OK || found.path == NULL) return err;
    }
}

static enum psst_err open_archive(struct packing *p)
{
    p->archive = archive_write_new();
    if (p->archive == NULL) return PSST_ERR_MEMORY;
    bool good = archive_write_set_format_pax_restricted(p->archive) == ARCHIVE_OK &&
                archive_write_set_bytes_per_block(p->archive, SMALL) == ARCHIVE_OK &&
                archive_write_set_bytes_in_last_block(p->archive, 1) == ARCHIVE_OK &&
                archive_write_open(p->archive, p, NULL, on_write, NULL) == ARCHIVE_OK;
    return result(p, good);
}

static enum psst_err run(struct packing *p, int dir_fd, psst_tar_left_out *left, void *ctx)
{
    struct naming naming = {left, ctx, &p->facts.left};
    struct psst_tar_walk *walk = psst_tar_walk_new(dir_fd, on_left_out, &naming);
    p->facts = (struct psst_tar_facts){.stamp = UINT64_C(0xcbf29ce484222325)};
    enum psst_err err = walk == NULL ? PSST_ERR_MEMORY : open_archive(p);
    if (err == PSST_OK) err = put_all(p, walk);
    if (p->err == PSST_OK) p->err = err; /* what closing adds to half a stream goes nowhere */
    if (p->archive != NULL) err = result(p, archive_write_close(p->archive) == ARCHIVE_OK);
    (void)archive_write_free(p->archive);
    p->archive = NULL;
    psst_tar_walk_free(walk);
    return err;
}

enum psst_err psst_tar_measure(int dir_fd, struct psst_tar_facts *facts, psst_tar_left_out *left, void *ctx,
                               struct psst_diag *diag)
{
    struct packing p = {.out_fd = -1, .diag = diag};
    enum psst_err err = run(&p, dir_fd, left, ctx);
    if (err == PSST_OK) *facts = p.facts;
    return err;
}

enum psst_err psst_tar_pack(int dir_fd, int out_fd, uint64_t size, uint64_t stamp, struct psst_diag *diag)
{
    struct packing p = {.out_fd = out_fd, .most = size, .diag = diag, .piece = malloc(PIECE)};
    struct psst_tar_facts now;
    enum psst_err err = p.piece == NULL ? PSST_ERR_MEMORY : psst_tar_measure(dir_fd, &now, NULL, NULL, diag);
    if (err == PSST_OK && (now.size != size || now.stamp != stamp))
        err = psst_fail(diag, PSST_ERR_NOT_FOUND, "The folder has changed since it was offered.");
    if (err == PSST_OK) err = run(&p, dir_fd, NULL, NULL);
    if (err == PSST_OK && (p.facts.size != size || p.facts.stamp != stamp))
        err = psst_fail(diag, PSST_ERR_NOT_FOUND, "The folder has changed while it was being sent.");
    free(p.piece);
    return err;
}
