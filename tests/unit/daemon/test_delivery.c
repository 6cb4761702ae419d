/* Text on its way, in virtual time: the files of delivery against a real store, and doubles of everything else they call
 * (a connection that notes what it is given, a clock and a timer that go when the test says so). What is here takes minutes
 * in real life: resting after a refusal, reading on after a flood (attack 28). */
#include "daemon/delivery/internal.h"
#include "daemon/reconnect/reconnect.h"
#include "daemon/retention.h"
#include "support/check.h"
#include "unit/daemon/folder.h"

#include <stdio.h>
#include <string.h>

#define SENT_MAX 1024

/* ---- the doubles ---- */

struct psst_conn {
    struct psst_contact *contact;
    int holds;
};

static struct world {
    struct folder folder;
    struct psst_store *store;
    struct psst_daemon d;
    struct psst_contact bob;
    struct psst_conn conn;
    uint64_t now_ns;
    uint64_t timer_ms; /* of the loop; UINT64_MAX: not set */
    uv_timer_cb timer_cb;
    uv_timer_t *timer;
    struct job {
        psst_store_work *work;
        psst_store_done *done;
        void *arg;
    } jobs[SENT_MAX];
    size_t n_jobs;
    struct psst_msg_id sent[SENT_MAX];
    size_t n_sent, n_acked;
    uint8_t refused; /* the last reason */
    size_t n_refused, offered_again;
    char reason[200]; /* of the last state event that had one */
} w;

struct psst_now psst_daemon_now(struct psst_daemon *d)
{
    (void)d;
    return (struct psst_now){w.now_ns, 1750000000000 + w.now_ns / 1000000};
}

void psst_daemon_event(struct psst_daemon *d, const char *event, json_t *params)
{
    const char *reason = json_string_value(json_object_get(params, "reason"));
    (void)d;
    if (strcmp(event, "message.state") == 0 && reason != NULL) (void)snprintf(w.reason, sizeof w.reason, "%s", reason);
    json_decref(params);
}

void psst_daemon_count(struct psst_daemon *d, const char *name)
{
    (void)d;
    (void)name;
}

struct psst_contact *psst_book_first(struct psst_book *book)
{
    (void)book;
    return &w.bob;
}

struct psst_contact *psst_book_by_id(struct psst_book *book, int64_t id)
{
    (void)book;
    return id == w.bob.id ? &w.bob : NULL;
}

struct psst_link *psst_conn_link(struct psst_conn *conn)
{
    return (struct psst_link *)conn; /* never looked into */
}

struct psst_contact *psst_conn_contact(struct psst_conn *conn)
{
    return conn->contact;
}

uint64_t psst_conn_serial(const struct psst_conn *conn)
{
    (void)conn;
    return 7;
}

struct psst_conn *psst_conn_by_serial(struct psst_peers *peers, uint64_t serial)
{
    (void)peers;
    return serial == 7 ? &w.conn : NULL;
}

void psst_conn_kick(struct psst_conn *conn)
{
    (void)conn;
}

void psst_conn_hold(struct psst_conn *conn)
{
    conn->holds++;
}

void psst_conn_release(struct psst_conn *conn)
{
    conn->holds--;
}

enum psst_err psst_link_text(struct psst_link *link, struct psst_now now, const struct psst_text *text)
{
    (void)link;
    (void)now;
    assert_true(w.n_sent < SENT_MAX);
    w.sent[w.n_sent++] = text->id;
    return PSST_OK;
}

enum psst_err psst_link_ack(struct psst_link *link, struct psst_now now, const struct psst_msg_id *id)
{
    (void)link;
    (void)now;
    (void)id;
    w.n_acked++;
    return PSST_OK;
}

enum psst_err psst_link_not_accepted(struct psst_link *link, struct psst_now now, const struct psst_msg_id *id,
                                     uint8_t reason)
{
    (void)link;
    (void)now;
    (void)id;
    w.refused = reason;
    w.n_refused++;
    return PSST_OK;
}

