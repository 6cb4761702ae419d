#include "world.h"

#include "store/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096

static const char secret_words[] = "meet me under the old bridge at noon";

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static bool is_there(const char *dir, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* Rows of every kind; enough of them for some tens of pages. */
static int64_t fill(struct world *w)
{
    int64_t bob = world_contact(w, "Bob-of-the-bridge", true);
    char text[400];
    must(psst_store_begin(w->store));
    for (unsigned i = 0; i < 200; i++) {
        (void)snprintf(text, sizeof text, "%s, %u %0*u", secret_words, i, (int)(i % 200) + 1, i);
        must(i % 2 == 0 ? world_out(w, bob, i, text, NULL) : world_in(w, bob, i, text, NULL));
    }
    static char more[9000]; /* goes on on other pages */
    memset(more, 'b', sizeof more - 1);
    must(world_out(w, bob, 200, more, NULL));
    must(psst_store_commit(w->store));
    struct psst_transfer_row row = {.contact_id = bob,
                                    .transfer_id = world_id(1),
                                    .name = psst_view_str("plan-of-bridge"),
                                    .path = psst_view_str("/home/bob/plan-of-bridge")};
    must(psst_store_transfer_put(w->store, &row));
    return bob;
}

static enum psst_err count_contact(void *ctx, const struct psst_contact_row *row)
{
    *(uint64_t *)ctx += row->fpr.b[0] + row->spki.len;
    return PSST_OK;
}

static enum psst_err count_message(void *ctx, const struct psst_message_row *row)
{
    for (size_t i = 0; i < row->text.len; i++) *(uint64_t *)ctx = *(uint64_t *)ctx * 31 + row->text.data[i];
    return PSST_OK;
}

static enum psst_err count_transfer(void *ctx, const struct psst_transfer_row *row)
{
    *(uint64_t *)ctx += row->name.len;
    return PSST_OK;
}

/* Reads all there is; sum stands for its content. */
static enum psst_err read_all(struct psst_store *store, int64_t contact, uint64_t *sum)
{
    *sum = 0;
    enum psst_err err = psst_store_contacts(store, count_contact, sum);
    if (err == PSST_OK) err = psst_store_log(store, contact, 0, SIZE_MAX, count_message, sum);
    if (err == PSST_OK) err = psst_store_outbox(store, contact, 0, SIZE_MAX, count_message, sum);
    if (err == PSST_OK) err = psst_store_transfers(store, 0, count_transfer, sum);
    return err;
}

static void assert_file_is(const char *path, const uint8_t *want, size_t len)
{
    size_t got_len = 0;
    uint8_t *got = world_file(path, &got_len);
    assert_non_null(got);
    assert_int_equal(got_len, len);
    assert_memory_equal(got, want, len);
    free(got);
}

static enum psst_err open_at(struct psst_store **out, const char *path, const struct psst_store_key *key,
                             bool read_only)
{
    struct psst_diag diag = {.text = ""};
    enum psst_err err = psst_store_open(out, path, key, read_only, &diag);
    if (err != PSST_OK) assert_true(strlen(diag.text) > 10); /* there is always a sentence */
    return err;
}

static void open__makes__a_private_file_and_nothing_else(void **state)
{
    struct world *w = *state;
    (void)fill(w);
    assert_int_equal(mode_of(w->path), 0600);
    char wal[200];
    (void)snprintf(wal, sizeof wal, "%s-wal", w->path);
    assert_int_equal(mode_of(wal), 0600);
    assert_false(is_there(w->dir, "history.new"));
    world_close(w);
    assert_false(is_there(w->dir, "history-wal"));
    assert_false(is_there(w->dir, "history-shm"));
    assert_false(is_there(w->dir, "history.new-wal"));
}

static void open__sets__what_was_promised(void **state)
{
    struct world *w = *state;
    const struct {
        const char *pragma;
        int64_t value;
    } cases[] = {{"PRAGMA synchronous", 2},
                 {"PRAGMA foreign_keys", 1},
                 {"PRAGMA secure_delete", 1},
                 {"PRAGMA temp_store", 2},
                 {"PRAGMA page_size", PAGE},
                 {"PRAGMA busy_timeout", 5000},
                 {"PRAGMA user_version", w->store->version}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = -1;
        must(psst_store_pragma_int(w->store, cases[i].pragma, &value));
        assert_int_equal(value, cases[i].value);
    }
}

static void open__after_an_interrupted_making__begins_anew(void **state)
{
    struct world *w = *state;
    world_close(w);
    assert_int_equal(unlink(w->path), 0);
    char draft[200];
    (void)snprintf(draft, sizeof draft, "%s.new", w->path);
    world_write_file(draft, (const uint8_t *)"half a store", 12);
    (void)world_open(w);
    assert_false(is_there(w->dir, "history.new"));
    (void)fill(w);
}

static void open__with_the_wrong_key__leaves_the_file_alone(void **state)
{
    struct world *w = *state;
    int64_t bob = fill(w);
    world_close(w);
    size_t len = 0;
    uint8_t *before = world_file(w->path, &len);
    struct psst_store_key wrong = world_key;
    wrong.b[31] ^= 1;
    struct psst_store *store = NULL;
    assert_int_equal(open_at(&store, w->path, &wrong, false), PSST_ERR_DAMAGED);
    assert_int_equal(open_at(&store, w->path, &wrong, true), PSST_ERR_DAMAGED);
    assert_null(store);
    assert_file_is(w->path, before, len);
    free(before);
    uint64_t sum = 0;
    must(read_all(world_open(w), bob, &sum));
    assert_true(sum != 0);
}

/* As after kill -9: a write-ahead log lies beside the file, with rows that are only there. */
static void open__with_the_wrong_key__leaves_the_log_alone_too(void **state)
{
    struct world *w = *state;
    int64_t bob = fill(w);
    uint64_t want = 0, got = 0;
    must(read_all(w->store, bob, &want));
    char wal[200], copy[200], copy_wal[220];
    (void)snprintf(wal, sizeof wal, "%s-wal", w->path);
    (void)snprintf(copy, sizeof copy, "%s/copy", w->dir);
    (void)snprintf(copy_wal, sizeof copy_wal, "%s-wal", copy);
    size_t len = 0, wal_len = 0;
    uint8_t *file = world_file(w->path, &len);
    uint8_t *log = world_file(wal, &wal_len);
    assert_true(wal_len > PAGE);
    world_write_file(copy, file, len);
    world_write_file(copy_wal, log, wal_len);
    struct psst_store_key wrong = {.b = {9}};
    struct psst_store *store = NULL;
    assert_int_equal(open_at(&store, copy, &wrong, false), PSST_ERR_DAMAGED);
    assert_file_is(copy, file, len);
    assert_file_is(copy_wal, log, wal_len);

    must(open_at(&store, copy, &world_key, true)); /* to read is not to change */
    must(read_all(store, bob, &got));
    assert_true(got == want);
    psst_store_close(store);
    assert_file_is(copy, file, len);
    assert_file_is(copy_wal, log, wal_len);

    must(open_at(&store, copy, &world_key, false)); /* and the right key finds all of it */
    must(read_all(store, bob, &got));
    assert_true(got == want);
    psst_store_close(store);
    free(file);
    free(log);
}

static void open__of_what_is_no_store__leaves_it_alone(void **state)
{
    struct world *w = *state;
    world_close(w);
    static uint8_t text[9000];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)(i * 7);
    static const size_t lengths[] = {0, 1, 15, 16, 100, 512, 1024, PAGE, PAGE + 1, 2 * PAGE, sizeof text};
    struct psst_store *store = NULL;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        world_write_file(w->path, text, lengths[i]);
        assert_int_equal(open_at(&store, w->path, &world_key, false), PSST_ERR_DAMAGED);
        assert_int_equal(open_at(&store, w->path, &world_key, true), PSST_ERR_DAMAGED);
        assert_file_is(w->path, text, lengths[i]);
    }
    memset(text, 0, sizeof text); /* a disk that lost everything */
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        world_write_file(w->path, text, lengths[i]);
        assert_int_equal(open_at(&store, w->path, &world_key, false), PSST_ERR_DAMAGED);
        assert_int_equal(open_at(&store, w->path, &world_key, true), PSST_ERR_DAMAGED);
        assert_file_is(w->path, text, lengths[i]);
    }
    assert_int_equal(open_at(&store, w->dir, &world_key, false), PSST_ERR_DAMAGED); /* a folder */
}

