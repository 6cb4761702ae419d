/* Methods about what has not arrived yet: outbox, recall, contact.receipts. */
#include "daemon/control/control.h"
#include "daemon/transfers/transfers.h"

#include "base/text.h"
#include "daemon/delivery/delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LIMIT_MAX 1000                 /* messages of one answer */
#define BYTES_MAX ((size_t)512 * 1024) /* of their text */
#define SHOWN_MAX ((size_t)200)        /* of one text: whoever wants all of it reads the log */
#define FILES_MAX 1000

/* ---- outbox ---- */

struct entry {
    struct entry *next;
    struct psst_message_row row; /* text points behind */
    uint8_t text[];
};

struct outbox_job {
    struct psst_request *req;
    json_t *files;     /* outgoing ones that are not over */
    int64_t *contacts; /* those for whom something waits */
    size_t n_contacts;
    size_t left, bytes;
    bool more; /* the answer is full */
    struct entry *first, **end;
};

/* The beginning of a text, cut between characters. */
static struct psst_view beginning(struct psst_view text)
{
    if (text.len <= SHOWN_MAX) return text;
    size_t len = SHOWN_MAX;
    while (len > 0 && (text.data[len] & 0xc0) == 0x80) len--;
    return psst_view(text.data, len);
}

static enum psst_err outbox_each(void *ctx, const struct psst_message_row *row)
{
    struct outbox_job *job = ctx;
    if (job->left == 0 || job->bytes > BYTES_MAX) {
        job->more = true;
        return PSST_ERR_AGAIN;
    }
    struct psst_view text = beginning(row->text);
    struct entry *entry = malloc(sizeof *entry + text.len);
    if (entry == NULL) return PSST_ERR_MEMORY;
    entry->row = *row;
    entry->next = NULL;
    if (text.len > 0) memcpy(entry->text, text.data, text.len);
    entry->row.text = psst_view(entry->text, text.len);
    *job->end = entry;
    job->end = &entry->next;
    job->left--;
    job->bytes += 6 * text.len; /* the most that JSON makes of it */
    return PSST_OK;
}

static enum psst_err outbox_work(struct psst_store *store, void *arg)
{
    struct outbox_job *job = arg;
    enum psst_err err = PSST_OK;
    for (size_t i = 0; i < job->n_contacts && err == PSST_OK; i++)
        err = psst_store_outbox(store, job->contacts[i], 0, job->left + 1, outbox_each, job);
    return err == PSST_ERR_AGAIN && job->more ? PSST_OK : err;
}

static bool has(const json_t *object, const char *key, const char *value)
{
    const char *found = json_string_value(json_object_get(object, key));
    return found != NULL && strcmp(found, value) == 0;
}

static json_t *open_files(struct psst_daemon *d)
{
    json_t *all = psst_transfers_json(d->transfers), *open = json_array();
    for (size_t i = 0; i < json_array_size(all) && json_array_size(open) < FILES_MAX; i++) {
        json_t *file = json_array_get(all, i);
        bool over = has(file, "state", "done") || has(file, "state", "declined") || has(file, "state", "failed");
        if (!over && has(file, "direction", "out")) (void)json_array_append(open, file);
    }
    json_decref(all);
    return open;
}

static json_t *files_of(const json_t *files, const struct psst_contact *contact)
{
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(files); i++)
        if (has(json_array_get(files, i), "contact", contact->alias))
            (void)json_array_append(list, json_array_get(files, i));
    return list;
}

static json_t *messages_of(const struct outbox_job *job, const struct psst_contact *contact)
{
    json_t *list = json_array();
    for (const struct entry *e = job->first; e != NULL; e = e->next)
        if (e->row.contact_id == contact->id) (void)json_array_append_new(list, psst_message_json(contact, &e->row));
    return list;
}

static json_t *outbox_json(struct outbox_job *job)
{
    struct psst_daemon *d = job->req->daemon;
    json_t *list = json_array();
    for (size_t i = 0; i < job->n_contacts; i++) {
        char why[PSST_WHY_SIZE];
        const struct psst_contact *contact = psst_book_by_id(d->book, job->contacts[i]);
        if (contact == NULL) continue;
        json_t *entry = json_pack("{s:s, s:s, s:b, s:i, s:o, s:o}", "contact", contact->alias, "why",
                                  psst_delivery_why(d->delivery, contact, why), "online", contact->session != NULL,
                                  "waiting", (int)contact->waiting, "messages", messages_of(job, contact), "files",
                                  files_of(job->files, contact));
        if (entry != NULL) (void)json_array_append_new(list, entry);
    }
    return list;
}

static void outbox_done(void *arg, enum psst_err err, const char *words)
{
    struct outbox_job *job = arg;
    if (err == PSST_OK)
        psst_request_result(job->req, json_pack("{s:o, s:b}", "outbox", outbox_json(job), "more", job->more));
    else
        psst_request_finish(job->req, err, words);
    while (job->first != NULL) {
        struct entry *entry = job->first;
        job->first = entry->next;
        psst_wipe(entry->text, entry->row.text.len);
        free(entry);
    }
    json_decref(job->files);
    free(job->contacts);
    free(job);
}

