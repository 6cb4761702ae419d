/* Messages for psst log and psst chat: fetched in pages, never all at once, and marked as shown once they were. */
#ifndef PSST_CLI_HISTORY_H
#define PSST_CLI_HISTORY_H

#include "cli/cli.h"

struct psst_history {
    const char *name;             /* NULL: of every contact; with search only */
    const char *search;           /* NULL: all messages */
    long long since_ms, until_ms; /* 0: no bound */
    long long before;             /* seq; 0: to the end */
    long long last;               /* so many, the last ones; 0: all of them */
};

/* false: enough, the walk is over. What of a damaged history cannot be read stands in its place:
 * {"damaged": true, "seq", "words"}. */
typedef bool psst_history_each(void *ctx, const json_t *message);
/* Oldest first. The exit code, said. */
int psst_history_walk(struct psst_cli *cli, const struct psst_history *history, psst_history_each *each, void *ctx);

/* The last n messages, oldest first, in a new array; NULL: said, *code is set. For few. */
json_t *psst_history_last(struct psst_cli *cli, const char *name, long long n, int *code);

/* Keeps the highest seq of incoming messages that were printed and not marked yet. */
struct psst_shown {
    long long seq, marked;
};
void psst_shown_note(struct psst_shown *shown, const json_t *message);
/* Marks them; waits for the answer. False: psstd is gone or refused (nothing is said: they stay new). */
bool psst_shown_mark(struct psst_cli *cli, const char *name, struct psst_shown *shown);

#endif
