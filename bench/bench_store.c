/* The store: group commits against bare ones; a million messages made, read, searched and partly erased.
 *
 *   bench_store commits FOLDER      rows a second, durable, in a new store there
 *   bench_store fill HOME N         fills the history of the identity in HOME (psstd must not run) with N messages
 *   bench_store search HOME         figures of that
 *   bench_store erase HOME          what holds up messages while a tenth of them is erased; changes it
 */
#include "common.h"
#include "store/store.h"

#define SQLITE_HAS_CODEC 1
#include <fcntl.h>
#include <math.h>
#include <sqlcipher/sqlite3.h>
#include <string.h>
#include <unistd.h>

#define GROUP      256
#define GROUPS     60
#define VOCABULARY 50000
#define RARE       5 /* messages with the rare word */
#define REPEATS    5
#define ANY        SIZE_MAX

static uint64_t random_state = 88172645463325252ULL;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state >> 11;
}

/* ---- texts: words as frequent as in a language (Zipf), "the" in each, two in every other one ---- */

static char vocabulary[VOCABULARY][16];
static double share[VOCABULARY]; /* cumulated */

static void make_vocabulary(void)
{
    double sum = 0;
    for (size_t i = 0; i < VOCABULARY; i++) {
        size_t len = 2 + (size_t)(i > 50) + (size_t)(i > 1000) + next_random() % 5;
        for (size_t j = 0; j < len; j++) vocabulary[i][j] = (char)('a' + next_random() % 26);
        sum += 1 / ((double)i + 2.7);
        share[i] = sum;
    }
    for (size_t i = 0; i < VOCABULARY; i++) share[i] /= sum;
}

static const char *word(void)
{
    double u = (double)(next_random() & 0xffffff) / 0x1000000;
    size_t lo = 0, hi = VOCABULARY - 1;
    while (lo < hi) {
        size_t middle = (lo + hi) / 2;
        if (share[middle] < u)
            lo = middle + 1;
        else
            hi = middle;
    }
    return vocabulary[lo];
}

static size_t make_text(char out[512], bool rare)
{
    size_t len = (size_t)snprintf(out, 512, "the%s%s%s", next_random() % 2 ? " alpha" : "",
                                  next_random() % 2 ? " beta" : "", rare ? " zyxrare" : "");
    for (uint64_t n = next_random() % 16 + 3; n > 0; n--) len += (size_t)snprintf(out + len, 512 - len, " %s", word());
    return len;
}

static void make_row(struct psst_message_row *row, int64_t contact, uint64_t ms, struct psst_view text)
{
    *row = (struct psst_message_row){.contact_id = contact, .time_ms = ms, .stored_ms = ms, .text = text};
    row->state = PSST_MESSAGE_SENT;
    for (size_t i = 0; i < sizeof row->id.b; i++) row->id.b[i] = (uint8_t)next_random();
    for (size_t i = 0; i < sizeof row->digest.b; i++) row->digest.b[i] = (uint8_t)next_random();
}

/* ---- group commits ---- */

static const struct psst_store_key bench_key = {{1, 2, 3}};

static int64_t add_contact(struct psst_store *store, const char *alias)
{
    struct psst_contact_row row = {.keep_history = true, .spki = psst_view_str("a key"), .added_ms = 1};
    (void)snprintf(row.alias, sizeof row.alias, "%s", alias);
    memcpy(row.fpr.b, alias, strlen(alias));
    BENCH_CHECK(psst_store_contact_put(store, &row) == PSST_OK);
    return row.id;
}

/* In one group: so many texts stored that are said, and acknowledged; each a job of its own, as in psstd. */
static double ours(const char *path)
{
    struct psst_store *store;
    struct psst_diag diag;
    static struct psst_message_row rows[GROUP];
    char text[512];
    BENCH_CHECK(psst_store_open(&store, path, &bench_key, false, &diag) == PSST_OK);
    BENCH_CHECK(psst_store_begin(store) == PSST_OK);
    int64_t contact = add_contact(store, "Ben");
    BENCH_CHECK(psst_store_commit(store) == PSST_OK);
    double start = bench_wall_s();
    for (int group = 0; group < GROUPS; group++) {
        BENCH_CHECK(psst_store_begin(store) == PSST_OK);
        for (size_t i = 0; i < GROUP; i++) {
            BENCH_CHECK(psst_store_savepoint(store) == PSST_OK);
            make_row(&rows[i], contact, 1700000000000 + (uint64_t)group, psst_view(text, make_text(text, false)));
            BENCH_CHECK(psst_store_message_out(store, &rows[i]) == PSST_OK);
            psst_store_release(store, true);
        }
        BENCH_CHECK(psst_store_commit(store) == PSST_OK);
        BENCH_CHECK(psst_store_begin(store) == PSST_OK);
        for (size_t i = 0; i < GROUP; i++) {
            BENCH_CHECK(psst_store_savepoint(store) == PSST_OK);
            BENCH_CHECK(psst_store_message_settle(store, contact, &rows[i].id, PSST_MESSAGE_DELIVERED, 0, NULL) ==
                        PSST_OK);
            psst_store_release(store, true);
        }
        BENCH_CHECK(psst_store_commit(store) == PSST_OK);
    }
    double took = bench_wall_s() - start;
    psst_store_close(store);
    return GROUP * GROUPS / took;
}

