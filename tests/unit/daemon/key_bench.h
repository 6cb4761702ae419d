/* A bench for psst-key's tests: the real program behind the real client, a loop that is run until an answer is there, and
 * files and pipes to hand over. */
#ifndef PSST_TESTS_KEY_BENCH_H
#define PSST_TESTS_KEY_BENCH_H

#include "daemon/key/client.h"
#include "support/check.h"

#include <sys/types.h>

struct key_bench {
    uv_loop_t loop;
    struct psst_log log;
    struct psst_key_client *kc;
    unsigned died;
    bool closed;
};

/* The program is PSST_KEY_PROGRAM of the environment. */
int key_bench_setup(void **state);
int key_bench_teardown(void **state);
/* Closes the client and runs the loop until all handles are gone. */
void key_bench_close(struct key_bench *b);

/* A copy of a reply that outlives it. */
struct key_result {
    bool there;
    unsigned progress;
    enum psst_err err;
    char words[256];
    uint8_t spki[PSST_SPKI_MAX_LEN];
    size_t spki_len;
    struct psst_kem_secret secret;
    struct psst_store_key store_key;
    struct psst_aead_key backup_key;
    uint8_t wrapped[1024];
    size_t wrapped_len;
    bool encrypted;
};
void key_result_take(void *ctx, const struct psst_key_reply *reply); /* ctx: struct key_result */
void key_result_progress(void *ctx, unsigned tried);
/* Runs the loop until it is there. */
void key_wait(struct key_bench *b, struct key_result *result);

/* A pipe that holds text and is closed at its other end. */
int fd_with_text(const char *text);
int fd_with(struct psst_view data);
/* An empty file of mode 0600 without a name. */
int fd_empty_file(void);
/* What is in the file, from its start. The caller frees the buffer. */
struct psst_buf file_content(int fd);

/* Pids of the living children of this process that run psst-key; how many. */
size_t key_pids(pid_t *out, size_t max);

#endif