static bool waits(const struct outbox_job *job, const struct psst_contact *contact)
{
    if (contact->waiting > 0) return true;
    for (size_t i = 0; i < json_array_size(job->files); i++)
        if (has(json_array_get(job->files, i), "contact", contact->alias)) return true;
    return false;
}

static bool list_contacts(struct outbox_job *job, const struct psst_contact *one)
{
    struct psst_book *book = job->req->daemon->book;
    size_t room = 1;
    for (const struct psst_contact *c = psst_book_first(book); c != NULL; c = c->next) room++;
    job->contacts = calloc(room, sizeof *job->contacts);
    if (job->contacts == NULL) return false;
    for (const struct psst_contact *c = psst_book_first(book); c != NULL; c = c->next)
        if ((one == NULL || c == one) && waits(job, c)) job->contacts[job->n_contacts++] = c->id;
    return true;
}

void psst_control_outbox(struct psst_request *req)
{
    int64_t limit;
    const struct psst_contact *one = NULL;
    if (json_object_get(req->params, "name") != NULL && (one = psst_request_contact(req, "name")) == NULL) return;
    if (!psst_request_int(req, "limit", 1, LIMIT_MAX, LIMIT_MAX, &limit)) return;
    struct outbox_job *job = calloc(1, sizeof *job);
    if (job != NULL) {
        job->req = req;
        job->files = open_files(req->daemon);
        job->left = (size_t)limit;
        job->end = &job->first;
    }
    if (job == NULL || !list_contacts(job, one)) {
        if (job != NULL) json_decref(job->files);
        free(job);
        psst_request_finish(req, PSST_ERR_MEMORY, NULL);
        return;
    }
    psst_store_run(req->daemon->store, outbox_work, outbox_done, job);
}

/* ---- recall ---- */

/* In local time, as a person says it. */
static const char *clock_text(char out[64], uint64_t unix_ms)
{
    time_t then = (time_t)(unix_ms / 1000), now = time(NULL);
    struct tm tm, today;
    (void)localtime_r(&then, &tm);
    (void)localtime_r(&now, &today);
    bool same = tm.tm_year == today.tm_year && tm.tm_yday == today.tm_yday;
    (void)strftime(out, 64, same ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &tm);
    return out;
}

static void refuse_recall(struct psst_request *req, const struct psst_message_row *row)
{
    char when[64], words[200];
    switch (row->state) {
    case PSST_MESSAGE_SENT:
        (void)snprintf(words, sizeof words, "it was sent at %s and may have arrived: it cannot be taken back",
                       clock_text(when, row->sent_ms));
        psst_request_error(req, PSST_EXIT_FAILED, "sent", words);
        return;
    case PSST_MESSAGE_DELIVERED:
    case PSST_MESSAGE_READ:
        psst_request_error(req, PSST_EXIT_FAILED, "delivered", "it has arrived: it cannot be taken back");
        return;
    case PSST_MESSAGE_RECALLED:
        psst_request_error(req, PSST_EXIT_FAILED, "recalled", "it was taken back already");
        return;
    default:
        psst_request_error(req, PSST_EXIT_FAILED, "refused",
                           "the other side has seen it and did not accept it: there is nothing to take back");
    }
}

static void recalled(void *ctx, enum psst_err err, const char *words, size_t n, const struct psst_message_row *left)
{
    struct psst_request *req = ctx;
    if (err == PSST_ERR_NOT_FOUND)
        psst_request_error(req, PSST_EXIT_FAILED, "no-message", "there is no such message to take back");
    else if (err != PSST_OK)
        psst_request_finish(req, err, words);
    else if (left != NULL)
        refuse_recall(req, left);
    else
        psst_request_result(req, json_pack("{s:I}", "recalled", (json_int_t)n));
}

void psst_control_recall(struct psst_request *req)
{
    struct psst_recall what = {.kind = PSST_RECALL_LAST};
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL || !psst_request_int(req, "seq", 0, INT64_MAX, 0, &what.seq)) return;
    const json_t *id = json_object_get(req->params, "id");
    bool all = psst_request_bool(req, "all");
    if ((what.seq != 0) + (id != NULL) + all > 1) {
        psst_request_invalid(req, "seq, id and all exclude each other");
        return;
    }
    if (what.seq != 0) what.kind = PSST_RECALL_SEQ;
    if (all) what.kind = PSST_RECALL_ALL;
    if (id != NULL) {
        const char *hex = json_is_string(id) ? json_string_value(id) : "";
        what.kind = PSST_RECALL_ID;
        if (psst_hex_decode(what.id.b, sizeof what.id.b, psst_view_str(hex)) != PSST_OK) {
            psst_request_invalid(req, "id: 32 hexadecimal digits are wanted");
            return;
        }
    }
    psst_delivery_recall(req->daemon->delivery, contact, &what, recalled, req);
}
