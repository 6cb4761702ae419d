/* Pages of the history. Where the window begins anew, what was asked for before is nobody's any more.
 *
 *   open, end    log {limit}                   -> the end
 *   beginning    log {limit, first}            -> the beginning
 *   jump         log {limit, before: seq}      -> around it
 *                log {limit, after: seq - 1, first}
 *   older        log {limit, before: first}    newer   log {limit, after: last, first}
 *   look again   log {limit, after: first - 1, before: last + 1, first}, until all of the window was looked at
 *
 * A page that does not come is no end: its side stays open, and it is asked for when the person wants it again.
 */
#include "client/model_internal.h"

#include <string.h>

enum window { WINDOW_END, WINDOW_BEGINNING, WINDOW_AROUND };
enum page { PAGE_OLDER, PAGE_NEWER, PAGE_END, PAGE_BEGINNING, PAGE_AGAIN };

#define PAGE_FIRST 8 /* a bit: of those with which the window begins */

static void page_done(struct psst_asked *asked, json_t *result, const struct psst_failure *failure);
static void again_done(struct psst_asked *asked, json_t *result, const struct psst_failure *failure);

static bool ask(struct psst_conversation *conversation, enum page page, int limit, int64_t seq, bool first)
{
    json_t *params = psst_rpc_name(conversation->name);
    if (params == NULL) return false;
    (void)json_object_set_new(params, "limit", json_integer(limit));
    if (page == PAGE_OLDER) (void)json_object_set_new(params, "before", json_integer(seq));
    if (page == PAGE_NEWER) (void)json_object_set_new(params, "after", json_integer(seq));
    if (page == PAGE_NEWER || page == PAGE_BEGINNING) (void)json_object_set_new(params, "first", json_true());
    struct psst_asked *asked = psst_model_ask(conversation->model, "log", params, page_done);
    if (asked == NULL) return false;
    asked->conversation = conversation;
    asked->part = (int)page | (first ? PAGE_FIRST : 0);
    asked->len = (size_t)limit;
    conversation->trouble[0] = '\0';
    return true;
}

void psst_conversation_unask(struct psst_conversation *conversation)
{
    for (struct psst_asked *asked = conversation->model->asked; asked != NULL; asked = asked->next)
        if (asked->conversation == conversation) asked->conversation = NULL;
    conversation->pages = 0;
    conversation->asked_older = conversation->asked_newer = false;
}

/* ---- beginning anew ---- */

static void begin(struct psst_conversation *conversation, enum window how, int64_t seq)
{
    conversation->how = (int)how;
    conversation->centre = seq;
    if (conversation->person == NULL) return;
    psst_conversation_unask(conversation);
    psst_conversation_clear(conversation);
    conversation->loaded = conversation->older = false;
    conversation->newer = how != WINDOW_END;
    conversation->follows = how == WINDOW_END;
    conversation->below = 0;
    unsigned pages = 0;
    if (how == WINDOW_END) pages += ask(conversation, PAGE_END, PSST_CONVERSATION_PAGE, 0, true);
    if (how == WINDOW_BEGINNING) pages += ask(conversation, PAGE_BEGINNING, PSST_CONVERSATION_PAGE, 0, true);
    if (how == WINDOW_AROUND) {
        pages += ask(conversation, PAGE_OLDER, PSST_CONVERSATION_PAGE / 2, seq, true);
        pages += ask(conversation, PAGE_NEWER, PSST_CONVERSATION_PAGE / 2, seq - 1, true);
    }
    conversation->pages = pages;
    conversation->partly = false;
    psst_conversation_weave(conversation);
    psst_model_changed(conversation->model, PSST_PART_CONVERSATION);
}

void psst_conversation_reload(struct psst_conversation *conversation)
{
    begin(conversation, (enum window)conversation->how, conversation->centre);
}

void psst_conversation_jump(struct psst_conversation *conversation, int64_t seq)
{
    begin(conversation, seq > 0 ? WINDOW_AROUND : WINDOW_END, seq);
}

