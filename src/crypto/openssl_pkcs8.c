/* Private keys as PEM: PKCS#8, encrypted or not, and the traditional form.
 *
 * Reading: find the first private block -> read the cost of its key derivation -> derive and decrypt -> parse -> check.
 * A file may come from anywhere, so nothing is derived before its cost is known to be sane. */
#include "crypto/openssl_internal.h"

#include <openssl/asn1t.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#define PEM_MAX_LEN        (64u * 1024)
#define PASSPHRASE_MAX_LEN 1024
#define SALT_LEN           16
#define SCRYPT_N           (1u << 14)
#define SCRYPT_R           8
#define SCRYPT_P           16
/* The slowest digest (SHA-1 for a long key, SHA-512, SHA-3) makes about a million a second, SHA-256 three. */
#define PBKDF2_MAX_ROUNDS UINT64_C(1000000)

static const char damaged[] = "This private key file is damaged: it does not parse.";
static const char wrong[] = "The passphrase does not open this key.";

/* ---- the block ---- */

struct block {
    char *name;
    char *header;
    unsigned char *der;
    long len;
};

static void block_fini(struct block *b)
{
    OPENSSL_secure_free(b->name);
    OPENSSL_secure_free(b->header);
    if (b->der != NULL) OPENSSL_secure_clear_free(b->der, (size_t)b->len);
    *b = (struct block){0};
}

enum kind { KIND_NONE, KIND_PKCS8, KIND_PKCS8_ENCRYPTED, KIND_TRADITIONAL };

static enum kind kind_of(const char *name)
{
    if (strcmp(name, "PRIVATE KEY") == 0) return KIND_PKCS8;
    if (strcmp(name, "ENCRYPTED PRIVATE KEY") == 0) return KIND_PKCS8_ENCRYPTED;
    if (strcmp(name, "RSA PRIVATE KEY") == 0) return KIND_TRADITIONAL;
    return KIND_NONE;
}

/* The first block with a private key in it; blocks of other names are passed over. The caller ends b in any case. */
static enum psst_err first_private_block(struct psst_view pem, struct block *b, enum kind *kind, struct psst_diag *diag)
{
    static const char none[] = "There is no private key here that PSST can read: no PKCS#8 and no RSA PRIVATE KEY.";
    *kind = KIND_NONE;
    if (pem.len == 0 || pem.len > PEM_MAX_LEN)
        return psst_fail(diag, PSST_ERR_MALFORMED, "This is no private key file: it is empty or over 64 KiB.");
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    if (bio == NULL) return psst_ossl_fail(PSST_ERR_INTERNAL);
    while (*kind == KIND_NONE) {
        block_fini(b);
        if (PEM_read_bio_ex(bio, &b->name, &b->header, &b->der, &b->len, PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) !=
            1)
            break;
        *kind = kind_of(b->name);
    }
    BIO_free(bio);
    return *kind != KIND_NONE ? PSST_OK : psst_ossl_fail(psst_fail(diag, PSST_ERR_MALFORMED, none));
}

bool psst_rsa_pem_is_encrypted(struct psst_view pem)
{
    struct block b = {0};
    enum kind kind;
    bool encrypted =
        first_private_block(pem, &b, &kind, NULL) == PSST_OK &&
        (kind == KIND_PKCS8_ENCRYPTED || (kind == KIND_TRADITIONAL && strstr(b.header, "ENCRYPTED") != NULL));
    block_fini(&b);
    return encrypted;
}

/* ---- the cost ---- */

static enum psst_err check_scrypt(const ASN1_TYPE *params, struct psst_diag *diag)
{
    SCRYPT_PARAMS *s = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), params);
    uint64_t n = 0, r = 0, p = 0;
    bool read = s != NULL && ASN1_INTEGER_get_uint64(&n, s->costParameter) == 1 &&
                ASN1_INTEGER_get_uint64(&r, s->blockSize) == 1 &&
                ASN1_INTEGER_get_uint64(&p, s->parallelizationParameter) == 1;
    SCRYPT_PARAMS_free(s);
    enum psst_err err = read ? psst_crypto_scrypt_check(n, r, p) : PSST_ERR_MALFORMED;
    if (err == PSST_ERR_MALFORMED) return psst_fail(diag, err, "%s", damaged);
    if (err != PSST_OK)
        return psst_fail(diag, err,
                         "Opening this key would cost too much: its scrypt asks for N*r*p over 2^22, or over 32 MiB.");
    return PSST_OK;
}

static enum psst_err check_pbkdf2(const ASN1_TYPE *params, struct psst_diag *diag)
{
    PBKDF2PARAM *k = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), params);
    uint64_t rounds = 0;
    bool read = k != NULL && ASN1_INTEGER_get_uint64(&rounds, k->iter) == 1;
    bool too_many = rounds > PBKDF2_MAX_ROUNDS;
    PBKDF2PARAM_free(k);
    if (!read || rounds == 0) return psst_fail(diag, PSST_ERR_MALFORMED, "%s", damaged);
    if (too_many)
        return psst_fail(
            diag, PSST_ERR_TOO_LONG,
            "Opening this key would cost too much: its PBKDF2 asks for over 1,000,000 iterations. Convert it: "
            "openssl pkcs8 -topk8 -scrypt");
    return PSST_OK;
}