static void open__of_a_plain_sqlite_file__leaves_it_alone(void **state)
{
    struct world *w = *state;
    world_close(w);
    assert_int_equal(unlink(w->path), 0);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE contacts (x); INSERT INTO contacts VALUES (1)", NULL, NULL, NULL),
                     SQLITE_OK);
    (void)sqlite3_close(db);
    size_t len = 0;
    uint8_t *before = world_file(w->path, &len);
    struct psst_store *store = NULL;
    assert_int_equal(open_at(&store, w->path, &world_key, false), PSST_ERR_DAMAGED);
    assert_file_is(w->path, before, len);
    free(before);
}

static void open__of_somebody_elses_database__is_refused(void **state)
{
    struct world *w = *state;
    must(psst_store_exec(w->store, "PRAGMA application_id = 1"));
    world_close(w);
    struct psst_store *store = NULL;
    assert_int_equal(open_at(&store, w->path, &world_key, false), PSST_ERR_DAMAGED);
}

static void open__of_a_newer_store__is_refused(void **state)
{
    struct world *w = *state;
    (void)fill(w);
    must(psst_store_exec(w->store, "PRAGMA user_version = 99"));
    world_close(w);
    size_t len = 0;
    uint8_t *before = world_file(w->path, &len);
    struct psst_store *store = NULL;
    assert_int_equal(open_at(&store, w->path, &world_key, false), PSST_ERR_USAGE);
    assert_file_is(w->path, before, len);
    free(before);
}

