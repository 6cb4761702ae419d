/* A screen that is an array, and a model and a conversation that are what the test says: views draw on it as they would on
 * a terminal. Linked in the place of draw.c, screen.c and the client's model. */
#ifndef PSST_TESTS_TUI_FAKE_WORLD_H
#define PSST_TESTS_TUI_FAKE_WORLD_H

#include "tui/views.h"

#define FAKE_ROWS    64
#define FAKE_COLUMNS 240
#define FAKE_ITEMS   400
#define FAKE_PEOPLE  2000

struct fake_world {
    int rows, columns;             /* of the terminal */
    int cursor_row, cursor_column; /* where a view has put it */
    struct psst_self self;
    struct psst_person people[FAKE_PEOPLE];
    size_t n_people, people_asked; /* how often one was looked at */
    struct psst_call_now call;
    struct psst_transfer files[16];
    size_t n_files;
    struct psst_item items[FAKE_ITEMS];
    size_t n_items;
    bool loaded, has_older, has_newer;
    uint64_t below;
    const char *name, *trouble;
    unsigned asked_older, asked_newer;
    bool behind;  /* the terminal does not take what it is shown */
    size_t shown; /* index + 1 of the last item told as shown; 0: none */
};
extern struct fake_world fake;

void fake_begin(struct psst_app *app, int rows, int columns); /* Bob is open, in session, verified */
/* Appends one; the text is borrowed. */
struct psst_item *fake_say(bool out, const char *text);
struct psst_item *fake_note(const char *text);
/* A row of the screen as UTF-8, blanks at its end cut. Eight in turn. */
const char *fake_row(int row);
bool fake_has(const char *words); /* on some row */
int fake_find(const char *words); /* the row; -1 */
void fake_wipe(void);

#endif
