/* Private key files (attack 41): whatever comes in is read or refused with a sentence, never left half read; what was read
 * can be written and read again.
 *
 * input: one byte that chooses the passphrase, then the PEM. The cost of scrypt and PBKDF2 is bounded by the reader.
 */
#include "fuzz.h"

static void write_and_read_again(const struct psst_rsa_private *key)
{
    struct psst_buf pem;
    struct psst_rsa_private *again = NULL;
    psst_buf_init(&pem, 16384);
    FUZZ_CHECK(psst_rsa_private_to_pem(key, psst_view(NULL, 0), &pem) == PSST_OK);
    FUZZ_CHECK(psst_rsa_private_from_pem(&again, psst_buf_view(&pem), psst_view(NULL, 0), NULL) == PSST_OK);
    FUZZ_CHECK(memcmp(psst_rsa_public_fpr(psst_rsa_private_public(key)),
                      psst_rsa_public_fpr(psst_rsa_private_public(again)), sizeof(struct psst_fpr)) == 0);
    psst_rsa_private_free(again);
    psst_buf_fini(&pem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const passphrases[] = {NULL, "", "correct horse", "wrong"};
    struct psst_rsa_private *key = NULL;
    struct psst_diag diag = {0};
    fuzz_init();
    if (size == 0) return 0;
    const char *passphrase = passphrases[data[0] % 4];
    struct psst_view secret = passphrase != NULL ? psst_view_str(passphrase) : psst_view(NULL, 0);
    struct psst_view pem = psst_view(data + 1, size - 1);
    (void)psst_rsa_pem_is_encrypted(pem);
    if (psst_rsa_private_from_pem(&key, pem, secret, &diag) != PSST_OK) {
        FUZZ_CHECK(key == NULL && diag.text[0] != '\0');
        return 0;
    }
    FUZZ_CHECK(key != NULL);
    write_and_read_again(key);
    psst_rsa_private_free(key);
    return 0;
}