static void open__cut_short__is_damage_and_is_left_alone(void **state)
{
    struct world *w = *state;
    (void)fill(w);
    world_close(w);
    size_t len = 0;
    uint8_t *whole = world_file(w->path, &len);
    assert_true(len > 20 * PAGE);
    for (size_t cut = 1; cut < len; cut += cut % PAGE == 1 ? PAGE - 1 : cut % PAGE == 0 ? 1 : PAGE) {
        world_write_file(w->path, whole, cut);
        struct psst_store *store = NULL;
        assert_int_equal(open_at(&store, w->path, &world_key, false), PSST_ERR_DAMAGED);
        assert_file_is(w->path, whole, cut);
    }
    free(whole);
}

static void open__with_a_flipped_byte__is_damage_wherever_it_is(void **state)
{
    struct world *w = *state;
    (void)fill(w);
    world_close(w);
    size_t len = 0;
    uint8_t *bytes = world_file(w->path, &len);
    for (size_t at = 5; at < len; at += PAGE / 2 + 1) {
        bytes[at] ^= 0x40;
        world_write_file(w->path, bytes, len);
        struct psst_store *store = NULL;
        assert_int_equal(open_at(&store, w->path, &world_key, false), PSST_ERR_DAMAGED);
        assert_file_is(w->path, bytes, len);
        bytes[at] ^= 0x40;
    }
    world_write_file(w->path, bytes, len);
    must(psst_store_check(world_open(w)));
    free(bytes);
}

/* The disk fails while the store is open. */
static void check__finds__a_flipped_byte_wherever_it_is(void **state)
{
    struct world *w = *state;
    (void)fill(w);
    must(psst_store_check(w->store));
    world_close(w);
    size_t len = 0, found = 0;
    uint8_t *bytes = world_file(w->path, &len);
    for (size_t at = PAGE + 5; at < len; at += PAGE / 2 + 1) { /* the first page has been read */
        (void)world_open(w);
        bytes[at] ^= 0x40;
        world_write_file(w->path, bytes, len);
        assert_int_equal(psst_store_check(w->store), PSST_ERR_DAMAGED);
        assert_true(psst_store_error(w->store)[0] != '\0');
        assert_true(psst_store_is_damaged(w->store));
        found++;
        world_close(w);
        bytes[at] ^= 0x40;
        world_write_file(w->path, bytes, len);
    }
    assert_true(found > 10);
    free(bytes);
}

static void read__of_a_flipped_byte__is_damage_and_nothing_is_written(void **state)
{
    struct world *w = *state;
    int64_t bob = fill(w);
    uint64_t want = 0;
    must(read_all(w->store, bob, &want));
    world_close(w);
    size_t len = 0, met = 0, unseen = 0;
    uint8_t *bytes = world_file(w->path, &len);
    for (size_t at = PAGE + 5; at < len; at += PAGE / 2 + 1) {
        struct psst_store *store = world_open(w);
        bytes[at] ^= 0x40;
        world_write_file(w->path, bytes, len);
        uint64_t sum = 0;
        enum psst_err err = read_all(store, bob, &sum);
        if (err == PSST_ERR_DAMAGED) {
            met++;
            /* from here on this handle keeps its hands off */
            struct psst_message_row row = world_message(bob, 999, "new");
            assert_int_equal(psst_store_message_out(store, &row), PSST_ERR_DAMAGED);
        } else {
            must(err);
            assert_true(sum == want); /* a page that reading did not need */
            unseen++;
        }
        assert_int_equal(psst_store_is_damaged(store), err == PSST_ERR_DAMAGED);
        world_close(w);
        assert_file_is(w->path, bytes, len);
        bytes[at] ^= 0x40;
        world_write_file(w->path, bytes, len);
    }
    assert_true(met > 10 && unseen > 0);
    free(bytes);
}

