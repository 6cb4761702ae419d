/* The shell around opening, session and void: it owns the two streams, knows the phase, and hands everything on.
 *
 *   OPENING --established--> SESSION --> OVER
 *      |  \--caller failed--------------> OVER
 *      \-----callee failed--> VOID -----> OVER
 */
#include "proto/link_internal.h"

#include <stdlib.h>

/* ---- beginning and end ---- */

static struct psst_link *link_new(const struct psst_link_config *config, enum psst_role role, struct psst_now now)
{
    struct psst_link *link = calloc(1, sizeof *link);
    if (link == NULL) return NULL;
    link->config = config;
    link->now = now;
    link->times.role = role;
    psst_input_init(&link->in);
    psst_output_init(&link->out);
    return link;
}

enum psst_err psst_link_call(struct psst_link **out, const struct psst_link_config *config,
                             struct psst_rsa_public *peer, const struct psst_pair_secret *psk, struct psst_now now)
{
    struct psst_link *link = link_new(config, PSST_CALLER, now);
    if (link == NULL) return PSST_ERR_MEMORY;
    enum psst_err err = psst_opening_call(&link->opening, config, peer, psk, now, &link->out);
    if (err != PSST_OK) {
        psst_link_free(link);
        return err;
    }
    link->times = link->opening->times;
    *out = link;
    return PSST_OK;
}

enum psst_err psst_link_accept(struct psst_link **out, const struct psst_link_config *config, struct psst_now now)
{
    struct psst_link *link = link_new(config, PSST_CALLEE, now);
    if (link == NULL) return PSST_ERR_MEMORY;
    enum psst_err err = psst_opening_accept(&link->opening, config, now);
    if (err != PSST_OK) {
        psst_link_free(link);
        return err;
    }
    link->void_ns = now.mono_ns + psst_rng_range(config->rng, PSST_VOID_MIN_NS, PSST_VOID_MAX_NS);
    *out = link;
    return PSST_OK;
}

/* Everything that a phase had; the output stays, and the counters can still be asked for. */
static void leave_phase(struct psst_link *link)
{
    psst_opening_free(link->opening);
    link->opening = NULL;
    if (link->phase == PSST_LINK_SESSION) {
        struct psst_link_counters counters = link->session.counters;
        psst_session_fini(&link->session);
        link->session.counters = counters;
    }
    psst_input_fini(&link->in);
}

void psst_link_free(struct psst_link *link)
{
    if (link == NULL) return;
    leave_phase(link);
    psst_output_fini(&link->out);
    free(link->features);
    psst_wipe(link, sizeof *link);
    free(link);
}

/* ---- from one phase to the next ---- */

static void end_link(struct psst_link *link, enum psst_link_end end, struct psst_event *ev)
{
    leave_phase(link);
    link->phase = PSST_LINK_OVER;
    ev->type = PSST_EV_ENDED;
    ev->end = end;
}

static void enter_void(struct psst_link *link, struct psst_event *ev)
{
    link->swallowed = psst_input_waiting(&link->in).len;
    leave_phase(link);
    link->phase = PSST_LINK_VOID;
    ev->type = PSST_EV_FAILED;
}

static void fail_opening(struct psst_link *link, enum psst_link_end end, struct psst_event *ev)
{
    if (link->times.role == PSST_CALLEE)
        enter_void(link, ev); /* whatever the reason: all failures look the same */
    else
        end_link(link, end, ev);
}

static bool keep_features(struct psst_link *link)
{
    struct psst_view features = psst_handshake_peer_features(link->opening->hs);
    if (features.len == 0) return true;
    link->features = malloc(features.len);
    if (link->features == NULL) return false;
    memcpy(link->features, features.data, features.len);
    link->features_len = (uint8_t)features.len; /* at most PSST_M4_FEATURES_MAX */
    return true;
}

static void establish(struct psst_link *link, struct psst_event *ev)
{
    struct psst_opening *o = link->opening;
    if (!keep_features(link)) {
        fail_opening(link, PSST_END_MEMORY, ev);
        return;
    }
    psst_session_init(&link->session, link->times.role, &o->keys, o->peer, &o->psk, link->config->rng, &link->out,
                      link->now.mono_ns);
    link->times = o->times;
    link->phase = PSST_LINK_SESSION;
    link->opening = NULL;
    psst_opening_free(o);
    ev->type = PSST_EV_ESTABLISHED;
    ev->fpr = *psst_rsa_public_fpr(link->session.peer);
}

/* ---- one turn ---- */

static void next_opening(struct psst_link *link, struct psst_event *ev)
{
    struct psst_opening *o = link->opening;
    if (link->broken || link->hung_up) {
        fail_opening(link, link->broken ? PSST_END_MEMORY : PSST_END_CLOSED, ev);
        return;
    }
    psst_opening_next(o, &link->in, &link->out, link->eof, link->now, ev);
    link->times = o->times;
    if (o->state == PSST_OPENING_DONE)
        establish(link, ev);
    else if (o->state == PSST_OPENING_FAILED)
        fail_opening(link, o->end, ev);
}

