/* What is not kept any longer: that it goes, that nothing else does, that ids stay known, and that no page on the disk holds
 * a word of it. */
#include "pages.h"
#include "world.h"

#include "store/store_internal.h"
#include "support/fault_vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY     86400000ULL
#define MARK    "zqmark"
#define STAYS   "xjstays"
#define ROUNDS  28
#define IN_EACH 40

/* ---- a store in which what goes and what stays lie beside each other ---- */

struct mix {
    int64_t goes, stays;
    unsigned n; /* messages of each */
};

static uint64_t next_random(uint64_t *at)
{
    *at ^= *at << 13;
    *at ^= *at >> 7;
    *at ^= *at << 17;
    return *at >> 11;
}

static const char *make_text(uint64_t *at, const char *mark, unsigned n)
{
    static char text[9000];
    size_t len = 0, words = next_random(at) % 25 == 0 ? next_random(at) % 1000 : next_random(at) % 15;
    for (size_t i = 0; i <= words; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "word%u ", (unsigned)(next_random(at) % 300));
    (void)snprintf(text + len, sizeof text - len, "%s%u %s", mark, n, mark);
    return text;
}

static void put(struct world *w, int64_t contact, unsigned n, const char *text)
{
    struct psst_message_row row = world_message(contact, n, text);
    row.stored_ms = n * 1000;
    row.state = PSST_MESSAGE_SENT;
    if (n % 2 == 0)
        must(psst_store_message_in(w->store, &row));
    else
        must(psst_store_message_out(w->store, &row));
}

static void settle(struct world *w, int64_t contact, unsigned n)
{
    struct psst_msg_id id = world_id(n);
    must(psst_store_message_settle(w->store, contact, &id, PSST_MESSAGE_DELIVERED, 0, NULL));
}

static struct mix mix(struct world *w, bool keeps)
{
    struct mix mix = {world_contact(w, "goes", keeps), world_contact(w, "stays", true), 0};
    uint64_t at = 0x9e3779b97f4a7c15ULL;
    for (unsigned round = 0; round < ROUNDS; round++) {
        must(psst_store_begin(w->store));
        w->store->era_messages = 300;
        for (unsigned i = 0; i < IN_EACH; i++, mix.n++) {
            put(w, mix.goes, mix.n, make_text(&at, MARK, mix.n));
            put(w, mix.stays, mix.n, make_text(&at, STAYS, mix.n));
        }
        must(psst_store_commit(w->store));
    }
    return mix;
}

/* Settled and shown in another order than stored, so that rows grow and move. */
static void be_done(struct world *w, const struct mix *mix)
{
    for (unsigned first = 1; first < 14; first += 2) {
        must(psst_store_begin(w->store));
        for (unsigned n = first; n < mix->n; n += 14) {
            settle(w, mix->goes, n);
            settle(w, mix->stays, n);
        }
        must(psst_store_commit(w->store));
    }
    must(psst_store_messages_shown(w->store, mix->goes, INT64_MAX));
    must(psst_store_messages_shown(w->store, mix->stays, INT64_MAX));
}

static size_t marks(const struct world *w, const char *mark)
{
    return pages_find(w->path, &world_key, mark);
}

static enum psst_err count_text(void *ctx, const struct psst_message_row *row)
{
    *(unsigned *)ctx += row->text.len > 0;
    return PSST_OK;
}

static unsigned texts(struct world *w, int64_t contact)
{
    unsigned n = 0;
    must(psst_store_log(w->store, contact, 0, SIZE_MAX, count_text, &n));
    return n;
}

static unsigned hits(struct world *w, const char *word)
{
    unsigned n = 0;
    const struct psst_find find = {.words = psst_view_str(word), .limit = PSST_FIND_MAX};
    must(psst_store_find(w->store, &find, count_text, &n));
    return n;
}

/* No word of what went is on the disk, now and after closing; what stays is whole. */
static void assert_gone(struct world *w, const struct mix *mix)
{
    bool left = true;
    assert_int_equal(hits(w, MARK "*"), 0);
    must(psst_store_scrub(w->store, true, &left));
    assert_false(left);
    assert_int_equal(pages_log_size(w->path), 0);
    assert_int_equal(marks(w, MARK), 0);
    assert_int_equal(texts(w, mix->stays), mix->n);
    assert_int_equal(hits(w, STAYS), PSST_FIND_MAX);
    assert_true(marks(w, STAYS) > mix->n);
    world_assert_integrity(w);
    world_reopen(w);
    assert_int_equal(hits(w, STAYS), PSST_FIND_MAX);
    world_close(w);
    assert_int_equal(marks(w, MARK), 0);
    assert_int_equal(pages_log_size(w->path), 0);
}

