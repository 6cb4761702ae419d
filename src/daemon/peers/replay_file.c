/* The replay cache on disk: 24 bytes for each first message, appended by a worker thread, so that nobody waits. Read once,
 * at the start, and written anew then without what has expired. Losing its end with a crash costs a replayed message one
 * private operation, and nothing else.
 */
#include "daemon/peers/internal.h"
#include "daemon/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX_BYTES ((size_t)PSST_REPLAY_CACHE_MAX * PSST_REPLAY_ENTRY_LEN)

struct psst_replay_file {
    struct psst_daemon *d;
    int fd;
    size_t size; /* whole entries in it; what was cut off is taken away again, so that all stay where they belong */
    uv_fs_t request;
    struct psst_buf waiting, writing;
    bool busy, closing;
};

/* The entries that still count, each once. */
static void load(struct psst_replay_cache *cache, struct psst_view all, uint64_t today, struct psst_buf *kept)
{
    for (size_t at = 0; at + PSST_REPLAY_ENTRY_LEN <= all.len; at += PSST_REPLAY_ENTRY_LEN) {
        struct psst_view entry = psst_view(all.data + at, PSST_REPLAY_ENTRY_LEN);
        size_t before = psst_replay_cache_count(cache);
        psst_replay_cache_load(cache, entry, today);
        if (psst_replay_cache_count(cache) > before) psst_buf_put_view(kept, entry);
    }
}

static void cut(struct psst_replay_file *file, size_t size)
{
    if (ftruncate(file->fd, (off_t)size) != 0)
        psst_log_limited(&file->d->log, PSST_LOG_WARNING, "replay-file", "reason=\"%s\"", strerror(errno));
    file->size = size;
}

static void begin_behind(struct psst_replay_file *file, bool anew)
{
    struct stat st;
    if (file->fd < 0 || fstat(file->fd, &st) != 0) return;
    file->size = (size_t)st.st_size;
    size_t whole = file->size - file->size % PSST_REPLAY_ENTRY_LEN;
    if (anew || whole != file->size) cut(file, anew ? 0 : whole);
}

enum psst_err psst_replay_file_open(struct psst_replay_file **out, struct psst_daemon *d,
                                    struct psst_replay_cache *cache)
{
    struct psst_replay_file *file = calloc(1, sizeof *file);
    if (file == NULL) return PSST_ERR_MEMORY;
    struct psst_buf all, kept;
    psst_buf_init(&all, FILE_MAX_BYTES);
    psst_buf_init(&kept, FILE_MAX_BYTES);
    psst_buf_init(&file->waiting, FILE_MAX_BYTES);
    psst_buf_init(&file->writing, FILE_MAX_BYTES);
    file->d = d;
    struct psst_diag diag = {{0}};
    enum psst_err err = psst_small_file_read(d->paths.replay, FILE_MAX_BYTES, &all, &diag);
    if (err == PSST_OK) load(cache, psst_buf_view(&all), psst_daemon_now(d).unix_ms / 86400000, &kept);
    if (err == PSST_OK && (kept.len != all.len) && !kept.failed)
        err = psst_small_file_write(d->paths.replay, psst_buf_view(&kept), &diag);
    if (err != PSST_OK && err != PSST_ERR_NOT_FOUND)
        psst_log(&d->log, PSST_LOG_WARNING, "replay-file", "reason=\"%s\"", diag.text);
    bool anew = err == PSST_ERR_TOO_LONG; /* it can hold nothing that we can use: begun anew */
    psst_buf_fini(&all);
    psst_buf_fini(&kept);
    file->fd = open(d->paths.replay, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->fd < 0) psst_log(&d->log, PSST_LOG_WARNING, "replay-file", "reason=\"%s\"", strerror(errno));
    begin_behind(file, anew);
    *out = file;
    return PSST_OK; /* without the file the cache still works until the daemon ends */
}

static void write_some(struct psst_replay_file *file);

static void file_free(struct psst_replay_file *file)
{
    psst_buf_fini(&file->waiting);
    psst_buf_fini(&file->writing);
    if (file->fd >= 0) (void)close(file->fd);
    free(file);
}

static void on_written(uv_fs_t *request)
{
    struct psst_replay_file *file = request->data;
    if (request->result < 0)
        psst_log_limited(&file->d->log, PSST_LOG_WARNING, "replay-file", "reason=\"%s\"",
                         uv_strerror((int)request->result));
    if (request->result == (ssize_t)file->writing.len)
        file->size += file->writing.len;
    else
        cut(file, file->size);
    uv_fs_req_cleanup(request);
    file->busy = false;
    file->writing.len = 0;
    write_some(file);
    if (file->closing && !file->busy) file_free(file);
}

static void write_some(struct psst_replay_file *file)
{
    if (file->busy || file->fd < 0 || file->waiting.len == 0) return;
    /* days of it pile up only where somebody makes first messages by the million; what counts is in memory */
    if (file->size + file->waiting.len > FILE_MAX_BYTES) cut(file, 0);
    struct psst_buf swap = file->writing;
    file->writing = file->waiting;
    file->waiting = swap;
    uv_buf_t buf = uv_buf_init((char *)file->writing.data, (unsigned)file->writing.len);
    file->request.data = file;
    if (uv_fs_write(file->d->loop, &file->request, file->fd, &buf, 1, -1, on_written) == 0) file->busy = true;
}

void psst_replay_file_add(struct psst_replay_file *file, const uint8_t mac[32], uint64_t day)
{
    uint8_t entry[PSST_REPLAY_ENTRY_LEN];
    psst_replay_entry_encode(entry, mac, day);
    if (file->fd < 0) return;
    psst_buf_put(&file->waiting, entry, sizeof entry);
    write_some(file);
}

void psst_replay_file_close(struct psst_replay_file *file)
{
    if (file == NULL) return;
    file->closing = true;
    if (!file->busy) file_free(file);
}
