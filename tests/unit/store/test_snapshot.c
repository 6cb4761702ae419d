/* A snapshot is the store of one moment, whatever is written meanwhile, and holds nobody up. */
#include "world.h"

#include "store/snapshot.h"
#include "store/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_bool never;

static void group(struct world *w, int64_t contact, unsigned first, unsigned n)
{
    static char text[4000];
    memset(text, 't', sizeof text - 1);
    must(psst_store_begin(w->store));
    for (unsigned i = 0; i < n; i++) must(world_out(w, contact, first + i, text, NULL));
    must(psst_store_commit(w->store));
}

static size_t count(struct world *w, int64_t contact)
{
    static struct seen seen;
    (void)world_outbox(w, contact, 0, SIZE_MAX, &seen);
    return seen.n;
}

static struct psst_store_snapshot *begin(struct world *w)
{
    struct psst_diag diag = {{0}};
    struct psst_store_snapshot *s = NULL;
    enum psst_err err = psst_store_snapshot_begin(&s, w->store, &world_key, &diag);
    if (err != PSST_OK) print_error("%s\n", diag.text);
    must(err);
    return s;
}

/* Copies part of the snapshot into the file NAME of the world. */
static void copy_part(struct psst_store_snapshot *s, FILE *to, uint64_t from, uint64_t end)
{
    uint8_t piece[65536];
    for (; from < end; from += sizeof piece) {
        size_t n = end - from < sizeof piece ? (size_t)(end - from) : sizeof piece;
        must(psst_store_snapshot_read(s, from, piece, n, NULL));
        assert_int_equal(n, fwrite(piece, 1, n, to));
    }
}

/* How many messages wait in the store at path; its pages are looked at as well. */
static size_t count_copy(struct world *w, const char *path, int64_t contact)
{
    struct world copy = *w;
    (void)snprintf(copy.path, sizeof copy.path, "%s", path);
    copy.store = NULL;
    (void)world_open(&copy);
    world_assert_integrity(&copy);
    size_t n = count(&copy, contact);
    world_close(&copy);
    return n;
}

static void snapshot__is_the_store__of_its_moment(void **state)
{
    struct world *w = *state;
    char path[160];
    (void)snprintf(path, sizeof path, "%.120s/copy", w->dir);
    int64_t bob = world_contact(w, "bob", true);
    group(w, bob, 0, 300);

    struct psst_store_snapshot *s = begin(w);
    uint64_t size = psst_store_snapshot_size(s);
    assert_true(size > 300 * 4000 && size % 4096 == 0);
    FILE *to = fopen(path, "wb");
    assert_non_null(to);
    copy_part(s, to, 0, size / 2);
    /* far more than makes SQLite checkpoint by itself, new rows and changed ones, between the halves */
    for (unsigned i = 0; i < 10; i++) group(w, bob, 1000 + i * 200, 200);
    must(psst_store_begin(w->store));
    for (unsigned i = 0; i < 100; i++) {
        struct psst_msg_id id = world_id(i);
        int64_t seq;
        must(psst_store_message_settle(w->store, bob, &id, PSST_MESSAGE_DELIVERED, 0, &seq));
    }
    must(psst_store_commit(w->store));
    must(psst_store_snapshot_check(s, &never, NULL));
    copy_part(s, to, size / 2, size);
    assert_int_equal(0, fclose(to));
    psst_store_snapshot_end(s);

    assert_int_equal(300, count_copy(w, path, bob));
    assert_int_equal(2200, count(w, bob));
    world_reopen(w); /* what waited in the log has found its way */
    assert_int_equal(2200, count(w, bob));
    world_assert_integrity(w);
}

static void snapshot__can_be_taken__again_once_it_has_ended(void **state)
{
    struct world *w = *state;
    struct psst_diag diag = {{0}};
    int64_t bob = world_contact(w, "bob", true);
    struct psst_store_snapshot *s = begin(w), *second = NULL;
    group(w, bob, 0, 10);
    assert_err(PSST_ERR_AGAIN, psst_store_snapshot_begin(&second, w->store, &world_key, &diag));
    assert_non_null(strstr(diag.text, "try again"));
    psst_store_snapshot_end(s);
    s = begin(w);
    psst_store_snapshot_end(s);
}