static void set_contact(struct world *w, int64_t id, bool keep, uint32_t days)
{
    struct psst_contact_row row = {.id = id,
                                   .alias = "goes",
                                   .keep_history = keep,
                                   .keep_days = days,
                                   .added_ms = 5,
                                   .spki = psst_view_str("key")};
    memset(row.fpr.b, 'g', sizeof row.fpr.b);
    must(psst_store_contact_put(w->store, &row));
}

/* ---- no page holds it: each way of going ---- */

/* A check that cannot fail is none. */
static void pages__hold__what_was_not_erased(void **state)
{
    struct world *w = *state;
    struct mix m = mix(w, true);
    assert_true(marks(w, MARK) > m.n); /* in the log */
    be_done(w, &m);
    world_reopen(w);
    (void)world_tidy(w, 1000 * DAY);
    world_close(w);
    assert_int_equal(pages_log_size(w->path), 0);
    assert_true(marks(w, MARK) > 2 * m.n); /* in texts, and in the index */
    assert_int_equal(marks(w, "zqmork"), 0);
}

static void pages__of_history_turned_off__hold_nothing_of_it(void **state)
{
    struct world *w = *state;
    struct mix m = mix(w, true);
    be_done(w, &m);
    set_contact(w, m.goes, false, 0);
    (void)world_tidy(w, 0);
    assert_int_equal(texts(w, m.goes), 0);
    assert_gone(w, &m);
}

static void pages__of_what_was_never_kept__hold_nothing_of_it(void **state)
{
    struct world *w = *state;
    struct mix m = mix(w, false);
    assert_int_equal(hits(w, MARK), 0);
    be_done(w, &m);
    assert_int_equal(texts(w, m.goes), 0);
    (void)world_tidy(w, 0);
    assert_gone(w, &m);
}

static void pages__of_what_is_too_old__hold_nothing_of_it(void **state)
{
    struct world *w = *state;
    struct mix m = mix(w, true);
    be_done(w, &m);
    set_contact(w, m.goes, true, 7);
    (void)world_tidy(w, 7 * DAY + m.n * 500);
    assert_in_range(texts(w, m.goes), m.n / 3, m.n * 2 / 3); /* half of it is not yet */
    assert_true(hits(w, MARK "1") == 0 && hits(w, STAYS "1") == 1);
    (void)world_tidy(w, 8 * DAY);
    assert_int_equal(texts(w, m.goes), 0);
    assert_gone(w, &m);
}

static void pages__of_what_is_forgotten__hold_nothing_of_it(void **state)
{
    struct world *w = *state;
    struct mix m = mix(w, true);
    struct seen seen;
    be_done(w, &m);
    must(psst_store_forget(w->store, m.goes, 1000ULL * 1000));
    (void)world_tidy(w, 0);
    (void)world_log(w, m.goes, 0, SIZE_MAX, &seen);
    assert_int_equal(seen.n, m.n - 1000);
    assert_int_equal(hits(w, MARK "999"), 0);
    assert_int_equal(hits(w, MARK "1000"), 1);
    must(psst_store_forget(w->store, m.goes, UINT64_MAX));
    (void)world_tidy(w, 0);
    assert_string_equal(world_log(w, m.goes, 0, 10, &seen), "");
    assert_gone(w, &m);
}

static void pages__of_a_removed_contact__hold_nothing_of_it(void **state)
{
    struct world *w = *state;
    struct mix m = mix(w, true); /* of which half waits, or is unread */
    must(psst_store_forget(w->store, m.goes, 1000ULL * 500));
    (void)world_tidy(w, 0);
    must(psst_store_contact_remove(w->store, m.goes));
    (void)world_tidy(w, 0);
    int64_t rows = -1;
    must(
        psst_store_pragma_int(w->store, "SELECT (SELECT count(*) FROM contacts) + (SELECT count(*) FROM seen)", &rows));
    assert_int_equal(rows, 1);
    assert_gone(w, &m);
}