void psst_conversation_end(struct psst_conversation *conversation)
{
    begin(conversation, WINDOW_END, 0);
}

void psst_conversation_beginning(struct psst_conversation *conversation)
{
    begin(conversation, WINDOW_BEGINNING, 0);
}

/* ---- going on ---- */

/* The first page did not come, or what came of it was nothing. True: it is asked for anew. */
static bool begin_again(struct psst_conversation *conversation)
{
    bool holds = conversation->loaded && (conversation->n_messages > 0 || conversation->trouble[0] == '\0');
    if (holds || conversation->pages > 0 || conversation->person == NULL) return false;
    psst_conversation_reload(conversation);
    return true;
}

void psst_conversation_older(struct psst_conversation *conversation)
{
    if (begin_again(conversation)) return;
    int64_t first = psst_window_first(conversation);
    if (conversation->person == NULL || !conversation->loaded || !conversation->older || conversation->asked_older)
        return;
    if (first <= 0) return;
    conversation->asked_older = ask(conversation, PAGE_OLDER, PSST_CONVERSATION_PAGE, first, false);
}

void psst_conversation_newer(struct psst_conversation *conversation)
{
    if (begin_again(conversation)) return;
    int64_t last = psst_window_last(conversation);
    if (conversation->person == NULL || !conversation->loaded || !conversation->newer || conversation->asked_newer)
        return;
    conversation->asked_newer = ask(conversation, PAGE_NEWER, PSST_CONVERSATION_PAGE, last, false);
}

/* ---- looking again ---- */

static void ask_again(struct psst_conversation *conversation, int64_t first, int64_t last)
{
    json_t *params = psst_rpc_name(conversation->name);
    (void)json_object_set_new(params, "limit", json_integer(PSST_WINDOW_MESSAGES));
    (void)json_object_set_new(params, "after", json_integer(first - 1));
    if (last < INT64_MAX) (void)json_object_set_new(params, "before", json_integer(last + 1));
    (void)json_object_set_new(params, "first", json_true());
    struct psst_asked *asked = params != NULL ? psst_model_ask(conversation->model, "log", params, again_done) : NULL;
    if (asked == NULL) {
        psst_conversation_reload(conversation);
        return;
    }
    asked->conversation = conversation;
    asked->part = PAGE_AGAIN;
    asked->first = first;
    asked->last = last;
}

static void again_done(struct psst_asked *asked, json_t *result, const struct psst_failure *failure)
{
    struct psst_conversation *conversation = asked->conversation;
    const json_t *list = json_object_get(result, "messages");
    (void)failure;
    if (conversation == NULL) return; /* it was closed, or begins anew anyhow */
    if (result == NULL) {             /* what is erased does not stay because nothing can be read */
        psst_conversation_reload(conversation);
        return;
    }
    bool more = json_is_true(json_object_get(result, "more")) && json_array_size(list) > 0;
    int64_t to = psst_model_int(json_array_get(list, json_array_size(list) - 1), "seq", 0);
    if (!more || to < asked->first) to = asked->last;
    psst_window_keep(conversation, asked->first, to, list);
    if (to < asked->last) ask_again(conversation, to + 1, asked->last);
    psst_conversation_weave(conversation);
    psst_model_changed(conversation->model, PSST_PART_CONVERSATION);
}

bool psst_conversation_looks_again(const struct psst_conversation *conversation)
{
    const struct psst_asked *asked = conversation->model->asked;
    while (asked != NULL && (asked->conversation != conversation || asked->part != PAGE_AGAIN)) asked = asked->next;
    return asked != NULL;
}

void psst_conversation_look_again(struct psst_conversation *conversation)
{
    for (struct psst_asked *asked = conversation->model->asked; asked != NULL; asked = asked->next)
        if (asked->conversation == conversation && asked->part == PAGE_AGAIN)
            asked->conversation = NULL; /* out of date */
    if (!conversation->loaded)
        psst_conversation_reload(conversation);
    else if (conversation->n_messages > 0)
        ask_again(conversation, psst_window_first(conversation), psst_window_last(conversation));
}

