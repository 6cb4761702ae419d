/* A user interface's line to psstd: connecting (and starting psstd when there is none), requests, answers, events.
 *
 * One thread. A user interface with a loop of its own polls psst_client_fd and calls psst_client_turn; a command line
 * calls psst_client_call, which waits. Answers and events are handed out in the order they came, from inside turn,
 * wait and call. No passphrase goes through here: it travels in a pipe (passphrase.h) whose end is handed over.
 */
#ifndef PSST_CLIENT_CLIENT_H
#define PSST_CLIENT_CLIENT_H

#include "ipc/paths.h"
#include "ipc/rpc.h"

struct psst_client;

#define PSST_CLIENT_FOREVER (-1)

/* Why something was not done: what to end with, a name for programs, a sentence for people (rendered already). */
struct psst_failure {
    enum psst_exit exit_code;
    char name[32];
    char words[1024];
};

/* Fills the failure; gives err, so that `return psst_failure_set(...)` reads well. */
enum psst_err psst_failure_set(struct psst_failure *failure, enum psst_err err, enum psst_exit exit_code,
                               const char *name, const char *fmt, ...) PSST_PRINTF(5, 6);

struct psst_client_start {
    const char *const *listen; /* NULL, or where a psstd that is started is to listen; ended by NULL */
};

/* Connects and says hello. When no psstd runs, one is started (start.h), unless start is NULL: PSST_ERR_NOT_FOUND. */
PSST_MUST_USE enum psst_err psst_client_open(struct psst_client **out, const struct psst_paths *paths,
                                             const struct psst_client_start *start, struct psst_failure *failure);
/* Over a connected socket (taken), without hello: for tests. */
PSST_MUST_USE enum psst_err psst_client_over(struct psst_client **out, int fd);
/* Nothing more is wanted from psstd: all unanswered requests are told that it has gone, while those who asked still live. */
void psst_client_give_up(struct psst_client *client);
void psst_client_close(struct psst_client *client); /* NULL is safe; unanswered requests are forgotten */

/* params are borrowed, during the call. */
typedef void psst_client_event(void *ctx, const char *event, json_t *params);
void psst_client_on_event(struct psst_client *client, psst_client_event *event, void *ctx);
/* init.progress, which only who asked for init gets, goes here and not to the events; NULL: to the events again. */
void psst_client_on_progress(struct psst_client *client, psst_client_event *progress, void *ctx);

/* result is borrowed; NULL: it failed, and failure says why. Called once. */
typedef void psst_client_answer(void *ctx, json_t *result, const struct psst_failure *failure);
/* Takes params and fds. An error here (psstd gone, out of memory) means that answer is never called. */
PSST_MUST_USE enum psst_err psst_client_request(struct psst_client *client, const char *method, json_t *params,
                                                const int *fds, size_t n, psst_client_answer *answer, void *ctx);

/* Who has asked with this ctx is gone: he hears no answer. What was asked for is done nevertheless. */
void psst_client_forget(struct psst_client *client, const void *ctx);

int psst_client_fd(const struct psst_client *client);
bool psst_client_wants_write(const struct psst_client *client);
/* Reads, writes and hands out what is there, without waiting. PSST_ERR_IO: psstd is gone; all unanswered requests have
 * been told. */
PSST_MUST_USE enum psst_err psst_client_turn(struct psst_client *client);
/* Waits for something to come, then one turn. PSST_ERR_EXPIRED: nothing came; PSST_ERR_AGAIN: a signal. */
PSST_MUST_USE enum psst_err psst_client_wait(struct psst_client *client, int timeout_ms);

/* Request and its answer: a new reference, or NULL and the failure. Events on the way are handed out. Takes params and
 * fds. */
json_t *psst_client_call(struct psst_client *client, const char *method, json_t *params, const int *fds, size_t n,
                         int timeout_ms, struct psst_failure *failure);

/* Milliseconds of the monotonic clock, for deadlines. */
uint64_t psst_client_now_ms(void);

#endif