/* Nobody calls tidy: closing has to. */
static void close__finishes__what_was_begun(void **state)
{
    struct world *w = *state;
    struct mix m = mix(w, true);
    be_done(w, &m);
    must(psst_store_forget(w->store, m.goes, UINT64_MAX));
    world_close(w);
    assert_int_equal(marks(w, MARK), 0);
    assert_int_equal(pages_log_size(w->path), 0);
    assert_true(marks(w, STAYS) > m.n);
}

static void copy_file(const char *from, const char *to, const char *tail)
{
    char a[300], b[300];
    size_t len = 0;
    (void)snprintf(a, sizeof a, "%s%s", from, tail);
    (void)snprintf(b, sizeof b, "%s%s", to, tail);
    uint8_t *data = world_file(a, &len);
    if (data != NULL) world_write_file(b, data, len);
    free(data);
}

/* As a crash leaves it, with its log: the next one that opens it finishes. */
static void erasing__cut_off_anywhere__goes_on_at_the_next_opening(void **state)
{
    struct world *w = *state;
    struct world copy;
    struct mix m = mix(w, true);
    be_done(w, &m);
    must(psst_store_forget(w->store, m.goes, UINT64_MAX));
    struct psst_tidied tidied = {.more = true};
    unsigned crashes = 0;
    for (unsigned step = 0; tidied.more; step++) {
        if (step % 5 == 0) {
            copy = *w;
            (void)snprintf(copy.path, sizeof copy.path, "%s/copy%u", w->dir, step);
            copy_file(w->path, copy.path, "");
            copy_file(w->path, copy.path, "-wal");
            (void)world_open(&copy);
            world_assert_integrity(&copy);
            world_close(&copy);
            assert_int_equal(marks(&copy, MARK), 0);
            assert_true(marks(&copy, STAYS) > m.n);
            crashes++;
        }
        must(psst_store_begin(w->store));
        must(psst_store_tidy(w->store, 0, &tidied));
        must(psst_store_commit(w->store));
    }
    assert_true(crashes > 2);
    assert_gone(w, &m);
}

/* ---- a disk that fails meanwhile ---- */

static enum psst_err erase_all(struct world *w)
{
    struct psst_tidied tidied = {.more = true};
    bool left = false;
    enum psst_err err = PSST_OK;
    while (err == PSST_OK && tidied.more) {
        err = psst_store_begin(w->store);
        if (err == PSST_OK) err = psst_store_tidy(w->store, 0, &tidied);
        if (err != PSST_OK) w->store->broken = err;
        enum psst_err committed = psst_store_commit(w->store);
        if (err == PSST_OK) err = committed;
    }
    return err == PSST_OK ? psst_store_scrub(w->store, true, &left) : err;
}

/* A small store, half of which is to go, where the nth change to the disk from here on fails. Gives whether it came to that. */
static bool erase_with_fault(struct world *w, enum fault_kind kind, long nth)
{
    char path[sizeof w->path];
    world_close(w);
    assert_int_equal(unlink(w->path), 0);
    /* under a name that the disk which forgets has not known before: removing one here is nothing that it sees */
    (void)snprintf(path, sizeof path, "%s/h%ld", w->dir, kind == FAULT_POWER ? nth : 0);
    memcpy(w->path, path, sizeof path);
    (void)world_open(w);
    int64_t goes = world_contact(w, "goes", true), stays = world_contact(w, "stays", true);
    must(psst_store_begin(w->store));
    for (unsigned n = 0; n < 120; n += 2)
        put(w, goes, n, MARK " goes and is long enough to fill some pages of the file");
    for (unsigned n = 0; n < 120; n += 2) put(w, stays, n, STAYS " stays, and is as long as the ones that do not stay");
    must(psst_store_messages_shown(w->store, goes, INT64_MAX));
    must(psst_store_forget(w->store, goes, UINT64_MAX));
    must(psst_store_commit(w->store));
    fault_vfs_plan(kind, nth, kind == FAULT_POWER);
    enum psst_err err = erase_all(w);
    bool struck = fault_vfs_struck();
    if (!struck) must(err);
    if (kind == FAULT_POWER) fault_vfs_power_cut();
    world_close(w); /* tries what was not done */
    (void)fault_vfs_clear();
    if (kind == FAULT_POWER) fault_vfs_power_back((uint64_t)nth);
    (void)world_open(w);
    must(psst_store_check(w->store));
    assert_int_equal(texts(w, stays), 60);
    assert_int_equal(hits(w, STAYS), 60);
    must(erase_all(w));
    assert_int_equal(texts(w, goes), 0);
    assert_int_equal(hits(w, MARK), 0);
    assert_int_equal(texts(w, stays), 60);
    world_close(w);
    assert_int_equal(marks(w, MARK), 0);
    (void)world_open(w);
    return struck;
}

