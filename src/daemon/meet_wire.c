/* What goes to the other side about meetings, and what comes from it. Each chunk is answered once, in order: so what is
 * acknowledged is the meeting as it is now exactly when nothing about it is unanswered any more. */
#include "daemon/meet_internal.h"

#include "base/bucket.h"
#include "daemon/delivery/delivery.h"
#include "daemon/reconnect/reconnect.h"

#include <stdio.h>
#include <stdlib.h>

/* At most PSST_OPTIONAL_SENT_A_MINUTE within any minute: half of them at once, and half of them flow in. */
#define BUCKET_CHUNK 10 /* what one takes, of one unit a second */
#define BUCKET_DEPTH (BUCKET_CHUNK * (PSST_OPTIONAL_SENT_A_MINUTE / 2 - 1))

/* ---- out ---- */

bool psst_meet_is_news(const struct psst_meet *meet)
{
    return meet->row.state != PSST_MEET_AGREED;
}

static struct psst_bucket *bucket_of(struct psst_contact *contact)
{
    if (contact->meets != NULL) return contact->meets;
    struct psst_bucket *bucket = malloc(sizeof *bucket);
    if (bucket != NULL) psst_bucket_init(bucket, 1, BUCKET_DEPTH);
    contact->meets = bucket;
    return bucket;
}

uint64_t psst_meet_send(struct psst_meets *meets, struct psst_meet *meet, struct psst_contact *contact)
{
    if (contact->session == NULL || meet->sent || !psst_meet_is_news(meet)) return 0;
    struct psst_now now = psst_daemon_now(meets->d);
    struct psst_bucket *bucket = bucket_of(contact);
    if (bucket == NULL) return PSST_SECOND_NS;
    uint64_t wait_ns = psst_bucket_wait_ns(bucket, now.mono_ns);
    if (wait_ns > 0) return wait_ns + 1000000;
    bool called_off = meet->row.state == PSST_MEET_CANCELLING;
    const struct psst_meet_chunk chunk = {meet->row.meet_id, called_off ? 0 : meet->row.time_ms};
    enum psst_err err = psst_link_meet(psst_conn_link(contact->session), now, &chunk);
    if (err != PSST_OK) return err == PSST_ERR_AGAIN ? PSST_SECOND_NS : 0; /* he reads nothing; the session is over */
    psst_bucket_take(bucket, now.mono_ns, BUCKET_CHUNK);
    meet->sent = meet->ever_sent = true;
    psst_meet_recount(meets, contact->id);
    meet->unanswered++;
    meet->serial = psst_conn_serial(contact->session);
    psst_conn_kick(contact->session);
    return 0;
}

void psst_meets_up(struct psst_meets *meets, struct psst_contact *contact)
{
    bool any = false;
    for (struct psst_meet *m = meets->first; m != NULL; m = m->next) {
        if (m->row.contact_id != contact->id) continue;
        m->sent = false;
        m->unanswered = 0;
        any = true;
    }
    if (any) psst_meets_look(meets);
}

/* ---- jobs ---- */

struct job {
    struct psst_meets *meets;
    unsigned generation;
    uint64_t serial; /* of the connection that is answered; 0: none is */
    uint64_t now_ms;
    struct psst_meet_row row;
    uint8_t reason; /* of a refusal */
};

static struct job *job_new(struct psst_meets *meets, const struct psst_meet_row *row)
{
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL) return NULL;
    job->meets = meets;
    job->generation = meets->generation;
    job->now_ms = psst_daemon_now(meets->d).unix_ms;
    job->row = *row;
    return job;
}

/* The meeting that a job was about, if it is still there. */
static struct psst_meet *meet_of(const struct job *job, enum psst_err err)
{
    if (err != PSST_OK || job->generation != job->meets->generation) return NULL;
    return psst_meet_find(job->meets, job->row.contact_id, &job->row.meet_id);
}

static void not_kept(struct psst_meets *meets, enum psst_err err, const char *words)
{
    if (err != PSST_OK && err != PSST_ERR_LOCKED && err != PSST_ERR_NOT_FOUND)
        psst_log_limited(&meets->d->log, PSST_LOG_ERROR, "meeting-not-kept", "reason=\"%s\"", words);
}

/* ---- answers to us ---- */

