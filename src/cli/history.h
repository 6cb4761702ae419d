/* Messages of one contact for psst log and psst chat: fetched in pages, and marked as shown once they were. */
#ifndef PSST_CLI_HISTORY_H
#define PSST_CLI_HISTORY_H

#include "cli/cli.h"

/* The last n messages, oldest first, in a new array; NULL: said, *code is set. */
/* What of a damaged history cannot be read stands in its place among them: {"damaged": true, "seq", "words"}. */
json_t *psst_history_last(struct psst_cli *cli, const char *name, long long n, int *code);

/* Keeps the highest seq of incoming messages that were printed and not marked yet. */
struct psst_shown {
    long long seq, marked;
};
void psst_shown_note(struct psst_shown *shown, const json_t *message);
/* Marks them; waits for the answer. False: psstd is gone or refused (nothing is said: they stay new). */
bool psst_shown_mark(struct psst_cli *cli, const char *name, struct psst_shown *shown);

#endif