static void open__beside_the_log_of_one_that_is_gone__makes_nothing(void **state)
{
    struct world *w = *state;
    (void)fill(w);
    char wal[200];
    (void)snprintf(wal, sizeof wal, "%s-wal", w->path);
    size_t len = 0;
    uint8_t *log = world_file(wal, &len);
    assert_true(len > PAGE);
    world_close(w);
    assert_int_equal(unlink(w->path), 0); /* as who moves it away, and forgets what lies beside it */
    world_write_file(wal, log, len);
    struct psst_store *store = NULL;
    assert_int_equal(open_at(&store, w->path, &world_key, false), PSST_ERR_EXISTS);
    assert_false(is_there(w->dir, "history"));
    assert_file_is(wal, log, len);
    assert_int_equal(unlink(wal), 0);
    must(psst_store_check(world_open(w)));
    free(log);
}

static void read_only__reads__and_refuses_to_write(void **state)
{
    struct world *w = *state;
    int64_t bob = fill(w);
    uint64_t want = 0, got = 0;
    must(read_all(w->store, bob, &want));
    world_close(w);
    size_t len = 0;
    uint8_t *before = world_file(w->path, &len);
    must(open_at(&w->store, w->path, &world_key, true));
    must(read_all(w->store, bob, &got));
    assert_true(got == want);
    assert_int_equal(world_out(w, bob, 999, "x", NULL), PSST_ERR_PERMISSION);
    assert_int_equal(psst_store_contact_remove(w->store, bob), PSST_ERR_PERMISSION);
    world_close(w);
    assert_file_is(w->path, before, len);
    free(before);
}

static void read_only__of_nothing__makes_nothing(void **state)
{
    struct world *w = *state;
    world_close(w);
    assert_int_equal(unlink(w->path), 0);
    struct psst_store *store = NULL;
    assert_int_equal(open_at(&store, w->path, &world_key, true), PSST_ERR_NOT_FOUND);
    assert_false(is_there(w->dir, "history"));
}

static void open__where_it_cannot__has_a_sentence(void **state)
{
    struct world *w = *state;
    char path[200];
    (void)snprintf(path, sizeof path, "%s/no/such/folder/history", w->dir);
    struct psst_store *store = NULL;
    assert_int_equal(open_at(&store, path, &world_key, false), PSST_ERR_IO);
    psst_store_close(NULL);
}

static void assert_absent(const char *path, const char *words)
{
    size_t len = 0;
    uint8_t *bytes = world_file(path, &len);
    assert_non_null(bytes);
    assert_true(len > 0);
    assert_null(memmem(bytes, len, words, strlen(words)));
    free(bytes);
}

static void files__hold__no_plain_text(void **state)
{
    struct world *w = *state;
    (void)fill(w);
    char wal[200];
    (void)snprintf(wal, sizeof wal, "%s-wal", w->path);
    static const char *const words[] = {"bridge", "SQLite format", "CREATE TABLE", "contacts"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) assert_absent(wal, words[i]);
    world_close(w);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) assert_absent(w->path, words[i]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(open__makes__a_private_file_and_nothing_else),
        T(open__sets__what_was_promised),
        T(open__after_an_interrupted_making__begins_anew),
        T(open__with_the_wrong_key__leaves_the_file_alone),
        T(open__with_the_wrong_key__leaves_the_log_alone_too),
        T(open__of_what_is_no_store__leaves_it_alone),
        T(open__of_a_plain_sqlite_file__leaves_it_alone),
        T(open__of_somebody_elses_database__is_refused),
        T(open__of_a_newer_store__is_refused),
        T(open__cut_short__is_damage_and_is_left_alone),
        T(open__with_a_flipped_byte__is_damage_wherever_it_is),
        T(open__beside_the_log_of_one_that_is_gone__makes_nothing),
        T(check__finds__a_flipped_byte_wherever_it_is),
        T(read__of_a_flipped_byte__is_damage_and_nothing_is_written),
        T(read_only__reads__and_refuses_to_write),
        T(read_only__of_nothing__makes_nothing),
        T(open__where_it_cannot__has_a_sentence),
        T(files__hold__no_plain_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
