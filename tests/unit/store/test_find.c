/* Searching and ranges: what is found is what is there, in every era, and whatever is typed is data. */
#include "world.h"

#include "store/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *find(struct world *w, const struct psst_find *find, struct seen *seen)
{
    *seen = (struct seen){.n = 0};
    must(psst_store_find(w->store, find, world_see, seen));
    return seen->text;
}

static const char *search(struct world *w, int64_t contact, const char *words, struct seen *seen)
{
    return find(w, &(struct psst_find){.contact_id = contact, .words = psst_view_str(words), .limit = 50}, seen);
}

static int64_t talk(struct world *w)
{
    static const char *const texts[] = {
        "See you at the Grand H\xc3\xb4tel",                        /* 1 */
        "the hotel is not grand",                                   /* 2 */
        "Tomorrow, 8 o'clock; lunch?",                              /* 3 */
        "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82, tomato", /* 4: privet in Cyrillic */
        "OR NEAR who c1 text",                                      /* 5 */
        "x\xf0\x9f\x98\x80y e-mail foo@bar.example",                /* 6 */
    };
    int64_t bob = world_contact(w, "bob", true);
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++)
        must(i % 2 ? world_out(w, bob, i + 1, texts[i], NULL) : world_in(w, bob, i + 1, texts[i], NULL));
    return bob;
}

static const char *ids(struct seen *seen)
{
    static char out[256];
    char *to = out;
    bool in_id = true;
    for (const char *p = seen->text; *p != '\0' && to < out + sizeof out - 2; p++) {
        if (in_id && *p == ':') *to++ = ' ';
        if (*p == ':') in_id = false;
        if (in_id) *to++ = *p;
        if (*p == '|') in_id = true;
    }
    *to = '\0';
    return out;
}

static void search__finds__all_words_folded_phrases_and_beginnings(void **state)
{
    struct world *w = *state;
    int64_t bob = talk(w);
    static const struct {
        const char *words, *ids;
    } cases[] = {
        {"hotel", "1 2 "},
        {"HOTEL grand", "1 2 "},
        {"h\xc3\xb4tel", "1 2 "},
        {"\"grand hotel\"", "1 "},
        {"\"Grand H\xc3\xb4t\"*", "1 "},
        {"\"grand hot*\"", "1 "},
        {"\"grand hot\"", ""},
        {"tom*", "3 4 "},
        {"tom", ""},
        {"tomorrow lunch", "3 "},
        {"tomorrow dinner", ""},
        {"\xd0\x9f\xd0\xa0\xd0\x98*", "4 "},
        {"8", "3 "},
        {"o'clock", "3 "},
        {"e-mail", "6 "},
        {"foo@bar.example", "6 "},
        {"x\xf0\x9f\x98\x80y", "6 "},
        {"\xf0\x9f\x98\x80 mail", "6 "}, /* what is no word does not count */
        {"  tomorrow\t\n", "3 "},
        {"\"tomorrow", "3 "},
        {"lunch\"tomorrow\"", "3 "},
        {"th*l", ""}, /* a star elsewhere is no star */
    };
    struct seen seen;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)search(w, bob, cases[i].words, &seen);
        if (strcmp(ids(&seen), cases[i].ids) != 0) print_error("for %s: %s\n", cases[i].words, seen.text);
        assert_string_equal(ids(&seen), cases[i].ids);
    }
}