/* ---- pages ---- */

bool psst_conversation_news_of(struct psst_conversation_news *out, const json_t *message)
{
    const json_t *text = json_object_get(message, "text");
    *out = (struct psst_conversation_news){
        .seq = psst_model_int(message, "seq", 0),
        .time_ms = psst_model_int(message, "time_ms", 0),
        .out = strcmp(psst_model_string(message, "direction"), "out") == 0,
        .text = psst_view(json_string_value(text), json_string_length(text)),
        .id = psst_model_string(message, "id"),
        .reason = psst_model_string(message, "reason"),
    };
    return out->seq > 0 && psst_model_state_of(&out->state, psst_model_string(message, "state"));
}

/* Gives how many messages were new or known: a page of nothing is the end at its side, whatever it says. */
static size_t take_messages(struct psst_conversation *conversation, const json_t *list, enum psst_window_side grows,
                            int64_t beyond)
{
    size_t n = json_array_size(list), taken = 0;
    for (size_t i = 0; i < n; i++) {
        struct psst_conversation_news news;
        const json_t *message = json_array_get(list, grows == PSST_WINDOW_OLDER ? n - 1 - i : i);
        if (!psst_conversation_news_of(&news, message)) continue;
        if (grows == PSST_WINDOW_OLDER ? beyond > 0 && news.seq >= beyond : news.seq <= beyond) continue;
        if (news.seq > conversation->newest) conversation->newest = news.seq;
        if (psst_window_put(conversation, &news, grows)) taken++;
    }
    return taken;
}

static void take_page(struct psst_conversation *conversation, enum page page, const json_t *result, size_t limit)
{
    const json_t *list = json_object_get(result, "messages"), *gaps = json_object_get(result, "damaged");
    bool old = page == PAGE_OLDER || page == PAGE_END;
    enum psst_window_side grows = old ? PSST_WINDOW_OLDER : PSST_WINDOW_NEWER;
    int64_t newest = conversation->newest;
    int64_t beyond = page == PAGE_OLDER ? psst_window_first(conversation) : psst_window_last(conversation);
    bool full = json_is_true(json_object_get(result, "more")) || json_array_size(list) >= limit;
    if (page == PAGE_END || page == PAGE_BEGINNING) beyond = 0;
    /* the side that is looked at is right before others are pushed out at the other one */
    if (old)
        conversation->older = false;
    else
        conversation->newer = false;
    size_t taken = take_messages(conversation, list, grows, beyond);
    for (size_t i = json_array_size(gaps); i > 0; i--)
        (void)psst_window_put_damaged(conversation, json_array_get(gaps, i - 1), grows);
    if (old) {
        conversation->older = conversation->older || (full && taken > 0);
        return;
    }
    /* also what came while the page was on its way lies behind it */
    conversation->newer = conversation->newer || (taken > 0 && (full || psst_window_last(conversation) < newest));
    if (!conversation->newer) conversation->below = 0;
}

static void page_done(struct psst_asked *asked, json_t *result, const struct psst_failure *failure)
{
    struct psst_conversation *conversation = asked->conversation;
    if (conversation == NULL) return; /* it was closed, or jumped */
    enum page page = (enum page)(asked->part & ~PAGE_FIRST);
    bool first = (asked->part & PAGE_FIRST) != 0;
    if (page == PAGE_OLDER && !first) conversation->asked_older = false;
    if (page == PAGE_NEWER && !first) conversation->asked_newer = false;
    if (result != NULL) {
        take_page(conversation, page, result, asked->len);
        conversation->partly = conversation->partly || first;
    } else {
        psst_model_copy(conversation->trouble, sizeof conversation->trouble, failure->words);
        if (page == PAGE_OLDER) conversation->older = true; /* for all that is known */
    }
    if (first && conversation->pages > 0 && --conversation->pages == 0) conversation->loaded = conversation->partly;
    psst_conversation_weave(conversation);
    psst_model_changed(conversation->model, PSST_PART_CONVERSATION);
}
