/* What fuzz_control.c plays besides: messages, files and the store, as far as the control socket sees them. Each stand-in checks
 * what psstd promises to the real one. */
#include "fuzz.h"

#include "base/text.h"
#include "daemon/control/control.h"
#include "daemon/delivery/delivery.h"
#include "daemon/rescue.h"
#include "daemon/retention.h"
#include "daemon/transfers/transfers.h"

#include <unistd.h>

void psst_delivery_say(struct psst_delivery *delivery, struct psst_contact *contact, struct psst_view text,
                       psst_say_done *done, void *ctx)
{
    struct psst_message_row row = {.seq = 3, .contact_id = contact->id};
    (void)delivery;
    FUZZ_CHECK(text.len >= 1 && text.len <= PSST_TEXT_MAX && psst_text_valid(text));
    done(ctx, PSST_OK, NULL, &row);
}

void psst_delivery_shown(struct psst_delivery *delivery, struct psst_contact *contact)
{
    (void)delivery;
    FUZZ_CHECK(contact != NULL);
}

const char *psst_delivery_why(struct psst_delivery *delivery, const struct psst_contact *contact,
                              char out[PSST_WHY_SIZE])
{
    (void)delivery;
    memcpy(out, "why", 4);
    return contact != NULL ? out : NULL;
}

void psst_delivery_recall(struct psst_delivery *delivery, struct psst_contact *contact, const struct psst_recall *what,
                          psst_recall_done *done, void *ctx)
{
    const struct psst_message_row left = {.seq = 1, .contact_id = contact->id, .state = PSST_MESSAGE_SENT};
    (void)delivery;
    FUZZ_CHECK(what->kind != PSST_RECALL_SEQ || what->seq >= 1);
    done(ctx, what->kind == PSST_RECALL_ID ? PSST_ERR_NOT_FOUND : PSST_OK, NULL, 0,
         what->kind == PSST_RECALL_LAST ? &left : NULL);
}

const char *psst_message_state_name(enum psst_message_state message_state)
{
    (void)message_state;
    return "waiting";
}

json_t *psst_message_json(const struct psst_contact *contact, const struct psst_message_row *row)
{
    return json_pack("{s:s, s:I}", "contact", contact->alias, "seq", (json_int_t)row->seq);
}

void psst_rescue_words(struct psst_daemon *d, char out[PSST_RESCUE_WORDS_SIZE])
{
    (void)d;
    memcpy(out, "damaged", 8);
}

json_t *psst_rescue_json(struct psst_daemon *d)
{
    (void)d;
    return json_null();
}

json_t *psst_rescue_parts_json(struct psst_daemon *d, enum psst_store_part_kind kind)
{
    (void)d;
    (void)kind;
    return json_pack("[s]", "damaged");
}

json_t *psst_rescue_gaps_json(struct psst_daemon *d, int64_t after, int64_t before)
{
    (void)d;
    FUZZ_CHECK(after <= before);
    return NULL;
}

void psst_transfers_send(struct psst_transfers *transfers, struct psst_contact *contact, const char *path,
                         psst_transfer_done *done, void *ctx)
{
    (void)transfers;
    FUZZ_CHECK(contact != NULL && path[0] == '/');
    done(ctx, PSST_OK, NULL, 1);
}

void psst_transfers_send_stream(struct psst_transfers *transfers, struct psst_contact *contact, int fd,
                                const char *name, uint64_t client, psst_transfer_done *done, void *ctx)
{
    (void)transfers;
    FUZZ_CHECK(contact != NULL && fd >= 0 && client > 0);
    FUZZ_CHECK(name[0] != '\0' && strlen(name) <= PSST_FILE_NAME_MAX);
    (void)close(fd);
    done(ctx, PSST_OK, NULL, 1);
}

void psst_transfers_accept(struct psst_transfers *transfers, int64_t id, const struct psst_accept *accept,
                           psst_transfer_done *done, void *ctx)
{
    (void)transfers;
    FUZZ_CHECK(id >= 1 && accept->dir[0] == '/' && accept->client > 0);
    if (accept->fd >= 0) (void)close(accept->fd);
    done(ctx, PSST_OK, NULL, id);
}

void psst_transfers_cancel(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done, void *ctx)
{
    (void)transfers;
    FUZZ_CHECK(id >= 1);
    done(ctx, PSST_ERR_NOT_FOUND, NULL, id);
}

void psst_transfers_pause(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done, void *ctx)
{
    (void)transfers;
    FUZZ_CHECK(id >= 1);
    done(ctx, PSST_OK, NULL, id);
}