enum psst_err psst_link_read(struct psst_link *link, struct psst_now now, const struct psst_msg_id *ids, size_t n)
{
    (void)link;
    (void)now;
    (void)ids;
    (void)n;
    return PSST_OK;
}

void psst_peers_dial_quietly(struct psst_peers *peers, struct psst_contact *contact)
{
    (void)peers;
    (void)contact;
}

void psst_reconnect_changed(struct psst_daemon *d, struct psst_contact *contact)
{
    (void)d;
    (void)contact;
}

void psst_retention_soon(struct psst_retention *retention)
{
    (void)retention;
}

void psst_transfers_offer_again(struct psst_transfers *transfers, struct psst_contact *contact)
{
    (void)transfers;
    (void)contact;
    w.offered_again++;
}

void psst_store_run(struct psst_store_thread *t, psst_store_work *work, psst_store_done *done, void *arg)
{
    (void)t;
    assert_true(w.n_jobs < SENT_MAX);
    w.jobs[w.n_jobs++] = (struct job){work, done, arg};
}

int uv_timer_init(uv_loop_t *loop, uv_timer_t *timer)
{
    (void)loop;
    w.timer = timer;
    return 0;
}

int uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t ms, uint64_t repeat)
{
    (void)timer;
    assert_int_equal(repeat, 0);
    w.timer_cb = cb;
    w.timer_ms = w.now_ns / 1000000 + ms;
    return 0;
}

int uv_is_closing(const uv_handle_t *handle)
{
    (void)handle;
    return 0;
}

void uv_close(uv_handle_t *handle, uv_close_cb cb)
{
    (void)handle;
    (void)cb;
}

/* ---- time ---- */

/* All that waits for the store, in groups, until nothing is left. */
static void run_jobs(void)
{
    while (w.n_jobs > 0) {
        struct job group[SENT_MAX];
        size_t n = w.n_jobs;
        memcpy(group, w.jobs, n * sizeof group[0]);
        w.n_jobs = 0;
        enum psst_err errs[SENT_MAX];
        assert_ok(psst_store_begin(w.store));
        for (size_t i = 0; i < n; i++) errs[i] = group[i].work(w.store, group[i].arg);
        assert_ok(psst_store_commit(w.store));
        for (size_t i = 0; i < n; i++) group[i].done(group[i].arg, errs[i], "");
    }
}

static void pass(uint64_t seconds)
{
    uint64_t end_ns = w.now_ns + seconds * PSST_SECOND_NS;
    for (;;) {
        run_jobs();
        if (w.timer_ms > end_ns / 1000000) break;
        if (w.timer_ms * 1000000 > w.now_ns) w.now_ns = w.timer_ms * 1000000;
        w.timer_ms = UINT64_MAX;
        w.timer_cb(w.timer);
    }
    w.now_ns = end_ns;
}

/* ---- the bench ---- */

static int setup(void **state)
{
    static const struct psst_store_key key = {.b = {1}};
    struct psst_diag diag = {.text = ""};
    char path[300];
    w = (struct world){.now_ns = 1000 * PSST_SECOND_NS, .timer_ms = UINT64_MAX};
    folder_init(&w.folder);
    (void)snprintf(path, sizeof path, "%s/store.db", w.folder.path);
    assert_ok(psst_store_open(&w.store, path, &key, false, &diag));
    struct psst_contact_row row = {.alias = "bob", .spki = psst_view_str("key"), .keep_history = true};
    assert_ok(psst_store_contact_put(w.store, &row));
    w.bob.id = row.id;
    (void)snprintf(w.bob.alias, sizeof w.bob.alias, "bob");
    w.conn.contact = &w.bob;
    psst_log_init(&w.d.log, NULL, NULL, PSST_LOG_ERROR);
    assert_ok(psst_delivery_new(&w.d.delivery, &w.d));
    w.bob.session = &w.conn;
    psst_delivery_up(w.d.delivery, &w.bob);
    run_jobs();
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    run_jobs();
    psst_delivery_unloaded(w.d.delivery);
    psst_delivery_free(w.d.delivery);
    psst_store_close(w.store);
    folder_fini(&w.folder);
    return 0;
}

