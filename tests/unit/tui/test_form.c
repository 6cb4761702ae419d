/* Forms on a screen of characters that is kept here. */
#include "support/check.h"

#include "client/out.h"
#include "client/passphrase.h"
#include "tui/form.h"
#include "tui/path.h"

#include <stdlib.h>

#define ROWS    40
#define COLUMNS 100

static wchar_t cells[ROWS][COLUMNS];
static int cursor_row, cursor_column, outside;

static void set_cell(struct psst_area area, int row, int column, wchar_t c)
{
    if (row < 0 || column < 0 || row >= area.rows || column >= area.columns)
        outside++; /* draw.c would clip it; a form should not even try */
    else
        cells[area.row + row][area.column + column] = c;
}

void psst_draw_clear(struct psst_area area, enum psst_style style)
{
    (void)style;
    for (int r = 0; r < area.rows; r++)
        for (int c = 0; c < area.columns; c++) cells[area.row + r][area.column + c] = L' ';
}

unsigned psst_draw_text(struct psst_area area, int row, int column, enum psst_style style, const char *text)
{
    struct psst_layout layout;
    (void)style;
    assert_ok(psst_layout_make(&layout, psst_view_str(text), PSST_RENDER_LINE, COLUMNS));
    unsigned n = 0;
    for (size_t i = 0; i < layout.n_cells && column + (int)n < area.columns; n += layout.cells[i++].columns)
        set_cell(area, row, column + (int)n, layout.cells[i].chars[0]);
    psst_layout_fini(&layout);
    return n;
}

void psst_draw_row(struct psst_area area, int row, int column, unsigned columns, enum psst_style style,
                   const struct psst_layout *layout, size_t i)
{
    (void)style;
    (void)columns;
    for (size_t k = 0, at = (size_t)column; k < layout->rows[i].n; k++) {
        const struct psst_cell *cell = &layout->cells[layout->rows[i].first + k];
        if (cell->columns > 0) set_cell(area, row, (int)at, cell->chars[0]);
        at += cell->columns;
    }
}

void psst_draw_cursor(struct psst_area area, int row, int column)
{
    cursor_row = row < 0 ? -1 : area.row + row;
    cursor_column = area.column + column;
}

/* Of a path, no more than this: test_path.c looks at paths. */
bool psst_path_complete(const char *typed, char **longer, char *hint, size_t hint_size)
{
    (void)hint_size;
    hint[0] = '\0';
    *longer = strcmp(typed, "bo") == 0 ? strdup("bob.psst") : NULL;
    return *longer != NULL;
}

/* The row of the screen that holds the words; -1. */
static int row_with(const char *words)
{
    wchar_t wide[200];
    (void)mbstowcs(wide, words, 200);
    for (int r = 0; r < ROWS; r++) {
        wchar_t line[COLUMNS + 1];
        wmemcpy(line, cells[r], COLUMNS);
        line[COLUMNS] = L'\0';
        if (wcsstr(line, wide) != NULL) return r;
    }
    return -1;
}

static void draw(struct psst_form *form, int rows, int columns)
{
    wmemset(&cells[0][0], L'.', (size_t)ROWS * COLUMNS);
    outside = 0;
    psst_form_draw(form, (struct psst_area){2, 3, rows, columns});
    assert_int_equal(0, outside);
}

static enum psst_form_did press(struct psst_form *form, enum psst_key_code code)
{
    struct psst_key key = {.code = code};
    return psst_form_key(form, &key);
}

static enum psst_form_did type(struct psst_form *form, const char *text)
{
    enum psst_form_did did = PSST_FORM_IGNORED;
    for (; *text != '\0'; text++) {
        struct psst_key key = {.code = PSST_KEY_TEXT, .cp = (unsigned char)*text};
        did = psst_form_key(form, &key);
    }
    return did;
}

static void assert_text(struct psst_form *form, int id, const char *wanted)
{
    char *text = psst_form_text(form, id);
    assert_string_equal(wanted, text);
    free(text);
}

enum { NAME = 1, SIZE, OTHER, GO, BACK };

static void make(struct psst_form *form)
{
    psst_form_words(form, PSST_STYLE_PLAIN, "Some words that stand above it, and are long enough to be broken.");
    psst_form_field(form, NAME, "Name", "", 8);
    psst_form_choice(form, SIZE, "large\nmiddle\nsmall", 0);
    psst_form_field(form, OTHER, "Other", "", 100);
    psst_form_button(form, GO, "Go on");
    psst_form_button(form, BACK, "Back");
}

