/* The test vectors of tests/vectors: files, fields, keys. Whatever is missing or malformed ends the test binary with a
 * message that names it: a test never goes on with half a vector. The folder is PSST_TEST_VECTORS of the environment,
 * else the one of the source tree. */
#ifndef PSST_TESTS_VECTORS_H
#define PSST_TESTS_VECTORS_H

#include "crypto/crypto.h"

#include <jansson.h>

/* The whole file, by its path under the folder ("keys/a2048.pem"). Lives until the program ends. */
struct psst_view vectors_file(const char *path);
/* The same for a file anywhere, by its full path. */
struct psst_view vectors_read(const char *full);
/* The root object of a JSON file ("kdf.json"). The caller drops it with json_decref. */
json_t *vectors_load(const char *file);

/* Fields of an object. Arrays are walked with json_array_foreach(vectors_array(root, "cases"), i, item). */
const json_t *vectors_get(const json_t *object, const char *field);
const json_t *vectors_array(const json_t *object, const char *field);
const char *vectors_str(const json_t *object, const char *field);
uint64_t vectors_u64(const json_t *object, const char *field);
bool vectors_bool(const json_t *object, const char *field);
bool vectors_has(const json_t *object, const char *field); /* there, and not null */
/* A hexadecimal field as bytes. Lives until the program ends. */
struct psst_view vectors_hex(const json_t *object, const char *field);
/* The same, where the length must be len. */
void vectors_hex_exact(const json_t *object, const char *field, uint8_t *out, size_t len);
/* A JSON string (an item of an array) as bytes. */
struct psst_view vectors_hex_of(const json_t *string);
/* The same for digits that stand in the test itself. */
struct psst_view vectors_hex_digits(const char *digits);

/* keys/NAME.pem and keys/NAME.pub.pem, through crypto.h. The caller frees the key. */
struct psst_rsa_private *vectors_private_key(const char *name);
struct psst_rsa_public *vectors_public_key(const char *name);

#endif