static enum psst_err agreed_work(struct psst_store *store, void *arg)
{
    const struct job *job = arg;
    return psst_store_meet_state(store, job->row.id, PSST_MEET_AGREED);
}

static void agreed_done(void *arg, enum psst_err err, const char *words)
{
    struct job *job = arg;
    struct psst_meet *meet = meet_of(job, err);
    not_kept(job->meets, err, words);
    if (meet != NULL && meet->row.state == PSST_MEET_WAITING) {
        meet->row.state = PSST_MEET_AGREED;
        psst_meet_tell(job->meets, meet, NULL, NULL);
    }
    free(job);
}

static enum psst_err remove_work(struct psst_store *store, void *arg)
{
    const struct job *job = arg;
    return psst_store_meet_remove(store, job->row.contact_id, &job->row.meet_id);
}

static void removed_done(void *arg, enum psst_err err, const char *words)
{
    struct job *job = arg;
    struct psst_meet *meet = meet_of(job, err);
    not_kept(job->meets, err, words);
    if (meet != NULL) {
        if (job->reason != 0) psst_meet_tell(job->meets, meet, "refused", "the other side does not take this time");
        psst_meet_drop(job->meets, meet);
    }
    free(job);
}

static void settle(struct psst_meets *meets, struct psst_meet *meet, uint8_t refused)
{
    struct job *job = job_new(meets, &meet->row);
    if (job == NULL) return; /* it is sent again in the next session */
    bool goes_on = meet->row.state == PSST_MEET_WAITING && refused == 0;
    if (meet->row.state == PSST_MEET_WAITING) job->reason = refused;
    psst_store_run(meets->d->store, goes_on ? agreed_work : remove_work, goes_on ? agreed_done : removed_done, job);
}

/* The meeting of this id that an answer on this connection is awaited for; NULL: it is none. */
static struct psst_meet *asked_about(struct psst_meets *meets, struct psst_conn *conn, const struct psst_msg_id *id)
{
    struct psst_meet *meet = psst_meet_find(meets, psst_conn_contact(conn)->id, id);
    return meet != NULL && meet->unanswered > 0 && meet->serial == psst_conn_serial(conn) ? meet : NULL;
}

/* Whether it was about a meeting. */
static bool acknowledged(struct psst_meets *meets, struct psst_conn *conn, const uint8_t *id)
{
    struct psst_msg_id meet_id;
    memcpy(meet_id.b, id, sizeof meet_id.b);
    struct psst_meet *meet = asked_about(meets, conn, &meet_id);
    if (meet == NULL) return false;
    if (--meet->unanswered == 0 && meet->sent) settle(meets, meet, 0);
    return true;
}

static bool not_accepted(struct psst_meets *meets, struct psst_conn *conn, const struct psst_event *ev)
{
    struct psst_meet *meet = asked_about(meets, conn, &ev->id);
    if (meet == NULL) return false;
    bool later = ev->reason == PSST_NOT_ACCEPTED_PAUSED || ev->reason == PSST_NOT_ACCEPTED_DISK_FULL;
    char words[PSST_REASON_SIZE];
    if (--meet->unanswered > 0 || !meet->sent) return true;
    if (later)
        psst_meet_tell(meets, meet, NULL, psst_message_reason(words, psst_conn_contact(conn)->alias, ev->reason));
    else
        settle(meets, meet, ev->reason != 0 ? ev->reason : PSST_NOT_ACCEPTED_MALFORMED);
    return true;
}

/* ---- in ---- */

static void answer(const struct job *job, uint8_t reason)
{
    struct psst_meets *meets = job->meets;
    struct psst_conn *conn = psst_conn_by_serial(meets->d->peers, job->serial);
    struct psst_link *link = conn != NULL ? psst_conn_link(conn) : NULL;
    if (link == NULL) return; /* he sends it again, and is answered then */
    struct psst_now now = psst_daemon_now(meets->d);
    enum psst_err sent = reason == 0 ? psst_link_ack(link, now, &job->row.meet_id)
                                     : psst_link_not_accepted(link, now, &job->row.meet_id, reason);
    if (sent == PSST_OK) psst_conn_kick(conn);
}

static enum psst_err proposed_work(struct psst_store *store, void *arg)
{
    struct job *job = arg;
    enum psst_err err = psst_store_meets_over(store, job->now_ms - PSST_MEET_AFTER_MS);
    return err != PSST_OK ? err : psst_store_meet_add(store, &job->row);
}

