/* What the tests of transfers/io.h share: a loop, a folder, some megabytes, and callbacks that take note. */
#ifndef PSST_TESTS_UNIT_DAEMON_TRANSFER_BENCH_H
#define PSST_TESTS_UNIT_DAEMON_TRANSFER_BENCH_H

#include "folder.h"

#include "daemon/transfers/io.h"

#define must(expr) assert_int_equal((expr), PSST_OK)

#define BIG    (7 * (size_t)PSST_IO_BLOCK + 12345)
#define RECORD 65473 /* what one record carries */

struct bench {
    struct folder folder;
    uv_loop_t loop;
    struct psst_workers *workers;
    uint8_t *content; /* BIG bytes */
    /* the source's callbacks */
    unsigned ready;
    enum psst_err source_err;
    /* the sink's */
    bool opened, drained, failed, done, closed, whole;
    unsigned wrote, checkpoints;
    enum psst_err sink_err;
    uint64_t safe;
    char path[512];
    char sentence[256];
};

extern struct bench *b;

/* cmocka's fixtures */
int transfer_setup(void **state);
int transfer_teardown(void **state);
struct psst_hash hash_of(const uint8_t *data, size_t len);
void on_ready(void *ctx, enum psst_err err, const struct psst_diag *diag);

/* Takes all there is in pieces of max; gives how many bytes came before the end, or an error, was told. */
size_t drain(struct psst_file_source *s, uint8_t *out, size_t max, size_t room);
void on_changed(void *ctx, enum psst_file_sink_state state, enum psst_err err, const struct psst_diag *diag);
void on_done(void *ctx, enum psst_err err, const char *path, const struct psst_diag *diag);
void on_sink_closed(void *ctx, uint64_t safe);

/* Puts content[from, to) in records, with the flow control that the daemon has. */
void put(struct psst_file_sink *s, size_t from, size_t to);
void finish(struct psst_file_sink *s, size_t len);
void close_and_wait(struct psst_file_sink *s, bool keep);
void turn_until(const bool *flag);

#endif
