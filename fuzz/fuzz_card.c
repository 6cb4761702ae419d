/* Contact cards, names and addresses: whatever is taken must be fit to show, must survive being written and read again,
 * and must hold the key that any reader of PEM finds in the same text.
 *
 * input: the card's text; its first bytes are tried as a name and as an address too
 */
#include "fuzz.h"

#include "base/text.h"
#include "identity/card.h"

static bool same_fpr(const struct psst_rsa_public *a, const struct psst_rsa_public *b)
{
    return memcmp(psst_rsa_public_fpr(a), psst_rsa_public_fpr(b), sizeof(struct psst_fpr)) == 0;
}

static void check_address(const char *address)
{
    char again[PSST_ADDRESS_MAX + 1];
    FUZZ_CHECK(strlen(address) <= PSST_ADDRESS_MAX);
    FUZZ_CHECK(psst_address_normalize(again, address, NULL) == PSST_OK && strcmp(again, address) == 0);
}

static void check_card(const struct psst_card *card)
{
    struct psst_buf shown;
    size_t len = strnlen(card->name, sizeof card->name);
    FUZZ_CHECK(len <= PSST_NAME_MAX && card->n_addresses <= PSST_ADDRESSES_MAX && card->key != NULL);
    psst_buf_init(&shown, 4096);
    psst_text_render(&shown, psst_view(card->name, len), PSST_RENDER_LINE, PSST_NAME_MAX);
    FUZZ_CHECK(psst_view_equal(psst_buf_view(&shown), psst_view(card->name, len)));
    psst_buf_fini(&shown);
    for (size_t i = 0; i < card->n_addresses; i++) check_address(card->addresses[i]);
}

/* Names that nobody may have are shown as the card has them, but never written. */
static void write_and_read_again(const struct psst_card *card)
{
    struct psst_buf text;
    struct psst_card again = {0};
    if (card->name[0] != '\0' && psst_name_check(card->name, NULL) != PSST_OK) return;
    psst_buf_init(&text, PSST_CARD_MAX);
    FUZZ_CHECK(psst_card_write(card, &text) == PSST_OK);
    enum psst_err err = psst_card_parse(&again, psst_buf_view(&text), NULL);
    /* libcrypto looks for factors by chance: a modulus that was changed by a bit may pass once and not again */
    if (err == PSST_ERR_BAD_KEY) {
        psst_buf_fini(&text);
        return;
    }
    FUZZ_CHECK(err == PSST_OK);
    FUZZ_CHECK(strcmp(card->name, again.name) == 0 && card->n_addresses == again.n_addresses);
    FUZZ_CHECK(memcmp(card->addresses, again.addresses, sizeof card->addresses[0] * card->n_addresses) == 0);
    FUZZ_CHECK(card->has_pair_secret == again.has_pair_secret);
    FUZZ_CHECK(memcmp(&card->pair_secret, &again.pair_secret, sizeof card->pair_secret) == 0);
    FUZZ_CHECK(same_fpr(card->key, again.key));
    psst_card_fini(&again);
    psst_buf_fini(&text);
}

static void try_words(const uint8_t *data, size_t size)
{
    char text[PSST_ADDRESS_MAX + 8], address[PSST_ADDRESS_MAX + 1];
    size_t len = size < sizeof text - 1 ? size : sizeof text - 1;
    if (len > 0) memcpy(text, data, len);
    text[len] = '\0';
    (void)!psst_name_check(text, NULL);
    text[strcspn(text, "\r\n")] = '\0';
    if (psst_address_normalize(address, text, NULL) == PSST_OK) check_address(address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct psst_card card = {0};
    struct psst_diag diag = {0};
    fuzz_init();
    try_words(data, size);
    if (psst_card_parse(&card, psst_view(data, size), &diag) != PSST_OK) {
        FUZZ_CHECK(card.key == NULL && diag.text[0] != '\0');
        return 0;
    }
    check_card(&card);
    write_and_read_again(&card);
    struct psst_rsa_public *other = NULL;
    if (psst_rsa_public_import_pem(&other, psst_view(data, size), NULL) == PSST_OK)
        FUZZ_CHECK(same_fpr(card.key, other));
    psst_rsa_public_free(other);
    psst_card_fini(&card);
    return 0;
}
