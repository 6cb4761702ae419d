#include "calls_world.h"

#include "daemon/presence.h"
#include "daemon/program.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

struct calls_world w;

static void note(const char *fmt, ...) PSST_PRINTF(1, 2);
static void note(const char *fmt, ...)
{
    size_t at = strlen(w.trace);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(w.trace + at, sizeof w.trace - at, fmt, args);
    va_end(args);
    at = strlen(w.trace);
    (void)snprintf(w.trace + at, sizeof w.trace - at, " ");
}

/* ---- the rest of psstd, played ---- */

struct psst_now psst_daemon_now(struct psst_daemon *d)
{
    (void)d;
    return (struct psst_now){1000000000, 1750000000000};
}

void psst_daemon_event(struct psst_daemon *d, const char *event, json_t *params)
{
    (void)d;
    const char *state = json_string_value(json_object_get(params, "state"));
    const char *result = json_string_value(json_object_get(params, "result"));
    const char *quiet = json_is_true(json_object_get(params, "quiet")) ? "/quiet" : "";
    if (strcmp(event, "call") == 0 && result[0] != '\0')
        note("<%s:%s%s>", state, result, quiet);
    else
        note("<%s%s>", strcmp(event, "call") == 0 ? state : event, quiet);
    json_decref(params);
}

void psst_daemon_count(struct psst_daemon *d, const char *name)
{
    (void)d;
    (void)name;
}

struct psst_contact *psst_book_by_id(struct psst_book *book, int64_t id)
{
    (void)book;
    return id == w.bob.id ? &w.bob : id == w.carol.id ? &w.carol : NULL;
}

const char *psst_settings_get(const struct psst_settings *settings, const char *key)
{
    (void)settings;
    if (strcmp(key, "push_to_talk") == 0) return w.push_to_talk;
    if (strcmp(key, "voice_quality") == 0) return w.quality;
    if (strcmp(key, "voice_sense") == 0) return "-50";
    if (strcmp(key, "voice_volume") == 0) return "100";
    if (strcmp(key, "echo") == 0) return "own";
    return strcmp(key, "clean") == 0 ? "yes" : "";
}

bool psst_presence_is_busy(const struct psst_daemon *d, const struct psst_contact *contact)
{
    (void)d;
    (void)contact;
    return w.busy;
}

void psst_peers_dial(struct psst_peers *peers, struct psst_contact *contact, const char *address, psst_dial_done *done,
                     void *ctx)
{
    (void)peers;
    (void)address;
    assert_non_null(contact);
    w.dialled = done;
    w.dialled_ctx = ctx;
    note("dial");
}

bool psst_conn_stays(const struct psst_conn *conn, const struct psst_conn *before)
{
    (void)before;
    return conn->contact->session == conn && !w.unsure;
}

struct psst_conn *psst_conn_by_serial(struct psst_peers *peers, uint64_t serial)
{
    (void)peers;
    for (size_t i = 0; i < 2; i++)
        if (w.conns[i].serial == serial) return &w.conns[i];
    return NULL;
}

struct psst_link *psst_conn_link(struct psst_conn *conn)
{
    return (struct psst_link *)conn;
}

struct psst_contact *psst_conn_contact(struct psst_conn *conn)
{
    return conn->contact;
}

uint64_t psst_conn_serial(const struct psst_conn *conn)
{
    return conn->serial;
}

void psst_conn_kick(struct psst_conn *conn)
{
    assert_non_null(conn);
    w.kicks++;
}

void psst_conn_ends(const struct psst_conn *conn, union psst_sockaddr *here, union psst_sockaddr *there)
{
    (void)conn;
    *here = *there = (union psst_sockaddr){.in = {.sin_family = AF_INET}};
}

bool psst_program_find(char out[PSST_PATH_MAX], const char *name)
{
    (void)snprintf(out, PSST_PATH_MAX, "/nowhere/%s", name);
    return true;
}

bool psst_control_wanted(const struct psst_control *control, enum psst_ipc_event event)
{
    (void)control;
    return event == PSST_IPC_EVENT_VOICE;
}

/* ---- the link: as the table of proto/call.c, as far as one side sees it ---- */

static struct psst_conn *conn_of(const struct psst_link *link)
{
    return (struct psst_conn *)(uintptr_t)link;
}

static enum psst_err move(struct psst_link *link, bool allowed, enum psst_call_state next, const char *what, int arg)
{
    struct psst_conn *conn = conn_of(link);
    if (!allowed || conn->gone || w.no_link) return PSST_ERR_USAGE;
    conn->state = next;
    if (arg < 0)
        note("%s", what);
    else
        note("%s/%d", what, arg);
    return PSST_OK;
}

