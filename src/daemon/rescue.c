#include "daemon/rescue.h"

#include "daemon/identity.h"

#include <stdio.h>
#include <time.h>

#define WORDS_SIZE 200

static bool is_open(const struct psst_daemon *d)
{
    return psst_identity_state(d->identity) == PSST_IDENTITY_RESCUE;
}

void psst_rescue_words(struct psst_daemon *d, char out[PSST_RESCUE_WORDS_SIZE])
{
    (void)snprintf(
        out, PSST_RESCUE_WORDS_SIZE,
        "the history is damaged and open for reading only: copy out what you need (psst log NAME --json), then "
        "psst down, and move %.300s away (and what lies beside it: -wal, -shm) or put a copy in its place",
        d->paths.store_db);
}

/* ---- one part ---- */

/* "3", "3 to 5", "from 3 on" */
static void numbers(char out[64], const struct psst_store_part *part)
{
    if (part->last == INT64_MAX)
        (void)snprintf(out, 64, "from %lld on", (long long)part->first);
    else if (part->first == part->last)
        (void)snprintf(out, 64, "%lld", (long long)part->first);
    else
        (void)snprintf(out, 64, "%lld to %lld", (long long)part->first, (long long)part->last);
}

static void minute(char out[32], uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL || strftime(out, 32, "%Y-%m-%d %H:%M", &tm) == 0)
        (void)snprintf(out, 32, "an unknown day");
}

static void when(char out[96], const struct psst_store_part *part)
{
    char after[32], before[32];
    minute(after, part->after_ms);
    minute(before, part->before_ms);
    out[0] = '\0';
    if (part->after_ms != 0 && part->before_ms != 0)
        (void)snprintf(out, 96, ", stored between %s and %s UTC", after, before);
    else if (part->after_ms != 0)
        (void)snprintf(out, 96, ", stored after %s UTC", after);
    else if (part->before_ms != 0)
        (void)snprintf(out, 96, ", stored before %s UTC", before);
}

static const char *part_words(char out[WORDS_SIZE], const struct psst_store_part *part)
{
    char which[64], time[96];
    bool one = part->first == part->last;
    numbers(which, part);
    when(time, part);
    switch (part->kind) {
    case PSST_PART_CONTACTS:
        (void)snprintf(out, WORDS_SIZE, "%s %s, in the order of adding", one ? "contact" : "contacts", which);
        break;
    case PSST_PART_MESSAGES:
        (void)snprintf(out, WORDS_SIZE, "%s %s%s", one ? "message" : "messages", which, time);
        break;
    case PSST_PART_TRANSFERS:
        (void)snprintf(out, WORDS_SIZE, "%s %s of the list of files", one ? "entry" : "entries", which);
        break;
    case PSST_PART_CUT_SHORT:
        (void)snprintf(out, WORDS_SIZE, "the end of the file: %lld of %lld bytes are there", (long long)part->first,
                       (long long)part->last);
        break;
    case PSST_PART_OTHER: (void)snprintf(out, WORDS_SIZE, "an index or free room: all that is kept can be read"); break;
    }
    return out;
}

static const char *kind_name(enum psst_store_part_kind kind)
{
    switch (kind) {
    case PSST_PART_CONTACTS: return "contacts";
    case PSST_PART_MESSAGES: return "messages";
    case PSST_PART_TRANSFERS: return "files";
    case PSST_PART_CUT_SHORT: return "end";
    case PSST_PART_OTHER: break;
    }
    return "other";
}

/* ---- all parts ---- */

static json_t *all_parts(struct psst_daemon *d)
{
    size_t n = 0;
    const struct psst_store_part *parts = psst_store_thread_parts(d->store, &n);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        char words[WORDS_SIZE];
        json_t *part = json_pack("{s:s, s:s}", "part", kind_name(parts[i].kind), "words", part_words(words, &parts[i]));
        if (part != NULL && parts[i].kind <= PSST_PART_TRANSFERS) {
            (void)json_object_set_new(part, "first", json_integer(parts[i].first));
            if (parts[i].last != INT64_MAX) (void)json_object_set_new(part, "last", json_integer(parts[i].last));
        }
        (void)json_array_append_new(list, part);
    }
    return list;
}

json_t *psst_rescue_json(struct psst_daemon *d)
{
    char words[PSST_RESCUE_WORDS_SIZE];
    const char *closed = psst_identity_store_trouble(d->identity);
    if (!is_open(d) && closed[0] == '\0') return json_null();
    psst_rescue_words(d, words);
    json_t *file = json_string(d->paths.store_db); /* a path may be anything but text */
    return json_pack("{s:o, s:b, s:o, s:s}", "file", file != NULL ? file : json_string("?"), "readable", is_open(d),
                     "parts", is_open(d) ? all_parts(d) : json_array(), "words", is_open(d) ? words : closed);
}

json_t *psst_rescue_parts_json(struct psst_daemon *d, enum psst_store_part_kind kind)
{
    size_t n = 0;
    json_t *list = NULL;
    const struct psst_store_part *parts = is_open(d) ? psst_store_thread_parts(d->store, &n) : NULL;
    for (size_t i = 0; i < n; i++) {
        char words[WORDS_SIZE];
        if (parts[i].kind != kind) continue;
        if (list == NULL) list = json_array();
        (void)json_array_append_new(list, json_string(part_words(words, &parts[i])));
    }
    return list;
}

json_t *psst_rescue_gaps_json(struct psst_daemon *d, int64_t after, int64_t before)
{
    size_t n = 0;
    json_t *list = NULL;
    const struct psst_store_part *parts = is_open(d) ? psst_store_thread_parts(d->store, &n) : NULL;
    for (size_t i = 0; i < n; i++) {
        char words[WORDS_SIZE];
        if (parts[i].kind != PSST_PART_MESSAGES || parts[i].last <= after || parts[i].first >= before) continue;
        if (list == NULL) list = json_array();
        (void)json_array_append_new(list, json_pack("{s:I, s:I, s:s}", "first", (json_int_t)parts[i].first, "last",
                                                    (json_int_t)parts[i].last, "words", part_words(words, &parts[i])));
    }
    return list;
}