static void said(void *ctx, enum psst_err err, const char *words, const struct psst_message_row *row)
{
    (void)ctx;
    (void)words;
    (void)row;
    assert_ok(err);
}

static void say(const char *words)
{
    psst_delivery_say(w.d.delivery, &w.bob, psst_view_str(words), said, NULL);
    run_jobs();
}

/* He does not accept what was sent from the `from`th on. */
static void refuse(size_t from, uint8_t reason)
{
    for (size_t i = from, n = w.n_sent; i < n; i++) {
        const struct psst_event ev = {.type = PSST_EV_NOT_ACCEPTED, .id = w.sent[i], .reason = reason};
        psst_delivery_event(w.d.delivery, &w.conn, &ev);
    }
    run_jobs();
}

static void acknowledge(size_t i)
{
    const struct psst_event ev = {.type = PSST_EV_ACK, .ids = psst_view(w.sent[i].b, sizeof w.sent[i].b)};
    psst_delivery_event(w.d.delivery, &w.conn, &ev);
    run_jobs();
}

static void bring(unsigned n, size_t len)
{
    static uint8_t text[PSST_TEXT_MAX];
    struct psst_event ev = {.type = PSST_EV_TEXT};
    memset(text, 'x', sizeof text);
    psst_store_u32(ev.text.id.b, n);
    ev.text.id.b[15] = 1;
    ev.text.utf8 = psst_view(text, len);
    psst_delivery_event(w.d.delivery, &w.conn, &ev);
    run_jobs();
}

/* ---- resting ---- */

static void delivery__that_met_a_pause__asks_again_ten_minutes_later(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) say("hello");
    assert_int_equal(w.n_sent, 5);
    refuse(0, PSST_NOT_ACCEPTED_PAUSED);
    assert_true(w.bob.paused_us);
    assert_non_null(strstr(w.reason, "bob has paused you: not delivered"));
    pass(599);
    assert_int_equal(w.n_sent, 5);
    assert_int_equal(w.offered_again, 0);
    pass(2);
    assert_int_equal(w.n_sent, 6); /* one asks for all */
    assert_memory_equal(w.sent[5].b, w.sent[0].b, 16);
    assert_int_equal(w.offered_again, 1);
    refuse(5, PSST_NOT_ACCEPTED_PAUSED);
    pass(1200);
    assert_int_equal(w.n_sent, 7); /* it is on its way, unanswered: no other follows */
    acknowledge(6);
    assert_int_equal(w.n_sent, 11); /* and all the others behind it, in their order */
    for (size_t i = 1; i < 5; i++) assert_memory_equal(w.sent[6 + i].b, w.sent[i].b, 16);
    assert_false(w.bob.paused_us);
    for (size_t i = 7; i < 11; i++) acknowledge(i);
    assert_int_equal(w.bob.waiting, 0);
    pass(3600);
    assert_int_equal(w.n_sent, 11);
}

static void delivery__that_met_a_full_disk__asks_again_sooner(void **state)
{
    (void)state;
    say("hello");
    refuse(0, PSST_NOT_ACCEPTED_DISK_FULL);
    assert_false(w.bob.paused_us);
    pass(600);
    assert_true(w.n_sent > 1);
    assert_int_equal(w.bob.waiting, 1);
    acknowledge(w.n_sent - 1);
    assert_int_equal(w.bob.waiting, 0);
}

static void delivery__that_met_a_pause__begins_anew_with_the_next_session(void **state)
{
    (void)state;
    say("one");
    say("two");
    refuse(0, PSST_NOT_ACCEPTED_PAUSED);
    w.bob.session = NULL;
    psst_delivery_down(w.d.delivery, &w.bob);
    pass(5);
    assert_int_equal(w.n_sent, 2);
    w.bob.session = &w.conn;
    psst_delivery_up(w.d.delivery, &w.bob);
    run_jobs();
    assert_int_equal(w.n_sent, 3);
    acknowledge(2);
    assert_int_equal(w.n_sent, 4);
}

