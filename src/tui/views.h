/* What is drawn where. layout.c divides the terminal; each view draws its own area from the model, whole, whenever one of
 * its parts is dirty (the terminal gets only what differs).
 *
 *   +----------+-------------------------------+     80x24; contacts fold under 60 columns
 *   | contacts | conversation (or a page)      |
 *   |          |                               |
 *   |          +-------------------------------+
 *   |          | call: levels, switches        |     only during one (1 or 2 rows)
 *   |          | transfers, one a row          |     only while there are some (up to 3)
 *   +----------+-------------------------------+
 *   | status: with whom, where, how safe       |
 *   | notice                                   |     only while there is one
 *   | entry (1 to 6 rows, at most a third)     |
 *   +------------------------------------------+
 */
#ifndef PSST_TUI_VIEWS_H
#define PSST_TUI_VIEWS_H

#include "tui/app.h"

/* Pure: for a terminal of that size. */
struct psst_shape {
    int rows, columns;
    int entry_rows, call_rows, transfer_rows; /* wished; they get less when the terminal is small */
    bool notice, contacts_shown, whole_page;
};
void psst_areas_divide(struct psst_areas *out, const struct psst_shape *shape);

/* Divides, draws what is dirty, shows it. */
void psst_app_draw(struct psst_app *app);

void psst_view_contacts(struct psst_app *app, struct psst_area area);
void psst_view_conversation(struct psst_app *app, struct psst_area area);
void psst_view_call(struct psst_app *app, struct psst_area area);
int psst_view_call_rows(const struct psst_app *app);
void psst_view_transfers(struct psst_app *app, struct psst_area area);
int psst_view_transfer_rows(const struct psst_app *app);
void psst_view_status(struct psst_app *app, struct psst_area area);
void psst_view_entry(struct psst_app *app, struct psst_area area);
int psst_view_entry_rows(const struct psst_app *app, int columns);

/* Which of the model's people is open; their number when nobody is. */
size_t psst_view_contact_open(const struct psst_app *app);
/* The contact at a row of the terminal; NULL. For the mouse. */
const struct psst_person *psst_view_contact_at(const struct psst_app *app, int row, int column);
/* Moves the place by so many rows within what is loaded, asking for more where it ends. */
void psst_view_scroll(struct psst_app *app, int rows);
/* A screen's worth, for PgUp and PgDn. */
int psst_view_page_rows(const struct psst_app *app);
/* What is to be seen, as plain lines without frame, times or gutter, to be copied: links whole, broken by the terminal alone. */
void psst_view_bare(struct psst_app *app);

#endif
