/* The terminal interface: what `psst` without arguments opens. */
#ifndef PSST_TUI_TUI_H
#define PSST_TUI_TUI_H

#include "client/verb.h"
#include "ipc/paths.h"

struct psst_tui {
    const struct psst_paths *paths;
    const struct psst_verb *const *verbs; /* the command line's table */
    size_t n_verbs;
    const char *version;
};

/* Takes the terminal until the person leaves; the exit code. Standard input and output must be terminals. */
int psst_tui_run(const struct psst_tui *setup);

#endif
