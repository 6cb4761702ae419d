#include "book_bench.h"

#include "daemon/addresses.h"

#include <stdio.h>

static void book__keeps__all_of_a_contact_over_a_restart(void **state)
{
    struct bench *b = *state;
    struct psst_contact with = bench_person(b, "Bob", 0);
    with.addresses = "bob.example.org:4516\n[2001:db8::1]:9\n";
    with.presence_text = "at the sea";
    with.has_our_secret = with.verified = true;
    with.our_secret.b[31] = 5;
    with.keep_history = false;
    with.paused = true;
    assert_int_equal(bench_put(b, NULL, &with), PSST_OK);
    psst_book_unload(b->d.book);
    assert_null(psst_book_first(b->d.book));
    assert_int_equal(bench_load(b), PSST_OK);
    const struct psst_contact *c = psst_book_by_name(b->d.book, "Bob");
    assert_non_null(c);
    assert_true(c->id > 0);
    assert_string_equal(c->addresses, "bob.example.org:4516\n[2001:db8::1]:9\n");
    assert_string_equal(c->presence_text, "at the sea");
    assert_true(c->has_our_secret && !c->has_their_secret && c->verified && !c->blocked && !c->keep_history &&
                c->paused);
    assert_memory_equal(&c->our_secret, &with.our_secret, sizeof with.our_secret);
    assert_memory_equal(psst_rsa_public_fpr(c->key), psst_rsa_public_fpr(b->keys[0]), sizeof(struct psst_fpr));
    assert_int_equal(c->added_ms, 77);
}

static void book__finds__by_name_fingerprint_and_id(void **state)
{
    struct bench *b = *state;
    struct psst_contact bob = bench_person(b, "Bob", 0), eve = bench_person(b, "eve", 1);
    assert_int_equal(bench_put(b, NULL, &bob), PSST_OK);
    assert_int_equal(bench_put(b, NULL, &eve), PSST_OK);
    struct psst_contact *c = psst_book_by_name(b->d.book, "EVE");
    assert_non_null(c);
    assert_string_equal(c->alias, "eve");
    assert_ptr_equal(psst_book_by_fpr(b->d.book, psst_rsa_public_fpr(b->keys[1])), c);
    assert_ptr_equal(psst_book_by_id(b->d.book, c->id), c);
    assert_null(psst_book_by_fpr(b->d.book, psst_rsa_public_fpr(b->keys[2])));
    assert_null(psst_book_by_name(b->d.book, "ev"));
    assert_null(psst_book_by_id(b->d.book, 12345));
}

static void book__refuses__a_name_or_a_key_twice_and_changes_nothing(void **state)
{
    struct bench *b = *state;
    struct psst_contact bob = bench_person(b, "Bob", 0), eve = bench_person(b, "Eve", 1);
    assert_int_equal(bench_put(b, NULL, &bob), PSST_OK);
    assert_int_equal(bench_put(b, NULL, &eve), PSST_OK);
    struct psst_contact again = bench_person(b, "bOB", 2);
    assert_int_equal(bench_put(b, NULL, &again), PSST_ERR_EXISTS);
    struct psst_contact same_key = bench_person(b, "Carol", 0);
    assert_int_equal(bench_put(b, NULL, &same_key), PSST_ERR_EXISTS);
    struct psst_contact *c = psst_book_by_name(b->d.book, "Eve");
    struct psst_contact renamed = *c;
    (void)snprintf(renamed.alias, sizeof renamed.alias, "Bob");
    assert_int_equal(bench_put(b, c, &renamed), PSST_ERR_EXISTS);
    assert_string_equal(c->alias, "Eve");
    assert_ptr_equal(psst_book_first(b->d.book)->next->next, NULL);
}

static void book__changes__in_memory_what_the_store_has_committed(void **state)
{
    struct bench *b = *state;
    struct psst_contact bob = bench_person(b, "Bob", 0);
    assert_int_equal(bench_put(b, NULL, &bob), PSST_OK);
    struct psst_contact *c = psst_book_first(b->d.book);
    struct psst_contact with = *c;
    (void)snprintf(with.alias, sizeof with.alias, "Robert");
    with.blocked = true;
    b->waits = true;
    psst_book_put(b->d.book, c, &with, bench_done, b);
    assert_string_equal(c->alias, "Bob"); /* not yet */
    assert_int_equal(bench_wait(b), PSST_OK);
    assert_string_equal(c->alias, "Robert");
    assert_true(c->blocked);
    assert_ptr_equal(psst_book_first(b->d.book), c);
}

static union psst_sockaddr at(const char *address)
{
    union psst_sockaddr sa;
    assert_int_equal(psst_sockaddr_parse(&sa, address), PSST_OK);
    return sa;
}

