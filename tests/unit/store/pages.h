/* What lies on the disk of a store, decrypted: every page of the file, the free ones and what no row owns included, and every
 * frame of the write-ahead log. */
#ifndef PSST_TESTS_UNIT_STORE_PAGES_H
#define PSST_TESTS_UNIT_STORE_PAGES_H

#include "base/secret.h"

#include <stdbool.h>
#include <stddef.h>

/* How often the bytes occur, in the file and in its log. Fails the test when a page does not decrypt. */
size_t pages_find(const char *path, const struct psst_store_key *key, const char *needle);
size_t pages_log_size(const char *path);

#endif
