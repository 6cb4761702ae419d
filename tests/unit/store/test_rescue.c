/* Attack 47: what can be read of a damaged store is read, what cannot is named, and nothing is written. */
#include "world.h"

#include "store/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PAGE     4096
#define CONTACTS 40
#define MESSAGES 400
#define FILES    40

/* Some texts are longer than a page. */
static void text_of(char *text, size_t size, unsigned i)
{
    unsigned width = i % 50 == 0 ? 9000 : i % 90 + 1;
    (void)snprintf(text, size, "number %u %0*u", i, (int)width, i);
}

static void fill(struct world *w)
{
    static char text[10000];
    int64_t ids[CONTACTS];
    must(psst_store_begin(w->store));
    for (unsigned i = 0; i < CONTACTS; i++) {
        struct psst_contact_row row = {.keep_history = true, .added_ms = i};
        (void)snprintf(row.alias, sizeof row.alias, "contact %u", i);
        psst_store_u32(row.fpr.b, i);
        row.spki = psst_view_str("a key that has some length, as they have: ........................................");
        must(psst_store_contact_put(w->store, &row));
        ids[i] = row.id;
    }
    for (unsigned i = 0; i < MESSAGES; i++) {
        text_of(text, sizeof text, i);
        int64_t to = ids[i % 2];
        int64_t seq = 0;
        must(i % 3 == 0 ? world_out(w, to, i, text, &seq) : world_in(w, to, i, text, &seq));
        assert_int_equal(seq, i + 1);
    }
    for (unsigned i = 0; i < FILES; i++) {
        char name[200];
        (void)snprintf(name, sizeof name, "file %u %0150u", i, i);
        struct psst_transfer_row row = {.contact_id = ids[0],
                                        .transfer_id = world_id(i),
                                        .name = psst_view_str(name),
                                        .path = psst_view_str("/home/bob/some/where")};
        must(psst_store_transfer_put(w->store, &row));
    }
    must(psst_store_commit(w->store));
}

/* What was read: each at most once, and as it was written. */
struct found {
    bool contacts[CONTACTS + 1], messages[MESSAGES + 1], files[FILES + 1];
    size_t n_contacts, n_messages, n_files;
};

static enum psst_err see_contact(void *ctx, const struct psst_contact_row *row)
{
    struct found *found = ctx;
    char alias[32];
    assert_in_range(row->id, 1, CONTACTS);
    (void)snprintf(alias, sizeof alias, "contact %d", (int)row->id - 1);
    assert_string_equal(row->alias, alias);
    assert_false(found->contacts[row->id]);
    found->contacts[row->id] = true;
    found->n_contacts++;
    return PSST_OK;
}

static enum psst_err see_message(void *ctx, const struct psst_message_row *row)
{
    static char text[10000];
    struct found *found = ctx;
    assert_in_range(row->seq, 1, MESSAGES);
    text_of(text, sizeof text, (unsigned)row->seq - 1);
    assert_int_equal(row->text.len, strlen(text));
    assert_memory_equal(row->text.data, text, row->text.len);
    assert_int_equal(row->contact_id, 1 + (row->seq - 1) % 2);
    assert_false(found->messages[row->seq]);
    found->messages[row->seq] = true;
    found->n_messages++;
    return PSST_OK;
}

static enum psst_err see_file(void *ctx, const struct psst_transfer_row *row)
{
    struct found *found = ctx;
    assert_in_range(row->id, 1, FILES);
    assert_false(found->files[row->id]);
    found->files[row->id] = true;
    found->n_files++;
    return PSST_OK;
}

static void read_everything(struct psst_store *store, struct found *found)
{
    *found = (struct found){.n_contacts = 0};
    must(psst_store_contacts(store, see_contact, found));
    must(psst_store_log(store, 1, 0, SIZE_MAX, see_message, found));
    must(psst_store_log(store, 2, 0, SIZE_MAX, see_message, found));
    must(psst_store_transfers(store, 0, see_file, found));
}