static void search__takes__whatever_is_typed_as_words(void **state)
{
    struct world *w = *state;
    int64_t bob = talk(w);
    int64_t carol = world_contact(w, "carol", true);
    must(world_in(w, carol, 20, "hotel", NULL));
    static const struct {
        const char *words, *ids;
    } cases[] = {
        {"hotel OR tomato", ""},   {"OR", "5 "},        {"who:c1", "5 "},           {"who:c2 hotel", ""},
        {"hotel who:c2", ""},      {"NEAR", "5 "},      {"hotel NEAR/9 grand", ""}, {"-hotel", "1 2 "},
        {"hotel NOT grand", "2 "}, {"(hotel)", "1 2 "}, {"^the", "1 2 "},           {"text:who", ""},
        {"hotel' OR 1=1 --", ""},  {"*hotel", "1 2 "},  {"\"hotel\" \"", "1 2 "},
    };
    struct seen seen;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)search(w, bob, cases[i].words, &seen);
        if (strcmp(ids(&seen), cases[i].ids) != 0) print_error("for %s: %s\n", cases[i].words, seen.text);
        assert_string_equal(ids(&seen), cases[i].ids);
    }
    static const char *const nothing[] = {"*", "\"\"", "-- !", "\"", "\xf0\x9f\x98\x80", " \t", "\"*\"*"};
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        const struct psst_find f = {.contact_id = bob, .words = psst_view_str(nothing[i]), .limit = 50};
        assert_int_equal(psst_store_find(w->store, &f, world_see, &seen), PSST_ERR_MALFORMED);
    }
}

static void search__refuses__too_many_words(void **state)
{
    struct world *w = *state;
    int64_t bob = talk(w);
    char long_words[PSST_FIND_WORDS_MAX + 2];
    struct seen seen;
    memset(long_words, 'a', sizeof long_words);
    struct psst_find f = {.contact_id = bob, .words = psst_view(long_words, sizeof long_words - 1), .limit = 50};
    assert_int_equal(psst_store_find(w->store, &f, world_see, &seen), PSST_ERR_TOO_LONG);
    f.words.len = PSST_FIND_WORDS_MAX;
    must(psst_store_find(w->store, &f, world_see, &seen)); /* one very long word */
    for (size_t i = 0; i < sizeof long_words; i += 2) long_words[i] = ' ';
    assert_int_equal(psst_store_find(w->store, &f, world_see, &seen), PSST_ERR_TOO_LONG);
    long_words[0] = '"';
    assert_int_equal(psst_store_find(w->store, &f, world_see, &seen), PSST_ERR_TOO_LONG);
    f.words.len = 40;
    must(psst_store_find(w->store, &f, world_see, &seen));
}

/* Whatever is typed: an answer or a refusal, and the store is as sound as before. */
static void search__of_anything__is_answered_or_refused(void **state)
{
    struct world *w = *state;
    int64_t bob = talk(w);
    static const char *const bits[] = {"\"",
                                       "*",
                                       "(",
                                       ")",
                                       "-",
                                       "^",
                                       ":",
                                       " ",
                                       "who:",
                                       "text:",
                                       "OR",
                                       "AND",
                                       "NOT",
                                       "NEAR/2",
                                       "\xc3\xa4",
                                       "\xcc\x88",
                                       "\xf0\x9f\x98\x80",
                                       "\xe4\xb8\xad\xe6\x96\x87",
                                       "hotel",
                                       "c1",
                                       "'",
                                       ";",
                                       "\\",
                                       "\x7f",
                                       "\x01",
                                       "\n",
                                       "\xe2\x80\xae",
                                       "\xc2\xa0",
                                       "0",
                                       "_"};
    uint64_t at = 4711;
    unsigned taken = 0, refused = 0;
    for (unsigned round = 0; round < 5000; round++) {
        char words[400] = "";
        for (unsigned n = (unsigned)((at >> 20) % 12) + 1; n > 0; n--) {
            at = at * 6364136223846793005ULL + 1442695040888963407ULL;
            (void)strcat(words, bits[(at >> 33) % (sizeof bits / sizeof bits[0])]);
        }
        struct seen seen = {.n = 0};
        const struct psst_find f = {
            .contact_id = round % 2 ? bob : 0, .words = psst_view_str(words), .limit = 5, .first = round % 3 == 0};
        enum psst_err err = psst_store_find(w->store, &f, world_see, &seen);
        if (err != PSST_OK && err != PSST_ERR_MALFORMED) fail_msg("%s: %s", words, psst_err_name(err));
        err == PSST_OK ? taken++ : refused++;
    }
    assert_true(taken > 1000 && refused > 20);
    must(psst_store_check(w->store));
}

