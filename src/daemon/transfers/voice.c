/* Voice messages: files of a form of their own, that lie in a folder of ours and not among the downloads. One that is offered is
 * accepted by itself while it is small and few of this contact are unheard; else our user decides, as with any file.
 *
 * How long one lasts stands in its name, "voice message 12 s.opus": so it can be said before it has come, and by programs that
 * know nothing of this form. It is what the sender says, for showing alone.
 */
#include "daemon/transfers/internal.h"
#include "daemon/transfers/transfers.h"

#include "daemon/retention.h"

#include <stdio.h>
#include <stdlib.h>

#define TAKEN_BYTES    ((uint64_t)4 * 1024 * 1024)
#define UNHEARD_MAX    20
#define NAME_HEAD      "voice message "
#define NAME_TAIL      " s.opus"
#define SECONDS_SAID   3600 /* nobody believes more */
#define SECONDS_DIGITS 4

_Static_assert(PSST_TRANSFER_FORM_VOICE == PSST_FILE_FORM_VOICE, "the store's and the wire's");

void psst_transfer_voice_name(char out[64], unsigned seconds)
{
    (void)snprintf(out, 64, NAME_HEAD "%u" NAME_TAIL, seconds);
}

unsigned psst_transfer_voice_seconds(const struct psst_transfer *t)
{
    unsigned seconds = 0, digits = 0;
    const char *at = t->name;
    if (strncmp(at, NAME_HEAD, strlen(NAME_HEAD)) != 0) return 0;
    for (at += strlen(NAME_HEAD); *at >= '0' && *at <= '9' && digits <= SECONDS_DIGITS; at++, digits++)
        seconds = 10 * seconds + (unsigned)(*at - '0');
    bool well = digits > 0 && digits <= SECONDS_DIGITS && strcmp(at, NAME_TAIL) == 0;
    return well && seconds <= SECONDS_SAID ? seconds : 0;
}

/* ---- taken without asking ---- */

struct taking {
    struct psst_transfers *all;
    unsigned generation;
    int64_t id, contact_id;
    uint32_t before;
};

static enum psst_err count_work(struct psst_store *store, void *arg)
{
    struct taking *taking = arg;
    return psst_store_voice_before(store, taking->contact_id, taking->id, &taking->before);
}

/* It waits for the user, then, who is told so. */
static void leave_to_user(struct psst_transfer *t)
{
    t->taking = false;
    if (t->state == PSST_TRANSFER_WAITING) psst_transfer_event(t);
}

static void taken(void *ctx, enum psst_err err, const char *words, int64_t id)
{
    struct psst_transfers *all = ctx;
    struct psst_transfer *t = psst_transfer_by_id(all, id);
    if (err != PSST_OK)
        psst_log_limited(&all->d->log, PSST_LOG_WARNING, "voice-not-taken", "id=%lld reason=\"%s\"", (long long)id,
                         words);
    if (t != NULL) leave_to_user(t);
}

static void counted(void *arg, enum psst_err err, const char *words)
{
    struct taking *taking = arg;
    struct psst_transfers *all = taking->all;
    struct psst_transfer *t = taking->generation == all->generation ? psst_transfer_by_id(all, taking->id) : NULL;
    char dir[PSST_PATH_MAX];
    struct psst_diag diag = {{0}};
    bool takes = err == PSST_OK && taking->before < UNHEARD_MAX;
    free(taking);
    (void)words;
    if (t == NULL) return;
    if (!takes || t->state != PSST_TRANSFER_WAITING) {
        leave_to_user(t);
        return;
    }
    const struct psst_accept accept = {.dir = dir, .fd = -1};
    err = psst_transfers_voice_dir(all->d, dir, true, &diag);
    if (err == PSST_OK)
        psst_transfers_accept(all, t->id, &accept, taken, all);
    else
        taken(all, err, diag.text, t->id);
}

void psst_transfer_voice_offered(struct psst_transfer *t)
{
    if (t->size > TAKEN_BYTES) return;
    struct taking *taking = malloc(sizeof *taking);
    if (taking == NULL) return;
    *taking =
        (struct taking){.all = t->all, .generation = t->all->generation, .id = t->id, .contact_id = t->contact_id};
    t->taking = true;
    psst_store_run(t->all->d->store, count_work, counted, taking);
}

/* ---- heard ---- */

struct hearing {
    struct psst_transfers *all;
    unsigned generation;
    int64_t id;
};

static enum psst_err heard_work(struct psst_store *store, void *arg)
{
    const struct hearing *hearing = arg;
    return psst_store_voice_heard(store, hearing->id);
}

static void heard_done(void *arg, enum psst_err err, const char *words)
{
    struct hearing *hearing = arg;
    struct psst_transfers *all = hearing->all;
    struct psst_transfer *t = hearing->generation == all->generation ? psst_transfer_by_id(all, hearing->id) : NULL;
    free(hearing);
    if (err != PSST_OK && err != PSST_ERR_LOCKED)
        psst_log_limited(&all->d->log, PSST_LOG_WARNING, "hearing-not-kept", "reason=\"%s\"", words);
    if (t != NULL) psst_transfer_event(t);
    psst_retention_soon(all->d->retention);
}

void psst_transfers_heard(struct psst_transfers *transfers, int64_t id)
{
    struct psst_transfer *t = psst_transfer_by_id(transfers, id);
    struct hearing *hearing = malloc(sizeof *hearing);
    if (hearing == NULL) return;
    if (t != NULL) t->flags |= PSST_TRANSFER_HEARD; /* a row that is kept later has it, too */
    *hearing = (struct hearing){.all = transfers, .generation = transfers->generation, .id = id};
    psst_store_run(transfers->d->store, heard_work, heard_done, hearing);
}