static bool cipher_known(int nid)
{
    return nid == NID_aes_256_cbc || nid == NID_aes_192_cbc || nid == NID_aes_128_cbc || nid == NID_des_ede3_cbc;
}

/* What stands around the ciphertext: PBES2, a known cipher, and a key derivation of bearable cost. */
static enum psst_err check_encryption(const X509_ALGOR *alg, struct psst_diag *diag)
{
    const ASN1_OBJECT *oid = NULL;
    const void *value = NULL;
    int type = V_ASN1_UNDEF;
    X509_ALGOR_get0(&oid, &type, &value, alg);
    if (OBJ_obj2nid(oid) != NID_pbes2)
        return psst_fail(diag, PSST_ERR_USAGE,
                         "This key is encrypted in an old way (not PBES2). Convert it: openssl pkcs8 -topk8 -scrypt");
    PBE2PARAM *pbe2 =
        type == V_ASN1_SEQUENCE ? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), alg->parameter) : NULL;
    if (pbe2 == NULL) return psst_fail(diag, PSST_ERR_MALFORMED, "%s", damaged);
    enum psst_err err;
    const ASN1_TYPE *params = pbe2->keyfunc->parameter;
    int kdf = OBJ_obj2nid(pbe2->keyfunc->algorithm);
    if (!cipher_known(OBJ_obj2nid(pbe2->encryption->algorithm)))
        err = psst_fail(diag, PSST_ERR_USAGE,
                        "This key is encrypted with a cipher that PSST does not read; it reads AES and triple DES.");
    else if (kdf == NID_id_scrypt)
        err = check_scrypt(params, diag);
    else if (kdf == NID_id_pbkdf2)
        err = check_pbkdf2(params, diag);
    else
        err = psst_fail(
            diag, PSST_ERR_USAGE,
            "This key's passphrase is stretched in a way that PSST does not read; it reads scrypt and PBKDF2.");
    PBE2PARAM_free(pbe2);
    return err;
}

/* ---- reading ---- */

/* Gives what is inside; the caller frees it. */
static enum psst_err decrypt_pkcs8(PKCS8_PRIV_KEY_INFO **out, const struct block *b, struct psst_view passphrase,
                                   struct psst_diag *diag)
{
    const unsigned char *at = b->der;
    const X509_ALGOR *alg = NULL;
    const ASN1_OCTET_STRING *cipher_text = NULL;
    enum psst_err err = PSST_OK;
    X509_SIG *sig = d2i_X509_SIG(NULL, &at, b->len);
    if (sig == NULL || at != b->der + b->len) {
        err = psst_fail(diag, PSST_ERR_MALFORMED, "%s", damaged);
    } else {
        X509_SIG_get0(sig, &alg, &cipher_text);
        err = check_encryption(alg, diag);
        int len = ASN1_STRING_length(cipher_text);
        if (err == PSST_OK && (len == 0 || len % 8 != 0)) err = psst_fail(diag, PSST_ERR_MALFORMED, "%s", damaged);
    }
    if (err == PSST_OK && passphrase.data == NULL)
        err = psst_fail(diag, PSST_ERR_PASSPHRASE, "This key needs its passphrase.");
    if (err == PSST_OK) {
        *out = PKCS8_decrypt(sig, (const char *)passphrase.data, (int)passphrase.len);
        if (*out == NULL) err = psst_fail(diag, PSST_ERR_PASSPHRASE, "%s", wrong);
    }
    X509_SIG_free(sig);
    return err;
}

static enum psst_err key_of_pkcs8(EVP_PKEY **out, const PKCS8_PRIV_KEY_INFO *inside, struct psst_diag *diag)
{
    const ASN1_OBJECT *oid = NULL;
    if (PKCS8_pkey_get0(&oid, NULL, NULL, NULL, inside) != 1) return PSST_ERR_INTERNAL;
    if (OBJ_obj2nid(oid) != NID_rsaEncryption)
        return psst_fail(diag, PSST_ERR_BAD_KEY, "This is no plain RSA key; PSST knows people by RSA keys alone.");
    *out = EVP_PKCS82PKEY(inside);
    return *out != NULL ? PSST_OK : psst_fail(diag, PSST_ERR_MALFORMED, "%s", damaged);
}

static enum psst_err read_pkcs8(EVP_PKEY **out, const struct block *b, enum kind kind, struct psst_view passphrase,
                                struct psst_diag *diag)
{
    PKCS8_PRIV_KEY_INFO *inside = NULL;
    enum psst_err err = PSST_OK;
    if (kind == KIND_PKCS8_ENCRYPTED) {
        err = decrypt_pkcs8(&inside, b, passphrase, diag);
    } else {
        const unsigned char *at = b->der;
        inside = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, b->len);
        if (inside == NULL || at != b->der + b->len) err = psst_fail(diag, PSST_ERR_MALFORMED, "%s", damaged);
    }
    if (err == PSST_OK) err = key_of_pkcs8(out, inside, diag);
    PKCS8_PRIV_KEY_INFO_free(inside); /* libcrypto clears it */
    return err;
}