static void exec(sqlite3 *db, const char *sql)
{
    BENCH_CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

/* The same bytes into one table of SQLCipher's, in as many transactions, each as durable. No index, nothing to search, nothing
 * that knows an id again. */
static double bare(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *insert = NULL, *update = NULL;
    char text[512], key[80] = "x'";
    struct psst_message_row row;
    for (size_t i = 0; i < sizeof bench_key.b; i++) (void)snprintf(key + 2 + 2 * i, 4, "%02x'", bench_key.b[i]);
    BENCH_CHECK(sqlite3_open(path, &db) == SQLITE_OK && sqlite3_key(db, key, (int)strlen(key)) == SQLITE_OK);
    exec(db, "PRAGMA cipher_page_size = 4096; PRAGMA kdf_iter = 64000; PRAGMA cache_size = -16384");
    exec(db, "CREATE TABLE messages (seq INTEGER PRIMARY KEY, contact INTEGER, direction INTEGER, state INTEGER, reason"
             " INTEGER, time_ms INTEGER, stored_ms INTEGER, msg_id BLOB, digest BLOB, text TEXT, sent_ms INTEGER)");
    exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
    BENCH_CHECK(sqlite3_prepare_v2(db, "INSERT INTO messages VALUES (NULL, 1, 1, 0, 0, ?1, ?1, ?2, x'', ?3, ?1)", -1,
                                   &insert, NULL) == SQLITE_OK);
    BENCH_CHECK(sqlite3_prepare_v2(db, "UPDATE messages SET state = 1 WHERE seq = ?1", -1, &update, NULL) == SQLITE_OK);
    double start = bench_wall_s();
    for (int group = 0; group < GROUPS; group++) {
        exec(db, "BEGIN");
        for (int i = 0; i < GROUP; i++) {
            make_row(&row, 1, 1700000000000 + (uint64_t)group, psst_view(text, make_text(text, false)));
            (void)sqlite3_bind_int64(insert, 1, (sqlite3_int64)row.time_ms);
            (void)sqlite3_bind_blob(insert, 2, row.id.b, sizeof row.id.b, SQLITE_STATIC);
            (void)sqlite3_bind_text(insert, 3, text, (int)row.text.len, SQLITE_STATIC);
            BENCH_CHECK(sqlite3_step(insert) == SQLITE_DONE && sqlite3_reset(insert) == SQLITE_OK);
        }
        exec(db, "COMMIT; BEGIN");
        for (int i = 0; i < GROUP; i++) {
            (void)sqlite3_bind_int64(update, 1, (sqlite3_int64)group * GROUP + i + 1);
            BENCH_CHECK(sqlite3_step(update) == SQLITE_DONE && sqlite3_reset(update) == SQLITE_OK);
        }
        exec(db, "COMMIT");
    }
    double took = bench_wall_s() - start;
    (void)sqlite3_finalize(insert);
    (void)sqlite3_finalize(update);
    BENCH_CHECK(sqlite3_close(db) == SQLITE_OK);
    return GROUP * GROUPS / took;
}

static void remove_store(const char *path)
{
    static const char *const tails[] = {"", "-wal", "-shm"};
    char name[4200];
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, tails[i]);
        (void)unlink(name);
    }
}

static void commits(const char *folder)
{
    char path[4096];
    double a[REPEATS], b[REPEATS], ratios[REPEATS];
    BENCH_CHECK((size_t)snprintf(path, sizeof path, "%s/commits.db", folder) < sizeof path - 8);
    for (int i = 0; i < REPEATS; i++) { /* in turns */
        remove_store(path);
        a[i] = ours(path);
        remove_store(path);
        b[i] = bare(path);
        ratios[i] = a[i] / b[i];
        remove_store(path);
    }
    bench_row("messages stored and settled a second, durable, groups of 256, a job each, searchable",
              bench_median(a, REPEATS), "1/s", "at least 2000", bench_median(a, REPEATS) >= 2000,
              "bare SQLCipher: the same rows, one table without an index, as many commits", bench_median(b, REPEATS),
              bench_median(ratios, REPEATS));
}