static void search__over_all__finds_each_contacts(void **state)
{
    struct world *w = *state;
    (void)talk(w);
    int64_t carol = world_contact(w, "carol", true);
    int64_t dave = world_contact(w, "dave", false);
    must(world_in(w, carol, 20, "my hotel", NULL));
    must(world_in(w, dave, 21, "no hotel is kept", NULL));
    struct seen seen;
    (void)search(w, 0, "hotel", &seen);
    assert_string_equal(ids(&seen), "1 2 20 ");
    (void)search(w, carol, "hotel", &seen);
    assert_string_equal(ids(&seen), "20 ");
    (void)search(w, dave, "hotel", &seen);
    assert_string_equal(ids(&seen), "");
    const struct psst_find everything = {.limit = 10};
    assert_int_equal(psst_store_find(w->store, &everything, world_see, &seen), PSST_ERR_USAGE);
}

static int64_t entries(struct world *w, const char *word)
{
    char sql[200];
    int64_t n = -1;
    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) FROM search_segments WHERE instr(block, '%s') UNION ALL"
                   " SELECT count(*) FROM search_segdir WHERE instr(root, '%s') ORDER BY 1 DESC LIMIT 1",
                   word, word);
    must(psst_store_pragma_int(w->store, sql, &n));
    return n;
}

static void index__holds__only_what_is_kept(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    int64_t dave = world_contact(w, "dave", false);
    must(psst_store_begin(w->store));
    must(world_in(w, bob, 1, "zqkept", NULL));
    must(world_in(w, dave, 2, "zqnever", NULL));
    must(world_out(w, dave, 3, "zqneither", NULL));
    must(psst_store_commit(w->store));
    assert_int_equal(entries(w, "zqkept"), 1);
    assert_int_equal(entries(w, "zqne"), 0);
    (void)bob;
}

static void set_history(struct world *w, int64_t id, const char *alias, bool keep)
{
    struct psst_contact_row row = {.id = id, .keep_history = keep, .added_ms = 5, .spki = psst_view_str("the key")};
    (void)snprintf(row.alias, sizeof row.alias, "%s", alias);
    memset(row.fpr.b, alias[0], sizeof row.fpr.b);
    row.fpr.b[31] = (uint8_t)strlen(alias);
    must(psst_store_contact_put(w->store, &row));
}

static void history__switched__indexes_and_takes_out_what_is_open(void **state)
{
    struct world *w = *state;
    int64_t dave = world_contact(w, "dave", false);
    int64_t shown = 0;
    must(world_in(w, dave, 1, "zq one", &shown));
    must(psst_store_messages_shown(w->store, dave, shown));
    must(world_in(w, dave, 2, "zq two", NULL));
    must(world_out(w, dave, 3, "zq three", NULL));
    struct seen seen;
    assert_string_equal(search(w, dave, "zq", &seen), "");
    set_history(w, dave, "dave", true);
    assert_string_equal(search(w, dave, "zq", &seen), "2:zq two|3:zq three|");
    must(world_out(w, dave, 4, "zq four", NULL));
    assert_string_equal(search(w, dave, "zq", &seen), "2:zq two|3:zq three|4:zq four|");
    must(psst_store_messages_shown(w->store, dave, INT64_MAX));
    set_history(w, dave, "dave", false);
    assert_string_equal(search(w, dave, "zq", &seen), "2:zq two|"); /* done with: goes in the next step */
    (void)world_tidy(w, 0);
    assert_string_equal(search(w, dave, "zq", &seen), "");
    assert_int_equal(entries(w, "zq"), 0);
    set_history(w, dave, "dave", true);
    assert_string_equal(search(w, dave, "zq", &seen), "3:zq three|4:zq four|");
    world_reopen(w);
    assert_string_equal(search(w, dave, "zq", &seen), "3:zq three|4:zq four|");
}