static void keys__tab_and_arrows__go_through_all(void **state)
{
    (void)state;
    struct psst_form form = {.n = 0};
    make(&form);
    assert_int_equal(NAME, form.items[form.focus].id);
    (void)press(&form, PSST_KEY_DOWN);
    assert_int_equal(SIZE, form.items[form.focus].id);
    (void)press(&form, PSST_KEY_DOWN);
    (void)press(&form, PSST_KEY_DOWN);
    assert_int_equal(2, psst_form_chosen(&form, SIZE));
    (void)press(&form, PSST_KEY_DOWN); /* behind the last one: on */
    assert_int_equal(OTHER, form.items[form.focus].id);
    (void)press(&form, PSST_KEY_TAB);
    (void)press(&form, PSST_KEY_RIGHT);
    assert_int_equal(BACK, form.items[form.focus].id);
    (void)press(&form, PSST_KEY_TAB);
    assert_int_equal(BACK, form.items[form.focus].id);
    for (int i = 0; i < 10; i++) (void)press(&form, PSST_KEY_BACKTAB);
    assert_int_equal(NAME, form.items[form.focus].id);
    assert_int_equal(PSST_FORM_IGNORED, press(&form, PSST_KEY_ESCAPE));
    psst_form_clear(&form);
}

static void keys__enter__goes_on_and_presses_what_comes_next(void **state)
{
    (void)state;
    struct psst_form form = {.n = 0};
    make(&form);
    assert_int_equal(PSST_FORM_TOOK, press(&form, PSST_KEY_ENTER));
    assert_int_equal(PSST_FORM_TOOK, press(&form, PSST_KEY_ENTER));
    assert_int_equal(PSST_FORM_PRESSED, press(&form, PSST_KEY_ENTER));
    assert_int_equal(GO, form.pressed);
    (void)press(&form, PSST_KEY_TAB);
    assert_int_equal(PSST_FORM_PRESSED, press(&form, PSST_KEY_ENTER));
    assert_int_equal(BACK, form.pressed);
    psst_form_clear(&form);
}

static void field__takes__no_more_than_fits_and_one_line(void **state)
{
    (void)state;
    struct psst_form form = {.n = 0};
    make(&form);
    (void)type(&form, "alice in wonderland");
    assert_text(&form, NAME, "alice in");
    (void)press(&form, PSST_KEY_BACKSPACE);
    assert_text(&form, NAME, "alice i");
    psst_form_focus(&form, OTHER);
    struct psst_key key = {.code = PSST_KEY_PASTE, .paste = "\none\ntwo", .paste_len = 8};
    (void)psst_form_key(&form, &key);
    assert_text(&form, OTHER, "one");
    key = (struct psst_key){.code = PSST_KEY_TEXT, .mods = PSST_MOD_CONTROL, .cp = 'j'};
    (void)psst_form_key(&form, &key);
    key = (struct psst_key){.code = PSST_KEY_ENTER, .mods = PSST_MOD_ALT};
    (void)psst_form_key(&form, &key);
    assert_text(&form, OTHER, "one");
    psst_form_clear(&form);
}

static void tab__completes_a_path__then_moves_on(void **state)
{
    (void)state;
    struct psst_form form = {.n = 0};
    psst_form_path(&form, NAME, "File", "");
    psst_form_button(&form, GO, "Go on");
    (void)type(&form, "bo");
    (void)press(&form, PSST_KEY_TAB);
    assert_text(&form, NAME, "bob.psst");
    assert_int_equal(NAME, form.items[form.focus].id);
    (void)press(&form, PSST_KEY_TAB);
    assert_int_equal(GO, form.items[form.focus].id);
    psst_form_clear(&form);
}

static void draw__scrolls__to_what_has_the_keys(void **state)
{
    (void)state;
    struct psst_form form = {.n = 0};
    make(&form);
    draw(&form, 30, 60);
    assert_int_equal(L' ', cells[2 + 29][3 + 59]);
    assert_int_not_equal(-1, row_with("Go on"));
    assert_int_equal(row_with("Name"), cursor_row);
    draw(&form, 4, 36);
    assert_int_equal(row_with("Name"), cursor_row);
    assert_int_equal(-1, row_with("Go on"));
    assert_int_equal(L'v', cells[2 + 3][3 + 35]); /* there is more below */
    psst_form_focus(&form, GO);
    draw(&form, 4, 36);
    assert_int_not_equal(-1, row_with("> [Go on]"));
    assert_int_equal(-1, row_with("Name"));
    assert_int_equal(-1, cursor_row);
    (void)press(&form, PSST_KEY_PAGE_UP);
    (void)press(&form, PSST_KEY_PAGE_UP);
    (void)press(&form, PSST_KEY_PAGE_UP);
    draw(&form, 4, 36);
    assert_int_equal(2, row_with("Some words"));
    for (int columns = 0; columns < 30; columns++)
        for (int rows = 0; rows < 10; rows++) draw(&form, rows, columns);
    psst_form_clear(&form);
}