enum psst_call_state psst_link_call_state(const struct psst_link *link)
{
    return conn_of(link)->state;
}

bool psst_link_established(const struct psst_link *link)
{
    return !conn_of(link)->gone;
}

enum psst_role psst_link_role(const struct psst_link *link)
{
    (void)link;
    return PSST_CALLER;
}

enum psst_err psst_link_call_offer(struct psst_link *link, struct psst_now now, uint16_t frame_size)
{
    (void)now;
    return move(link, conn_of(link)->state == PSST_CALL_NONE, PSST_CALL_CALLING, "offer", frame_size);
}

enum psst_err psst_link_call_ring(struct psst_link *link, struct psst_now now)
{
    (void)now;
    return move(link, conn_of(link)->state == PSST_CALL_RINGING_HERE, PSST_CALL_RINGING_HERE, "ring", -1);
}

enum psst_err psst_link_call_accept(struct psst_link *link, struct psst_now now)
{
    (void)now;
    return move(link, conn_of(link)->state == PSST_CALL_RINGING_HERE, PSST_CALL_ACTIVE, "accept", -1);
}

enum psst_err psst_link_call_decline(struct psst_link *link, struct psst_now now, uint8_t reason)
{
    (void)now;
    return move(link, conn_of(link)->state == PSST_CALL_RINGING_HERE, PSST_CALL_NONE, "decline", reason);
}

enum psst_err psst_link_call_hangup(struct psst_link *link, struct psst_now now, uint8_t reason)
{
    enum psst_call_state state = conn_of(link)->state;
    (void)now;
    return move(link, state != PSST_CALL_NONE && state != PSST_CALL_RINGING_HERE, PSST_CALL_NONE, "hangup", reason);
}

enum psst_err psst_link_call_receiving(struct psst_link *link, struct psst_now now, bool on)
{
    (void)now;
    return move(link, conn_of(link)->state == PSST_CALL_ACTIVE, PSST_CALL_ACTIVE, "receiving", on);
}

enum psst_err psst_link_call_report(struct psst_link *link, struct psst_now now, uint8_t loss_256, uint16_t jitter_ms,
                                    uint16_t delay_ms)
{
    (void)now;
    (void)jitter_ms;
    (void)delay_ms;
    return move(link, conn_of(link)->state == PSST_CALL_ACTIVE, PSST_CALL_ACTIVE, "report", loss_256);
}

uint16_t psst_link_call_frame_size(const struct psst_link *link)
{
    (void)link;
    return 107;
}

uint32_t psst_link_call_receiver_id(const struct psst_link *link)
{
    return conn_of(link)->state == PSST_CALL_ACTIVE ? 77 : 0;
}

enum psst_voice_way psst_link_call_way(const struct psst_link *link)
{
    (void)link;
    return PSST_WAY_BOTH;
}

enum psst_err psst_link_voice(struct psst_link *link, struct psst_now now, uint32_t timestamp, struct psst_view opus,
                              uint8_t *datagram, size_t *len)
{
    (void)now;
    (void)datagram;
    *len = opus.len;
    return move(link, conn_of(link)->state == PSST_CALL_ACTIVE, PSST_CALL_ACTIVE, "frame", (int)timestamp);
}

/* ---- sockets, psst-voice, store ---- */

void psst_udp_watch(struct psst_calls *calls, bool on)
{
    (void)calls;
    note("udp%c", on ? '+' : '-');
}

struct psst_udp *psst_udp_towards(struct psst_calls *calls, const union psst_sockaddr *to,
                                  const union psst_sockaddr *from)
{
    (void)to;
    (void)from;
    return (struct psst_udp *)calls; /* any that is not NULL */
}

bool psst_udp_send(struct psst_udp *udp, const union psst_sockaddr *to, struct psst_view datagram)
{
    (void)udp;
    (void)to;
    note("udp/%zu", datagram.len);
    return true;
}

enum psst_err psst_voice_child_new(struct psst_voice_child **out, uv_loop_t *loop, const char *program,
                                   struct psst_log *log)
{
    (void)loop;
    (void)program;
    (void)log;
    *out = NULL;
    return PSST_OK;
}

void psst_voice_child_close(struct psst_voice_child *voice)
{
    (void)voice;
}

void psst_voice_child_free(struct psst_voice_child *voice)
{
    (void)voice;
}

bool psst_voice_child_exists(const struct psst_voice_child *voice)
{
    (void)voice;
    return !w.no_voice;
}

