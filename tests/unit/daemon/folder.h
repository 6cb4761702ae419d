/* A folder of its own for a test, and files in it. */
#ifndef PSST_TESTS_UNIT_DAEMON_FOLDER_H
#define PSST_TESTS_UNIT_DAEMON_FOLDER_H

#include "support/check.h"

struct folder {
    char path[128];
    bool mounted;
};

void folder_init(struct folder *f);
/* At the start of main, before any thread: what is mounted later is seen by this process alone and goes with it. */
void folder_private_mounts(void);
/* The same on a tmpfs of so many bytes. False: not allowed here (the test then skips, and says so). */
bool folder_init_tiny(struct folder *f, size_t bytes);
void folder_fini(struct folder *f); /* with all that is in it */

/* path of name in the folder: one of a few static buffers. */
const char *folder_file(const struct folder *f, const char *name);
void folder_put(const struct folder *f, const char *name, const void *data, size_t len);
/* How many entries there are, the two dots not counted. */
size_t folder_count(const struct folder *f);
bool folder_has(const struct folder *f, const char *name);
/* Exactly these bytes, a regular file with mode 0600. */
void folder_assert_is(const struct folder *f, const char *name, const void *data, size_t len);

#endif
