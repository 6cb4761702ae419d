/* Methods about presence: how one shows oneself, to all or to one; and about agreed times. */
#include "daemon/presence.h"
#include "daemon/control/control.h"
#include "daemon/meet.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- showing ---- */

static json_t *exceptions(const struct psst_daemon *d)
{
    json_t *list = json_array();
    for (const struct psst_contact *c = psst_book_first(d->book); c != NULL; c = c->next) {
        if (c->presence == PSST_PRESENCE_AS_ALL) continue;
        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "contact", c->alias, "state",
                                                    psst_presence_name((enum psst_presence)c->presence), "text",
                                                    c->presence_text != NULL ? c->presence_text : ""));
    }
    return list;
}

static void show(struct psst_request *req)
{
    json_t *result = psst_presence_own_json(req->daemon);
    if (result != NULL) (void)json_object_set_new(result, "exceptions", exceptions(req->daemon));
    psst_request_result(req, result);
}

/* ---- changing ---- */

struct wanted {
    enum psst_presence state;
    const char *text;
};

/* False: answered. */
static bool read_wanted(struct psst_request *req, bool for_one, struct wanted *wanted)
{
    const char *state = psst_request_string(req, "state");
    if (state == NULL) return false;
    const json_t *text = json_object_get(req->params, "text");
    wanted->text = json_is_string(text) ? json_string_value(text) : "";
    size_t len = strlen(wanted->text);
    const char *wrong = NULL;
    if (text != NULL && !json_is_string(text))
        wrong = "text: a string is wanted";
    else if (!psst_presence_find(state, &wanted->state))
        wrong = "there is online, away, busy, invisible, and for one contact as-all";
    else if (wanted->state == PSST_PRESENCE_AS_ALL && !for_one)
        wrong = "as-all is for one contact";
    else if (len > 0 && (wanted->state == PSST_PRESENCE_INVISIBLE || wanted->state == PSST_PRESENCE_AS_ALL))
        wrong = "nobody would see the text";
    else if (len > PSST_PRESENCE_TEXT_MAX || !psst_text_valid(psst_view_str(wanted->text)))
        wrong = "the text has at most 140 bytes of UTF-8";
    if (wrong == NULL) return true;
    psst_request_invalid(req, wrong);
    return false;
}

static void set_for_all(void *ctx, enum psst_err err, const char *words)
{
    struct psst_request *req = ctx;
    if (err == PSST_OK)
        show(req);
    else
        psst_request_finish(req, err, words);
}

static void set_for_one(void *ctx, enum psst_err err, const char *words)
{
    struct psst_request *req = ctx;
    int64_t *id = req->state;
    struct psst_contact *contact = err == PSST_OK ? psst_book_by_id(req->daemon->book, *id) : NULL;
    free(id);
    if (contact == NULL) {
        psst_request_finish(req, err, words);
        return;
    }
    psst_presence_applied(req->daemon, contact);
    psst_daemon_event(req->daemon, "contact", psst_contact_json(contact));
    show(req);
}

static void change_for_one(struct psst_request *req, struct psst_contact *contact, const struct wanted *wanted)
{
    int64_t *id = malloc(sizeof *id);
    if (id == NULL) {
        psst_request_finish(req, PSST_ERR_MEMORY, NULL);
        return;
    }
    *id = contact->id;
    req->state = id;
    struct psst_contact with = *contact;
    with.presence = (uint8_t)wanted->state;
    with.presence_text = wanted->text;
    psst_book_put(req->daemon->book, contact, &with, set_for_one, req);
    PSST_WIPE(with);
}

void psst_control_presence(struct psst_request *req)
{
    struct wanted wanted;
    bool for_one = json_object_get(req->params, "for") != NULL;
    if (json_object_get(req->params, "state") == NULL && !for_one) {
        show(req);
        return;
    }
    struct psst_contact *contact = for_one ? psst_request_contact(req, "for") : NULL;
    if ((for_one && contact == NULL) || !read_wanted(req, for_one, &wanted)) return;
    if (for_one)
        change_for_one(req, contact, &wanted);
    else
        psst_presence_set(req->daemon, wanted.state, wanted.text, set_for_all, req);
}

/* ---- meetings ---- */

static void meeting_done(void *ctx, enum psst_err err, const char *words, int64_t id)
{
    struct psst_request *req = ctx;
    if (err == PSST_OK)
        psst_request_result(req, json_pack("{s:I}", "id", (json_int_t)id));
    else
        psst_request_finish(req, err, words);
}

void psst_control_meet(struct psst_request *req)
{
    int64_t time_ms;
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL || !psst_request_int(req, "time_ms", 1, INT64_MAX, 0, &time_ms)) return;
    if (contact->blocked) {
        char words[256];
        (void)snprintf(words, sizeof words, "%s is blocked: psst unblock %s", contact->alias, contact->alias);
        psst_request_error(req, PSST_EXIT_FAILED, "blocked", words);
        return;
    }
    psst_meet_propose(req->daemon->meets, contact, (uint64_t)time_ms, meeting_done, req);
}

void psst_control_meets(struct psst_request *req)
{
    bool of_one = json_object_get(req->params, "name") != NULL;
    const struct psst_contact *contact = of_one ? psst_request_contact(req, "name") : NULL;
    if (of_one && contact == NULL) return;
    psst_request_result(req, json_pack("{s:o}", "meets", psst_meets_json(req->daemon->meets, contact)));
}

void psst_control_meet_cancel(struct psst_request *req)
{
    int64_t id;
    if (!psst_request_int(req, "id", 1, INT64_MAX, 0, &id)) return;
    psst_meet_cancel(req->daemon->meets, id, meeting_done, req);
}
