/* Contact cards: text in, a checked key and a few checked fields out, and the way back. docs/CARD.md has the rules.
 *
 *     lines -> BEFORE (fields, free text) -> KEY (base64 alone) -> AFTER (free text) -> key imported -> fields compared
 *
 * What a person reads in the file and what the program takes from it must never differ: a known field counts however it is
 * spaced or spelt in case, only once and only above the key, and nothing but the one real block may look like PEM.
 */
#include "identity/card.h"

#include "base/text.h"

#include <stdio.h>
#include <strings.h>

#define BEGIN_KEY  "-----BEGIN PUBLIC KEY-----"
#define END_KEY    "-----END PUBLIC KEY-----"
#define TITLE      "PSST contact card"
#define HEX_DIGITS 64

enum field { FIELD_NAME, FIELD_ADDRESS, FIELD_KEY, FIELD_FINGERPRINT, FIELD_PAIR_SECRET, FIELD_COUNT };

static const char *const field_names[FIELD_COUNT] = {"Name", "Address", "Key", "Fingerprint", "Pair-Secret"};

enum part { PART_BEFORE, PART_KEY, PART_AFTER };

struct parse {
    struct psst_card card;
    struct psst_diag *diag;
    enum part part;
    bool seen[FIELD_COUNT];
    struct psst_view key_size;   /* as written */
    struct psst_fpr fingerprint; /* as written */
    const uint8_t *pem, *pem_end;
};

static enum psst_err malformed(struct parse *p, const char *sentence)
{
    return psst_fail(p->diag, PSST_ERR_MALFORMED, "%s", sentence);
}

/* ---- lines ---- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct psst_view trim_right(struct psst_view v)
{
    while (v.len > 0 && is_blank(v.data[v.len - 1])) v.len--;
    return v;
}

static struct psst_view trim(struct psst_view v)
{
    for (; v.len > 0 && is_blank(v.data[0]); v.len--) v.data++;
    return trim_right(v);
}

/* Takes one line off the text, without its line feed. */
static struct psst_view take_line(struct psst_view *text)
{
    const uint8_t *lf = memchr(text->data, '\n', text->len);
    size_t len = lf != NULL ? (size_t)(lf - text->data) : text->len;
    struct psst_view line = psst_view(text->data, len);
    size_t used = lf != NULL ? len + 1 : len;
    text->data += used;
    text->len -= used;
    return line;
}

static bool is_text(struct psst_view v, const char *s)
{
    return psst_view_equal(v, psst_view_str(s));
}

static bool contains(struct psst_view v, const char *s)
{
    return v.len > 0 && memmem(v.data, v.len, s, strlen(s)) != NULL;
}

/* ---- fields ---- */

static bool known_field(struct psst_view name, enum field *field)
{
    for (int i = 0; i < FIELD_COUNT; i++) {
        size_t len = strlen(field_names[i]);
        if (name.len == len && strncasecmp((const char *)name.data, field_names[i], len) == 0) {
            *field = (enum field)i;
            return true;
        }
    }
    return false;
}

/* A line `Field: value` with one of our fields. */
static bool split_field(struct psst_view line, enum field *field, struct psst_view *value)
{
    const uint8_t *colon = line.len > 0 ? memchr(line.data, ':', line.len) : NULL;
    if (colon == NULL) return false;
    size_t at = (size_t)(colon - line.data);
    if (!known_field(trim(psst_view(line.data, at)), field)) return false;
    *value = trim(psst_view(colon + 1, line.len - at - 1));
    return true;
}

static enum psst_err take_name(struct parse *p, struct psst_view value)
{
    struct psst_buf shown;
    psst_buf_init(&shown, PSST_CARD_MAX * 4);
    psst_text_render(&shown, value, PSST_RENDER_LINE, PSST_NAME_MAX);
    enum psst_err err = PSST_OK;
    if (shown.failed) {
        err = psst_fail(p->diag, PSST_ERR_MEMORY, "out of memory");
    } else if (shown.len > PSST_NAME_MAX) {
        err = malformed(p, "the name on the card is longer than 64 bytes");
    } else if (shown.len > 0) {
        memcpy(p->card.name, shown.data, shown.len);
        p->card.name[shown.len] = '\0';
    }
    psst_buf_fini(&shown);
    return err;
}

