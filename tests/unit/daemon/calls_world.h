/* All that the one call of a user speaks to, played: link, psst-voice, store, peers, user interfaces. Each writes down what it
 * hears:
 *
 *   offer ring accept decline/1 hangup/1 receiving/0     to the link          RING RINGBACK CALL drop warm   to psst-voice
 *   begin/out/7 answered/7 ended/7/missed                to the store         <active> <ended:missed>        events
 *   dial                                                 to peers             udp+ udp-                      sockets
 */
#ifndef PSST_TESTS_CALLS_WORLD_H
#define PSST_TESTS_CALLS_WORLD_H

#include "daemon/calls/internal.h"
#include "daemon/control/control.h"

struct psst_conn {
    uint64_t serial;
    struct psst_contact *contact;
    enum psst_call_state state; /* of its link's call */
    bool gone;                  /* its link has ended */
};

struct calls_world {
    uv_loop_t loop;
    struct psst_daemon d;
    struct psst_contact bob, carol;
    struct psst_conn conns[2];
    char trace[1024];
    psst_dial_done *dialled;
    void *dialled_ctx;
    bool unsure; /* which of two sessions stays is for the other side to say */
    bool busy, no_voice, no_link, no_files;
    unsigned job; /* psst-voice's */
    psst_voice_heard *heard;
    void *heard_ctx;
    struct psst_voice_work work;
    const char *push_to_talk, *quality;
    int answers, last_exit;
    char answer[128];
    size_t kicks;
};
extern struct calls_world w;

/* setup and teardown of cmocka; *state is the struct psst_calls. */
int calls_world_setup(void **state);
int calls_world_teardown(void **state);
/* What has been written down since the last time, sounds that wait for their turn included. */
void assert_noted(const char *expected);

#endif
