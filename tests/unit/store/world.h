/* A store in a folder of its own, and rows to put into it. */
#ifndef PSST_TESTS_UNIT_STORE_WORLD_H
#define PSST_TESTS_UNIT_STORE_WORLD_H

#include "store/store.h"
#include "support/check.h"

#define must(expr) assert_int_equal((expr), PSST_OK)

struct world {
    char dir[128];
    char path[160];
    struct psst_store *store;
};

extern const struct psst_store_key world_key;

/* cmocka's fixtures: *state is a struct world with an open store. */
int world_setup(void **state);
int world_teardown(void **state);

struct psst_store *world_open(struct world *w);
void world_close(struct world *w);
void world_reopen(struct world *w);

/* Adds a contact that keeps history or not; gives its id. */
int64_t world_contact(struct world *w, const char *alias, bool keep_history);
struct psst_msg_id world_id(unsigned n);
/* The digest that the daemon would make; anything that differs for different text does. */
struct psst_hash world_digest(const char *text);
struct psst_message_row world_message(int64_t contact, unsigned n, const char *text);
/* As sent; with world_message and psst_store_message_out it waits. */
enum psst_err world_out(struct world *w, int64_t contact, unsigned n, const char *text, int64_t *seq);
enum psst_err world_in(struct world *w, int64_t contact, unsigned n, const char *text, int64_t *seq);

/* psst_store_tidy until there is nothing more to do; gives when there will be. */
uint64_t world_tidy(struct world *w, uint64_t now_ms);

/* What a walk over messages found: "1:text|2:text|", ids as numbers, erased texts as nothing. */
struct seen {
    char text[4096];
    size_t n;
    struct psst_message_row last; /* its text is not valid any more */
};
const char *world_log(struct world *w, int64_t contact, int64_t after, size_t limit, struct seen *seen);
const char *world_outbox(struct world *w, int64_t contact, int64_t after, size_t limit, struct seen *seen);
enum psst_err world_see(void *ctx, const struct psst_message_row *row);

/* The bytes of a file; the caller frees. NULL: there is none. */
uint8_t *world_file(const char *path, size_t *len);
void world_write_file(const char *path, const uint8_t *data, size_t len);
/* Runs PRAGMA integrity_check, and looks for rows without their contact. */
void world_assert_integrity(struct world *w);

#endif
