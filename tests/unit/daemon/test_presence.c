/* Who sees what, and what callers and strangers get. */
#include "book_bench.h"

#include "daemon/presence.h"

#define STRANGERS 200

static struct psst_fpr stranger(unsigned n)
{
    struct psst_fpr fpr = {{0}};
    psst_store_u32(fpr.b + 4, n + 1);
    return fpr;
}

static struct psst_contact *add(struct bench *b, const char *alias, int key)
{
    struct psst_contact with = bench_person(b, alias, key);
    assert_int_equal(bench_put(b, NULL, &with), PSST_OK);
    return psst_book_by_name(b->d.book, alias);
}

static void show(struct bench *b, enum psst_presence state, const char *text)
{
    b->waits = true;
    psst_presence_set(&b->d, state, text, bench_done, b);
    assert_int_equal(bench_wait(b), PSST_OK);
}

static void show_to(struct bench *b, struct psst_contact *contact, enum psst_presence state)
{
    struct psst_contact with = *contact;
    with.presence = (uint8_t)state;
    assert_int_equal(bench_put(b, contact, &with), PSST_OK);
    psst_presence_applied(&b->d, contact);
}

static enum psst_caller_answer answer(struct bench *b, const struct psst_contact *contact)
{
    return psst_presence_answer(&b->d, contact, psst_rsa_public_fpr(contact->key));
}

/* How many of the strangers get silence; those who do are marked. The others get a decoy. */
static unsigned silent(struct bench *b, bool marks[STRANGERS])
{
    unsigned n = 0;
    for (unsigned i = 0; i < STRANGERS; i++) {
        const struct psst_fpr fpr = stranger(i);
        enum psst_caller_answer got = psst_presence_answer(&b->d, NULL, &fpr);
        assert_true(got == PSST_ANSWER_SILENCE || got == PSST_ANSWER_DECOY);
        marks[i] = got == PSST_ANSWER_SILENCE;
        n += marks[i];
    }
    return n;
}

static void answer__while_all_see_us__is_a_decoy_for_strangers(void **state)
{
    struct bench *b = *state;
    bool marks[STRANGERS];
    assert_int_equal(bench_load(b), PSST_OK);
    assert_int_equal(silent(b, marks), 0);
    struct psst_contact *bob = add(b, "bob", 0);
    show(b, PSST_PRESENCE_BUSY, "busy");
    assert_int_equal(silent(b, marks), 0);
    assert_int_equal(answer(b, bob), PSST_ANSWER_CONTACT);
    struct psst_contact with = *bob;
    with.blocked = true;
    assert_int_equal(bench_put(b, bob, &with), PSST_OK);
    assert_int_equal(answer(b, bob), PSST_ANSWER_DECOY);
}

/* The coin falls for both sides, about as often, and always in the same way, also after a restart. */
static void answer__while_some_see_us__is_drawn_once_for_each_stranger(void **state)
{
    struct bench *b = *state;
    bool first[STRANGERS], again[STRANGERS];
    assert_int_equal(bench_load(b), PSST_OK);
    struct psst_contact *bob = add(b, "bob", 0), *eve = add(b, "eve", 1);
    show_to(b, eve, PSST_PRESENCE_INVISIBLE);
    assert_int_equal(answer(b, bob), PSST_ANSWER_CONTACT);
    assert_int_equal(answer(b, eve), PSST_ANSWER_SILENCE);
    unsigned n = silent(b, first);
    assert_true(n > STRANGERS / 4 && n < 3 * STRANGERS / 4);

    assert_int_equal(bench_load(b), PSST_OK);
    bob = psst_book_by_name(b->d.book, "bob");
    eve = psst_book_by_name(b->d.book, "eve");
    assert_int_equal(answer(b, eve), PSST_ANSWER_SILENCE);
    assert_int_equal(silent(b, again), n);
    assert_memory_equal(first, again, sizeof first);

    /* the other way round: invisible to all but one */
    show(b, PSST_PRESENCE_INVISIBLE, "");
    show_to(b, eve, PSST_PRESENCE_ONLINE);
    assert_int_equal(answer(b, bob), PSST_ANSWER_SILENCE);
    assert_int_equal(answer(b, eve), PSST_ANSWER_CONTACT);
    assert_int_equal(silent(b, again), n);
    assert_memory_equal(first, again, sizeof first);

    /* one who is blocked is a stranger like any other */
    struct psst_contact with = *eve;
    with.blocked = true;
    assert_int_equal(bench_put(b, eve, &with), PSST_OK);
    assert_int_equal(silent(b, again), STRANGERS);
    assert_int_equal(answer(b, eve), PSST_ANSWER_SILENCE);
}

