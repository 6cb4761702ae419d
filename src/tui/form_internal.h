/* Between form.c and form_draw.c. */
#ifndef PSST_TUI_FORM_INTERNAL_H
#define PSST_TUI_FORM_INTERNAL_H

#include "tui/form.h"

/* What stands at a row and column of the terminal, as drawn last: an item that takes keys, and which option of it. form->n: none. */
size_t psst_form_at(const struct psst_form *form, int row, int column, unsigned *option);

#endif
