/* Methods about the history: log (with ranges and searching), contact.history, contact.forget. */
#include "daemon/control/control.h"

#include "base/text.h"
#include "daemon/rescue.h"
#include "daemon/retention.h"

#include <stdio.h>
#include <stdlib.h>

#define LOG_BYTES_MAX ((size_t)768 * 1024) /* of one answer, as JSON: under PSST_LINE_MAX */
#define DAYS_MAX      36500

/* ---- log ---- */

struct log_entry {
    struct psst_message_row row; /* text points behind */
    struct log_entry *next;
    size_t cost;
    uint8_t text[];
};

struct log_job {
    struct psst_request *req;
    struct psst_find find;
    bool plain; /* neither words nor times: what every user interface asks for first */
    struct log_entry *first, **end;
    size_t bytes, n;
    bool
        more; /* some were left out, the answer must fit into a line: at the beginning, or with find.first at the end */
    char words[PSST_FIND_WORDS_MAX + 1];
};

/* Bytes of text inside a JSON string. */
static size_t json_cost(struct psst_view text)
{
    size_t cost = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        cost += c < 0x20 || c == 0x7f ? 6 : c == '"' || c == '\\' ? 2 : 1;
    }
    return cost;
}

static void drop_oldest(struct log_job *job)
{
    struct log_entry *oldest = job->first;
    job->first = oldest->next;
    job->bytes -= oldest->cost;
    job->n--;
    job->more = true;
    psst_wipe(oldest->text, oldest->row.text.len);
    free(oldest);
}

static enum psst_err log_each(void *ctx, const struct psst_message_row *row)
{
    struct log_job *job = ctx;
    size_t cost = 512 + json_cost(row->text);
    if (job->find.first && job->first != NULL && job->bytes + cost > LOG_BYTES_MAX) {
        job->more = true;
        return PSST_ERR_FULL; /* ends the walk */
    }
    struct log_entry *entry = malloc(sizeof *entry + row->text.len);
    if (entry == NULL) return PSST_ERR_MEMORY;
    *entry = (struct log_entry){.row = *row, .cost = cost};
    if (row->text.len > 0) memcpy(entry->text, row->text.data, row->text.len);
    entry->row.text = psst_view(entry->text, row->text.len);
    *job->end = entry;
    job->end = &entry->next;
    job->bytes += cost;
    job->n++;
    while (job->bytes > LOG_BYTES_MAX && job->first != entry) drop_oldest(job);
    return PSST_OK;
}

static enum psst_err log_work(struct psst_store *store, void *arg)
{
    struct log_job *job = arg;
    const struct psst_find *find = &job->find;
    enum psst_err err;
    if (!job->plain)
        err = psst_store_find(store, find, log_each, job);
    else if (find->before_seq > 0)
        err = psst_store_log_before(store, find->contact_id, find->before_seq, find->limit, log_each, job);
    else
        err = psst_store_log(store, find->contact_id, find->after_seq, find->limit, log_each, job);
    return err == PSST_ERR_FULL && job->more ? PSST_OK : err;
}

/* What cannot be read around the messages that are given; before the first of them only where they begin there. */
static json_t *gaps(const struct log_job *job)
{
    bool from_the_start = job->find.first || (job->n < job->find.limit && !job->more);
    int64_t after = from_the_start || job->first == NULL ? job->find.after_seq : job->first->row.seq;
    int64_t before = job->find.before_seq > 0 ? job->find.before_seq : INT64_MAX;
    if (job->find.first && job->n > 0 && (job->more || job->n == job->find.limit)) {
        const struct log_entry *last = job->first;
        while (last->next != NULL) last = last->next;
        before = last->row.seq;
    }
    return psst_rescue_gaps_json(job->req->daemon, after, before);
}

/* What can only be wrong with the words that are looked for. */
static bool refuse_words(const struct log_job *job, enum psst_err err)
{
    if (job->find.words.len == 0) return false;
    const char *words = err == PSST_ERR_MALFORMED  ? "there is no letter and no digit in what is to be searched"
                        : err == PSST_ERR_TOO_LONG ? "too many words to search at once"
                        : err == PSST_ERR_USAGE    ? "a history that is open for reading only cannot be searched"
                                                   : NULL;
    if (words != NULL) psst_request_error(job->req, PSST_EXIT_USAGE, "bad-search", words);
    return words != NULL;
}

static void log_done(void *arg, enum psst_err err, const char *words)
{
    struct log_job *job = arg;
    struct psst_book *book = job->req->daemon->book;
    bool good = err == PSST_OK && (job->find.contact_id == 0 || psst_book_by_id(book, job->find.contact_id) != NULL);
    json_t *damaged = good ? gaps(job) : NULL;
    json_t *list = json_array();
    while (job->first != NULL) {
        struct log_entry *entry = job->first;
        job->first = entry->next;
        const struct psst_contact *contact = good ? psst_book_by_id(book, entry->row.contact_id) : NULL;
        if (contact != NULL) (void)json_array_append_new(list, psst_message_json(contact, &entry->row));
        psst_wipe(entry->text, entry->row.text.len);
        free(entry);
    }
    if (good) {
        psst_request_result(job->req,
                            json_pack("{s:o, s:b, s:o*}", "messages", list, "more", job->more, "damaged", damaged));
    } else {
        json_decref(list);
        if (!refuse_words(job, err)) psst_request_finish(job->req, err != PSST_OK ? err : PSST_ERR_NOT_FOUND, words);
    }
    free(job);
}