static bool knows(struct bench *b, const char *address)
{
    union psst_sockaddr sa = at(address);
    struct psst_source source = psst_source_of(&sa);
    return psst_book_knows_source(b->d.book, &source);
}

static void book__knows__where_its_contacts_were_met(void **state)
{
    struct bench *b = *state;
    struct psst_contact bob = bench_person(b, "Bob", 0), eve = bench_person(b, "Eve", 1);
    assert_int_equal(bench_put(b, NULL, &bob), PSST_OK);
    assert_int_equal(bench_put(b, NULL, &eve), PSST_OK);
    struct psst_contact *c = psst_book_by_name(b->d.book, "Bob"), *e = psst_book_by_name(b->d.book, "Eve");
    assert_false(knows(b, "198.51.100.1:1"));
    union psst_sockaddr first = at("198.51.100.1:1"), second = at("[2001:db8::1]:2"), third = at("198.51.100.3:3");
    psst_book_met(b->d.book, c, &first, false);
    psst_book_met(b->d.book, e, &first, false);
    assert_true(knows(b, "198.51.100.1:99"));
    psst_book_met(b->d.book, c, &second, true);
    psst_book_met(b->d.book, c, &third, false); /* he was reached at the second, and was seen at the third after that */
    assert_true(knows(b, "[2001:db8::ffff]:5"));
    assert_true(knows(b, "198.51.100.3:5"));
    assert_true(knows(b, "198.51.100.1:5")); /* Eve still */
    psst_book_met(b->d.book, e, &third, false);
    assert_false(knows(b, "198.51.100.1:5"));
    b->waits = true;
    psst_book_remove(b->d.book, c, bench_done, b);
    assert_int_equal(bench_wait(b), PSST_OK);
    assert_false(knows(b, "[2001:db8::1]:2"));
    assert_true(knows(b, "198.51.100.3:5")); /* Eve is there too */
    psst_book_unload(b->d.book);
    assert_false(knows(b, "198.51.100.3:5"));
}

static void addresses__are_read_and_written__one_a_line(void **state)
{
    static const char list[2][PSST_ADDRESS_MAX + 1] = {"a.example.org:1", "[2001:db8::1]:9"};
    char lines[PSST_ADDRESSES_TEXT_MAX + 1], one[PSST_ADDRESS_MAX + 1], row[12 * (PSST_ADDRESS_MAX + 2)];
    (void)state;
    psst_addresses_join(lines, list, 2);
    assert_string_equal(lines, "a.example.org:1\n[2001:db8::1]:9\n");
    const char *at_line = psst_addresses_next(one, lines);
    assert_string_equal(one, list[0]);
    at_line = psst_addresses_next(one, at_line);
    assert_string_equal(one, list[1]);
    assert_null(psst_addresses_next(one, at_line));
    assert_null(psst_addresses_next(one, NULL));
    psst_addresses_read(lines, psst_view_str("\na:1\n\nb:2")); /* a row from elsewhere */
    assert_string_equal(lines, "a:1\nb:2\n");
    psst_addresses_read(lines, psst_view("a:1\0\nb:2\n", 9));
    assert_string_equal(lines, "b:2\n");
    size_t len = 0;
    for (int i = 0; i < 12; i++) { /* the first is too long, and of the others there are too many */
        size_t n = i == 0 ? PSST_ADDRESS_MAX + 1 : PSST_ADDRESS_MAX;
        memset(row + len, 'a' + i, n);
        row[len + n] = '\n';
        len += n + 1;
    }
    psst_addresses_read(lines, psst_view(row, len));
    assert_int_equal(strlen(lines), PSST_ADDRESSES_TEXT_MAX);
    assert_int_equal(lines[0], 'b');
    assert_int_equal(lines[PSST_ADDRESSES_TEXT_MAX - 2], 'i');
}

static void count_down(void *ctx, enum psst_err err, const char *words)
{
    (void)words;
    assert_int_equal(err, PSST_OK);
    --*(int *)ctx;
}

