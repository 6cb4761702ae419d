#include "proto/opening.h"

#include <stdlib.h>

/* ---- beginning and end ---- */

static struct psst_opening *opening_new(const struct psst_link_config *config, enum psst_role role, struct psst_now now)
{
    struct psst_opening *o = calloc(1, sizeof *o);
    if (o == NULL) return NULL;
    o->config = config;
    o->times.role = role;
    o->state = role == PSST_CALLER ? PSST_OPENING_WAIT_M2 : PSST_OPENING_WAIT_M1;
    o->end = PSST_END_NO_ANSWER;
    o->deadline_ns = now.mono_ns + PSST_HANDSHAKE_DEADLINE_NS;
    return o;
}

static uint64_t day_of(struct psst_now now)
{
    return now.unix_ms / (UINT64_C(86400) * 1000);
}

static enum psst_err put_message(struct psst_output *output, const uint8_t *message, size_t len)
{
    enum psst_err err = psst_output_room(output, len);
    if (err == PSST_OK) psst_buf_put(&output->buf, message, len);
    return err;
}

enum psst_err psst_opening_call(struct psst_opening **out, const struct psst_link_config *config,
                                struct psst_rsa_public *peer, const struct psst_pair_secret *psk, struct psst_now now,
                                struct psst_output *output)
{
    struct psst_opening *o = opening_new(config, PSST_CALLER, now);
    if (o == NULL) return PSST_ERR_MEMORY;
    uint8_t m1[PSST_M1_LEN];
    o->peer = psst_rsa_public_ref(peer);
    if (psk != NULL) o->psk = *psk;
    o->times.m1_at_ns = now.mono_ns;
    enum psst_err err =
        psst_handshake_caller(&o->hs, config->self, peer, psk, config->features, day_of(now), config->rng);
    if (err == PSST_OK) err = psst_handshake_write_m1(o->hs, m1);
    if (err == PSST_OK) err = put_message(output, m1, sizeof m1);
    if (err == PSST_OK)
        *out = o;
    else
        psst_opening_free(o);
    return err;
}

enum psst_err psst_opening_accept(struct psst_opening **out, const struct psst_link_config *config, struct psst_now now)
{
    *out = opening_new(config, PSST_CALLEE, now);
    return *out == NULL ? PSST_ERR_MEMORY : PSST_OK;
}

void psst_opening_free(struct psst_opening *o)
{
    if (o == NULL) return;
    psst_handshake_free(o->hs);
    psst_rsa_public_free(o->peer);
    psst_wipe(o, sizeof *o);
    free(o);
}

static void fail(struct psst_opening *o, enum psst_link_end end)
{
    o->state = PSST_OPENING_FAILED;
    o->end = end;
}

/* A step has erred: the peer's doing, which end names, or for want of memory. */
static void fail_step(struct psst_opening *o, enum psst_err err, enum psst_link_end end)
{
    fail(o, err == PSST_ERR_AUTH ? end : PSST_END_MEMORY);
}

static void ask(struct psst_opening *o, enum psst_opening_state state, struct psst_event *ev, enum psst_event_type type)
{
    o->state = state;
    o->answered = o->yes = false;
    ev->type = type;
    ev->x = o->x;
}

/* ---- one handler for each message that is read ---- */

static void on_m1(struct psst_opening *o, const uint8_t *m1, struct psst_output *output, struct psst_now now,
                  struct psst_event *ev)
{
    (void)output;
    o->times.m1_at_ns = now.mono_ns;
    enum psst_err err = psst_handshake_callee(&o->hs, o->config->self, o->config->features, o->config->rng);
    if (err == PSST_OK) err = psst_handshake_read_m1(o->hs, m1, day_of(now), ev->mac, &ev->day, o->x);
    if (err == PSST_OK)
        ask(o, PSST_OPENING_ASK_ADMIT, ev, PSST_EV_ADMIT);
    else
        fail_step(o, err, PSST_END_NO_ANSWER);
}

static void on_m2(struct psst_opening *o, const uint8_t *m2, struct psst_output *output, struct psst_now now,
                  struct psst_event *ev)
{
    (void)ev;
    uint8_t m3[PSST_M3_LEN];
    enum psst_err err = psst_handshake_read_m2(o->hs, m2);
    if (err == PSST_OK) {
        o->times.m2_at_ns = now.mono_ns;
        err = psst_handshake_write_m3(o->hs, m3);
    }
    if (err == PSST_OK) err = put_message(output, m3, sizeof m3);
    if (err == PSST_OK)
        o->state = PSST_OPENING_WAIT_M4;
    else
        fail_step(o, err, PSST_END_NO_ANSWER);
}