static void delivery__while_it_rests__asks_when_something_is_said(void **state)
{
    (void)state;
    say("one");
    refuse(0, PSST_NOT_ACCEPTED_PAUSED);
    w.reason[0] = '\0';
    say("two");
    assert_non_null(strstr(w.reason, "bob has paused you")); /* the person is told of this one too */
    assert_int_equal(w.n_sent, 2);
    assert_memory_equal(w.sent[1].b, w.sent[0].b, 16); /* the oldest asks */
}

static void delivery__is_refused_for_ever__where_waiting_helps_nobody(void **state)
{
    (void)state;
    say("one");
    refuse(0, PSST_NOT_ACCEPTED_MALFORMED);
    assert_int_equal(w.bob.waiting, 0);
    say("two");
    assert_int_equal(w.n_sent, 2);
}

/* ---- floods ---- */

static void arrivals__of_a_flood__are_read_on_as_time_passes(void **state)
{
    (void)state;
    unsigned n = 0;
    while (w.conn.holds == 0 && n < 1000) bring(n++, PSST_TEXT_MAX);
    assert_in_range(n, 250, 260); /* 16 MiB */
    assert_int_equal(w.n_acked, n);
    assert_int_equal(w.n_refused, 0);
    pass(1);
    assert_int_equal(w.conn.holds, 1);
    pass(2);
    assert_int_equal(w.conn.holds, 0);
    bring(n++, PSST_TEXT_MAX);
    assert_int_equal(w.conn.holds, 1); /* one in two seconds, from now on */
    unsigned minute = 0;
    for (unsigned s = 0; s < 600; s++) {
        pass(1);
        if (w.conn.holds > 0) continue;
        bring(n++, PSST_TEXT_MAX);
        minute++;
    }
    assert_in_range(minute, 300, 330); /* 20 MiB in ten minutes */
    pass(600);
    for (unsigned i = 0; i < 200; i++) bring(n++, PSST_TEXT_MAX); /* the bucket is full again */
    assert_int_equal(w.conn.holds, 0);
    assert_int_equal(w.n_acked, n);
}

static void arrivals__that_nobody_reads__have_an_end(void **state)
{
    (void)state;
    w.bob.unread = 99999;
    bring(0, 10);
    assert_int_equal(w.n_acked, 1);
    assert_int_equal(w.bob.unread, 100000);
    bring(1, 10);
    assert_int_equal(w.n_refused, 1);
    assert_int_equal(w.refused, PSST_NOT_ACCEPTED_DISK_FULL);
    w.bob.unread = 0; /* somebody has looked */
    bring(1, 10);
    assert_int_equal(w.n_acked, 2);
    w.bob.unread_bytes = (uint64_t)128 << 20;
    bring(2, 10);
    assert_int_equal(w.n_refused, 2);
}

static void arrivals__from_who_is_paused__are_refused_and_leave_nothing(void **state)
{
    (void)state;
    w.bob.paused = true;
    bring(0, 10);
    assert_int_equal(w.refused, PSST_NOT_ACCEPTED_PAUSED);
    assert_int_equal(w.n_acked, 0);
    struct psst_unread unread = {9, 9};
    assert_ok(psst_store_unread(w.store, w.bob.id, &unread));
    assert_int_equal(unread.texts, 0);
    w.bob.paused = false;
    bring(0, 10);
    assert_int_equal(w.n_acked, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(delivery__that_met_a_pause__asks_again_ten_minutes_later),
        T(delivery__that_met_a_full_disk__asks_again_sooner),
        T(delivery__that_met_a_pause__begins_anew_with_the_next_session),
        T(delivery__while_it_rests__asks_when_something_is_said),
        T(delivery__is_refused_for_ever__where_waiting_helps_nobody),
        T(arrivals__of_a_flood__are_read_on_as_time_passes),
        T(arrivals__that_nobody_reads__have_an_end),
        T(arrivals__from_who_is_paused__are_refused_and_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
