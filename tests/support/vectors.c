#include "support/vectors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* All that was handed out: freed together at the end, so that tests need not care. */
struct kept {
    struct kept *next;
    uint8_t bytes[];
};
static struct kept *kept_list;

static void free_kept(void)
{
    while (kept_list != NULL) {
        struct kept *next = kept_list->next;
        free(kept_list);
        kept_list = next;
    }
}

_Noreturn static void die(const char *fmt, ...) PSST_PRINTF(1, 2);

_Noreturn static void die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)fputs("vectors: ", stderr);
    (void)vfprintf(stderr, fmt, args);
    (void)fputc('\n', stderr);
    va_end(args);
    abort();
}

static uint8_t *keep(size_t len)
{
    struct kept *k = malloc(sizeof *k + len + 1);
    if (k == NULL) die("out of memory");
    if (kept_list == NULL) (void)atexit(free_kept);
    k->next = kept_list;
    kept_list = k;
    return k->bytes;
}

static void path_of(char *out, size_t cap, const char *path)
{
    const char *folder = getenv("PSST_TEST_VECTORS");
    int n = snprintf(out, cap, "%s/%s", folder != NULL ? folder : PSST_TEST_VECTORS_DIR, path);
    if (n < 0 || (size_t)n >= cap) die("the path of %s is too long", path);
}

struct psst_view vectors_read(const char *full)
{
    FILE *f = fopen(full, "rb");
    if (f == NULL) die("%s cannot be opened", full);
    if (fseek(f, 0, SEEK_END) != 0) die("%s cannot be read", full);
    long size = ftell(f);
    if (size < 0 || fseek(f, 0, SEEK_SET) != 0) die("%s cannot be read", full);
    uint8_t *bytes = keep((size_t)size);
    if (fread(bytes, 1, (size_t)size, f) != (size_t)size) die("%s cannot be read", full);
    (void)fclose(f);
    bytes[size] = '\0';
    return psst_view(bytes, (size_t)size);
}

struct psst_view vectors_file(const char *path)
{
    char full[1024];
    path_of(full, sizeof full, path);
    return vectors_read(full);
}

json_t *vectors_load(const char *file)
{
    struct psst_view text = vectors_file(file);
    json_error_t error;
    json_t *root = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    /* a number of 64 bits does not fit jansson's integers; where that matters the files give it in hexadecimal too */
    if (root == NULL)
        root = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    if (root == NULL) die("%s, line %d: %s", file, error.line, error.text);
    return root;
}

bool vectors_has(const json_t *object, const char *field)
{
    const json_t *v = json_object_get(object, field);
    return v != NULL && !json_is_null(v);
}

const json_t *vectors_get(const json_t *object, const char *field)
{
    const json_t *v = json_object_get(object, field);
    if (v == NULL) die("no field %s", field);
    return v;
}

const json_t *vectors_array(const json_t *object, const char *field)
{
    const json_t *v = vectors_get(object, field);
    if (!json_is_array(v)) die("%s is no array", field);
    return v;
}

const char *vectors_str(const json_t *object, const char *field)
{
    const json_t *v = vectors_get(object, field);
    if (!json_is_string(v)) die("%s is no string", field);
    return json_string_value(v);
}

uint64_t vectors_u64(const json_t *object, const char *field)
{
    const json_t *v = vectors_get(object, field);
    double d = json_number_value(v);
    if (json_is_integer(v) && json_integer_value(v) >= 0) return (uint64_t)json_integer_value(v);
    if (json_is_real(v) && d >= 0 && d < 9007199254740992.0) return (uint64_t)d;
    die("%s is no number that can be read exactly", field);
}

bool vectors_bool(const json_t *object, const char *field)
{
    const json_t *v = vectors_get(object, field);
    if (!json_is_boolean(v)) die("%s is neither true nor false", field);
    return json_is_true(v);
}

struct psst_view vectors_hex_of(const json_t *string)
{
    if (!json_is_string(string)) die("a hexadecimal string is missing");
    struct psst_view hex = psst_view(json_string_value(string), json_string_length(string));
    uint8_t *bytes = keep(hex.len / 2);
    for (size_t i = 0; i < hex.len / 2; i++) {
        const char *digits = "0123456789abcdef";
        const char *hi = memchr(digits, hex.data[2 * i], 16);
        const char *lo = memchr(digits, hex.data[2 * i + 1], 16);
        if (hi == NULL || lo == NULL) die("not hexadecimal: %.40s", json_string_value(string));
        bytes[i] = (uint8_t)((hi - digits) << 4 | (lo - digits));
    }
    if (hex.len % 2 != 0) die("odd number of hexadecimal digits: %.40s", json_string_value(string));
    return psst_view(bytes, hex.len / 2);
}

struct psst_view vectors_hex_digits(const char *digits)
{
    json_t *string = json_string(digits);
    struct psst_view v = vectors_hex_of(string);
    json_decref(string);
    return v;
}

struct psst_view vectors_hex(const json_t *object, const char *field)
{
    (void)vectors_str(object, field);
    return vectors_hex_of(json_object_get(object, field));
}

void vectors_hex_exact(const json_t *object, const char *field, uint8_t *out, size_t len)
{
    struct psst_view v = vectors_hex(object, field);
    if (v.len != len) die("%s has %zu bytes, not %zu", field, v.len, len);
    memcpy(out, v.data, len);
}

struct psst_rsa_private *vectors_private_key(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "keys/%s.pem", name);
    struct psst_rsa_private *key = NULL;
    struct psst_diag diag = {.text = ""};
    if (psst_rsa_private_from_pem(&key, vectors_file(path), psst_view(NULL, 0), &diag) != PSST_OK)
        die("%s: %s", path, diag.text);
    return key;
}

struct psst_rsa_public *vectors_public_key(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "keys/%s.pub.pem", name);
    struct psst_rsa_public *key = NULL;
    struct psst_diag diag = {.text = ""};
    if (psst_rsa_public_import_pem(&key, vectors_file(path), &diag) != PSST_OK) die("%s: %s", path, diag.text);
    return key;
}