/* Both are made from the same contact in memory, before either has been committed. */
static void book__two_changes_at_once__keep_both(void **state)
{
    struct bench *b = *state;
    struct psst_contact bob = bench_person(b, "Bob", 0);
    assert_int_equal(bench_put(b, NULL, &bob), PSST_OK);
    struct psst_contact *c = psst_book_by_name(b->d.book, "Bob");
    struct psst_contact blocked = *c, renamed = *c, issued = *c, again = *c, moved = *c;
    int left = 5;
    blocked.blocked = true;
    (void)snprintf(renamed.alias, sizeof renamed.alias, "Robert");
    issued.has_our_secret = again.has_our_secret = true;
    issued.our_secret.b[0] = 1;
    again.our_secret.b[0] = 2; /* two cards for him at once must hold the same secret */
    char address[] = "bob.example.org:4516\n";
    moved.addresses = address;
    psst_book_put(b->d.book, c, &moved, count_down, &left);
    address[0] = 'x'; /* borrowed for the call only */
    psst_book_put(b->d.book, c, &blocked, count_down, &left);
    psst_book_put(b->d.book, c, &renamed, count_down, &left);
    psst_book_put(b->d.book, c, &issued, count_down, &left);
    psst_book_put(b->d.book, c, &again, count_down, &left);
    while (left > 0) (void)uv_run(&b->loop, UV_RUN_ONCE);
    assert_int_equal(bench_load(b), PSST_OK);
    c = psst_book_by_name(b->d.book, "Robert");
    assert_non_null(c);
    assert_true(c->blocked && c->has_our_secret);
    assert_int_equal(c->our_secret.b[0], 1);
    assert_string_equal(c->addresses, "bob.example.org:4516\n");
    struct psst_contact back = *c; /* and what was done is not repeated by what comes after */
    back.blocked = false;
    assert_int_equal(bench_put(b, c, &back), PSST_OK);
    assert_false(c->blocked);
}

static void book__removes__for_good(void **state)
{
    struct bench *b = *state;
    struct psst_contact bob = bench_person(b, "Bob", 0), eve = bench_person(b, "Eve", 1);
    assert_int_equal(bench_put(b, NULL, &bob), PSST_OK);
    assert_int_equal(bench_put(b, NULL, &eve), PSST_OK);
    b->waits = true;
    psst_book_remove(b->d.book, psst_book_by_name(b->d.book, "Bob"), bench_done, b);
    assert_int_equal(bench_wait(b), PSST_OK);
    assert_null(psst_book_by_name(b->d.book, "Bob"));
    assert_int_equal(bench_load(b), PSST_OK);
    assert_null(psst_book_by_name(b->d.book, "Bob"));
    assert_string_equal(psst_book_first(b->d.book)->alias, "Eve");
    assert_null(psst_book_first(b->d.book)->next);
}

/* ---- many ---- */

#define MANY 2000

/* Each is found by each of its names, before and after a restart; so is whoever has another name now, or is gone. */
static void book__finds__each_of_many(void **state)
{
    struct bench *b = *state;
    static struct psst_rsa_public *keys[MANY];
    char alias[32];
    int left = MANY;
    for (unsigned i = 0; i < MANY; i++) {
        keys[i] = bench_numbered_key(b, i);
        struct psst_contact with = {.key = keys[i], .keep_history = true};
        (void)snprintf(with.alias, sizeof with.alias, "Contact %u", i);
        psst_book_put(b->d.book, NULL, &with, count_down, &left);
    }
    while (left > 0) (void)uv_run(&b->loop, UV_RUN_ONCE);
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            (void)snprintf(alias, sizeof alias, "cONTACT %u", i);
            struct psst_contact *c = psst_book_by_name(b->d.book, alias);
            assert_non_null(c);
            assert_ptr_equal(psst_book_by_fpr(b->d.book, psst_rsa_public_fpr(keys[i])), c);
            assert_ptr_equal(psst_book_by_id(b->d.book, c->id), c);
        }
        assert_int_equal(bench_load(b), PSST_OK);
    }
    struct psst_contact *c = psst_book_by_name(b->d.book, "contact 1234"), with = *c;
    (void)snprintf(with.alias, sizeof with.alias, "Eve");
    assert_int_equal(bench_put(b, c, &with), PSST_OK);
    assert_null(psst_book_by_name(b->d.book, "contact 1234"));
    assert_ptr_equal(psst_book_by_name(b->d.book, "EVE"), c);
    int64_t id = c->id;
    b->waits = true;
    psst_book_remove(b->d.book, c, bench_done, b);
    assert_int_equal(bench_wait(b), PSST_OK);
    assert_null(psst_book_by_name(b->d.book, "eve"));
    assert_null(psst_book_by_id(b->d.book, id));
    assert_null(psst_book_by_fpr(b->d.book, psst_rsa_public_fpr(keys[1234])));
    size_t n = 0;
    for (c = psst_book_first(b->d.book); c != NULL; c = c->next) n++;
    assert_int_equal(n, MANY - 1);
    for (unsigned i = 0; i < MANY; i++) psst_rsa_public_free(keys[i]);
}

int main(void)
{
    if (psst_crypto_init(0) != PSST_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(book__keeps__all_of_a_contact_over_a_restart, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(book__knows__where_its_contacts_were_met, bench_setup, bench_teardown),
        cmocka_unit_test(addresses__are_read_and_written__one_a_line),
        cmocka_unit_test_setup_teardown(book__finds__by_name_fingerprint_and_id, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(book__refuses__a_name_or_a_key_twice_and_changes_nothing, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(book__changes__in_memory_what_the_store_has_committed, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(book__two_changes_at_once__keep_both, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(book__removes__for_good, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(book__finds__each_of_many, bench_setup, bench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