static void next_session(struct psst_link *link, struct psst_event *ev)
{
    if (link->broken) {
        end_link(link, PSST_END_MEMORY, ev);
        return;
    }
    psst_session_next(&link->session, &link->in, link->eof, link->now.mono_ns, ev);
    link->times.opened_record = link->session.opened;
    if (ev->type == PSST_EV_ENDED) end_link(link, ev->end, ev);
}

static void next_void(struct psst_link *link, struct psst_event *ev)
{
    if (link->now.mono_ns >= link->void_ns) end_link(link, PSST_END_VOID_OVER, ev);
}

void psst_link_next(struct psst_link *link, struct psst_now now, struct psst_event *ev)
{
    memset(ev, 0, sizeof *ev);
    link->now = now;
    switch (link->phase) {
    case PSST_LINK_OPENING: next_opening(link, ev); break;
    case PSST_LINK_SESSION: next_session(link, ev); break;
    case PSST_LINK_VOID: next_void(link, ev); break;
    case PSST_LINK_OVER: return;
    }
    if (ev->type != PSST_EV_NONE) return;
    psst_output_settle(&link->out, now.mono_ns);
    if (psst_input_settle(&link->in, now.mono_ns) != PSST_OK) link->broken = true; /* psst_link_deadline says 0 */
}

static uint64_t phase_deadline(const struct psst_link *link)
{
    if (link->phase == PSST_LINK_OVER) return PSST_NEVER;
    if (link->phase == PSST_LINK_VOID) return link->void_ns;
    if (link->broken || link->hung_up) return 0;
    if (link->phase == PSST_LINK_OPENING) return psst_opening_deadline(link->opening);
    return psst_session_deadline(&link->session);
}

uint64_t psst_link_deadline(const struct psst_link *link)
{
    uint64_t at = phase_deadline(link);
    if (link->phase == PSST_LINK_OVER) return at;
    uint64_t in = psst_input_deadline(&link->in), out = psst_output_deadline(&link->out);
    if (in < at) at = in;
    return out < at ? out : at;
}

/* ---- in ---- */

static size_t expects(const struct psst_link *link)
{
    if (link->phase == PSST_LINK_OPENING) return psst_opening_expects(link->opening);
    return psst_session_expects(&link->session);
}

struct psst_span psst_link_space(struct psst_link *link, struct psst_span scratch)
{
    struct psst_span space = scratch;
    if (link->phase == PSST_LINK_VOID) { /* no more is swallowed than is said */
        size_t left = link->swallowed < PSST_VOID_BYTES ? PSST_VOID_BYTES - link->swallowed : 0;
        if (left > 0 && left < space.len) space.len = left;
    }
    if (link->broken || link->phase == PSST_LINK_VOID || link->phase == PSST_LINK_OVER) return space;
    if (psst_input_space(&link->in, scratch, expects(link), &space) != PSST_OK) link->broken = true;
    return space;
}

void psst_link_received(struct psst_link *link, uint8_t *data, size_t len)
{
    if (link->phase == PSST_LINK_VOID) link->swallowed += len;
    if (link->broken || link->phase == PSST_LINK_VOID || link->phase == PSST_LINK_OVER) return;
    if (psst_input_received(&link->in, data, len) != PSST_OK) link->broken = true;
}

void psst_link_pause(struct psst_link *link, struct psst_now now, bool paused)
{
    link->now = now;
    if (link->phase == PSST_LINK_SESSION) psst_session_paused(&link->session, now.mono_ns, paused);
}

void psst_link_eof(struct psst_link *link)
{
    link->eof = true;
}

bool psst_link_wants_input(const struct psst_link *link)
{
    if (link->eof || link->broken) return false;
    switch (link->phase) {
    case PSST_LINK_OPENING: return psst_opening_listens(link->opening);
    case PSST_LINK_SESSION: return psst_session_wants_input(&link->session);
    case PSST_LINK_VOID: return link->swallowed < PSST_VOID_BYTES;
    case PSST_LINK_OVER: break;
    }
    return false;
}

/* ---- answers ---- */

void psst_link_admit(struct psst_link *link, bool admit)
{
    if (link->phase == PSST_LINK_OPENING) psst_opening_admit(link->opening, admit);
}

void psst_link_decapsulated(struct psst_link *link, const struct psst_kem_secret *secret)
{
    if (link->phase == PSST_LINK_OPENING) psst_opening_decapsulated(link->opening, secret);
    if (link->phase == PSST_LINK_SESSION) psst_session_decapsulated(&link->session, secret);
}

void psst_link_contact(struct psst_link *link, struct psst_rsa_public *contact, const struct psst_pair_secret *psk)
{
    if (link->phase == PSST_LINK_OPENING) psst_opening_contact(link->opening, contact, psk);
}

void psst_link_silent(struct psst_link *link)
{
    if (link->phase == PSST_LINK_OPENING) psst_opening_silent(link->opening);
}