static void on_m3(struct psst_opening *o, const uint8_t *m3, struct psst_output *output, struct psst_now now,
                  struct psst_event *ev)
{
    (void)output;
    o->m4_ns = now.mono_ns + PSST_M4_DELAY_NS;
    enum psst_err err = psst_handshake_read_m3(o->hs, m3, &ev->fpr);
    if (err == PSST_OK)
        ask(o, PSST_OPENING_ASK_CONTACT, ev, PSST_EV_CONTACT);
    else
        fail_step(o, err, PSST_END_NO_ANSWER);
}

static void on_m4(struct psst_opening *o, const uint8_t *m4, struct psst_output *output, struct psst_now now,
                  struct psst_event *ev)
{
    (void)output, (void)now;
    enum psst_err err = psst_handshake_read_m4a(o->hs, m4, o->x);
    if (err == PSST_OK)
        ask(o, PSST_OPENING_ASK_ZB, ev, PSST_EV_DECAPSULATE);
    else
        fail_step(o, err, PSST_END_TAMPERED); /* whoever made M2 can make M4a, whether he knows us or not */
}

static void on_m5(struct psst_opening *o, const uint8_t *m5, struct psst_output *output, struct psst_now now,
                  struct psst_event *ev)
{
    (void)output, (void)ev;
    enum psst_err err = psst_handshake_read_m5(o->hs, m5, &o->keys);
    if (err != PSST_OK || o->peer == NULL) {
        fail_step(o, err, PSST_END_NO_ANSWER);
        return;
    }
    o->times.completed_at_ns = now.mono_ns;
    o->state = PSST_OPENING_DONE;
}

/* ---- and one for each answer ---- */

static void after_admit(struct psst_opening *o, struct psst_output *output, struct psst_now now, struct psst_event *ev)
{
    (void)output, (void)now;
    if (o->yes)
        ask(o, PSST_OPENING_ASK_ZA, ev, PSST_EV_DECAPSULATE);
    else
        fail(o, PSST_END_NO_ANSWER);
}

static void after_za(struct psst_opening *o, struct psst_output *output, struct psst_now now, struct psst_event *ev)
{
    (void)ev;
    uint8_t m2[PSST_M2_LEN];
    enum psst_err err = psst_handshake_accept_m1(o->hs, o->yes ? &o->secret : NULL);
    if (err == PSST_OK) err = psst_handshake_write_m2(o->hs, m2);
    if (err == PSST_OK) err = put_message(output, m2, sizeof m2);
    if (err != PSST_OK) {
        fail_step(o, err, PSST_END_NO_ANSWER);
        return;
    }
    o->times.m2_at_ns = now.mono_ns;
    o->state = PSST_OPENING_WAIT_M3;
}

static void after_contact(struct psst_opening *o, struct psst_output *output, struct psst_now now,
                          struct psst_event *ev)
{
    (void)output, (void)ev;
    if (o->silent) {
        fail(o, PSST_END_NO_ANSWER);
        return;
    }
    enum psst_err err = psst_handshake_write_m4(o->hs, o->peer, o->peer != NULL ? &o->psk : NULL, o->m4);
    if (err != PSST_OK) {
        fail_step(o, err, PSST_END_NO_ANSWER);
        return;
    }
    /* an answer that was late goes out with the next beat, so that no more than its number shows */
    while (o->m4_ns < now.mono_ns) o->m4_ns += PSST_M4_DELAY_NS;
    o->state = PSST_OPENING_HOLD_M4;
}

static void after_hold(struct psst_opening *o, struct psst_output *output, struct psst_now now, struct psst_event *ev)
{
    (void)now, (void)ev;
    enum psst_err err = put_message(output, o->m4, sizeof o->m4);
    if (err == PSST_OK)
        o->state = PSST_OPENING_WAIT_M5;
    else
        fail_step(o, err, PSST_END_NO_ANSWER);
}

static void after_zb(struct psst_opening *o, struct psst_output *output, struct psst_now now, struct psst_event *ev)
{
    (void)ev;
    uint8_t m5[PSST_M5_LEN];
    enum psst_err err = psst_handshake_read_m4b(o->hs, o->yes ? &o->secret : NULL);
    if (err == PSST_OK) err = psst_handshake_write_m5(o->hs, m5, &o->keys);
    if (err == PSST_OK) err = put_message(output, m5, sizeof m5);
    if (err != PSST_OK) {
        fail_step(o, err, PSST_END_NOT_ADDED);
        return;
    }
    o->times.completed_at_ns = now.mono_ns;
    o->state = PSST_OPENING_DONE;
}

/* ---- the table ---- */

typedef void message_handler(struct psst_opening *o, const uint8_t *message, struct psst_output *output,
                             struct psst_now now, struct psst_event *ev);
typedef void answer_handler(struct psst_opening *o, struct psst_output *output, struct psst_now now,
                            struct psst_event *ev);

