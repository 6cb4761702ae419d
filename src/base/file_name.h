/* Names of files that come from outside: what they become on our disk (attacks 29, 30, 35). */
#ifndef PSST_BASE_FILE_NAME_H
#define PSST_BASE_FILE_NAME_H

#include "base/bytes.h"

#define PSST_SAFE_NAME_SIZE 256 /* NAME_MAX and the terminator */
#define PSST_SAFE_NAME_MAX  240 /* bytes of a sanitised name: leaves room for " (999)" */
#define PSST_SAFE_COPIES    999 /* name, name (2), ... name (999) */

/* The one way from a peer's file name to ours: the part behind the last '/' or '\', rendered (controls shown as symbols,
 * bidi and zero-width dropped), without leading dots, dashes and blanks and trailing dots and blanks, cut to
 * PSST_SAFE_NAME_MAX bytes on a character's border with its extension kept; "file" when nothing is left. Any bytes may come
 * in. */
void psst_file_name_sanitize(char out[PSST_SAFE_NAME_SIZE], struct psst_view name);

/* The name that is tried for the so many-th of its name: "photo.jpg" and 2 give "photo (2).jpg"; 1 gives the name itself.
 * What is too long for a name is cut. */
void psst_file_name_copy(char out[PSST_SAFE_NAME_SIZE], const char *name, unsigned copy);

#endif