/* ---- out ---- */

struct psst_view psst_link_output(struct psst_link *link)
{
    if (link->phase == PSST_LINK_OVER) return psst_view(NULL, 0);
    if (link->phase == PSST_LINK_SESSION) psst_session_flush(&link->session, link->now.mono_ns);
    return psst_output_waiting(&link->out);
}

void psst_link_sent(struct psst_link *link, size_t len)
{
    psst_output_sent(&link->out, len, link->now.mono_ns);
    if (link->phase == PSST_LINK_SESSION) psst_session_output_moved(&link->session, link->now.mono_ns);
}

/* ---- in a session ---- */

/* The session, when there is one, with the time told to it. */
static struct psst_session *session_of(struct psst_link *link, struct psst_now now)
{
    link->now = now;
    return link->phase == PSST_LINK_SESSION && !link->broken ? &link->session : NULL;
}

enum psst_err psst_link_text(struct psst_link *link, struct psst_now now, const struct psst_text *text)
{
    struct psst_session *s = session_of(link, now);
    return s != NULL ? psst_session_text(s, now.mono_ns, text) : PSST_ERR_USAGE;
}

enum psst_err psst_link_ack(struct psst_link *link, struct psst_now now, const struct psst_msg_id *id)
{
    struct psst_session *s = session_of(link, now);
    return s != NULL ? psst_session_ack(s, now.mono_ns, id) : PSST_ERR_USAGE;
}

enum psst_err psst_link_not_accepted(struct psst_link *link, struct psst_now now, const struct psst_msg_id *id,
                                     uint8_t reason)
{
    struct psst_session *s = session_of(link, now);
    return s != NULL ? psst_session_not_accepted(s, now.mono_ns, id, reason) : PSST_ERR_USAGE;
}

enum psst_err psst_link_read(struct psst_link *link, struct psst_now now, const struct psst_msg_id *ids, size_t n)
{
    struct psst_session *s = session_of(link, now);
    return s != NULL ? psst_session_read(s, now.mono_ns, ids, n) : PSST_ERR_USAGE;
}

enum psst_err psst_link_file(struct psst_link *link, struct psst_now now, const struct psst_file_chunk *chunk)
{
    struct psst_session *s = session_of(link, now);
    return s != NULL ? psst_session_file(s, now.mono_ns, chunk) : PSST_ERR_USAGE;
}

enum psst_err psst_link_presence(struct psst_link *link, struct psst_now now,
                                 const struct psst_presence_chunk *presence)
{
    struct psst_session *s = session_of(link, now);
    return s != NULL ? psst_session_presence(s, now.mono_ns, presence) : PSST_ERR_USAGE;
}

enum psst_err psst_link_meet(struct psst_link *link, struct psst_now now, const struct psst_meet_chunk *meet)
{
    struct psst_session *s = session_of(link, now);
    return s != NULL ? psst_session_meet(s, now.mono_ns, meet) : PSST_ERR_USAGE;
}

enum psst_err psst_link_file_data_begin(struct psst_link *link, struct psst_span *place)
{
    struct psst_session *s = session_of(link, link->now);
    return s != NULL ? psst_session_place(s, place) : PSST_ERR_USAGE;
}

enum psst_err psst_link_file_data_commit(struct psst_link *link, struct psst_now now, const struct psst_msg_id *id,
                                         uint64_t offset, size_t len)
{
    struct psst_session *s = session_of(link, now);
    return s != NULL ? psst_session_commit(s, now.mono_ns, id, offset, len) : PSST_ERR_USAGE;
}

void psst_link_probe(struct psst_link *link, struct psst_now now)
{
    struct psst_session *s = session_of(link, now);
    if (s != NULL) psst_session_probe(s, now.mono_ns);
}

void psst_link_bye(struct psst_link *link, struct psst_now now, uint8_t reason)
{
    struct psst_session *s = session_of(link, now);
    if (s != NULL) psst_session_bye(s, now.mono_ns, reason);
    if (link->phase == PSST_LINK_OPENING) link->hung_up = true;
}

/* ---- looking ---- */

bool psst_link_established(const struct psst_link *link)
{
    return link->phase == PSST_LINK_SESSION;
}

uint64_t psst_link_waiting(const struct psst_link *link)
{
    return link->phase == PSST_LINK_SESSION ? psst_timers_waiting(&link->session.timers) : PSST_NEVER;
}

uint64_t psst_link_unanswered(const struct psst_link *link)
{
    return link->phase == PSST_LINK_SESSION ? psst_timers_unanswered(&link->session.timers) : PSST_NEVER;
}

enum psst_role psst_link_role(const struct psst_link *link)
{
    return link->times.role;
}

const struct psst_duplicate_session *psst_link_times(const struct psst_link *link)
{
    return &link->times;
}

struct psst_view psst_link_peer_features(const struct psst_link *link)
{
    return psst_view(link->features, link->features_len);
}

struct psst_link_counters psst_link_counters(const struct psst_link *link)
{
    return link->session.counters;
}
