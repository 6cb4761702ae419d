/* Following file transfers: a bar on a terminal, silence elsewhere, and the end of each as the exit code. */
#ifndef PSST_CLI_BAR_H
#define PSST_CLI_BAR_H

#include "cli/cli.h"
#include "client/file_words.h"

#define PSST_FOLLOW_MAX 256

struct psst_follow {
    struct psst_cli *cli;
    long long ids[PSST_FOLLOW_MAX];
    size_t n, settled;
    int code; /* the worst so far */
    bool terminal;
    bool streams;       /* standard output may be the stream: all words go to standard error */
    long long shown_id; /* whose bar stands on the line; 0: none */
    long long last_done;
    uint64_t last_ms;
    double rate;   /* bytes a second, smoothed */
    json_t *early; /* events before the id was known */
};

/* Subscribes to the events of files. 0, or the exit code, said. */
int psst_follow_begin(struct psst_follow *follow, struct psst_cli *cli);
void psst_follow_add(struct psst_follow *follow, long long id);
/* Until all that were added are done, declined or failed. seconds 0: without limit; else exit code 5 when it is over. */
int psst_follow_wait(struct psst_follow *follow, long long seconds);
void psst_follow_end(struct psst_follow *follow);

#endif