/* ---- a million ---- */

static size_t read_file(const char *home, const char *name, uint8_t *out, size_t size)
{
    char path[4096];
    BENCH_CHECK((size_t)snprintf(path, sizeof path, "%s/%s", home, name) < sizeof path);
    FILE *f = fopen(path, "rb");
    BENCH_CHECK(f != NULL);
    size_t len = fread(out, 1, size, f);
    (void)fclose(f);
    BENCH_CHECK(len > 0 && len < size);
    return len;
}

/* What psst-key does for psstd (docs/ARCHITECTURE.md, "Files on disk"); the identity has no passphrase. */
static struct psst_store *open_home(const char *home)
{
    static uint8_t pem[32768], wrapped[4096];
    struct psst_rsa_private *key = NULL;
    struct psst_kem_secret z;
    struct psst_aead_key wrap;
    struct psst_store_key store_key;
    struct psst_store *store = NULL;
    struct psst_diag diag = {{0}};
    char path[4096];
    size_t pem_len = read_file(home, "identity.pem", pem, sizeof pem);
    size_t wrapped_len = read_file(home, "store.key", wrapped, sizeof wrapped);
    BENCH_CHECK(psst_rsa_private_from_pem(&key, psst_view(pem, pem_len), psst_view(NULL, 0), &diag) == PSST_OK);
    BENCH_CHECK(psst_kem_decapsulate(key, "store", wrapped, &z) == PSST_OK);
    memcpy(wrap.b, z.b, sizeof wrap.b);
    BENCH_CHECK(psst_aead_open(store_key.b, &wrap, 0, psst_view_str("PSST/1 store"),
                               psst_view(wrapped + PSST_KEM_LEN, wrapped_len - PSST_KEM_LEN)) == PSST_OK);
    (void)snprintf(path, sizeof path, "%s/store.db", home);
    BENCH_CHECK(psst_store_open(&store, path, &store_key, false, &diag) == PSST_OK);
    psst_rsa_private_free(key);
    return store;
}

struct contacts {
    int64_t ids[8];
    size_t n;
};

static enum psst_err note_contact(void *ctx, const struct psst_contact_row *row)
{
    struct contacts *contacts = ctx;
    BENCH_CHECK(contacts->n < 8);
    contacts->ids[contacts->n++] = row->id;
    return PSST_OK;
}

/* Nine of ten with the first contact, in the order of their names; the others with the second; all done with. */
static void fill(const char *home, long total)
{
    struct psst_store *store = open_home(home);
    struct contacts contacts = {.n = 0};
    char text[512];
    BENCH_CHECK(psst_store_contacts(store, note_contact, &contacts) == PSST_OK && contacts.n >= 2);
    for (long done = 0; done < total;) {
        BENCH_CHECK(psst_store_begin(store) == PSST_OK);
        for (int i = 0; i < 2000 && done < total; i++, done++) {
            int64_t contact = contacts.ids[next_random() % 10 == 0];
            struct psst_message_row row;
            bool rare = done % (total / RARE + 1) == 7;
            make_row(&row, contact, 1600000000000 + (uint64_t)done * 60000, psst_view(text, make_text(text, rare)));
            BENCH_CHECK((next_random() % 2 ? psst_store_message_out(store, &row)
                                           : psst_store_message_in(store, &row)) == PSST_OK);
            if (row.direction == PSST_OUT)
                BENCH_CHECK(psst_store_message_settle(store, contact, &row.id, PSST_MESSAGE_DELIVERED, 0, NULL) ==
                            PSST_OK);
        }
        for (size_t i = 0; i < 2; i++)
            BENCH_CHECK(psst_store_messages_shown(store, contacts.ids[i], INT64_MAX) == PSST_OK);
        BENCH_CHECK(psst_store_commit(store) == PSST_OK);
    }
    psst_store_close(store);
}

static enum psst_err count_row(void *ctx, const struct psst_message_row *row)
{
    (void)row;
    ++*(size_t *)ctx;
    return PSST_OK;
}

