#include "book_bench.h"

#include "daemon/delivery/delivery.h"
#include "daemon/meet.h"
#include "daemon/presence.h"
#include "daemon/transfers/transfers.h"
#include "support/vectors.h"

#include <stdio.h>

void bench_done(void *ctx, enum psst_err err, const char *words)
{
    struct bench *b = ctx;
    (void)words;
    b->waits = false;
    b->err = err;
}

static void opened(void *ctx, enum psst_err err, const struct psst_diag *diag)
{
    bench_done(ctx, err, diag->text);
}

static void closed(void *ctx)
{
    bench_done(ctx, PSST_OK, "");
}

enum psst_err bench_wait(struct bench *b)
{
    while (b->waits) (void)uv_run(&b->loop, UV_RUN_ONCE);
    return b->err;
}

static void open_store(struct bench *b)
{
    const struct psst_store_key key = {.b = {7}};
    b->waits = true;
    psst_store_thread_open(b->d.store, folder_file(&b->folder, "store.db"), &key, opened, b);
    assert_int_equal(bench_wait(b), PSST_OK);
}

int bench_setup(void **state)
{
    static struct bench b;
    static const char *const names[] = {"a1024", "b1024", "a2048"};
    b = (struct bench){.err = PSST_OK};
    folder_init(&b.folder);
    (void)snprintf(b.d.paths.replay, sizeof b.d.paths.replay, "%s/replay", b.folder.path);
    assert_int_equal(uv_loop_init(&b.loop), 0);
    b.d.loop = &b.loop;
    psst_log_init(&b.d.log, NULL, NULL, PSST_LOG_ERROR);
    assert_int_equal(psst_store_thread_new(&b.d.store, &b.loop), PSST_OK);
    assert_int_equal(psst_identity_new(&b.d.identity, &b.d), PSST_OK);
    assert_int_equal(psst_book_new(&b.d.book, &b.d), PSST_OK);
    assert_int_equal(psst_presences_new(&b.d.presences, &b.d), PSST_OK);
    assert_int_equal(psst_meets_new(&b.d.meets, &b.d), PSST_OK);
    assert_int_equal(psst_peers_new(&b.d.peers, &b.d), PSST_OK);
    assert_int_equal(psst_delivery_new(&b.d.delivery, &b.d), PSST_OK);
    assert_int_equal(psst_transfers_new(&b.d.transfers, &b.d), PSST_OK);
    for (int i = 0; i < 3; i++) b.keys[i] = vectors_public_key(names[i]);
    open_store(&b);
    *state = &b;
    return 0;
}

int bench_teardown(void **state)
{
    struct bench *b = *state;
    psst_delivery_unloaded(b->d.delivery);
    psst_delivery_close(b->d.delivery);
    psst_transfers_unloaded(b->d.transfers);
    psst_transfers_close(b->d.transfers);
    psst_presences_close(b->d.presences);
    psst_meets_close(b->d.meets);
    psst_peers_close(b->d.peers);
    b->waits = true;
    psst_store_thread_close(b->d.store, closed, b);
    assert_int_equal(bench_wait(b), PSST_OK);
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    psst_transfers_free(b->d.transfers);
    psst_delivery_free(b->d.delivery);
    psst_peers_free(b->d.peers);
    psst_book_free(b->d.book);
    psst_presences_free(b->d.presences);
    psst_meets_free(b->d.meets);
    psst_identity_free(b->d.identity);
    for (int i = 0; i < 3; i++) psst_rsa_public_free(b->keys[i]);
    assert_int_equal(uv_loop_close(&b->loop), 0);
    folder_fini(&b->folder);
    return 0;
}

struct psst_contact bench_person(struct bench *b, const char *alias, int key)
{
    struct psst_contact c = {.key = b->keys[key], .keep_history = true, .added_ms = 77};
    (void)snprintf(c.alias, sizeof c.alias, "%s", alias);
    return c;
}

enum psst_err bench_put(struct bench *b, struct psst_contact *contact, const struct psst_contact *with)
{
    b->waits = true;
    psst_book_put(b->d.book, contact, with, bench_done, b);
    return bench_wait(b);
}

enum psst_err bench_load(struct bench *b)
{
    b->waits = true;
    psst_book_load(b->d.book, bench_done, b);
    return bench_wait(b);
}

struct psst_rsa_public *bench_numbered_key(struct bench *b, unsigned n)
{
    uint8_t spki[512];
    struct psst_rsa_public *key = NULL;
    struct psst_view like = psst_rsa_public_spki(b->keys[0]);
    assert_true(like.len <= sizeof spki);
    memcpy(spki, like.data, like.len);
    psst_store_u32(spki + like.len / 2, n);
    assert_int_equal(psst_rsa_public_load(&key, psst_view(spki, like.len)), PSST_OK);
    return key;
}

struct store_job {
    struct bench *b;
    psst_store_work *work;
    void *arg;
};

static enum psst_err run_job(struct psst_store *store, void *arg)
{
    const struct store_job *job = arg;
    return job->work(store, job->arg);
}

static void job_done(void *arg, enum psst_err err, const char *words)
{
    const struct store_job *job = arg;
    bench_done(job->b, err, words);
}

enum psst_err bench_store(struct bench *b, psst_store_work *work, void *arg)
{
    struct store_job job = {b, work, arg};
    b->waits = true;
    psst_store_run(b->d.store, run_job, job_done, &job);
    return bench_wait(b);
}
