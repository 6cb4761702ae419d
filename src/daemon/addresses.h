/* A contact's addresses as the book keeps them and as they stand in the store's row: HOST:PORT, each ended by a newline, all
 * in one string. Most contacts have one, and a thousand contacts are kept in memory. Pure functions. */
#ifndef PSST_DAEMON_ADDRESSES_H
#define PSST_DAEMON_ADDRESSES_H

#include "base/bytes.h"
#include "identity/card.h"

#define PSST_ADDRESSES_TEXT_MAX (PSST_ADDRESSES_MAX * (PSST_ADDRESS_MAX + 1)) /* without what ends the string */

/* The first address of lines (NULL: there are none) into out; gives where the next one begins, for the next call. NULL:
 * there was none, and out is empty.
 *     for (at = psst_addresses_next(a, lines); at != NULL; at = psst_addresses_next(a, at)) */
const char *psst_addresses_next(char out[PSST_ADDRESS_MAX + 1], const char *lines);
/* n at most PSST_ADDRESSES_MAX. */
void psst_addresses_join(char out[PSST_ADDRESSES_TEXT_MAX + 1], const char (*addresses)[PSST_ADDRESS_MAX + 1],
                         size_t n);
/* From the store: what is empty or too long is left out, as is what comes after the eighth. */
void psst_addresses_read(char out[PSST_ADDRESSES_TEXT_MAX + 1], struct psst_view text);

#endif