static void index__of_a_job_that_failed__is_as_before(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    struct seen seen;
    must(psst_store_begin(w->store));
    must(psst_store_savepoint(w->store));
    must(world_in(w, bob, 1, "zq one", NULL));
    psst_store_release(w->store, true);
    must(psst_store_savepoint(w->store));
    must(world_in(w, bob, 2, "zq two", NULL));
    assert_string_equal(search(w, bob, "zq", &seen), "1:zq one|2:zq two|"); /* in the middle of the group */
    psst_store_release(w->store, false);
    must(psst_store_savepoint(w->store));
    must(world_in(w, bob, 3, "zq three", NULL));
    psst_store_release(w->store, true);
    must(psst_store_commit(w->store));
    assert_string_equal(search(w, bob, "zq", &seen), "1:zq one|3:zq three|");
    must(psst_store_begin(w->store));
    must(world_in(w, bob, 4, "zq four", NULL));
    assert_string_equal(search(w, bob, "four", &seen), "4:zq four|");
    w->store->broken = PSST_ERR_IO;
    assert_int_equal(psst_store_commit(w->store), PSST_ERR_IO);
    assert_string_equal(search(w, bob, "zq", &seen), "1:zq one|3:zq three|");
    must(world_in(w, bob, 5, "zq five", NULL));
    assert_string_equal(search(w, bob, "zq", &seen), "1:zq one|3:zq three|5:zq five|");
    world_assert_integrity(w);
}

/* Attack 28: one word over and over, in as many places as the longest texts have. */
static void index__of_one_word_repeated__is_divided_by_bytes(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), eras = 0, longest = 0;
    char *text = malloc(65001);
    assert_non_null(text);
    for (size_t i = 0; i < 65000; i++) text[i] = i % 2 ? ' ' : 'a';
    text[65000] = '\0';
    for (unsigned group = 0; group < 15; group++) {
        must(psst_store_begin(w->store));
        for (unsigned i = 0; i < 12; i++) must(world_in(w, bob, group * 12 + i, text, NULL));
        must(psst_store_commit(w->store));
    }
    free(text);
    must(psst_store_pragma_int(w->store, "SELECT count(*) FROM eras", &eras));
    assert_in_range(eras, 7, 9); /* 11.7 MB, 1 MiB each and what is left of a group */
    must(psst_store_pragma_int(w->store, "SELECT max(length(block)) FROM search_segments", &longest));
    assert_in_range(longest, 500000, 1500000);
    struct seen seen = {.n = 0};
    const struct psst_find f = {.contact_id = bob, .words = psst_view_str("\"a a a a\""), .limit = 1000};
    must(psst_store_find(w->store, &f, world_see, &seen));
    assert_int_equal(seen.n, 180);
    must(psst_store_messages_shown(w->store, bob, INT64_MAX));
    must(psst_store_forget(w->store, bob, UINT64_MAX));
    (void)world_tidy(w, 0);
    must(psst_store_pragma_int(w->store, "SELECT count(*) FROM search_segments", &longest));
    assert_int_equal(longest, 0);
}

/* ---- places and times ---- */

static int64_t put(struct world *w, int64_t contact, unsigned n, const char *text, uint64_t stored_ms)
{
    struct psst_message_row row = world_message(contact, n, text);
    row.stored_ms = stored_ms;
    must(psst_store_message_in(w->store, &row));
    return row.seq;
}