void psst_transfers_resume(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done, void *ctx)
{
    psst_transfers_pause(transfers, id, done, ctx);
}

void psst_transfers_first(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done, void *ctx)
{
    psst_transfers_pause(transfers, id, done, ctx);
}

json_t *psst_transfers_json(struct psst_transfers *transfers)
{
    (void)transfers;
    return json_pack("[{s:i}, {s:i}]", "id", 1, "id", 2);
}

json_t *psst_transfers_json_one(struct psst_transfers *transfers, int64_t id)
{
    (void)transfers;
    return id == 1 ? json_pack("{s:i}", "id", 1) : NULL;
}

void psst_transfers_page(struct psst_transfers *transfers, int64_t before, size_t limit, psst_transfers_page_done *done,
                         void *ctx)
{
    FUZZ_CHECK(before >= 0 && limit >= 1 && limit <= PSST_TRANSFERS_PAGE_MAX);
    done(ctx, PSST_OK, NULL, psst_transfers_json(transfers), before == 0);
}

void psst_transfers_client_gone(struct psst_transfers *transfers, uint64_t client)
{
    (void)transfers;
    FUZZ_CHECK(client > 0);
}

void psst_store_run(struct psst_store_thread *t, psst_store_work *work, psst_store_done *done, void *arg)
{
    (void)t;
    enum psst_err err = work(NULL, arg);
    done(arg, err, NULL);
}

static enum psst_err two_rows(int64_t contact_id, size_t limit, psst_message_each *each, void *ctx)
{
    struct psst_message_row row = {.seq = 1, .contact_id = contact_id, .text = psst_view_str("hello\n\"there\"")};
    enum psst_err err = PSST_OK;
    for (; row.seq <= 2 && (size_t)row.seq <= limit && err == PSST_OK; row.seq++) err = each(ctx, &row);
    return err;
}

enum psst_err psst_store_log(struct psst_store *store, int64_t contact_id, int64_t after_seq, size_t limit,
                             psst_message_each *each, void *ctx)
{
    (void)store;
    FUZZ_CHECK(after_seq >= 0 && limit >= 1);
    return two_rows(contact_id, limit, each, ctx);
}

enum psst_err psst_store_outbox(struct psst_store *store, int64_t contact_id, int64_t after_seq, size_t limit,
                                psst_message_each *each, void *ctx)
{
    (void)store;
    FUZZ_CHECK(after_seq == 0 && limit >= 1);
    return two_rows(contact_id, limit, each, ctx);
}

enum psst_err psst_store_log_before(struct psst_store *store, int64_t contact_id, int64_t before_seq, size_t limit,
                                    psst_message_each *each, void *ctx)
{
    (void)store;
    FUZZ_CHECK(before_seq >= 1 && limit >= 1 && limit <= 1000);
    return two_rows(contact_id, limit, each, ctx);
}

enum psst_err psst_store_find(struct psst_store *store, const struct psst_find *find, psst_message_each *each,
                              void *ctx)
{
    (void)store;
    FUZZ_CHECK(find->limit >= 1 && find->limit <= PSST_FIND_MAX && find->words.len <= PSST_FIND_WORDS_MAX);
    FUZZ_CHECK(find->contact_id != 0 || find->words.len > 0);
    FUZZ_CHECK(find->after_seq >= 0 && find->before_seq >= 0);
    if (find->words.len == 1) return PSST_ERR_MALFORMED;
    return two_rows(find->contact_id != 0 ? find->contact_id : 1, find->limit, each, ctx);
}

enum psst_err psst_store_forget(struct psst_store *store, int64_t contact_id, uint64_t before_ms)
{
    (void)store;
    FUZZ_CHECK(contact_id > 0 && before_ms > 0);
    return PSST_OK;
}

void psst_retention_run(struct psst_retention *retention, psst_retention_done *done, void *ctx)
{
    (void)retention;
    done(ctx, PSST_OK, "");
}

void psst_retention_soon(struct psst_retention *retention)
{
    (void)retention;
}

enum psst_err psst_store_check(struct psst_store *store)
{
    (void)store;
    return PSST_OK;
}

enum psst_err psst_store_unread(struct psst_store *store, int64_t contact_id, struct psst_unread *unread)
{
    (void)store;
    (void)contact_id;
    *unread = (struct psst_unread){2, 100};
    return PSST_OK;
}

enum psst_err psst_store_messages_shown(struct psst_store *store, int64_t contact_id, int64_t up_to_seq)
{
    (void)store;
    (void)contact_id;
    FUZZ_CHECK(up_to_seq >= 0);
    return PSST_OK;
}
