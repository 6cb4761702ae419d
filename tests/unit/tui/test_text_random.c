/* Random text, made of the pieces that break layouts: what must hold of all holds (layout_check.h). */
#include "support/check.h"
#include "support/layout_check.h"

#include "client/out.h"

static const char *const pieces[] = {
    "a",
    "b",
    "word",
    " ",
    " ",
    "   ",
    "-",
    "/",
    "(",
    ")",
    "[",
    "]",
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    "\x1b[2J",
    "1",
    "23",
    "\u05d0",
    "\u05e9\u05dc\u05d5\u05dd",
    "\u0627\u0644",
    "\u0661\u0662",
    "\u0301",
    "\u0301\u0302\u0303\u0304\u0305\u0306",
    "\u4e16\u754c",
    "\u3002",
    "\u3000",
    "\uff08",
    "\u0915\u094d\u0937\u093f",
    "\u093e",
    "\u0e01\u0e33",
    "\u1112\u1161\u11ab",
    "\u1161",
    "\u11ab",
    "\ud55c",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f44d\U0001f3fd",
    "\U0001f3fd",
    "\U0001f1e9",
    "\U0001f1e9\U0001f1ea",
    "\u2764\ufe0f",
    "1\ufe0f\u20e3",
    "\u200b",
    "\u200d",
    "\ufe0f",
    "\u202e",
    "\u2066",
    "\u0600",
    "\u2028",
    "\u4dc0",
    "\U000e0041",
    "\x80",
    "\xff",
    "\xed\xa0\x80",
    "\xe4\xb8",
    "\xc2\x9b",
    "\xf4\x90\x80\x80",
};

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void check(struct psst_view text, enum psst_render how, unsigned columns, unsigned long round)
{
    struct psst_layout layout;
    assert_ok(psst_layout_make(&layout, text, how, columns));
    const char *wrong = layout_wrong(&layout, text, how, columns, 100000);
    if (wrong != NULL) {
        for (size_t i = 0; i < text.len; i++) print_error("\\x%02x", text.data[i]);
        fail_msg("\nround %lu, %u columns: %s", round, columns, wrong);
    }
    struct psst_layout read;
    assert_ok(psst_layout_make_as_read(&read, text, how, columns));
    wrong = layout_wrong(&read, text, how, columns, 0);
    if (wrong != NULL) fail_msg("round %lu, as read: %s", round, wrong);
    assert_int_equal(layout.n_rows, read.n_rows);
    assert_int_equal(layout.n_cells, read.n_cells);
    for (size_t i = 0; i < read.n_rows; i++) assert_int_equal(layout.rows[i].end, read.rows[i].end);
    for (size_t i = 1; i < read.n_cells; i++) assert_true(read.cells[i].at >= read.cells[i - 1].at);
    psst_layout_fini(&layout);
    psst_layout_fini(&read);
}

static void text__random__keeps_to_its_cells(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (unsigned long round = 0; round < 2000; round++) {
        char text[1024];
        size_t len = 0;
        /* some rounds of few kinds, so that a kind meets itself */
        uint64_t kinds = round % 3 == 0 ? 3 : sizeof pieces / sizeof pieces[0], from = next_random(&seed);
        for (uint64_t n = next_random(&seed) % 60; n > 0; n--) {
            const char *piece = pieces[(from + next_random(&seed) % kinds) % (sizeof pieces / sizeof pieces[0])];
            size_t most = strlen(piece);
            if (next_random(&seed) % 16 == 0) most = 1; /* cut */
            memcpy(text + len, piece, most);
            len += most;
        }
        unsigned columns = 2 + (unsigned)(next_random(&seed) % (round % 2 == 0 ? 6 : 80));
        check(psst_view(text, len), PSST_RENDER_PARAGRAPH, columns, round);
        check(psst_view(text, len), PSST_RENDER_LINE, columns, round);
    }
}

static void text__random_bytes__keep_to_their_cells(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (unsigned long round = 0; round < 1000; round++) {
        uint8_t text[256];
        size_t len = next_random(&seed) % sizeof text;
        for (size_t i = 0; i < len; i++) text[i] = (uint8_t)next_random(&seed);
        check(psst_view(text, len), PSST_RENDER_PARAGRAPH, 2 + (unsigned)(next_random(&seed) % 20), round);
    }
}

/* Every character there is, alone and behind a letter: a cell's columns are what the C library says. */
static void text__of_any_character__keeps_to_its_cells(void **state)
{
    (void)state;
    for (uint32_t cp = 1; cp < 0x110000; cp += cp >= 0x3400 && cp < 0xd7a3 ? 61 : cp >= 0x20000 ? 251 : 1) {
        char text[16];
        wchar_t wide[] = {L'x', (wchar_t)cp, L' ', (wchar_t)cp, 0};
        if ((cp >= 0xd800 && cp <= 0xdfff) || wcstombs(text, wide, sizeof text) == (size_t)-1) continue;
        struct psst_view view = psst_view_str(text);
        struct psst_layout layout;
        assert_ok(psst_layout_make(&layout, view, PSST_RENDER_PARAGRAPH, 3));
        const char *wrong = layout_wrong(&layout, view, PSST_RENDER_PARAGRAPH, 3, 100);
        if (wrong != NULL) fail_msg("U+%04X: %s", cp, wrong);
        psst_layout_fini(&layout);
    }
}

static int set_up(void **state)
{
    (void)state;
    psst_out_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__random__keeps_to_its_cells),
        cmocka_unit_test(text__random_bytes__keep_to_their_cells),
        cmocka_unit_test(text__of_any_character__keeps_to_its_cells),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