static void find__is_cut__by_place_time_and_limit(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    int64_t carol = world_contact(w, "carol", true);
    int64_t seq[10];
    w->store->era_messages = 4;
    for (unsigned i = 1; i < 10; i++) {
        must(psst_store_begin(w->store));
        seq[i] = put(w, bob, i, i % 2 ? "odd" : "even", i * 10000000);
        (void)put(w, carol, i, "odd", i * 10000000);
        must(psst_store_commit(w->store));
    }
    struct seen seen;
    struct psst_find f = {.contact_id = bob, .limit = 3};
    assert_string_equal(find(w, &f, &seen), "7:odd|8:even|9:odd|");
    f.first = true;
    assert_string_equal(find(w, &f, &seen), "1:odd|2:even|3:odd|");
    f.after_seq = seq[4];
    assert_string_equal(find(w, &f, &seen), "5:odd|6:even|7:odd|");
    f.before_seq = seq[6];
    assert_string_equal(find(w, &f, &seen), "5:odd|");
    f = (struct psst_find){.contact_id = bob, .limit = 3, .before_seq = seq[6]};
    assert_string_equal(find(w, &f, &seen), "3:odd|4:even|5:odd|");
    f = (struct psst_find){.contact_id = bob, .limit = 9, .since_ms = 30000000, .until_ms = 60000000};
    assert_string_equal(find(w, &f, &seen), "3:odd|4:even|5:odd|");
    f.words = psst_view_str("odd");
    assert_string_equal(find(w, &f, &seen), "3:odd|5:odd|");
    f.limit = 1;
    assert_string_equal(find(w, &f, &seen), "5:odd|");
    f.first = true;
    assert_string_equal(find(w, &f, &seen), "3:odd|");
    f = (struct psst_find){.contact_id = bob, .limit = 9, .since_ms = 90000001};
    assert_string_equal(find(w, &f, &seen), "");
    f = (struct psst_find){.contact_id = bob, .limit = 9, .until_ms = 1};
    assert_string_equal(find(w, &f, &seen), "");
    f = (struct psst_find){.contact_id = bob, .limit = 9, .before_seq = 1};
    assert_string_equal(find(w, &f, &seen), "");
    f = (struct psst_find){.contact_id = bob, .limit = 9, .after_seq = INT64_MAX};
    assert_string_equal(find(w, &f, &seen), "");
    f = (struct psst_find){.contact_id = bob, .limit = 0};
    assert_string_equal(find(w, &f, &seen), "");
}

/* Attack 50: the clock was ten years ahead for a while. */
static void find__where_the_clock_was_set_back__is_right(void **state)
{
    struct world *w = *state;
    static const uint64_t times[] = {100, 110, 9000, 9010, 120, 130, 9020, 140};
    int64_t bob = world_contact(w, "bob", true);
    w->store->era_messages = 2;
    for (unsigned i = 0; i < 8; i++) {
        must(psst_store_begin(w->store));
        (void)put(w, bob, i + 1, "word", times[i] * 3600000);
        must(psst_store_commit(w->store));
    }
    struct seen seen;
    struct psst_find f = {.contact_id = bob, .limit = 9, .since_ms = 115 * 3600000ULL, .until_ms = 200 * 3600000ULL};
    assert_string_equal(find(w, &f, &seen), "5:word|6:word|8:word|");
    f.words = psst_view_str("wor*");
    assert_string_equal(find(w, &f, &seen), "5:word|6:word|8:word|");
    f.since_ms = 1000 * 3600000ULL;
    f.until_ms = 0;
    assert_string_equal(find(w, &f, &seen), "3:word|4:word|7:word|");
}

/* ---- against a simple truth ---- */

#define N 1200

struct truth {
    char text[N][64];
    int64_t contact[N];
    int64_t seq[N];
};

static uint64_t next_random(uint64_t *at)
{
    *at ^= *at << 13;
    *at ^= *at >> 7;
    *at ^= *at << 17;
    return *at >> 11;
}

static bool has_word(const char *text, const char *word)
{
    char padded[80], looked_for[16];
    (void)snprintf(padded, sizeof padded, " %s ", text);
    (void)snprintf(looked_for, sizeof looked_for, " %s ", word);
    return strstr(padded, looked_for) != NULL;
}

