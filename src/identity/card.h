/* Contact cards (docs/CARD.md): one small text file that carries a public key, and what helps to use it.
 *
 *     PSST contact card
 *     Name: Bob
 *     Address: bob.example.org:4516
 *     Key: RSA 4096 bits
 *     Fingerprint: 3f2a 91c0 ... (64 hexadecimal digits in groups of four)
 *     Pair-Secret: 64 hexadecimal digits     (only in a card written for one person)
 *
 *     -----BEGIN PUBLIC KEY-----
 *     ...
 *
 * Only the PEM is required; the fields are checked when present. Cards come from anybody: everything is bounded.
 */
#ifndef PSST_IDENTITY_CARD_H
#define PSST_IDENTITY_CARD_H

#include "crypto/crypto.h"

#define PSST_PORT          4516  /* TCP and UDP, where an address names none */
#define PSST_NAME_MAX      64    /* bytes of UTF-8 in a name or alias */
#define PSST_ADDRESS_MAX   262   /* host name of 253 bytes, brackets, colon, port */
#define PSST_ADDRESSES_MAX 8     /* address hints of one contact */
#define PSST_CARD_MAX      16384 /* bytes of a card file; longer ones are refused unread (attack 42) */

struct psst_card {
    char name[PSST_NAME_MAX + 1];                             /* rendered: safe to show; empty when the card had none */
    char addresses[PSST_ADDRESSES_MAX][PSST_ADDRESS_MAX + 1]; /* HOST:PORT or [IPv6]:PORT, checked */
    size_t n_addresses;
    struct psst_rsa_public *key; /* owned */
    bool has_pair_secret;
    struct psst_pair_secret pair_secret;
};

/* Every error has its sentence: no PEM, two PEMs, a doubled field, a fingerprint that is not the key's, a private key
 * ("this is a private key: never hand it to anybody"), a bad key (psst_rsa_public_import). PSST_OK: card->key is owned
 * by the caller, who calls fini. */
PSST_MUST_USE enum psst_err psst_card_parse(struct psst_card *card, struct psst_view text, struct psst_diag *diag);
PSST_MUST_USE enum psst_err psst_card_write(const struct psst_card *card, struct psst_buf *out);
void psst_card_fini(struct psst_card *card); /* drops the key, wipes */

/* Names and aliases: 1 to PSST_NAME_MAX bytes of UTF-8, no controls, nothing that psst_text_render would change, no
 * leading '-' or '.', no '/', no white space at either end. */
PSST_MUST_USE enum psst_err psst_name_check(const char *name, struct psst_diag *diag);
/* An alias is a name that cannot be mistaken for oneself, either: not what looks like "me" (base/me.h), and not one's own name,
 * `own`, without regard to ASCII case. */
PSST_MUST_USE enum psst_err psst_alias_check(const char *alias, const char *own, struct psst_diag *diag);

/* HOST, HOST:PORT, [IPv6], [IPv6]:PORT, a bare IPv6 address; the port defaults to PSST_PORT. Gives the canonical HOST:PORT
 * or [IPv6]:PORT. */
PSST_MUST_USE enum psst_err psst_address_normalize(char out[PSST_ADDRESS_MAX + 1], const char *address,
                                                   struct psst_diag *diag);

/* "3f2a 91c0 ...": 64 digits in groups of four; and the short form for lists, the first 16 digits. */
#define PSST_FPR_TEXT_LEN 80
void psst_fpr_text(char out[PSST_FPR_TEXT_LEN], const struct psst_fpr *fpr);

/* ---- safety number: the same on both sides of a pair ---- */

#define PSST_SAFETY_DIGITS 60 /* shown in groups of five */
#define PSST_SAFETY_WORDS  16
struct psst_safety {
    char digits[PSST_SAFETY_DIGITS + 12]; /* with blanks between groups, terminated */
    const char *words[PSST_SAFETY_WORDS];
    char qr[96]; /* what the QR code holds: "PSST/1 safety " and the digits */
};
/* From SHA-256(LBL("safety number") || smaller fingerprint || larger): see docs/CARD.md. */
PSST_MUST_USE enum psst_err psst_safety_number(struct psst_safety *out, const struct psst_fpr *a,
                                               const struct psst_fpr *b);

/* Which of two pair secrets counts when both sides have issued one: that of the smaller fingerprint. NULL when neither
 * is there. */
const struct psst_pair_secret *psst_pair_secret_choose(const struct psst_fpr *self, const struct psst_pair_secret *ours,
                                                       const struct psst_fpr *peer,
                                                       const struct psst_pair_secret *theirs);

#endif