static void proposed_done(void *arg, enum psst_err err, const char *words)
{
    struct job *job = arg;
    struct psst_meets *meets = job->meets;
    bool lives = err == PSST_OK && job->generation == meets->generation &&
                 psst_book_by_id(meets->d->book, job->row.contact_id) != NULL;
    if (err == PSST_OK || err == PSST_ERR_EXISTS)
        answer(job, 0);
    else if (err != PSST_ERR_LOCKED)
        answer(job, err == PSST_ERR_PROTOCOL ? PSST_NOT_ACCEPTED_OTHER_BODY : PSST_NOT_ACCEPTED_DISK_FULL);
    if (err != PSST_ERR_EXISTS && err != PSST_ERR_PROTOCOL && err != PSST_ERR_FULL) not_kept(meets, err, words);
    if (err == PSST_ERR_FULL || err == PSST_ERR_PROTOCOL) psst_daemon_count(meets->d, "meetings-refused");
    struct psst_meet *meet = lives ? psst_meet_insert(meets, &job->row) : NULL;
    if (meet != NULL) {
        psst_meet_tell(meets, meet, NULL, NULL);
        psst_meets_look(meets);
    }
    free(job);
}

static void called_off_done(void *arg, enum psst_err err, const char *words)
{
    struct job *job = arg;
    struct psst_meets *meets = job->meets;
    struct psst_meet *meet = meet_of(job, err);
    struct psst_contact *contact = psst_book_by_id(meets->d->book, job->row.contact_id);
    not_kept(meets, err, words);
    if (err == PSST_OK) answer(job, 0);
    if (meet != NULL && contact != NULL) {
        char reason[PSST_NAME_MAX + 32];
        (void)snprintf(reason, sizeof reason, "%s called it off", contact->alias);
        if (meet->row.state != PSST_MEET_CANCELLING) psst_meet_tell(meets, meet, "cancelled", reason);
        if (meet->due) psst_reconnect_urgent(meets->d, contact, 0);
        psst_meet_drop(meets, meet);
        psst_meets_look(meets);
    }
    free(job);
}

static void arrived(struct psst_meets *meets, struct psst_conn *conn, const struct psst_meet_chunk *chunk)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    const struct psst_meet_row row = {.contact_id = contact->id,
                                      .meet_id = chunk->id,
                                      .direction = PSST_IN,
                                      .state = PSST_MEET_AGREED,
                                      .time_ms = chunk->time_ms};
    struct job *job = job_new(meets, &row);
    if (job == NULL) return; /* he sends it again in the next session */
    job->serial = psst_conn_serial(conn);
    if (chunk->time_ms == 0) {
        psst_store_run(meets->d->store, remove_work, called_off_done, job);
        return;
    }
    bool is_over = chunk->time_ms < job->now_ms - PSST_MEET_AFTER_MS;
    bool is_far = chunk->time_ms > job->now_ms + PSST_MEET_AHEAD_MS + UINT64_C(86400000); /* his clock may differ */
    if (!is_over && !is_far && !contact->paused) {
        psst_store_run(meets->d->store, proposed_work, proposed_done, job);
        return;
    }
    if (contact->paused) psst_daemon_count(meets->d, "meetings-while-paused");
    answer(job, contact->paused ? PSST_NOT_ACCEPTED_PAUSED : is_far ? PSST_NOT_ACCEPTED_MALFORMED : 0);
    free(job);
}

bool psst_meets_event(struct psst_meets *meets, struct psst_conn *conn, const struct psst_event *ev)
{
    const struct psst_contact *contact = psst_conn_contact(conn);
    if (ev->type == PSST_EV_MEET) arrived(meets, conn, &ev->meet);
    if (ev->type == PSST_EV_MEET) return true;
    if (contact->meets == NULL) return false; /* nothing was ever sent: most contacts, and their answers are many */
    if (ev->type == PSST_EV_NOT_ACCEPTED) return not_accepted(meets, conn, ev);
    if (ev->type != PSST_EV_ACK) return false;
    bool all = true;
    for (size_t at = 0; at < ev->ids.len; at += sizeof(struct psst_msg_id))
        if (!acknowledged(meets, conn, ev->ids.data + at)) all = false;
    return all;
}