static void fail_everywhere(struct world *w, enum fault_kind kind)
{
    long n = 1;
    while (erase_with_fault(w, kind, n)) n += n < 30 ? 1 : 11;
    assert_true(n > 30);
}

static void erasing__without_power__loses_nothing_that_stays(void **state)
{
    fail_everywhere(*state, FAULT_POWER);
}

static void erasing__on_a_disk_that_fails__loses_nothing_that_stays(void **state)
{
    fail_everywhere(*state, FAULT_IO);
}

static void erasing__on_a_full_disk__loses_nothing_that_stays(void **state)
{
    fail_everywhere(*state, FAULT_FULL);
}

static int faulty_setup(void **state)
{
    fault_vfs_install();
    return world_setup(state);
}

static int faulty_teardown(void **state)
{
    (void)fault_vfs_clear();
    int rc = world_teardown(state);
    fault_vfs_uninstall();
    return rc;
}

/* ---- what goes, and when ---- */

static void days__erase__what_is_older_and_done_with(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "goes", true);
    for (unsigned n = 0; n < 8; n++) put(w, bob, n, n < 4 ? "early" : "late");
    settle(w, bob, 1);                                 /* 3, 5, 7 wait */
    must(psst_store_messages_shown(w->store, bob, 5)); /* 6 is unread */
    set_contact(w, bob, true, 1);
    struct seen seen;
    assert_int_equal(world_tidy(w, DAY), DAY + 1); /* the first is due in a moment */
    assert_string_equal(world_log(w, bob, 0, 10, &seen),
                        "0:early|1:early|2:early|3:early|4:late|5:late|6:late|7:late|");
    assert_int_equal(world_tidy(w, DAY + 1500), DAY + 2001);
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "0:|1:|2:early|3:early|4:late|5:late|6:late|7:late|");
    assert_int_equal(world_tidy(w, 2 * DAY), 3 * DAY); /* what waits is looked at in a day */
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "0:|1:|2:|3:early|4:|5:late|6:late|7:late|");
    settle(w, bob, 3);
    settle(w, bob, 5);
    must(psst_store_messages_shown(w->store, bob, INT64_MAX));
    (void)world_tidy(w, 3 * DAY);
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "0:|1:|2:|3:|4:|5:|6:|7:late|");
    assert_int_equal(world_tidy(w, 30 * DAY + 500), 31 * DAY + 500); /* rows without a text go, too */
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "1:|2:|3:|4:|5:|6:|7:late|");
    (void)world_tidy(w, 31 * DAY);
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "7:late|");
    assert_int_equal(world_in(w, bob, 0, "early", NULL), PSST_ERR_EXISTS);
    assert_int_equal(world_in(w, bob, 6, "late", NULL), PSST_ERR_EXISTS);
}

static void tidy__with_nothing_due__never_needs_to_be_called(void **state)
{
    struct world *w = *state;
    assert_true(world_tidy(w, DAY) == UINT64_MAX);
    int64_t bob = world_contact(w, "goes", true);
    put(w, bob, 0, "kept");
    assert_true(world_tidy(w, 1000 * DAY) == UINT64_MAX);
    set_contact(w, bob, true, 3);
    assert_true(world_tidy(w, DAY) == 3 * DAY + 1);
    struct seen seen;
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "0:kept|"); /* unread */
}