/* Milliseconds of the slowest of some searches, each in a store that has just been opened. */
static double search_ms(const char *home, const char *words, bool in_contact, bool whole_range, size_t want)
{
    double worst = 0;
    for (int i = 0; i < REPEATS; i++) {
        struct psst_store *store = open_home(home);
        struct contacts contacts = {.n = 0};
        size_t n = 0;
        BENCH_CHECK(psst_store_contacts(store, note_contact, &contacts) == PSST_OK);
        const struct psst_find find = {.contact_id = in_contact ? contacts.ids[1] : 0,
                                       .words = psst_view_str(words),
                                       .until_ms = whole_range ? 0 : 1610000000000,
                                       .limit = 50};
        BENCH_CHECK(psst_store_begin(store) == PSST_OK);
        double start = bench_wall_s();
        BENCH_CHECK(psst_store_find(store, &find, count_row, &n) == PSST_OK);
        double took = (bench_wall_s() - start) * 1000;
        BENCH_CHECK(psst_store_commit(store) == PSST_OK);
        if (n != want && want != ANY) (void)fprintf(stderr, "bench: %s: %zu found\n", words, n);
        if (took > worst) worst = took;
        psst_store_close(store);
    }
    return worst;
}

static void search(const char *home)
{
    static const struct {
        const char *name, *words;
        bool in_contact, whole_range;
        size_t want;
    } cases[] = {
        {"a rare word (5 messages)", "zyxrare", false, true, RARE},
        {"a word that no message has", "zyxnone", false, true, 0},
        {"a word in every message", "the", false, true, 50},
        {"two words, each in every other message", "alpha beta", false, true, 50},
        {"two common words that follow each other nowhere", "\"beta alpha\"", false, true, 0},
        {"a common and a rare word", "alpha zyxrare", false, true, ANY},
        {"a beginning of many words, and a rare word", "a* zyxrare", false, true, ANY},
        {"a word in every message, of one contact of two", "the", true, true, 50},
        {"a word in every message, of four years ago", "the", false, false, 50},
    };
    double worst = 0;
    char name[160];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double ms = search_ms(home, cases[i].words, cases[i].in_contact, cases[i].whole_range, cases[i].want);
        (void)snprintf(name, sizeof name, "search in 1,000,000 messages: %s, cold, slowest of %d", cases[i].name,
                       REPEATS);
        bench_row(name, ms, "ms", "at most 100 ms", ms <= 100, NULL, 0, -1);
        if (ms > worst) worst = ms;
    }
    bench_row("search in 1,000,000 messages, the worst of these", worst, "ms", "at most 100 ms", worst <= 100, NULL, 0,
              -1);
}

static void erase(const char *home)
{
    struct psst_store *store = open_home(home);
    struct contacts contacts = {.n = 0};
    struct psst_tidied tidied = {.more = true};
    double longest = 0, most_cpu = 0, start = bench_wall_s();
    bool left = false;
    BENCH_CHECK(psst_store_contacts(store, note_contact, &contacts) == PSST_OK);
    BENCH_CHECK(psst_store_begin(store) == PSST_OK);
    BENCH_CHECK(psst_store_forget(store, contacts.ids[1], UINT64_MAX) == PSST_OK);
    BENCH_CHECK(psst_store_commit(store) == PSST_OK);
    while (tidied.more) {
        double step = bench_wall_s(), cpu = bench_cpu_s();
        BENCH_CHECK(psst_store_begin(store) == PSST_OK);
        BENCH_CHECK(psst_store_tidy(store, 0, &tidied) == PSST_OK);
        BENCH_CHECK(psst_store_commit(store) == PSST_OK);
        step = (bench_wall_s() - step) * 1000;
        cpu = (bench_cpu_s() - cpu) * 1000;
        if (step > longest) longest = step;
        if (cpu > most_cpu) most_cpu = cpu;
    }
    double took = bench_wall_s() - start;
    bench_row("erasing 100,000 of 1,000,000 messages: the longest that a message waits for it", longest, "ms",
              "at most 50 ms", longest <= 50, "the most CPU that a step of it takes", most_cpu, -1);
    bench_row("the same, altogether", took, "s", NULL, -1, NULL, 0, -1);
    start = bench_wall_s();
    BENCH_CHECK(psst_store_scrub(store, true, &left) == PSST_OK && !left);
    bench_row("its file written anew, so that no page holds a copy (at night, or at closing)", bench_wall_s() - start,
              "s", NULL, -1, NULL, 0, -1);
    BENCH_CHECK(psst_store_check(store) == PSST_OK);
    psst_store_close(store);
}

int main(int argc, char **argv)
{
    BENCH_CHECK(argc >= 3);
    make_vocabulary();
    if (strcmp(argv[1], "commits") == 0) commits(argv[2]);
    if (strcmp(argv[1], "fill") == 0) fill(argv[2], argc > 3 ? atol(argv[3]) : 1000000);
    if (strcmp(argv[1], "search") == 0) search(argv[2]);
    if (strcmp(argv[1], "erase") == 0) erase(argv[2]);
    return 0;
}
