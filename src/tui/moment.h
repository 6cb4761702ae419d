/* What a person can have meant. Between the first letter of a line and its Enter the world moves: an offer is taken back and
 * another comes, a call ends, somebody else rings. A command that names nobody means what stood on the screen when its line was
 * begun; what came since is said, and asked for.
 *
 *   views, model -> psst_sight (what stands there, since when) -> psst_moment (what could be known) -> commands, keys
 */
#ifndef PSST_TUI_MOMENT_H
#define PSST_TUI_MOMENT_H

#include "client/model.h"

#define PSST_NAME_ROOM    512
#define PSST_SIGHT_FILES  4
#define PSST_NOTICED_MS   300  /* what has stood there for less nobody has read yet */
#define PSST_CALL_OVER_MS 5000 /* so long after its end a call may still be meant */

struct psst_app;

struct psst_seen_file {
    int64_t id;
    bool offer; /* it waits for the person; else it is under way */
    uint64_t ms;
};

struct psst_sight { /* what stands on the screen */
    struct psst_seen_file files[PSST_SIGHT_FILES];
    size_t n_files;
    enum psst_call_state call, call_before; /* since call_ms; until then */
    char who[PSST_NAME_ROOM], who_before[PSST_NAME_ROOM];
    uint64_t call_ms;
    bool end_told; /* that the last call is over already */
};

struct psst_moment { /* what could be known of it then */
    struct psst_seen_file files[PSST_SIGHT_FILES];
    size_t n_files;
    enum psst_call_state call;
    char who[PSST_NAME_ROOM];
    bool send, receive, ptt; /* the switches of that call */
};

/* The model's call may have changed. */
void psst_sight_call(struct psst_app *app);
/* The files that are drawn now, at most PSST_SIGHT_FILES; `ms` of them does not count. */
void psst_sight_files(struct psst_app *app, const struct psst_seen_file *files, size_t n);

void psst_moment_take(const struct psst_app *app, struct psst_moment *out);
/* That call, in whatever state, was there. */
bool psst_moment_has_call(const struct psst_moment *moment, const char *who);
bool psst_moment_rang(const struct psst_moment *moment, const char *who);
const struct psst_seen_file *psst_moment_file(const struct psst_moment *moment, int64_t id);

#endif
