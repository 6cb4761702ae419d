/* What there is to know about keys and commands, as text for the manual; psst_help_open in page.h shows it. */
#ifndef PSST_TUI_HELP_H
#define PSST_TUI_HELP_H

#include "tui/commands.h"

#define PSST_HELP_ROFF_BEGIN ".\\\" what follows is made from the tables: ninja manual\n"
#define PSST_HELP_ROFF_END   ".\\\" end of what is made\n"

/* What stands in man/psst.1 under THE SCREEN, between its two marks; verbs as in struct psst_tui. */
void psst_help_roff(struct psst_buf *out, const struct psst_verb *const *verbs, size_t n);

#endif