static enum psst_err take_address(struct parse *p, struct psst_view value)
{
    char text[PSST_ADDRESS_MAX + 1];
    char address[PSST_ADDRESS_MAX + 1];
    struct psst_diag why = {0};
    if (value.len > PSST_ADDRESS_MAX) return malformed(p, "an address on the card is too long");
    memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    if (psst_address_normalize(address, text, &why) != PSST_OK) {
        return psst_fail(p->diag, PSST_ERR_MALFORMED, "an address on the card is wrong: %s", why.text);
    }
    if (strchr(address, '%') != NULL) return malformed(p, "an address on the card names a network interface");
    for (size_t i = 0; i < p->card.n_addresses; i++)
        if (strcmp(p->card.addresses[i], address) == 0) return PSST_OK;
    if (p->card.n_addresses == PSST_ADDRESSES_MAX) return malformed(p, "the card has more than 8 addresses");
    memcpy(p->card.addresses[p->card.n_addresses++], address, strlen(address) + 1); /* the rest is zeros */
    return PSST_OK;
}

/* 64 hexadecimal digits, blanks between them at will. */
static bool take_hex(struct psst_view value, uint8_t out[HEX_DIGITS / 2])
{
    uint8_t digits[HEX_DIGITS];
    size_t n = 0;
    bool fits = true;
    for (size_t i = 0; i < value.len && fits; i++) {
        if (is_blank(value.data[i])) continue;
        fits = n < HEX_DIGITS;
        if (fits) digits[n++] = value.data[i];
    }
    bool ok = fits && psst_hex_decode(out, HEX_DIGITS / 2, psst_view(digits, n)) == PSST_OK;
    PSST_WIPE(digits); /* it may be the pair secret */
    return ok;
}

static enum psst_err take_pair_secret(struct parse *p, struct psst_view value)
{
    struct psst_pair_secret *secret = &p->card.pair_secret;
    if (!take_hex(value, secret->b)) return malformed(p, "the pair secret on the card is not 64 hexadecimal digits");
    uint8_t any = 0;
    for (size_t i = 0; i < sizeof secret->b; i++) any |= secret->b[i];
    /* zeros stand for "none" in the handshake */
    if (any == 0) return malformed(p, "the pair secret on the card is all zeros, which is no secret");
    p->card.has_pair_secret = true;
    return PSST_OK;
}

static enum psst_err take_field(struct parse *p, enum field field, struct psst_view value)
{
    if (p->seen[field] && field != FIELD_ADDRESS) {
        return psst_fail(p->diag, PSST_ERR_MALFORMED, "the card has two lines '%s'", field_names[field]);
    }
    p->seen[field] = true;
    if (value.len == 0) {
        return psst_fail(p->diag, PSST_ERR_MALFORMED, "the line '%s' of the card is empty", field_names[field]);
    }
    switch (field) {
    case FIELD_NAME: return take_name(p, value);
    case FIELD_ADDRESS: return take_address(p, value);
    case FIELD_KEY: p->key_size = value; return PSST_OK;
    case FIELD_FINGERPRINT:
        if (take_hex(value, p->fingerprint.b)) return PSST_OK;
        return malformed(p, "the fingerprint on the card is not 64 hexadecimal digits");
    case FIELD_PAIR_SECRET: return take_pair_secret(p, value);
    case FIELD_COUNT: break;
    }
    return PSST_ERR_INTERNAL;
}

/* ---- the key block ---- */

static enum psst_err refuse_boundary(struct parse *p, struct psst_view line)
{
    if (contains(line, "PRIVATE KEY")) {
        return malformed(p, "this is a private key: never hand it to anybody, and ask for a card instead");
    }
    if (contains(line, "BEGIN CERTIFICATE")) return malformed(p, "this is a certificate, not a contact card");
    if (contains(line, "BEGIN RSA PUBLIC KEY")) {
        return malformed(p, "this is a key in the older format; turn it into a card's by: "
                            "openssl rsa -RSAPublicKey_in -in FILE -pubout");
    }
    if (contains(line, "BEGIN PUBLIC KEY") && p->part != PART_BEFORE) {
        return malformed(p, "there are two public keys in it; a card holds exactly one");
    }
    return malformed(p, "its key block is damaged, indented or quoted; save the card exactly as it was sent");
}

/* A line that holds a PEM boundary, or what a person might take for one. */
static enum psst_err take_boundary(struct parse *p, struct psst_view line)
{
    if (p->part == PART_BEFORE && is_text(trim_right(line), BEGIN_KEY)) {
        p->part = PART_KEY;
        p->pem = line.data;
        return PSST_OK;
    }
    if (p->part == PART_KEY && is_text(trim_right(line), END_KEY)) {
        p->part = PART_AFTER;
        p->pem_end = line.data + line.len;
        return PSST_OK;
    }
    return refuse_boundary(p, line);
}