static void snapshot__outlives__its_store_and_does_not_hold_it(void **state)
{
    struct world *w = *state;
    char path[160];
    (void)snprintf(path, sizeof path, "%.120s/copy", w->dir);
    int64_t bob = world_contact(w, "bob", true);
    group(w, bob, 0, 20);
    struct psst_store_snapshot *s = begin(w);
    group(w, bob, 100, 20);
    world_close(w); /* does not wait for the snapshot: that would take five seconds, and the log stays */
    FILE *to = fopen(path, "wb");
    assert_non_null(to);
    copy_part(s, to, 0, psst_store_snapshot_size(s));
    assert_int_equal(0, fclose(to));
    psst_store_snapshot_end(s);
    assert_int_equal(20, count_copy(w, path, bob));
    (void)world_open(w);
    assert_int_equal(40, count(w, bob));
}

static void read__refuses__what_is_not_there(void **state)
{
    struct world *w = *state;
    struct psst_store_snapshot *s = begin(w);
    uint64_t size = psst_store_snapshot_size(s);
    uint8_t piece[2];
    must(psst_store_snapshot_read(s, size - 2, piece, 2, NULL));
    must(psst_store_snapshot_read(s, size, piece, 0, NULL));
    assert_err(PSST_ERR_USAGE, psst_store_snapshot_read(s, size - 1, piece, 2, NULL));
    assert_err(PSST_ERR_USAGE, psst_store_snapshot_read(s, UINT64_MAX, piece, 2, NULL));
    psst_store_snapshot_end(s);
}

static void check__finds__a_damaged_page(void **state)
{
    struct world *w = *state;
    struct psst_diag diag = {{0}};
    int64_t bob = world_contact(w, "bob", true);
    group(w, bob, 0, 300);
    world_reopen(w);
    FILE *f = fopen(w->path, "r+b");
    assert_non_null(f);
    assert_int_equal(0, fseek(f, 100 * 4096 + 17, SEEK_SET));
    int byte = fgetc(f);
    assert_int_equal(0, fseek(f, 100 * 4096 + 17, SEEK_SET));
    assert_int_equal(byte ^ 1, fputc(byte ^ 1, f));
    assert_int_equal(0, fclose(f));
    struct psst_store_snapshot *s = begin(w);
    assert_err(PSST_ERR_DAMAGED, psst_store_snapshot_check(s, &never, &diag));
    assert_non_null(strstr(diag.text, "damaged"));
    psst_store_snapshot_end(s);
}

static void check__stops__when_it_is_told_to(void **state)
{
    struct world *w = *state;
    atomic_bool stop = true;
    int64_t bob = world_contact(w, "bob", true);
    group(w, bob, 0, 300);
    struct psst_store_snapshot *s = begin(w);
    assert_err(PSST_ERR_AGAIN, psst_store_snapshot_check(s, &stop, NULL));
    must(psst_store_snapshot_check(s, &never, NULL));
    psst_store_snapshot_end(s);
}

static void begin__refuses__another_key(void **state)
{
    struct world *w = *state;
    struct psst_diag diag = {{0}};
    struct psst_store_key wrong = {.b = {9}};
    struct psst_store_snapshot *s = NULL;
    assert_err(PSST_ERR_DAMAGED, psst_store_snapshot_begin(&s, w->store, &wrong, &diag));
    assert_null(s);
    assert_true(strlen(diag.text) > 0);
    int64_t bob = world_contact(w, "bob", true);
    group(w, bob, 0, 10); /* the store is none the worse */
    assert_int_equal(10, count(w, bob));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(snapshot__is_the_store__of_its_moment),
        T(snapshot__can_be_taken__again_once_it_has_ended),
        T(snapshot__outlives__its_store_and_does_not_hold_it),
        T(read__refuses__what_is_not_there),
        T(check__finds__a_damaged_page),
        T(check__stops__when_it_is_told_to),
        T(begin__refuses__another_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
