/* What is said of files. */
#ifndef PSST_CLIENT_FILE_WORDS_H
#define PSST_CLIENT_FILE_WORDS_H

#include "client/out.h"

/* "file", "folder" or "stream": what it is. */
const char *psst_file_word(const json_t *file);
/* "done", "declined: ...", for a list. */
const char *psst_file_state(char out[256], const json_t *file);

#endif