static bool is_base64(struct psst_view line)
{
    for (size_t i = 0; i < line.len; i++) {
        uint8_t c = line.data[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && c != '+' && c != '/' && c != '=') return false;
    }
    return line.len > 0;
}

static enum psst_err take(struct parse *p, struct psst_view line)
{
    if (contains(line, "-----BEGIN") || contains(line, "-----END")) return take_boundary(p, line);
    if (p->part == PART_KEY) {
        return is_base64(trim_right(line)) ? PSST_OK : malformed(p, "its key block is damaged; ask for the card again");
    }
    enum field field;
    struct psst_view value;
    if (!split_field(line, &field, &value)) return PSST_OK; /* free text, or a field of a later version */
    if (p->part == PART_AFTER) {
        return psst_fail(p->diag, PSST_ERR_MALFORMED, "the card has a line '%s' below the key, where none belongs",
                         field_names[field]);
    }
    return take_field(p, field, value);
}

static enum psst_err import_key(struct parse *p)
{
    if (p->part == PART_BEFORE) return malformed(p, "there is no public key in it: this is not a contact card");
    if (p->part == PART_KEY) return malformed(p, "its key block does not end: the card was cut short");
    enum psst_err err =
        psst_rsa_public_import_pem(&p->card.key, psst_view(p->pem, (size_t)(p->pem_end - p->pem)), p->diag);
    if (err != PSST_OK) return psst_fail(p->diag, err, "its public key cannot be read");

    const struct psst_fpr *fpr = psst_rsa_public_fpr(p->card.key);
    if (p->seen[FIELD_FINGERPRINT] && memcmp(fpr->b, p->fingerprint.b, sizeof fpr->b) != 0) {
        return malformed(p, "the fingerprint on the card is not that of its key: somebody changed one of them. "
                            "Do not use this card");
    }
    char size[32];
    (void)snprintf(size, sizeof size, "RSA %u bits", psst_rsa_public_bits(p->card.key));
    if (p->seen[FIELD_KEY] && !is_text(p->key_size, size)) {
        return psst_fail(p->diag, PSST_ERR_MALFORMED,
                         "the card says something else of its key than what it is (%s). Do not use this card", size);
    }
    return PSST_OK;
}

enum psst_err psst_card_parse(struct psst_card *card, struct psst_view text, struct psst_diag *diag)
{
    struct parse p = {.diag = diag, .part = PART_BEFORE};
    if (text.len > PSST_CARD_MAX) {
        return psst_fail(diag, PSST_ERR_TOO_LONG, "it is larger than 16 KiB: this is not a contact card");
    }
    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) text = psst_view(text.data + 3, text.len - 3);
    if (!psst_text_valid(text)) return malformed(&p, "it is not a text in UTF-8: this is not a contact card");

    enum psst_err err = PSST_OK;
    while (err == PSST_OK && text.len > 0) err = take(&p, take_line(&text));
    if (err == PSST_OK) err = import_key(&p);
    if (err == PSST_OK)
        *card = p.card;
    else
        psst_card_fini(&p.card);
    PSST_WIPE(p);
    return err;
}

enum psst_err psst_card_write(const struct psst_card *card, struct psst_buf *out)
{
    if (card->key == NULL || card->n_addresses > PSST_ADDRESSES_MAX) return PSST_ERR_USAGE;
    if (card->name[0] != '\0' && psst_name_check(card->name, NULL) != PSST_OK) return PSST_ERR_USAGE;

    psst_buf_put_str(out, TITLE "\n");
    if (card->name[0] != '\0') psst_buf_printf(out, "Name: %s\n", card->name);
    for (size_t i = 0; i < card->n_addresses; i++) psst_buf_printf(out, "Address: %s\n", card->addresses[i]);
    char fpr[PSST_FPR_TEXT_LEN];
    psst_fpr_text(fpr, psst_rsa_public_fpr(card->key));
    psst_buf_printf(out, "Key: RSA %u bits\nFingerprint: %s\n", psst_rsa_public_bits(card->key), fpr);
    if (card->has_pair_secret) {
        char hex[HEX_DIGITS + 1];
        psst_hex_encode(hex, card->pair_secret.b, sizeof card->pair_secret.b);
        psst_buf_printf(out, "Pair-Secret: %s\n", hex);
        PSST_WIPE(hex);
    }
    psst_buf_put_str(out, "\n");
    enum psst_err err = psst_rsa_public_to_pem(card->key, out);
    if (err != PSST_OK) return err;
    return out->failed ? PSST_ERR_MEMORY : PSST_OK;
}

void psst_card_fini(struct psst_card *card)
{
    psst_rsa_public_free(card->key);
    PSST_WIPE(*card);
}
