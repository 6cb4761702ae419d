/* The world that test_reconnect.c runs reconnect.c in: a loop, a clock, a book and a dialler of our own. Hours pass in a moment. */
#ifndef PSST_TESTS_RECONNECT_WORLD_H
#define PSST_TESTS_RECONNECT_WORLD_H

#include "daemon/reconnect/internal.h"

#define S    PSST_SECOND_NS
#define MS   (S / 1000)
#define MOST 400

/* What becomes of a call. */
enum psst_world_line { REFUSED, HANGS, ANSWERS, HAS_NOT_ADDED_US, NO_NETWORK, ALONE };

struct psst_world {
    uint64_t now_ns, slept_ns;
    struct {
        uv_timer_t *timer;
        uv_timer_cb cb; /* NULL: not set */
        uint64_t at_ns;
    } timers[4];
    uv_poll_cb on_clock;
    uv_poll_t *clock_poll;
    struct psst_daemon d;
    struct psst_contact contacts[MOST];
    size_t n_contacts;
    bool hides;
    unsigned probes, afresh;
    enum psst_world_line line;
    struct {
        uint64_t at_ns;
        int64_t id;
    } calls[100000];
    size_t n_calls;
    uint64_t hangs_until_ns[MOST]; /* 0: no call runs */
    size_t running, most_running;
};
extern struct psst_world world;

/* A session stands; a call is over. */
void psst_world_up(struct psst_contact *contact);
void psst_world_over(size_t i, int code);
/* All that falls due until then happens. */
void psst_world_pass(uint64_t ns);
void psst_world_forget_calls(void);
/* Calls between two moments, seconds after from_ns; the longest time without one. */
unsigned psst_world_calls_between(uint64_t from_ns, uint64_t begin_s, uint64_t end_s);
uint64_t psst_world_longest_gap(uint64_t from_ns, uint64_t begin_s, uint64_t end_s);
/* Nothing is to be done by itself. */
bool psst_world_sleeping(void);

#endif