static void forgotten_ids__are_known__for_good(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "goes", true);
    for (unsigned n = 0; n < 20; n++) put(w, bob, n, "body");
    must(psst_store_messages_shown(w->store, bob, 10));
    for (unsigned n = 1; n < 10; n += 2) settle(w, bob, n);
    must(psst_store_forget(w->store, bob, UINT64_MAX));
    (void)world_tidy(w, 0);
    struct seen seen;
    /* what waits, and what nobody has seen, stays */
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "10:body|11:body|12:body|13:body|14:body|15:body|16:body|17:"
                                                         "body|18:body|19:body|");
    (void)world_tidy(w, 4000 * DAY);
    world_reopen(w);
    struct psst_msg_id id = world_id(4), odd = world_id(3);
    assert_int_equal(world_in(w, bob, 4, "body", NULL), PSST_ERR_EXISTS);
    assert_int_equal(world_in(w, bob, 4, "other", NULL), PSST_ERR_PROTOCOL);
    must(psst_store_message_known(w->store, bob, &id));
    assert_int_equal(psst_store_message_known(w->store, bob, &odd), PSST_ERR_NOT_FOUND); /* it was ours */
    assert_int_equal(psst_store_message_settle(w->store, bob, &odd, PSST_MESSAGE_DELIVERED, 0, NULL),
                     PSST_ERR_NOT_FOUND);
    int64_t len = 0;
    must(psst_store_pragma_int(w->store, "SELECT max(length(digest)) FROM seen", &len));
    assert_int_equal(len, 4);
    put(w, bob, 30, "after"); /* is not forgotten by what was asked before */
    must(psst_store_messages_shown(w->store, bob, INT64_MAX));
    (void)world_tidy(w, 0);
    assert_string_equal(world_log(w, bob, 0, 1, &seen), "30:after|");
}

static void forget__of_nobody__is_refused(void **state)
{
    struct world *w = *state;
    assert_int_equal(psst_store_forget(w->store, 12, UINT64_MAX), PSST_ERR_NOT_FOUND);
    int64_t bob = world_contact(w, "goes", true);
    must(psst_store_contact_remove(w->store, bob));
    assert_int_equal(psst_store_forget(w->store, bob, UINT64_MAX), PSST_ERR_NOT_FOUND);
}

/* Its messages are being erased: it is not there any more, for anybody. */
static void removed_contact__is_gone__before_its_messages_are(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "goes", true);
    put(w, bob, 1, "waits");
    put(w, bob, 2, "unread");
    must(psst_store_contact_remove(w->store, bob));
    struct psst_contact_row row = {.id = bob, .alias = "goes", .spki = psst_view_str("key")};
    assert_int_equal(psst_store_contact_put(w->store, &row), PSST_ERR_NOT_FOUND);
    assert_int_equal(world_in(w, bob, 3, "x", NULL), PSST_ERR_NOT_FOUND);
    assert_int_equal(world_out(w, bob, 4, "x", NULL), PSST_ERR_NOT_FOUND);
    struct psst_transfer_row file = {
        .contact_id = bob, .transfer_id = world_id(5), .name = psst_view_str("f"), .path = psst_view("", 0)};
    struct psst_meet_row meet = {.contact_id = bob, .meet_id = world_id(6), .time_ms = 5000};
    assert_int_equal(psst_store_transfer_put(w->store, &file), PSST_ERR_NOT_FOUND);
    assert_int_equal(psst_store_meet_add(w->store, &meet), PSST_ERR_NOT_FOUND);
    assert_int_equal(psst_store_messages_shown(w->store, bob, INT64_MAX), PSST_ERR_NOT_FOUND);
    assert_int_equal(psst_store_contact_remove(w->store, bob), PSST_ERR_NOT_FOUND);
    int64_t again = world_contact(w, "goes", true); /* the same name and key */
    assert_true(again > bob);
    must(world_in(w, again, 2, "from the new one", NULL));
    (void)world_tidy(w, 0);
    struct seen seen;
    assert_string_equal(world_log(w, again, 0, 10, &seen), "2:from the new one|");
    assert_int_equal(hits(w, "unread"), 0);
    world_assert_integrity(w);
}

