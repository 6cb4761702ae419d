/* Fingerprints as text, the safety number, and which pair secret counts. All of docs/CARD.md's arithmetic is here.
 *
 *     H = SHA-256("PSST/1 safety number" || smaller fingerprint || larger fingerprint)
 *     digits: H as a number, modulo 10^60      words: the first 16 bytes of H, one word each
 */
#include "base/text.h"
#include "identity/card.h"
#include "identity/words.h"

#include <stdio.h>

#define SAFETY_LABEL "PSST/1 safety number"
#define QR_LABEL     "PSST/1 safety "
#define GROUP        5

void psst_fpr_text(char out[PSST_FPR_TEXT_LEN], const struct psst_fpr *fpr)
{
    char hex[2 * sizeof fpr->b + 1];
    psst_hex_encode(hex, fpr->b, sizeof fpr->b);
    size_t at = 0;
    for (size_t i = 0; hex[i] != '\0'; i++) {
        if (i > 0 && i % 4 == 0) out[at++] = ' ';
        out[at++] = hex[i];
    }
    out[at] = '\0';
}

/* Divides the big-endian number by ten in place; gives the remainder. */
static unsigned divide_by_ten(uint8_t *number, size_t len)
{
    unsigned rest = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned v = rest << 8 | number[i];
        number[i] = (uint8_t)(v / 10);
        rest = v % 10;
    }
    return rest;
}

static void write_digits(struct psst_safety *out, struct psst_hash number)
{
    char plain[PSST_SAFETY_DIGITS + 1];
    for (size_t i = PSST_SAFETY_DIGITS; i-- > 0;) plain[i] = (char)('0' + divide_by_ten(number.b, sizeof number.b));
    plain[PSST_SAFETY_DIGITS] = '\0';

    size_t at = 0;
    for (size_t i = 0; i < PSST_SAFETY_DIGITS; i++) {
        if (i > 0 && i % GROUP == 0) out->digits[at++] = ' ';
        out->digits[at++] = plain[i];
    }
    out->digits[at] = '\0';
    (void)snprintf(out->qr, sizeof out->qr, QR_LABEL "%s", plain);
}

enum psst_err psst_safety_number(struct psst_safety *out, const struct psst_fpr *a, const struct psst_fpr *b)
{
    int order = memcmp(a->b, b->b, sizeof a->b);
    if (order == 0) return PSST_ERR_USAGE; /* a pair is two */
    const struct psst_fpr *smaller = order < 0 ? a : b;
    const struct psst_fpr *larger = order < 0 ? b : a;
    const struct psst_view parts[] = {
        psst_view_str(SAFETY_LABEL),
        psst_view(smaller->b, sizeof smaller->b),
        psst_view(larger->b, sizeof larger->b),
    };
    struct psst_hash hash;
    enum psst_err err = psst_sha256(&hash, parts, sizeof parts / sizeof parts[0]);
    if (err != PSST_OK) return err;
    for (size_t i = 0; i < PSST_SAFETY_WORDS; i++) out->words[i] = psst_words[hash.b[i]];
    write_digits(out, hash);
    return PSST_OK;
}

const struct psst_pair_secret *psst_pair_secret_choose(const struct psst_fpr *self, const struct psst_pair_secret *ours,
                                                       const struct psst_fpr *peer,
                                                       const struct psst_pair_secret *theirs)
{
    if (ours == NULL) return theirs;
    if (theirs == NULL) return ours;
    return memcmp(self->b, peer->b, sizeof self->b) < 0 ? ours : theirs;
}
