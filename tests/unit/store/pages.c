#include "pages.h"

#include "support/check.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE       4096
#define RESERVE    48 /* at the end of a page: IV (16), HMAC-SHA1 (20), rounded up */
#define SALT       16 /* at the beginning of the first */
#define LOG_HEADER 32
#define FRAME      24 /* before each page in the log */

static void decrypt(const struct psst_store_key *key, const uint8_t page[PAGE], bool is_first, uint8_t out[PAGE])
{
    size_t from = is_first ? SALT : 0;
    int len = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    assert_non_null(ctx);
    memset(out, 0, PAGE);
    assert_int_equal(EVP_DecryptInit_ex(ctx, EVP_aes_256_cbc(), NULL, key->b, page + PAGE - RESERVE), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_padding(ctx, 0), 1);
    assert_int_equal(EVP_DecryptUpdate(ctx, out + from, &len, page + from, (int)(PAGE - RESERVE - from)), 1);
    EVP_CIPHER_CTX_free(ctx);
    if (is_first) assert_true(out[16] == PAGE >> 8 && out[17] == 0); /* the size of a page, in SQLite's header */
}

static size_t count(const uint8_t page[PAGE], const char *needle)
{
    size_t n = 0, len = strlen(needle);
    for (size_t i = 0; i + len <= PAGE; i++) n += memcmp(page + i, needle, len) == 0;
    return n;
}

static FILE *open_log(const char *path)
{
    char log[300];
    (void)snprintf(log, sizeof log, "%s-wal", path);
    return fopen(log, "rb");
}

size_t pages_log_size(const char *path)
{
    FILE *f = open_log(path);
    if (f == NULL) return 0;
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    long size = ftell(f);
    (void)fclose(f);
    return (size_t)size;
}

size_t pages_find(const char *path, const struct psst_store_key *key, const char *needle)
{
    uint8_t page[PAGE], plain[PAGE], header[LOG_HEADER];
    size_t n = 0, pages = 0;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    for (; fread(page, 1, PAGE, f) == PAGE; pages++) {
        decrypt(key, page, pages == 0, plain);
        n += count(plain, needle);
    }
    (void)fclose(f);
    assert_true(pages > 0);
    f = open_log(path);
    if (f == NULL) return n;
    if (fread(header, 1, LOG_HEADER, f) == LOG_HEADER)
        while (fread(header, 1, FRAME, f) == FRAME && fread(page, 1, PAGE, f) == PAGE) {
            bool is_first = header[0] == 0 && header[1] == 0 && header[2] == 0 && header[3] == 1;
            decrypt(key, page, is_first, plain);
            n += count(plain, needle);
        }
    (void)fclose(f);
    return n;
}
