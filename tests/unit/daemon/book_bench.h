/* A daemon with what the book needs: a real store and its thread, peers without a socket. */
#ifndef PSST_TESTS_BOOK_BENCH_H
#define PSST_TESTS_BOOK_BENCH_H

#include "folder.h"

#include "daemon/daemon.h"

struct bench {
    struct folder folder;
    uv_loop_t loop;
    struct psst_daemon d;
    struct psst_rsa_public *keys[3];
    bool waits;
    enum psst_err err;
};

/* cmocka's fixtures: *state is a struct bench with an open store and no contacts. */
int bench_setup(void **state);
int bench_teardown(void **state);

/* As psst_book_done, and for all that is like it: what bench_wait waits for. */
void bench_done(void *ctx, enum psst_err err, const char *words);
enum psst_err bench_wait(struct bench *b);
/* What a job on the store's thread gives. */
enum psst_err bench_store(struct bench *b, psst_store_work *work, void *arg);

struct psst_contact bench_person(struct bench *b, const char *alias, int key);
/* A key like the first one, with another number in the middle of its modulus: good enough to be told apart. */
struct psst_rsa_public *bench_numbered_key(struct bench *b, unsigned n);
enum psst_err bench_put(struct bench *b, struct psst_contact *contact, const struct psst_contact *with);
enum psst_err bench_load(struct bench *b);

#endif