/* Whether a part says that this one cannot be read. */
static bool is_named(const struct psst_store *store, enum psst_store_part_kind kind, int64_t key)
{
    size_t n = 0;
    const struct psst_store_part *parts = psst_store_parts(store, &n);
    for (size_t i = 0; i < n; i++)
        if (parts[i].kind == kind && parts[i].first <= key && key <= parts[i].last) return true;
    return false;
}

/* Each row is either read or named, never both, never neither. */
static void assert_nothing_is_missed(const struct psst_store *store, const struct found *found)
{
    for (int64_t i = 1; i <= CONTACTS; i++)
        assert_int_equal(found->contacts[i], !is_named(store, PSST_PART_CONTACTS, i));
    for (int64_t i = 1; i <= MESSAGES; i++)
        assert_int_equal(found->messages[i], !is_named(store, PSST_PART_MESSAGES, i));
    for (int64_t i = 1; i <= FILES; i++) assert_int_equal(found->files[i], !is_named(store, PSST_PART_TRANSFERS, i));
}

static enum psst_err rescue(struct psst_store **out, const char *path)
{
    struct psst_diag diag = {.text = ""};
    enum psst_err err = psst_store_open(out, path, &world_key, true, &diag);
    if (err != PSST_OK) {
        if (err != PSST_ERR_DAMAGED) print_error("%s: %s\n", psst_err_name(err), diag.text);
        assert_int_equal(err, PSST_ERR_DAMAGED);
        assert_non_null(strstr(diag.text, path));
    } else {
        assert_true(psst_store_is_rescue(*out));
    }
    return err;
}

static void assert_file_is(const char *path, const uint8_t *want, size_t len)
{
    size_t got_len = 0;
    uint8_t *got = world_file(path, &got_len);
    assert_int_equal(got_len, len);
    assert_memory_equal(got, want, len);
    free(got);
}

static void assert_whole(const struct found *found)
{
    assert_int_equal(found->n_contacts, CONTACTS);
    assert_int_equal(found->n_messages, MESSAGES);
    assert_int_equal(found->n_files, FILES);
}

static void rescue__of_a_sound_store__reads_all_and_names_nothing(void **state)
{
    struct world *w = *state;
    fill(w);
    world_close(w);
    struct found found;
    must(rescue(&w->store, w->path));
    read_everything(w->store, &found);
    assert_whole(&found);
    size_t n = 1;
    (void)psst_store_parts(w->store, &n);
    assert_int_equal(n, 0);
}

static void rescue__of_one_damaged_page__reads_all_but_what_was_on_it(void **state)
{
    struct world *w = *state;
    fill(w);
    world_close(w);
    size_t len = 0, some = 0, whole = 0, times = 0;
    uint8_t *bytes = world_file(w->path, &len);
    for (size_t at = PAGE + 77; at < len; at += PAGE) {
        bytes[at] ^= 0x40;
        world_write_file(w->path, bytes, len);
        struct psst_store *store = NULL;
        if (rescue(&store, w->path) == PSST_OK) {
            struct found found;
            size_t n = 0;
            read_everything(store, &found);
            assert_nothing_is_missed(store, &found);
            const struct psst_store_part *parts = psst_store_parts(store, &n);
            assert_true(n > 0); /* something is always named */
            size_t all = found.n_contacts + found.n_messages + found.n_files;
            some += all < CONTACTS + MESSAGES + FILES && all > MESSAGES / 2;
            whole += all == CONTACTS + MESSAGES + FILES;
            if (all == CONTACTS + MESSAGES + FILES) assert_int_equal(parts[0].kind, PSST_PART_OTHER);
            if (parts[0].kind == PSST_PART_MESSAGES && parts[0].first > 1 && parts[0].last < MESSAGES) {
                assert_int_equal(parts[0].after_ms, 2000 + parts[0].first - 2);
                assert_int_equal(parts[0].before_ms, 2000 + parts[0].last);
                times++;
            }
            psst_store_close(store);
        }
        assert_file_is(w->path, bytes, len);
        bytes[at] ^= 0x40;
    }
    assert_true(some > 10 && whole > 1 && times > 5);
    free(bytes);
}