static void compare(struct world *w, const struct truth *truth, int64_t contact, const char *a, const char *b,
                    bool first, size_t limit)
{
    char words[32], want[4096] = "";
    struct seen seen;
    size_t n = 0, len = 0;
    (void)snprintf(words, sizeof words, "%s %s", a, b);
    for (size_t k = 0; k < N && n < limit; k++) {
        size_t i = first ? k : N - 1 - k;
        bool hit = truth->seq[i] > 0 && (contact == 0 || truth->contact[i] == contact) && has_word(truth->text[i], a) &&
                   has_word(truth->text[i], b);
        if (!hit) continue;
        char one[80];
        int one_len = snprintf(one, sizeof one, "%u:%s|", (unsigned)i, truth->text[i]);
        assert_true(len + (size_t)one_len < sizeof want);
        memmove(want + (first ? 0 : one_len), want, first ? 0 : len);
        memcpy(first ? want + len : want, one, (size_t)one_len);
        len += (size_t)one_len;
        want[len] = '\0';
        n++;
    }
    const struct psst_find f = {.contact_id = contact, .words = psst_view_str(words), .limit = limit, .first = first};
    assert_string_equal(find(w, &f, &seen), want);
}

static void search__of_random_texts__finds_what_is_there(void **state)
{
    struct world *w = *state;
    static const char *const vocabulary[] = {"a", "b", "c", "dd", "ee", "ff", "rare"};
    uint64_t at = 88172645463325252ULL;
    struct truth *truth = calloc(1, sizeof *truth);
    assert_non_null(truth);
    int64_t contacts[3] = {world_contact(w, "ann", true), world_contact(w, "bob", true), world_contact(w, "cat", true)};
    for (unsigned i = 0; i < N;) {
        w->store->era_messages = 50;
        must(psst_store_begin(w->store));
        for (uint64_t k = next_random(&at) % 30; k > 0 && i < N; k--, i++) {
            for (uint64_t j = next_random(&at) % 6 + 1; j > 0; j--) {
                uint64_t which = next_random(&at) % 60;
                (void)strcat(truth->text[i], vocabulary[which == 0 ? 6 : which % 6]);
                if (j > 1) (void)strcat(truth->text[i], " ");
            }
            truth->contact[i] = contacts[next_random(&at) % 3];
            must(world_out(w, truth->contact[i], i, truth->text[i], &truth->seq[i]));
            struct psst_msg_id id = world_id(i);
            if (next_random(&at) % 8 > 0)
                must(psst_store_message_settle(w->store, truth->contact[i], &id, PSST_MESSAGE_DELIVERED, 0, NULL));
        }
        must(psst_store_commit(w->store));
        if (next_random(&at) % 10 == 0) world_reopen(w);
    }
    for (unsigned round = 0; round < 300; round++) {
        int64_t contact = round % 4 == 0 ? 0 : contacts[next_random(&at) % 3];
        compare(w, truth, contact, vocabulary[next_random(&at) % 7], vocabulary[next_random(&at) % 7],
                next_random(&at) % 2 == 0, next_random(&at) % 20 + 1);
    }
    free(truth);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(search__finds__all_words_folded_phrases_and_beginnings),
        T(search__takes__whatever_is_typed_as_words),
        T(search__refuses__too_many_words),
        T(search__of_anything__is_answered_or_refused),
        T(search__over_all__finds_each_contacts),
        T(index__holds__only_what_is_kept),
        T(history__switched__indexes_and_takes_out_what_is_open),
        T(index__of_a_job_that_failed__is_as_before),
        T(index__of_one_word_repeated__is_divided_by_bytes),
        T(find__is_cut__by_place_time_and_limit),
        T(find__where_the_clock_was_set_back__is_right),
        T(search__of_random_texts__finds_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