static void receipt_that_is_due__keeps__its_row(void **state)
{
    struct world *w = *state;
    struct psst_contact_row bob = {
        .alias = "bob", .keep_history = true, .receipts = true, .spki = psst_view_str("key"), .fpr = {{1}}};
    must(psst_store_contact_put(w->store, &bob));
    put(w, bob.id, 2, "shown");
    must(psst_store_messages_shown(w->store, bob.id, INT64_MAX));
    must(psst_store_forget(w->store, bob.id, UINT64_MAX));
    (void)world_tidy(w, 4000 * DAY);
    struct seen seen;
    assert_string_equal(world_log(w, bob.id, 0, 10, &seen), "2:|");
    struct psst_msg_id due[4];
    size_t n = 4;
    must(psst_store_receipts_due(w->store, bob.id, due, &n));
    assert_int_equal(n, 1);
    must(psst_store_receipts_sent(w->store, bob.id, due, 1));
    (void)world_tidy(w, 4000 * DAY);
    assert_string_equal(world_log(w, bob.id, 0, 10, &seen), "");
    assert_int_equal(world_in(w, bob.id, 2, "shown", NULL), PSST_ERR_EXISTS);
}

/* ---- the size of a step ---- */

static void tidy__takes__small_steps(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "goes", true);
    char *big = malloc(60001);
    assert_non_null(big);
    memset(big, 'x', 60000);
    big[60000] = '\0';
    must(psst_store_begin(w->store));
    for (unsigned n = 0; n < 1200; n++) put(w, bob, 2 * n, "small");
    for (unsigned n = 1200; n < 1212; n++) put(w, bob, 2 * n, big);
    must(psst_store_messages_shown(w->store, bob, INT64_MAX));
    must(psst_store_commit(w->store));
    free(big);
    must(psst_store_forget(w->store, bob, UINT64_MAX));
    struct psst_tidied tidied = {.more = true};
    unsigned steps = 0;
    for (size_t before = 1212; tidied.more; steps++) {
        struct seen seen;
        must(psst_store_begin(w->store));
        must(psst_store_tidy(w->store, 0, &tidied));
        must(psst_store_commit(w->store));
        (void)world_log(w, bob, 0, SIZE_MAX, &seen);
        assert_true(before - seen.n <= (before > 12 ? 128 : 3)); /* many small ones, a few long ones */
        before = seen.n;
    }
    assert_in_range(steps, 10 + 4, 30);
}

static void scrub__leaves_a_big_file__for_later(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "goes", true);
    uint64_t at = 1;
    char *big = malloc(60001);
    assert_non_null(big);
    must(psst_store_begin(w->store));
    for (unsigned n = 0; n < 90; n++) {
        for (size_t i = 0; i < 60000; i++) big[i] = (char)('a' + next_random(&at) % 26);
        big[60000] = '\0';
        put(w, bob, 2 * n, big);
    }
    free(big);
    must(psst_store_messages_shown(w->store, bob, INT64_MAX));
    must(psst_store_commit(w->store));
    bool left = true;
    must(psst_store_scrub(w->store, false, &left)); /* nothing was erased */
    assert_false(left);
    must(psst_store_forget(w->store, bob, 10 * 1000));
    (void)world_tidy(w, 0);
    must(psst_store_scrub(w->store, false, &left));
    assert_true(left);
    assert_int_equal(pages_log_size(w->path), 0);
    must(psst_store_scrub(w->store, true, &left));
    assert_false(left);
    world_assert_integrity(w);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
#define F(f) cmocka_unit_test_setup_teardown(f, faulty_setup, faulty_teardown)
    const struct CMUnitTest tests[] = {
        T(pages__hold__what_was_not_erased),
        T(pages__of_history_turned_off__hold_nothing_of_it),
        T(pages__of_what_was_never_kept__hold_nothing_of_it),
        T(pages__of_what_is_too_old__hold_nothing_of_it),
        T(pages__of_what_is_forgotten__hold_nothing_of_it),
        T(pages__of_a_removed_contact__hold_nothing_of_it),
        T(close__finishes__what_was_begun),
        T(erasing__cut_off_anywhere__goes_on_at_the_next_opening),
        F(erasing__without_power__loses_nothing_that_stays),
        F(erasing__on_a_disk_that_fails__loses_nothing_that_stays),
        F(erasing__on_a_full_disk__loses_nothing_that_stays),
        T(days__erase__what_is_older_and_done_with),
        T(tidy__with_nothing_due__never_needs_to_be_called),
        T(forgotten_ids__are_known__for_good),
        T(forget__of_nobody__is_refused),
        T(removed_contact__is_gone__before_its_messages_are),
        T(receipt_that_is_due__keeps__its_row),
        T(tidy__takes__small_steps),
        T(scrub__leaves_a_big_file__for_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