void psst_voice_child_warm(struct psst_voice_child *voice)
{
    (void)voice;
    note("warm");
}

enum psst_err psst_voice_child_start(struct psst_voice_child *voice, const struct psst_voice_work *work,
                                     struct psst_diag *diag)
{
    static const char *const jobs[] = {"?", "CALL", "RING", "RINGBACK"};
    (void)voice;
    if (w.no_files) {
        w.job = 0;
        return psst_fail(diag, PSST_ERR_IO, "no more files can be opened");
    }
    w.work = *work;
    w.job = work->start.job;
    w.heard = work->heard;
    w.heard_ctx = work->ctx;
    note("%s", w.job <= 3 ? jobs[w.job] : "?");
    return PSST_OK;
}

unsigned psst_voice_child_job(const struct psst_voice_child *voice)
{
    (void)voice;
    return w.job;
}

void psst_voice_child_set(struct psst_voice_child *voice, const struct psst_voice_settings *settings)
{
    (void)voice;
    note("set/%d%d", settings->send, settings->receive);
}

bool psst_voice_child_frame(struct psst_voice_child *voice, uint32_t timestamp, struct psst_view payload,
                            uint64_t time_ns)
{
    (void)voice;
    (void)payload;
    (void)time_ns;
    note("heard/%u", timestamp);
    return w.job == PSST_VOICE_CALL;
}

void psst_voice_child_remote(struct psst_voice_child *voice, const struct psst_voice_report *report)
{
    (void)voice;
    note("remote/%d", report->loss_256);
}

void psst_voice_child_drop(struct psst_voice_child *voice)
{
    (void)voice;
    if (w.job != 0) note("drop");
    w.job = 0;
}

void psst_voice_child_interrupt(struct psst_voice_child *voice, const char *words)
{
    (void)voice;
    (void)words;
    note("interrupt");
    w.job = 0;
}

void psst_store_run(struct psst_store_thread *t, psst_store_work *work, psst_store_done *done, void *arg)
{
    (void)t;
    done(arg, work(NULL, arg), "");
}

enum psst_err psst_store_call_begin(struct psst_store *store, struct psst_call_row *row)
{
    (void)store;
    note("begin/%s/%d", row->direction == PSST_OUT ? "out" : "in", (int)row->id);
    return PSST_OK;
}

enum psst_err psst_store_call_answered(struct psst_store *store, int64_t id, uint64_t now_ms)
{
    (void)store;
    (void)now_ms;
    note("answered/%d", (int)id);
    return PSST_OK;
}

enum psst_err psst_store_call_ended(struct psst_store *store, int64_t id, enum psst_called result, uint64_t now_ms)
{
    (void)store;
    (void)now_ms;
    note("ended/%d/%s", (int)id, psst_call_result_name(result));
    return PSST_OK;
}

enum psst_err psst_store_call_last(struct psst_store *store, int64_t *id)
{
    (void)store;
    *id = 6;
    return PSST_OK;
}

/* ---- life ---- */

static void no_sink(void *ctx, enum psst_log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    (void)line;
}

int calls_world_setup(void **state)
{
    memset(&w, 0, sizeof w);
    assert_int_equal(0, uv_loop_init(&w.loop));
    w.d.loop = &w.loop;
    w.push_to_talk = "no";
    w.quality = "4";
    psst_log_init(&w.d.log, no_sink, NULL, PSST_LOG_ERROR);
    w.bob = (struct psst_contact){.id = 1, .alias = "bob"};
    w.carol = (struct psst_contact){.id = 2, .alias = "carol"};
    w.conns[0] = (struct psst_conn){.serial = 11, .contact = &w.bob};
    w.conns[1] = (struct psst_conn){.serial = 12, .contact = &w.carol};
    assert_int_equal(PSST_OK, psst_calls_new(&w.d.calls, &w.d));
    psst_calls_loaded(w.d.calls);
    *state = w.d.calls;
    return 0;
}

int calls_world_teardown(void **state)
{
    psst_calls_close(*state);
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(0, uv_loop_close(&w.loop));
    psst_calls_free(*state);
    return 0;
}

void assert_noted(const char *expected)
{
    (void)uv_run(&w.loop, UV_RUN_NOWAIT);
    (void)uv_run(&w.loop, UV_RUN_NOWAIT);
    size_t len = strlen(w.trace);
    if (len > 0) w.trace[len - 1] = '\0';
    assert_string_equal(expected, w.trace);
    w.trace[0] = '\0';
}