static void rescue__of_many_damaged_pages__still_reads_the_others(void **state)
{
    struct world *w = *state;
    fill(w);
    world_close(w);
    size_t len = 0, opened = 0, read = 0;
    uint8_t *bytes = world_file(w->path, &len);
    for (unsigned round = 0; round < 40; round++) {
        uint8_t *copy = malloc(len);
        assert_non_null(copy);
        memcpy(copy, bytes, len);
        unsigned lot = round * 2654435761u + 1;
        for (unsigned i = 0; i < 1 + round / 4; i++) {
            lot = lot * 1664525u + 1013904223u;
            size_t page = 1 + (lot >> 8) % (len / PAGE - 1);
            if (round % 3 == 0)
                memset(copy + page * PAGE, 0, PAGE); /* what a disk forgot */
            else
                copy[page * PAGE + lot % PAGE] ^= 1;
        }
        world_write_file(w->path, copy, len);
        struct psst_store *store = NULL;
        if (rescue(&store, w->path) == PSST_OK) {
            struct found found;
            read_everything(store, &found);
            assert_nothing_is_missed(store, &found);
            opened++;
            read += found.n_messages;
            psst_store_close(store);
        }
        assert_file_is(w->path, copy, len);
        free(copy);
    }
    assert_true(opened > 30 && read > opened * MESSAGES / 4);
    free(bytes);
}

static void rescue__of_a_store_cut_short__reads_what_is_there_and_says_so(void **state)
{
    struct world *w = *state;
    fill(w);
    world_close(w);
    size_t len = 0, most = 0;
    uint8_t *bytes = world_file(w->path, &len);
    for (size_t cut = PAGE; cut < len; cut += cut % PAGE == 0 ? 100 : PAGE - 100) {
        world_write_file(w->path, bytes, cut);
        struct psst_store *store = NULL;
        if (rescue(&store, w->path) == PSST_OK) {
            struct found found;
            size_t n = 0;
            read_everything(store, &found);
            assert_nothing_is_missed(store, &found);
            const struct psst_store_part *parts = psst_store_parts(store, &n);
            assert_true(n > 0);
            assert_int_equal(parts[0].kind, PSST_PART_CUT_SHORT);
            assert_int_equal(parts[0].first, cut);
            assert_int_equal(parts[0].last, len);
            if (found.n_messages > most) most = found.n_messages;
            psst_store_close(store);
        }
        assert_file_is(w->path, bytes, cut);
    }
    assert_true(most > MESSAGES / 2);
    free(bytes);
}

static void rescue__of_a_damaged_first_page__is_refused(void **state)
{
    struct world *w = *state;
    fill(w);
    world_close(w);
    size_t len = 0;
    uint8_t *bytes = world_file(w->path, &len);
    static const size_t places[] = {0, 16, 100, PAGE - 60, PAGE - 20};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        bytes[places[i]] ^= 1;
        world_write_file(w->path, bytes, len);
        struct psst_store *store = NULL;
        assert_int_equal(rescue(&store, w->path), PSST_ERR_DAMAGED);
        assert_file_is(w->path, bytes, len);
        bytes[places[i]] ^= 1;
    }
    free(bytes);
}

static void rescue__pages_through_the_log__as_ever(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "Bob", true), eve = world_contact(w, "Eve", true);
    for (unsigned i = 1; i <= 9; i++) must(world_in(w, i % 3 == 0 ? eve : bob, i, "x", NULL));
    world_close(w);
    struct psst_diag diag;
    must(psst_store_open(&w->store, w->path, &world_key, true, &diag));
    struct seen seen;
    assert_string_equal(world_log(w, bob, 0, 100, &seen), "1:x|2:x|4:x|5:x|7:x|8:x|");
    assert_string_equal(world_log(w, bob, 0, 2, &seen), "7:x|8:x|");
    assert_string_equal(world_log(w, bob, 0, 5, &seen), "2:x|4:x|5:x|7:x|8:x|");
    assert_string_equal(world_log(w, bob, 4, 100, &seen), "5:x|7:x|8:x|");
    assert_string_equal(world_log(w, eve, 0, 1, &seen), "9:x|");
    assert_string_equal(world_log(w, 77, 0, 100, &seen), "");
    seen = (struct seen){.n = 0};
    must(psst_store_log_before(w->store, bob, 7, 2, world_see, &seen));
    assert_string_equal(seen.text, "4:x|5:x|");
}