/* In each state either a message of a fixed length is awaited, or an answer (the time, in HOLD_M4). */
static const struct {
    size_t len;
    message_handler *on_message;
    answer_handler *on_answer;
} steps[] = {
    [PSST_OPENING_WAIT_M1] = {PSST_M1_LEN, on_m1, NULL},
    [PSST_OPENING_ASK_ADMIT] = {0, NULL, after_admit},
    [PSST_OPENING_ASK_ZA] = {0, NULL, after_za},
    [PSST_OPENING_WAIT_M3] = {PSST_M3_LEN, on_m3, NULL},
    [PSST_OPENING_ASK_CONTACT] = {0, NULL, after_contact},
    [PSST_OPENING_HOLD_M4] = {0, NULL, after_hold},
    [PSST_OPENING_WAIT_M5] = {PSST_M5_LEN, on_m5, NULL},
    [PSST_OPENING_WAIT_M2] = {PSST_M2_LEN, on_m2, NULL},
    [PSST_OPENING_WAIT_M4] = {PSST_M4_LEN, on_m4, NULL},
    [PSST_OPENING_ASK_ZB] = {0, NULL, after_zb},
    [PSST_OPENING_DONE] = {0, NULL, NULL},
    [PSST_OPENING_FAILED] = {0, NULL, NULL},
};

static bool over(const struct psst_opening *o)
{
    return o->state == PSST_OPENING_DONE || o->state == PSST_OPENING_FAILED;
}

static bool answer_is_there(const struct psst_opening *o, struct psst_now now)
{
    return o->state == PSST_OPENING_HOLD_M4 ? now.mono_ns >= o->m4_ns : o->answered;
}

/* One step; false when there is nothing to go on with. */
static bool step(struct psst_opening *o, struct psst_input *in, struct psst_output *output, struct psst_now now,
                 struct psst_event *ev)
{
    struct psst_span waiting = psst_input_waiting(in);
    size_t len = steps[o->state].len;
    if (len == 0) {
        /* nobody who keeps to the protocol has anything to say now */
        if (waiting.len > 0) {
            fail(o, PSST_END_TAMPERED);
            return true;
        }
        if (!answer_is_there(o, now)) return false;
        steps[o->state].on_answer(o, output, now, ev);
        PSST_WIPE(o->secret);
        return true;
    }
    if (waiting.len < len) return false;
    psst_input_take(in, len);
    steps[o->state].on_message(o, waiting.data, output, now, ev);
    return true;
}

/* The caller's reason when nothing more comes: it depends on whether a good M2 had. */
static enum psst_link_end end_of_silence(const struct psst_opening *o)
{
    return o->state == PSST_OPENING_WAIT_M2 ? PSST_END_NO_ANSWER : PSST_END_CUT_OFF;
}

void psst_opening_next(struct psst_opening *o, struct psst_input *in, struct psst_output *output, bool eof,
                       struct psst_now now, struct psst_event *ev)
{
    if (!over(o) && now.mono_ns >= o->deadline_ns) fail(o, end_of_silence(o));
    while (!over(o) && ev->type == PSST_EV_NONE && step(o, in, output, now, ev)) continue;
    if (!over(o) && eof && psst_opening_listens(o)) fail(o, end_of_silence(o));
}

uint64_t psst_opening_deadline(const struct psst_opening *o)
{
    if (over(o) || (steps[o->state].len == 0 && o->answered && o->state != PSST_OPENING_HOLD_M4)) return 0;
    if (o->state == PSST_OPENING_HOLD_M4 && o->m4_ns < o->deadline_ns) return o->m4_ns;
    return o->deadline_ns;
}

bool psst_opening_listens(const struct psst_opening *o)
{
    return steps[o->state].len != 0;
}

size_t psst_opening_expects(const struct psst_opening *o)
{
    return steps[o->state].len;
}

/* ---- answers ---- */

void psst_opening_admit(struct psst_opening *o, bool admit)
{
    if (o->state != PSST_OPENING_ASK_ADMIT || o->answered) return;
    o->answered = true;
    o->yes = admit;
}

void psst_opening_decapsulated(struct psst_opening *o, const struct psst_kem_secret *secret)
{
    if ((o->state != PSST_OPENING_ASK_ZA && o->state != PSST_OPENING_ASK_ZB) || o->answered) return;
    o->answered = true;
    o->yes = secret != NULL;
    if (secret != NULL) o->secret = *secret;
}

void psst_opening_contact(struct psst_opening *o, struct psst_rsa_public *contact, const struct psst_pair_secret *psk)
{
    if (o->state != PSST_OPENING_ASK_CONTACT || o->answered) return;
    o->answered = true;
    if (contact == NULL) return;
    o->yes = true;
    o->peer = psst_rsa_public_ref(contact);
    if (psk != NULL) o->psk = *psk;
}

void psst_opening_silent(struct psst_opening *o)
{
    if (o->state == PSST_OPENING_ASK_CONTACT && !o->answered) o->answered = o->silent = true;
}