/* Gives libcrypto the passphrase that it would otherwise ask for on the terminal. */
static int give_passphrase(char *buf, int size, int rwflag, void *ctx)
{
    const struct psst_view *passphrase = ctx;
    (void)rwflag;
    if (passphrase->data == NULL || passphrase->len > (size_t)size) return -1;
    memcpy(buf, passphrase->data, passphrase->len);
    return (int)passphrase->len;
}

static enum psst_err read_traditional(EVP_PKEY **out, struct block *b, struct psst_view passphrase,
                                      struct psst_diag *diag)
{
    EVP_CIPHER_INFO cipher;
    long len = b->len;
    if (PEM_get_EVP_CIPHER_INFO(b->header, &cipher) != 1)
        return psst_fail(diag, PSST_ERR_USAGE, "This key is encrypted with a cipher that PSST does not read.");
    bool encrypted = cipher.cipher != NULL;
    if (encrypted && passphrase.data == NULL)
        return psst_fail(diag, PSST_ERR_PASSPHRASE, "This key needs its passphrase.");
    if (PEM_do_header(&cipher, b->der, &len, give_passphrase, &passphrase) != 1)
        return psst_fail(diag, PSST_ERR_PASSPHRASE, "%s", wrong);
    const unsigned char *at = b->der;
    *out = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, len);
    if (*out != NULL && at == b->der + len) return PSST_OK;
    EVP_PKEY_free(*out);
    *out = NULL;
    /* one wrong passphrase in 256 leaves padding that looks right, and then this */
    return encrypted ? psst_fail(diag, PSST_ERR_PASSPHRASE, "%s", wrong)
                     : psst_fail(diag, PSST_ERR_MALFORMED, "%s", damaged);
}

enum psst_err psst_rsa_private_from_pem(struct psst_rsa_private **out, struct psst_view pem,
                                        struct psst_view passphrase, struct psst_diag *diag)
{
    if (psst_ossl_thread() == NULL) return PSST_ERR_INTERNAL;
    if (passphrase.len > PASSPHRASE_MAX_LEN)
        return psst_fail(diag, PSST_ERR_TOO_LONG, "A passphrase can have %d bytes at most.", PASSPHRASE_MAX_LEN);
    struct block b = {0};
    enum kind kind;
    EVP_PKEY *pkey = NULL;
    enum psst_err err = first_private_block(pem, &b, &kind, diag);
    if (err == PSST_OK)
        err = kind == KIND_TRADITIONAL ? read_traditional(&pkey, &b, passphrase, diag)
                                       : read_pkcs8(&pkey, &b, kind, passphrase, diag);
    block_fini(&b);
    if (err != PSST_OK) return psst_ossl_fail(err);
    return psst_ossl_private_new(out, pkey, diag);
}

/* ---- writing ---- */

static bool write_encrypted(BIO *bio, PKCS8_PRIV_KEY_INFO *inside, struct psst_view passphrase)
{
    uint8_t salt[SALT_LEN];
    psst_crypto_rng.fill(psst_crypto_rng.ctx, salt, sizeof salt);
    X509_ALGOR *alg = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof salt, NULL, SCRYPT_N, SCRYPT_R, SCRYPT_P);
    if (alg == NULL) return false;
    X509_SIG *sig = PKCS8_set0_pbe((const char *)passphrase.data, (int)passphrase.len, inside, alg);
    if (sig == NULL) {
        X509_ALGOR_free(alg);
        return false;
    }
    bool ok = PEM_write_bio_PKCS8(bio, sig) == 1;
    X509_SIG_free(sig);
    return ok;
}

enum psst_err psst_rsa_private_to_pem(const struct psst_rsa_private *key, struct psst_view passphrase,
                                      struct psst_buf *out)
{
    if (passphrase.len > PASSPHRASE_MAX_LEN) return PSST_ERR_TOO_LONG;
    enum psst_err err = PSST_ERR_INTERNAL;
    PKCS8_PRIV_KEY_INFO *inside = EVP_PKEY2PKCS8(key->key.pkey);
    BIO *bio = BIO_new(BIO_s_secmem());
    if (inside != NULL && bio != NULL) {
        bool ok = passphrase.data != NULL ? write_encrypted(bio, inside, passphrase)
                                          : PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, inside) == 1;
        char *text = NULL;
        long len = ok ? BIO_get_mem_data(bio, &text) : 0;
        if (len > 0) err = psst_buf_reserve(out, (size_t)len);
        if (err == PSST_OK) psst_buf_put(out, text, (size_t)len);
    }
    BIO_free(bio); /* clears what it held */
    PKCS8_PRIV_KEY_INFO_free(inside);
    return err == PSST_OK ? PSST_OK : psst_ossl_fail(err);
}
