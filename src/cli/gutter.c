#include "cli/gutter.h"
#include "cli/print.h"

#include <stdarg.h>

#define ME           "me"
#define NAME_MAX_    20 /* columns of a name; longer ones are cut */
#define TEXT_CHARS   ((size_t)70000)
#define NARROWEST    16 /* columns for text, however narrow the terminal is */
#define HEAD_COLUMNS 8  /* "14:03 ~ " */

void psst_gutter_init(struct psst_gutter *gutter, FILE *f, const char *alias)
{
    *gutter = (struct psst_gutter){.f = f, .columns = psst_out_columns(f)};
    gutter->name_width = psst_out_width(psst_out_text(alias, NAME_MAX_));
    if (gutter->name_width < strlen(ME)) gutter->name_width = strlen(ME);
}

/* Wider than a terminal may find it, never narrower: then a line ends early, and the terminal never breaks one. */
static size_t wrap_width(uint32_t cp)
{
    int width = psst_out_char_width(cp);
    return cp >= 0x1100 && width == 1 ? 2 : (size_t)width;
}

/* How many bytes of text, which holds no line feed, go into so many columns; broken after a blank where there is one. */
static size_t fit(const char *text, size_t columns)
{
    size_t used = 0, after_blank = 0;
    const char *at = text;
    while (*at != '\0') {
        const char *next = at;
        uint32_t cp = psst_out_next(&next);
        used += wrap_width(cp);
        if (used > columns && at != text) return after_blank > 0 ? after_blank : (size_t)(at - text);
        at = next;
        if (cp == ' ') after_blank = (size_t)(at - text);
    }
    return (size_t)(at - text);
}

/* One line of the message, broken as needed; head stands before its first piece. */
static void put_line(struct psst_gutter *gutter, const char *head, const char *line)
{
    size_t indent = HEAD_COLUMNS + gutter->name_width;
    size_t columns = gutter->columns == 0                       ? SIZE_MAX
                     : gutter->columns > indent + 3 + NARROWEST ? gutter->columns - indent - 3
                                                                : NARROWEST;
    do {
        size_t len = fit(line, columns);
        if (head != NULL)
            (void)fprintf(gutter->f, "%s %.*s\n", head, (int)len, line);
        else
            (void)fprintf(gutter->f, "%*s | %.*s\n", (int)indent, "", (int)len, line);
        head = NULL;
        line += len;
    } while (*line != '\0');
}

static void put_text(struct psst_gutter *gutter, const char *head, const json_t *text)
{
    struct psst_buf shown;
    psst_buf_init(&shown, 16 * TEXT_CHARS);
    psst_text_render(&shown, psst_view(json_string_value(text), json_string_length(text)), PSST_RENDER_PARAGRAPH,
                     TEXT_CHARS);
    psst_buf_put_u8(&shown, 0);
    char *line = shown.failed ? NULL : (char *)shown.data;
    while (line != NULL) {
        char *lf = strchr(line, '\n');
        if (lf != NULL) *lf = '\0';
        put_line(gutter, head, line);
        head = NULL;
        line = lf != NULL ? lf + 1 : NULL;
    }
    psst_buf_fini(&shown);
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
    char day[64], clock[64], head[256];
    if (psst_out_bool(message, "damaged")) { /* history.h */
        psst_gutter_note(gutter, "cannot be read, the history is damaged: %s",
                         psst_out_text(psst_out_string(message, "words"), 200));
        return;
    }
    bool out = strcmp(psst_out_string(message, "direction"), "out") == 0;
    const char *name = out ? ME : psst_out_text(json_string_value(json_object_get(message, "contact")), NAME_MAX_);
    const json_t *text = json_object_get(message, "text");
    const char *state = psst_out_string(message, "state");
    long long time_ms = psst_out_int(message, "time_ms");
    (void)psst_out_time(day, time_ms, "%A, %d %B %Y");
    if (strcmp(day, gutter->day) != 0) psst_gutter_note(gutter, "%s", day);
    memcpy(gutter->day, day, sizeof day);
    size_t width = psst_out_width(name);
    (void)snprintf(head, sizeof head, "%s %c %s%*s %c", psst_out_time(clock, time_ms, "%H:%M"), mark_of(state), name,
                   (int)(gutter->name_width > width ? gutter->name_width - width : 0), "",
                   json_string_length(text) > 0 ? '|' : ':');
    if (json_string_length(text) > 0)
        put_text(gutter, head, text);
    else
        put_line(gutter, head, "text no longer kept");
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
    const char *text = psst_out_text(words, 500);
    const char *mark = "-- ";
    size_t columns = gutter->columns == 0              ? SIZE_MAX
                     : gutter->columns > 5 + NARROWEST ? gutter->columns - 5
                                                       : NARROWEST;
    do {
        size_t len = fit(text, columns);
        (void)fprintf(gutter->f, "%s%.*s\n", mark, (int)len, text);
        text += len;
        mark = "--   "; /* what goes on may be somebody's words: it must not look like a line of its own */
    } while (*text != '\0');
    if (!gutter->buffered) (void)fflush(gutter->f);
}
