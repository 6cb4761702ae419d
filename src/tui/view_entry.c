/* The entry line on the screen:
 *
 *   Bob> what is being written, wrapped, as many rows as it takes, and at
 *      v most six; ^ and v where there is more
 */
#include "tui/screen.h"
#include "tui/views.h"

#include <stdio.h>

#define ROWS_MAX     6
#define COUNTED      1000 /* so many bytes are left, or fewer: it is said */
#define COUNT_ROOM   9    /* "999 left " */
#define NARROWEST    10   /* columns of text under which there is no prompt */
#define PROMPT_ENDS  "> "
#define PROMPT_MARKS 2 /* its columns */

static const char *prompt_name(const struct psst_app *app)
{
    return app->open != NULL ? app->open : "psst";
}

static size_t bytes_left(const struct psst_app *app)
{
    return PSST_ENTRY_MAX - psst_entry_text(app->entry).len;
}

/* Columns before the text, the same in all rows. */
static int prompt_columns(const struct psst_app *app, int columns)
{
    int most = columns / 3;
    int wish = (int)psst_text_columns(prompt_name(app)) + PROMPT_MARKS;
    if (bytes_left(app) < COUNTED && wish < COUNT_ROOM) wish = COUNT_ROOM;
    int prompt = wish < most ? wish : most;
    return columns - prompt < NARROWEST || prompt <= PROMPT_MARKS ? 0 : prompt;
}

/* One column stays free: for the cursor behind a full row. */
static unsigned text_columns(const struct psst_app *app, int columns)
{
    int text = columns - prompt_columns(app, columns) - 1;
    return text < 2 ? 2 : (unsigned)text;
}

int psst_view_entry_rows(const struct psst_app *app, int columns)
{
    const struct psst_layout *layout = psst_entry_layout(app->entry, text_columns(app, columns));
    if (layout == NULL || layout->n_rows < 1) return 1;
    return layout->n_rows < ROWS_MAX ? (int)layout->n_rows : ROWS_MAX;
}

static void draw_prompt(const struct psst_app *app, struct psst_area area, int columns)
{
    if (columns == 0) return;
    struct psst_area name = {area.row, area.column, 1, columns - PROMPT_MARKS};
    unsigned taken = psst_draw_text(name, 0, 0, PSST_STYLE_BOLD, prompt_name(app));
    (void)psst_draw_text(area, 0, (int)taken, PSST_STYLE_DIM, PROMPT_ENDS);
    size_t left = bytes_left(app);
    if (left >= COUNTED || area.rows < 2) return;
    struct psst_area count = {area.row, area.column, area.rows, columns - 1};
    (void)psst_draw_format(count, 1, 0, left < COUNTED / 10 ? PSST_STYLE_WARN : PSST_STYLE_DIM, "%zu left", left);
}

/* What begins with one slash is no text to anybody. */
static bool is_command(struct psst_view text)
{
    return text.len > 0 && text.data[0] == '/' && (text.len == 1 || text.data[1] != '/');
}

static void draw_rows(const struct psst_app *app, struct psst_area area, int prompt, const struct psst_layout *layout)
{
    struct psst_view text = psst_entry_text(app->entry);
    enum psst_style style = is_command(text) ? PSST_STYLE_BOLD : PSST_STYLE_PLAIN;
    unsigned columns = (unsigned)(area.columns - prompt);
    size_t top = psst_entry_top(app->entry, layout, (size_t)area.rows);
    int shown = 0;
    for (; shown < area.rows && top + (size_t)shown < layout->n_rows; shown++)
        psst_draw_row(area, shown, prompt, columns, style, layout, top + (size_t)shown);
    int marks = prompt > 0 ? prompt - 1 : area.columns - 1;
    if (top > 0) (void)psst_draw_text(area, 0, marks, PSST_STYLE_DIM, "^");
    if (top + (size_t)shown < layout->n_rows && shown > 0)
        (void)psst_draw_text(area, shown - 1, shown == 1 && top > 0 ? marks - 1 : marks, PSST_STYLE_DIM, "v");

    size_t row;
    unsigned column;
    psst_layout_find(layout, (uint32_t)psst_entry_cursor(app->entry), &row, &column);
    const struct psst_row *r = &layout->rows[row];
    size_t at = psst_entry_cursor(app->entry);
    bool behind = at == text.len || text.data[at] == '\n';
    unsigned indent = r->rtl && r->columns < columns ? columns - r->columns : 0;
    unsigned x = indent + column;
    if (r->rtl && behind && x > 0) x--; /* what is written next comes to the left of all */
    if (x >= columns && columns > 0) x = columns - 1;
    if (row >= top && row < top + (size_t)shown) psst_draw_cursor(area, (int)(row - top), prompt + (int)x);
}

void psst_view_entry(struct psst_app *app, struct psst_area area)
{
    if (area.rows <= 0 || area.columns <= 0) return;
    psst_draw_clear(area, PSST_STYLE_PLAIN);
    int prompt = prompt_columns(app, area.columns);
    draw_prompt(app, area, prompt);
    const struct psst_layout *layout = psst_entry_layout(app->entry, text_columns(app, area.columns));
    if (layout == NULL || layout->n_rows == 0)
        psst_draw_cursor(area, 0, prompt);
    else
        draw_rows(app, area, prompt, layout);
}
