/* Paths as a person types them into a field: no quotes, ~ is home. */
#ifndef PSST_TUI_PATH_H
#define PSST_TUI_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* With ~ and blanks around it done away with; relative paths stay. Freed by the caller; NULL: out of memory. */
char *psst_path_expand(const char *typed);
/* What typed may go on as: *longer (freed by the caller; NULL: no longer), as typed it begins; with several, their common
 * beginning, and the first of them in hint. False: there is nothing of that name. */
bool psst_path_complete(const char *typed, char **longer, char *hint, size_t hint_size);

#endif