static enum psst_err add_counts(void *ctx, const struct psst_counts_row *row)
{
    struct psst_counts_row *sum = ctx;
    sum->waiting += row->waiting;
    sum->unread.texts += row->unread.texts;
    sum->unread.bytes += row->unread.bytes;
    return PSST_OK;
}

static void rescue__counts__what_it_could_read(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "Bob", true);
    must(world_out(w, bob, 1, "waits", NULL));
    must(world_in(w, bob, 2, "new", NULL));
    must(world_in(w, bob, 3, "new too", NULL));
    world_close(w);
    struct psst_diag diag;
    must(psst_store_open(&w->store, w->path, &world_key, true, &diag));
    struct psst_counts_row sum = {.contact_id = 0};
    must(psst_store_counts(w->store, add_counts, &sum));
    assert_int_equal(sum.waiting, 1);
    assert_int_equal(sum.unread.texts, 2);
    assert_int_equal(sum.unread.bytes, 10);
}

static void rescue__writes__nothing(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "Bob", true);
    world_close(w);
    size_t len = 0;
    uint8_t *bytes = world_file(w->path, &len);
    must(rescue(&w->store, w->path));
    must(psst_store_begin(w->store));
    must(psst_store_savepoint(w->store));
    assert_int_not_equal(world_out(w, bob, 1, "x", NULL), PSST_OK);
    psst_store_release(w->store, false);
    must(psst_store_commit(w->store));
    assert_int_not_equal(psst_store_contact_remove(w->store, bob), PSST_OK);
    world_close(w);
    assert_file_is(w->path, bytes, len);
    free(bytes);
}

/* After a crash: rows that are only in the log beside it, and damage in the file. */
static void rescue__reads__the_log_beside_it_and_leaves_both_alone(void **state)
{
    struct world *w = *state;
    fill(w);
    world_reopen(w);
    must(world_in(w, 1, 5000, "only in the log", NULL));
    char wal[200], copy[200], copy_wal[220];
    (void)snprintf(wal, sizeof wal, "%s-wal", w->path);
    (void)snprintf(copy, sizeof copy, "%s/copy", w->dir);
    (void)snprintf(copy_wal, sizeof copy_wal, "%s-wal", copy);
    size_t len = 0, wal_len = 0;
    uint8_t *file = world_file(w->path, &len), *log = world_file(wal, &wal_len);
    file[len / 2] ^= 1;
    world_write_file(copy, file, len);
    world_write_file(copy_wal, log, wal_len);
    struct psst_store *store = NULL;
    struct psst_diag diag = {.text = ""};
    assert_int_equal(psst_store_open(&store, copy, &world_key, false, &diag), PSST_ERR_DAMAGED);
    assert_file_is(copy, file, len);
    assert_file_is(copy_wal, log, wal_len);
    must(rescue(&store, copy));
    struct seen seen = {.n = 0};
    must(psst_store_log(store, 1, 0, 1, world_see, &seen));
    assert_string_equal(seen.text, "5000:only in the log|");
    psst_store_close(store);
    assert_file_is(copy, file, len);
    assert_file_is(copy_wal, log, wal_len);
    free(file);
    free(log);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(rescue__of_a_sound_store__reads_all_and_names_nothing),
        T(rescue__of_one_damaged_page__reads_all_but_what_was_on_it),
        T(rescue__of_many_damaged_pages__still_reads_the_others),
        T(rescue__of_a_store_cut_short__reads_what_is_there_and_says_so),
        T(rescue__of_a_damaged_first_page__is_refused),
        T(rescue__pages_through_the_log__as_ever),
        T(rescue__counts__what_it_could_read),
        T(rescue__writes__nothing),
        T(rescue__reads__the_log_beside_it_and_leaves_both_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