static void draw__of_a_long_field__shows_where_one_types(void **state)
{
    (void)state;
    struct psst_form form = {.n = 0};
    psst_form_field(&form, NAME, "Name", "", 90);
    (void)type(&form, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzEND");
    draw(&form, 5, 40);
    assert_int_not_equal(-1, row_with("xyzEND_"));
    assert_true(cursor_column < 43);
    (void)press(&form, PSST_KEY_HOME);
    draw(&form, 5, 40);
    assert_int_not_equal(-1, row_with("abcdef"));
    assert_int_equal(-1, row_with("END"));
    psst_form_clear(&form);
}

static void click__focuses__chooses_and_presses(void **state)
{
    (void)state;
    struct psst_form form = {.n = 0};
    make(&form);
    draw(&form, 30, 60);
    struct psst_key key = {.code = PSST_KEY_CLICK, .row = row_with("middle"), .column = 10};
    assert_int_equal(PSST_FORM_TOOK, psst_form_key(&form, &key));
    assert_int_equal(1, psst_form_chosen(&form, SIZE));
    key.row = row_with("Back");
    key.column = 3 + 1 + 13;
    assert_int_equal(PSST_FORM_PRESSED, psst_form_key(&form, &key));
    assert_int_equal(BACK, form.pressed);
    key.column = 60;
    assert_int_equal(PSST_FORM_IGNORED, psst_form_key(&form, &key));
    psst_form_clear(&form);
}

static void secret__is_shown__as_bullets_alone(void **state)
{
    (void)state;
    struct psst_form form = {.n = 0};
    struct psst_passphrase pass = {.text = "hunter2\xc3\xa9", .len = 9};
    psst_form_secret(&form, NAME, "Passphrase", &pass);
    draw(&form, 5, 60);
    assert_int_equal(-1, row_with("hunter"));
    assert_int_not_equal(
        -1,
        row_with("\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2_"));
    memset(pass.text, 'x', PSST_PASSPHRASE_MAX);
    pass.len = PSST_PASSPHRASE_MAX;
    draw(&form, 5, 20);
    draw(&form, 5, 80);
    psst_form_clear(&form);
}

static void fact__cannot__begin_a_row_of_its_own(void **state)
{
    (void)state;
    struct psst_form form = {.n = 0};
    psst_form_fact(&form, PSST_STYLE_PLAIN, "Card of", "Bob\nKey: RSA 4096 bits\x1b[2J");
    draw(&form, 5, 80);
    assert_int_equal(row_with("Card of"), row_with("Key: RSA"));
    assert_int_equal(1, form.rows);
    psst_form_clear(&form);
}

static void qr__is_shown__only_where_all_fits(void **state)
{
    (void)state;
    struct psst_form form = {.n = 0};
    struct psst_qr qr;
    make(&form);
    assert_true(psst_qr_make(&qr, "PSST/1 safety 877163725636112338466828927704773952566542770306555973063513"));
    size_t columns = qr.columns;
    psst_form_qr(&form, &qr);
    draw(&form, 35, 60);
    assert_int_not_equal(-1, row_with("\xe2\x96\x88"));
    draw(&form, 20, 60);
    assert_int_equal(-1, row_with("\xe2\x96\x88"));
    draw(&form, 35, (int)columns);
    assert_int_equal(-1, row_with("\xe2\x96\x88"));
    psst_form_clear(&form);
}

int main(void)
{
    psst_out_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys__tab_and_arrows__go_through_all),
        cmocka_unit_test(keys__enter__goes_on_and_presses_what_comes_next),
        cmocka_unit_test(field__takes__no_more_than_fits_and_one_line),
        cmocka_unit_test(tab__completes_a_path__then_moves_on),
        cmocka_unit_test(draw__scrolls__to_what_has_the_keys),
        cmocka_unit_test(draw__of_a_long_field__shows_where_one_types),
        cmocka_unit_test(click__focuses__chooses_and_presses),
        cmocka_unit_test(secret__is_shown__as_bullets_alone),
        cmocka_unit_test(fact__cannot__begin_a_row_of_its_own),
        cmocka_unit_test(qr__is_shown__only_where_all_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
