#include "key_bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct key_bench *current;

static void quiet(void *ctx, enum psst_log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    (void)line;
}

static void on_died(void *ctx)
{
    ((struct key_bench *)ctx)->died++;
}

int key_bench_setup(void **state)
{
    const char *program = getenv("PSST_KEY_PROGRAM");
    if (program == NULL) {
        fprintf(stderr, "PSST_KEY_PROGRAM is not set: run this through the build's test command\n");
        return -1;
    }
    struct key_bench *b = calloc(1, sizeof *b);
    if (b == NULL || uv_loop_init(&b->loop) != 0) return -1;
    psst_log_init(&b->log, quiet, NULL, PSST_LOG_ERROR);
    if (psst_key_client_new(&b->kc, &b->loop, program, &b->log, on_died, b) != PSST_OK) return -1;
    *state = current = b;
    return 0;
}

static void on_closed(void *ctx)
{
    ((struct key_bench *)ctx)->closed = true;
}

void key_bench_close(struct key_bench *b)
{
    if (b->kc == NULL) return;
    psst_key_client_close(b->kc, on_closed, b);
    b->kc = NULL;
    while (uv_run(&b->loop, UV_RUN_DEFAULT) != 0) {
    }
}

int key_bench_teardown(void **state)
{
    struct key_bench *b = *state;
    key_bench_close(b);
    bool ok = b->closed && uv_loop_close(&b->loop) == 0;
    free(b);
    return ok ? 0 : -1;
}

void key_result_take(void *ctx, const struct psst_key_reply *reply)
{
    struct key_result *r = ctx;
    assert_false(r->there);
    r->there = true;
    r->err = reply->err;
    memcpy(r->words, reply->diag.text, sizeof r->words);
    assert_true(reply->spki.len <= sizeof r->spki && reply->wrapped.len <= sizeof r->wrapped);
    r->spki_len = reply->spki.len;
    if (r->spki_len > 0) memcpy(r->spki, reply->spki.data, r->spki_len);
    r->wrapped_len = reply->wrapped.len;
    if (r->wrapped_len > 0) memcpy(r->wrapped, reply->wrapped.data, r->wrapped_len);
    r->secret = reply->secret;
    r->store_key = reply->store_key;
    r->backup_key = reply->backup_key;
    r->encrypted = reply->encrypted;
    uv_stop(&current->loop); /* or a turn whose timers gave the answer would go on to wait for events */
}

void key_result_progress(void *ctx, unsigned tried)
{
    struct key_result *r = ctx;
    assert_false(r->there);
    assert_true(tried >= r->progress);
    r->progress = tried;
}

void key_wait(struct key_bench *b, struct key_result *result)
{
    while (!result->there) (void)uv_run(&b->loop, UV_RUN_DEFAULT);
}

int fd_with(struct psst_view data)
{
    int ends[2];
    assert_int_equal(0, pipe2(ends, O_CLOEXEC));
    assert_int_equal((ssize_t)data.len, write(ends[1], data.data, data.len));
    (void)close(ends[1]);
    return ends[0];
}

int fd_with_text(const char *text)
{
    return fd_with(psst_view_str(text));
}

int fd_empty_file(void)
{
    char name[] = "/tmp/psst-test-XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(0, unlink(name));
    return fd;
}

struct psst_buf file_content(int fd)
{
    struct psst_buf buf;
    struct stat st;
    psst_buf_init(&buf, 65536);
    assert_int_equal(0, fstat(fd, &st));
    assert_ok(psst_buf_reserve(&buf, (size_t)st.st_size));
    assert_int_equal(st.st_size, pread(fd, buf.data, (size_t)st.st_size, 0));
    buf.len = (size_t)st.st_size;
    return buf;
}

/* The second line of interest in /proc/PID/stat: pid (name) state ppid. */
static bool is_our_key(long pid)
{
    char path[64], name[32], state;
    int parent = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "re");
    if (f == NULL) return false;
    bool read = fscanf(f, "%*d (%31[^)]) %c %d", name, &state, &parent) == 3;
    (void)fclose(f);
    return read && strcmp(name, "psst-key") == 0 && state != 'Z' && state != 'X' && parent == getpid();
}

size_t key_pids(pid_t *out, size_t max)
{
    size_t n = 0;
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    for (struct dirent *e; (e = readdir(proc)) != NULL;) {
        long pid = strtol(e->d_name, NULL, 10);
        if (pid > 0 && is_our_key(pid) && n < max) out[n++] = (pid_t)pid;
    }
    (void)closedir(proc);
    return n;
}
