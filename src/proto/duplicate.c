#include "proto/duplicate.h"

/* Crossed: each side called before it could know that the other was calling. Times of one loop turn are equal, and
 * count as crossed. */
static bool crossed(const struct psst_duplicate_session *a, const struct psst_duplicate_session *b)
{
    if (a->role == b->role) return false;
    const struct psst_duplicate_session *ours = a->role == PSST_CALLER ? a : b;
    const struct psst_duplicate_session *theirs = a->role == PSST_CALLER ? b : a;
    return ours->m1_at_ns <= theirs->m1_at_ns && theirs->m1_at_ns <= ours->m2_at_ns;
}

enum psst_duplicate_verdict psst_duplicate_decide(const struct psst_fpr *self, const struct psst_fpr *peer,
                                                  const struct psst_duplicate_session *older,
                                                  const struct psst_duplicate_session *newer)
{
    if (memcmp(self->b, peer->b, sizeof self->b) >= 0) return PSST_DUPLICATE_KEEP_BOTH;
    bool used = older->opened_record || newer->opened_record;
    if (!used && crossed(older, newer) && older->role == PSST_CALLER) return PSST_DUPLICATE_CLOSE_NEW;
    return PSST_DUPLICATE_CLOSE_OLD;
}