static void answer__while_nobody_sees_us__is_silence_for_all(void **state)
{
    struct bench *b = *state;
    bool marks[STRANGERS];
    assert_int_equal(bench_load(b), PSST_OK);
    show(b, PSST_PRESENCE_INVISIBLE, "");
    assert_int_equal(silent(b, marks), STRANGERS); /* also without any contact */
    struct psst_contact *bob = add(b, "bob", 0);
    assert_int_equal(answer(b, bob), PSST_ANSWER_SILENCE);
    assert_int_equal(silent(b, marks), STRANGERS);
    show(b, PSST_PRESENCE_ONLINE, "");
    show_to(b, bob, PSST_PRESENCE_INVISIBLE); /* the only one */
    assert_int_equal(silent(b, marks), STRANGERS);
    show_to(b, bob, PSST_PRESENCE_AS_ALL);
    assert_int_equal(silent(b, marks), 0);
    assert_int_equal(answer(b, bob), PSST_ANSWER_CONTACT);
}

static void presence__is_kept__over_a_restart(void **state)
{
    struct bench *b = *state;
    const char *text;
    assert_int_equal(bench_load(b), PSST_OK);
    struct psst_contact *bob = add(b, "bob", 0);
    assert_int_equal(psst_presence_to(&b->d, bob, &text), PSST_PRESENCE_ONLINE);
    assert_string_equal(text, "");
    show(b, PSST_PRESENCE_AWAY, "back at three");
    struct psst_contact *eve = add(b, "eve", 1);
    show_to(b, eve, PSST_PRESENCE_BUSY);
    assert_int_equal(bench_load(b), PSST_OK);
    bob = psst_book_by_name(b->d.book, "bob");
    eve = psst_book_by_name(b->d.book, "eve");
    assert_int_equal(psst_presence_to(&b->d, bob, &text), PSST_PRESENCE_AWAY);
    assert_string_equal(text, "back at three");
    assert_false(psst_presence_is_busy(&b->d, bob));
    assert_true(psst_presence_is_busy(&b->d, eve));
    assert_false(psst_presence_hides(&b->d, eve));
    psst_book_unload(b->d.book); /* locked: nothing of it is left in memory */
    json_t *own = psst_presence_own_json(&b->d);
    assert_string_equal(json_string_value(json_object_get(own, "text")), "");
    json_decref(own);
}

static enum psst_err spoil(struct psst_store *store, void *arg)
{
    (void)arg;
    return psst_store_own_put(store, "presence", psst_view("\x09 nonsense", 10));
}

static void presence__damaged__hides_rather_than_shows(void **state)
{
    struct bench *b = *state;
    assert_int_equal(bench_load(b), PSST_OK);
    (void)add(b, "bob", 0);
    assert_int_equal(bench_store(b, spoil, NULL), PSST_OK);
    assert_int_equal(bench_load(b), PSST_OK); /* the contacts are there all the same */
    assert_true(psst_presence_hides(&b->d, psst_book_by_name(b->d.book, "bob")));
}

static void names__are__those_of_the_command_line(void **state)
{
    (void)state;
    enum psst_presence got = PSST_PRESENCE_AS_ALL;
    for (unsigned i = PSST_PRESENCE_AS_ALL; i <= PSST_PRESENCE_INVISIBLE; i++) {
        assert_true(psst_presence_find(psst_presence_name((enum psst_presence)i), &got));
        assert_int_equal(got, i);
    }
    assert_true(psst_presence_find("dnd", &got));
    assert_int_equal(got, PSST_PRESENCE_BUSY);
    assert_false(psst_presence_find("Away", &got));
    assert_false(psst_presence_find("", &got));
}

int main(void)
{
    if (psst_crypto_init(0) != PSST_OK) return 1;
#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        T(answer__while_all_see_us__is_a_decoy_for_strangers),
        T(answer__while_some_see_us__is_drawn_once_for_each_stranger),
        T(answer__while_nobody_sees_us__is_silence_for_all),
        T(presence__is_kept__over_a_restart),
        T(presence__damaged__hides_rather_than_shows),
        cmocka_unit_test(names__are__those_of_the_command_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