static bool take_words(struct log_job *job)
{
    const json_t *words = json_object_get(job->req->params, "search");
    size_t len = json_string_length(words);
    if (words == NULL) return true;
    if (!json_is_string(words) || len == 0 || len > PSST_FIND_WORDS_MAX) {
        psst_request_error(job->req, PSST_EXIT_USAGE, "bad-search", "1 to 1000 bytes can be searched");
        return false;
    }
    memcpy(job->words, json_string_value(words), len);
    job->find.words = psst_view(job->words, len);
    return true;
}

/* False: answered. */
static bool take_params(struct log_job *job)
{
    struct psst_request *req = job->req;
    int64_t limit, after, before, since, until;
    bool all = json_object_get(req->params, "name") == NULL && json_object_get(req->params, "search") != NULL;
    const struct psst_contact *contact = all ? NULL : psst_request_contact(req, "name");
    if ((contact == NULL && !all) || !psst_request_int(req, "limit", 1, PSST_FIND_MAX, 50, &limit) ||
        !psst_request_int(req, "after", 0, INT64_MAX, 0, &after) ||
        !psst_request_int(req, "before", 0, INT64_MAX, 0, &before) ||
        !psst_request_int(req, "since_ms", 0, INT64_MAX, 0, &since) ||
        !psst_request_int(req, "until_ms", 0, INT64_MAX, 0, &until) || !take_words(job))
        return false;
    job->find.contact_id = contact != NULL ? contact->id : 0;
    job->find.limit = (size_t)limit;
    job->find.after_seq = after;
    job->find.before_seq = before;
    job->find.since_ms = (uint64_t)since;
    job->find.until_ms = (uint64_t)until;
    job->find.first = psst_request_bool(req, "first");
    job->plain =
        job->find.words.len == 0 && since == 0 && until == 0 && !job->find.first && (after == 0 || before == 0);
    return true;
}

void psst_control_log(struct psst_request *req)
{
    struct log_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        psst_request_finish(req, PSST_ERR_MEMORY, NULL);
        return;
    }
    job->req = req;
    job->end = &job->first;
    if (take_params(job))
        psst_store_run(req->daemon->store, log_work, log_done, job);
    else
        free(job);
}

/* ---- what is kept ---- */

struct keeping {
    struct psst_request *req;
    int64_t contact_id;
    uint64_t before_ms;
};

static struct keeping *keeping_new(struct psst_request *req, const struct psst_contact *contact)
{
    struct keeping *keeping = calloc(1, sizeof *keeping);
    if (keeping == NULL)
        psst_request_finish(req, PSST_ERR_MEMORY, NULL);
    else
        *keeping = (struct keeping){.req = req, .contact_id = contact->id};
    return keeping;
}

/* What is to go is gone. */
static void kept(void *ctx, enum psst_err err, const char *words)
{
    struct keeping *keeping = ctx;
    struct psst_request *req = keeping->req;
    const struct psst_contact *contact = psst_book_by_id(req->daemon->book, keeping->contact_id);
    free(keeping);
    if (err != PSST_OK || contact == NULL) {
        psst_request_finish(req, err != PSST_OK ? err : PSST_ERR_NOT_FOUND, words);
        return;
    }
    psst_request_result(req, psst_contact_json(contact));
}

static void setting_stored(void *ctx, enum psst_err err, const char *words)
{
    struct keeping *keeping = ctx;
    struct psst_daemon *d = keeping->req->daemon;
    const struct psst_contact *contact = psst_book_by_id(d->book, keeping->contact_id);
    if (err != PSST_OK || contact == NULL) {
        kept(keeping, err, words);
        return;
    }
    psst_daemon_event(d, "contact", psst_contact_json(contact));
    psst_retention_run(d->retention, kept, keeping);
}

void psst_control_history(struct psst_request *req)
{
    int64_t days;
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL || !psst_request_int(req, "days", 0, DAYS_MAX, 0, &days)) return;
    if (!json_is_boolean(json_object_get(req->params, "keep"))) {
        psst_request_invalid(req, "keep: true or false is wanted");
        return;
    }
    struct psst_contact with = *contact;
    with.keep_history = psst_request_bool(req, "keep");
    with.keep_days = with.keep_history ? (uint32_t)days : 0;
    struct keeping *keeping = keeping_new(req, contact);
    if (keeping != NULL) psst_book_put(req->daemon->book, contact, &with, setting_stored, keeping);
    PSST_WIPE(with);
}

static enum psst_err forget_work(struct psst_store *store, void *arg)
{
    const struct keeping *keeping = arg;
    return psst_store_forget(store, keeping->contact_id, keeping->before_ms > 0 ? keeping->before_ms : UINT64_MAX);
}

static void forget_stored(void *arg, enum psst_err err, const char *words)
{
    struct keeping *keeping = arg;
    if (err == PSST_OK)
        psst_retention_run(keeping->req->daemon->retention, kept, keeping);
    else
        kept(keeping, err, words);
}

void psst_control_forget(struct psst_request *req)
{
    int64_t before;
    const struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL || !psst_request_int(req, "before_ms", 0, INT64_MAX, 0, &before)) return;
    struct keeping *keeping = keeping_new(req, contact);
    if (keeping == NULL) return;
    keeping->before_ms = (uint64_t)before;
    psst_store_run(req->daemon->store, forget_work, forget_stored, keeping);
}
