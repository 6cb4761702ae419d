#include "cli/gutter.h"
#include "base/me.h"
#include "cli/print.h"
#include "tui/text.h"

#include <stdarg.h>

#define NAME_MAX_    20   /* columns of a name; longer ones are cut */
#define NAME_BYTES   1000 /* of it as cells, each with marks */
#define TEXT_CHARS   ((size_t)70000)
#define NARROWEST    16 /* columns for text, however narrow the terminal is */
#define HEAD_COLUMNS 8  /* "14:03 ~ " */

void psst_gutter_init(struct psst_gutter *gutter, FILE *f, const char *alias)
{
    *gutter = (struct psst_gutter){.f = f, .columns = psst_out_columns(f)};
    gutter->name_width = psst_text_columns(psst_out_alias(alias, NAME_MAX_));
    if (gutter->name_width < strlen(PSST_ME)) gutter->name_width = strlen(PSST_ME);
}

/* Broken at so many columns, each row with what stands before it. Cells, not bytes, are printed: only of them is it known
 * that no terminal finds them wider. */
static void put_broken(const struct psst_gutter *gutter, const char *head, const char *more, struct psst_view text,
                       unsigned columns)
{
    struct psst_layout layout;
    struct psst_buf row;
    psst_buf_init(&row, SIZE_MAX / 4);
    if (psst_layout_make_as_read(&layout, text, PSST_RENDER_PARAGRAPH, columns) != PSST_OK)
        (void)fprintf(gutter->f, "%s(out of memory)\n", head);
    for (size_t i = 0; i < layout.n_rows; i++) {
        row.len = 0;
        psst_layout_put(&row, &layout, i);
        (void)fprintf(gutter->f, "%s%.*s\n", i == 0 ? head : more, (int)row.len, row.len > 0 ? (char *)row.data : "");
    }
    psst_buf_fini(&row);
    psst_layout_fini(&layout);
}

/* Lines as they came. */
static void put_whole(const struct psst_gutter *gutter, const char *head, const char *more, struct psst_view text)
{
    struct psst_buf shown;
    psst_buf_init(&shown, 16 * TEXT_CHARS);
    psst_text_render(&shown, text, PSST_RENDER_PARAGRAPH, TEXT_CHARS);
    psst_buf_put_u8(&shown, 0);
    char *line = shown.failed ? NULL : (char *)shown.data;
    while (line != NULL) {
        char *lf = strchr(line, '\n');
        if (lf != NULL) *lf = '\0';
        (void)fprintf(gutter->f, "%s%s\n", head, line);
        head = more;
        line = lf != NULL ? lf + 1 : NULL;
    }
    psst_buf_fini(&shown);
}

/* What stands before the rows is so wide, and the same for all. */
static void put_text(const struct psst_gutter *gutter, const char *head, const char *more, size_t indent,
                     struct psst_view text)
{
    if (gutter->columns == 0)
        put_whole(gutter, head, more, text);
    else
        put_broken(gutter, head, more, text,
                   gutter->columns > indent + NARROWEST ? gutter->columns - (unsigned)indent : NARROWEST);
}

/* As cells, as the text is, so that it is as wide as the column that is kept for it. */
static void put_name(char out[NAME_BYTES], const char *name)
{
    struct psst_layout layout;
    struct psst_buf cells;
    psst_buf_init(&cells, NAME_BYTES - 1);
    if (psst_layout_make_as_read(&layout, psst_view_str(name), PSST_RENDER_LINE, 2) == PSST_OK)
        psst_layout_put(&cells, &layout, 0);
    psst_layout_fini(&layout);
    (void)snprintf(out, NAME_BYTES, "%.*s", cells.failed ? 0 : (int)cells.len, (const char *)cells.data);
    psst_buf_fini(&cells);
}

static char mark_of(const char *state)
{
    if (strcmp(state, "waiting") == 0) return '~';
    if (strcmp(state, "sent") == 0) return '>';
    if (strcmp(state, "read") == 0) return '+';
    if (strcmp(state, "refused") == 0) return '!';
    if (strcmp(state, "recalled") == 0) return 'x';
    return ' ';
}

void psst_gutter_message(struct psst_gutter *gutter, const json_t *message)
{
    char day[64], clock[64], head[64 + NAME_BYTES], more[256];
    if (psst_out_bool(message, "damaged")) { /* history.h */
        psst_gutter_note(gutter, "cannot be read, the history is damaged: %s",
                         psst_out_text(psst_out_string(message, "words"), 200));
        return;
    }
    bool out = strcmp(psst_out_string(message, "direction"), "out") == 0;
    const char *alias = psst_out_alias(json_string_value(json_object_get(message, "contact")), NAME_MAX_);
    char name[NAME_BYTES];
    put_name(name, out ? PSST_ME : alias);
    const json_t *text = json_object_get(message, "text");
    const char *state = psst_out_string(message, "state");
    long long time_ms = psst_out_int(message, "time_ms");
    (void)psst_out_time(day, time_ms, "%A, %d %B %Y");
    if (strcmp(day, gutter->day) != 0) psst_gutter_note(gutter, "%s", day);
    memcpy(gutter->day, day, sizeof day);
    struct psst_view view = psst_view(json_string_value(text), json_string_length(text));
    size_t width = psst_text_columns(name), indent = HEAD_COLUMNS + gutter->name_width;
    (void)snprintf(head, sizeof head, "%s %c %s%*s %c ", psst_out_time(clock, time_ms, "%H:%M"), mark_of(state), name,
                   (int)(gutter->name_width > width ? gutter->name_width - width : 0), "", view.len > 0 ? '|' : ':');
    (void)snprintf(more, sizeof more, "%*s | ", (int)indent, "");
    if (view.len == 0) view = psst_view_str("text no longer kept");
    put_text(gutter, head, more, indent + 3, view);
    if (strcmp(state, "refused") == 0) psst_gutter_note(gutter, "not accepted: %s", psst_out_string(message, "reason"));
    if (!gutter->buffered) (void)fflush(gutter->f);
}

void psst_gutter_note(struct psst_gutter *gutter, const char *fmt, ...)
{
    char words[1024];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    /* what goes on may be somebody's words: it must not look like a line of its own */
    put_text(gutter, "-- ", "--   ", 5, psst_view_str(psst_out_text(words, 500)));
    if (!gutter->buffered) (void)fflush(gutter->f);
}
