/* Tab: what could stand where the cursor is. Commands behind a slash, names of contacts, paths, settings. Pure but for the
 * paths, which are read from disk. */
#ifndef PSST_TUI_COMPLETE_H
#define PSST_TUI_COMPLETE_H

#include "tui/entry.h"

struct psst_app;

#define PSST_COMPLETE_MAX 512

struct psst_completion {
    size_t from, to;  /* bytes of the entry's text that a candidate replaces */
    size_t n, chosen; /* chosen n: none yet */
    char **words;     /* sorted; quoted as commands.h reads them, with a blank or '/' behind where one belongs */
    char **shown;     /* each as the list shows it */
    size_t more;      /* that are not in it */
    bool active;      /* Tab again takes the next one; any other key ends it */
};

/* First Tab: the candidates; one: it is put in; several: their common beginning, then each in turn; backwards with back. */
void psst_complete(struct psst_completion *completion, struct psst_app *app, struct psst_entry *entry, bool back);
void psst_complete_end(struct psst_completion *completion);

#endif
