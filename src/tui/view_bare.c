/* The messages alone, broken by nobody but the terminal: to be copied, links whole. Any key goes back, and so does what locks
 * the identity. */
#include "base/me.h"
#include "client/out.h"
#include "tui/lent.h"
#include "tui/rows.h"
#include "tui/screen.h"
#include "tui/views.h"

#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#define MOST_CHARS 70000
#define INDENT     "    " /* of what goes on: a message's own lines never begin where messages begin */

static void print_text(struct psst_view text)
{
    struct psst_buf shown;
    psst_buf_init(&shown, 16 * MOST_CHARS);
    psst_text_render(&shown, text, PSST_RENDER_PARAGRAPH, MOST_CHARS);
    for (size_t i = 0; !shown.failed && i < shown.len; i++) {
        (void)putchar(shown.data[i]);
        if (shown.data[i] == '\n') (void)fputs(INDENT, stdout);
    }
    psst_buf_fini(&shown);
    (void)putchar('\n');
}

static void print_item(const struct psst_item *item, const char *name)
{
    char clock[64];
    if (item->kind == PSST_ITEM_MESSAGE) {
        (void)printf("%s %s: ", psst_out_time(clock, item->time_ms, "%H:%M"),
                     item->out ? PSST_ME : psst_out_alias(name, 64));
        print_text(item->text.len > 0 ? item->text : psst_view_str("(text no longer kept)"));
    } else {
        (void)fputs(item->kind == PSST_ITEM_DAMAGED ? "-- cannot be read, the history is damaged: " : "-- ", stdout);
        print_text(item->text);
    }
}

/* All that has a row on the screen, whole. */
static void print_seen(struct psst_app *app)
{
    struct psst_area area = app->areas.conversation;
    struct psst_rows rows = psst_view_rows(app, area);
    struct psst_place place = app->place;
    unsigned height = psst_view_height(&place, area), hidden;
    size_t last;
    if (rows.conversation == NULL || height == 0) return;
    if (!psst_place_fit(&place, &rows, height, &last, &hidden)) return;
    struct psst_block block;
    size_t first = last;
    psst_rows_block(&rows, last, &block);
    for (unsigned n = block.rows > hidden ? block.rows - hidden : 0; n < height && first > 0; n += block.rows)
        psst_rows_block(&rows, --first, &block);
    for (size_t i = first; i <= last; i++)
        print_item(psst_conversation_item(rows.conversation, i), psst_conversation_name(rows.conversation));
}

void psst_view_bare(struct psst_app *app)
{
    struct termios was, keys;
    psst_screen_lend_bare();
    (void)fputs("\n", stdout);
    print_seen(app);
    (void)fputs("\n-- messages alone, to be copied; any key goes back\n", stdout);
    (void)fflush(stdout);
    bool changed = tcgetattr(STDIN_FILENO, &was) == 0;
    if (changed) {
        keys = was;
        keys.c_lflag &= (tcflag_t) ~(ICANON | ECHO | ISIG);
        changed = tcsetattr(STDIN_FILENO, TCSAFLUSH, &keys) == 0;
    }
    (void)psst_lent_wait(app, (const int[2]){STDIN_FILENO, psst_input_signal_fd()}, false);
    if (changed) (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &was); /* and the key is gone */
    psst_screen_back();
}
