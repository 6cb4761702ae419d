/* What the files of the model and of the conversation share. Nobody else includes this.
 *
 *   model.c         birth, death, what is asked        model_load.c    the first answers, and after unlocking
 *   model_event.c   what psstd tells                   model_people.c  contacts    model_notes.c  lines of ours
 *   model_call.c    the call                           model_files.c   files       model_say.c    what is said, states
 *   conversation.c  what is asked of it                conversation_window.c       conversation_page.c
 */
#ifndef PSST_CLIENT_MODEL_INTERNAL_H
#define PSST_CLIENT_MODEL_INTERNAL_H

#include "client/conversation.h"

#define PSST_MODEL_NAME      160   /* bytes of names, fingerprints, addresses with their NUL; longer ones are refused */
#define PSST_MODEL_WORDS     1024  /* of a sentence with its NUL; longer ones are cut */
#define PSST_MODEL_PATH      4400  /* of a path with its NUL; longer ones are cut */
#define PSST_MODEL_TEXT      65536 /* of a message; longer ones are cut */
#define PSST_MODEL_PEOPLE    65536
#define PSST_MODEL_FILES     1024 /* that are not over */
#define PSST_MODEL_ENDED     32   /* files that are over */
#define PSST_MODEL_CALLS     8
#define PSST_MODEL_NOTES     50
#define PSST_MODEL_STATES    128 /* the last changes of messages' states */
#define PSST_MODEL_ID        33
#define PSST_WINDOW_MESSAGES (PSST_CONVERSATION_MAX - PSST_MODEL_NOTES)
#define PSST_WINDOW_BYTES    ((size_t)3 << 20) /* of text; a page has less than 1 MiB */

struct psst_note {
    uint64_t serial;
    int64_t before; /* seq of the first message that came after it; 0: none yet */
    int64_t time_ms;
    char *text;
    size_t len;
};

struct psst_held_person {
    struct psst_person pub;
    char name[PSST_MODEL_NAME], fingerprint[PSST_MODEL_NAME], address[PSST_MODEL_NAME], there_text[PSST_MODEL_WORDS];
    struct psst_note *notes; /* PSST_MODEL_NOTES of them, once there is one; the oldest first */
    size_t n_notes;
    int64_t newest; /* seq of the last message that came or was said since the start */
};

struct psst_held_file {
    struct psst_transfer pub;
    char contact[PSST_MODEL_NAME], form[16], state[16], paused_by[8];
    char *name, *reason, *path; /* NULL: "" */
    bool offered;               /* it was seen as an offer */
};

struct psst_held_call {
    int64_t id; /* 0: a place that is free */
    enum psst_call_state state;
    char name[PSST_MODEL_NAME], way[8];
    uint64_t since_ms, order;
    bool peer_receiving, silent;
};

struct psst_state_change { /* an event message.state, kept for a message that is not there yet */
    int64_t seq;
    char id[PSST_MODEL_ID];
    enum psst_item_state state;
    char reason[256];
};

/* A request under way. It stays in the list until it is answered, so that nobody is told who is gone. */
struct psst_asked {
    struct psst_model *model;
    struct psst_conversation *conversation; /* that wants the answer; NULL: the model does */
    struct psst_asked *next, **at;
    unsigned generation;
    void (*done)(struct psst_asked *asked, json_t *result, const struct psst_failure *failure);
    int part;            /* what the asker means by it */
    int64_t first, last; /* seqs: of a look at what is left of the window */
    char name[PSST_MODEL_NAME];
    char *text; /* of say */
    size_t len;
    psst_client_answer *answer; /* of say: who hears of it */
    void *ctx;
};

struct psst_model {
    struct psst_client *client;
    struct psst_model_watch watch;
    struct psst_asked *asked;
    struct psst_conversation *conversations;
    uint64_t last_serial;

    struct psst_self self;
    char self_name[PSST_MODEL_NAME], self_fingerprint[PSST_MODEL_NAME], self_presence[16], listen[PSST_MODEL_NAME];
    char self_presence_text[PSST_MODEL_WORDS], self_words[PSST_MODEL_WORDS];

    unsigned generation;    /* of the loading; answers to an earlier one are not listened to */
    unsigned loading;       /* first answers that are missing */
    json_t *sessions;       /* of `status`, until the contacts are there */
    json_t *missed, *meets; /* lists, likewise */

    struct psst_held_person *
        *people; /* those that are shown, then those that are not, while the list is being loaded */
    size_t n_people, n_shown;

    struct psst_held_file **files;
    size_t n_files;

    struct psst_held_call calls[PSST_MODEL_CALLS];
    uint64_t call_order;
    int64_t noted_call; /* the one of which the last note was, and what it said */
    char noted_state[16];
    struct psst_call_now call;
    char call_name[PSST_MODEL_NAME], call_way[8], call_words[PSST_MODEL_WORDS];

    struct psst_state_change states[PSST_MODEL_STATES];
    size_t next_state;
};

struct psst_held_message {
    struct psst_item item;
    char id[PSST_MODEL_ID];
    char *text, *reason;
    int64_t last; /* of what is damaged */
};

struct psst_conversation {
    struct psst_model *model;
    struct psst_conversation *next;
    struct psst_held_person *person; /* NULL: he is no contact any more, or the identity is locked */
    char name[PSST_MODEL_NAME];
    struct psst_held_message messages[PSST_WINDOW_MESSAGES];
    size_t n_messages, bytes;
    struct psst_item items[PSST_CONVERSATION_MAX]; /* messages and notes in order */
    size_t n_items;
    bool loaded, older, newer; /* what the header says */
    bool asked_older, asked_newer, follows;
    unsigned pages; /* of the first ones, that are missing */
    bool partly;    /* one of the first ones came */
    char trouble[PSST_MODEL_WORDS];
    int64_t newest; /* the highest seq that is known to exist */
    int64_t centre; /* seq that was jumped to */
    int64_t shown;  /* told to psstd */
    uint64_t below;
    int how; /* enum window of conversation_page.c: where it was opened */
};

/* ---- model.c ---- */

void psst_model_changed(struct psst_model *model, unsigned parts);
void psst_model_arrived(struct psst_model *model, enum psst_arrival_kind kind, const char *contact, const char *words,
                        bool quiet);
/* Asks; gives what was asked for the asker to fill in, NULL when nobody will ever answer. Takes params. */
struct psst_asked *psst_model_ask(struct psst_model *model, const char *method, json_t *params,
                                  void (*done)(struct psst_asked *asked, json_t *result,
                                               const struct psst_failure *failure));
uint64_t psst_model_now_unix_ms(void);

/* Strings of psstd: "" when there is none. The first cuts, the second refuses what is too long or empty. */
const char *psst_model_string(const json_t *object, const char *key);
void psst_model_copy(char *out, size_t size, const char *from);
bool psst_model_take_name(char out[PSST_MODEL_NAME], const json_t *object, const char *key);
/* A number of psstd, at least lo. */
int64_t psst_model_int(const json_t *object, const char *key, int64_t lo);

/* ---- model_load.c ---- */

void psst_model_load(struct psst_model *model);
void psst_model_lock(struct psst_model *model);

/* ---- model_event.c ---- */

void psst_model_on_event(void *ctx, const char *event, json_t *params);

/* ---- model_people.c ---- */

struct psst_held_person *psst_model_held(const struct psst_model *model, const char *name); /* of those shown */
struct psst_held_person *psst_model_by_fingerprint(const struct psst_model *model, const char *fingerprint);
/* A contact as docs/IPC.md has it: taken over and shown. NULL: not one, or no memory. */
struct psst_held_person *psst_model_put_person(struct psst_model *model, const json_t *contact);
void psst_model_drop_person(struct psst_model *model, struct psst_held_person *person);
/* Those that are not shown. */
void psst_model_drop_hidden(struct psst_model *model);
void psst_model_set_there(struct psst_held_person *person, const char *state, const char *text);

/* ---- model_notes.c ---- */

void psst_model_put_note(struct psst_model *model, struct psst_held_person *person, const char *words, bool once);
/* A message of that seq is there: what was noted before stands before it. */
void psst_model_notes_before(struct psst_held_person *person, int64_t seq);
void psst_model_notes_free(struct psst_held_person *person);

/* ---- model_files.c ---- */

/* tells: an event; what it means is noted. */
void psst_model_put_file(struct psst_model *model, const json_t *file, bool tells);
void psst_model_files_free(struct psst_model *model);
void psst_model_files_of(struct psst_model *model, const char *name, const char *renamed); /* NULL: removed */

/* ---- model_call.c ---- */

void psst_model_on_call(struct psst_model *model, const json_t *event);
void psst_model_on_levels(struct psst_model *model, const json_t *event);
void psst_model_ask_voice(struct psst_model *model);
void psst_model_calls_of(struct psst_model *model, const char *name, const char *renamed);
void psst_model_calls_end(struct psst_model *model);

/* ---- model_say.c ---- */

bool psst_model_state_of(enum psst_item_state *out, const char *state);
void psst_model_on_state(struct psst_model *model, struct psst_held_person *person, const json_t *event);
/* What has overtaken this message, if anything. */
void psst_model_catch_up(const struct psst_model *model, struct psst_held_message *message);

/* ---- conversation*.c ---- */

/* From `message` or an answer to say; text is copied. */
struct psst_conversation_news {
    int64_t seq, time_ms;
    bool out;
    enum psst_item_state state;
    struct psst_view text;
    const char *id, *reason;
};
void psst_conversation_put(struct psst_conversation *conversation, const struct psst_conversation_news *news);
bool psst_conversation_news_of(struct psst_conversation_news *out, const json_t *message);
void psst_conversation_state(struct psst_conversation *conversation, const struct psst_state_change *change);
/* Messages and notes as one list. */
void psst_conversation_weave(struct psst_conversation *conversation);
void psst_conversation_clear(struct psst_conversation *conversation);
/* Within the window, by seq; false: no memory, or no room at that side. */
enum psst_window_side { PSST_WINDOW_OLDER, PSST_WINDOW_NEWER };
bool psst_window_put(struct psst_conversation *conversation, const struct psst_conversation_news *news,
                     enum psst_window_side grows);
bool psst_window_put_damaged(struct psst_conversation *conversation, const json_t *gap, enum psst_window_side grows);
/* Messages from first to last are no more, or their text is, but for those in the list (of docs/IPC.md). */
void psst_window_keep(struct psst_conversation *conversation, int64_t first, int64_t last, const json_t *messages);
/* The first or last message's seq; 0: none. */
int64_t psst_window_first(const struct psst_conversation *conversation);
int64_t psst_window_last(const struct psst_conversation *conversation);
/* The contact is found again after loading, is renamed, or gone (NULL). */
void psst_conversation_bind(struct psst_conversation *conversation, struct psst_held_person *person);
void psst_conversation_reload(struct psst_conversation *conversation);
/* Messages of his were erased: what of the window is no more goes, and where one is in it stays. */
void psst_conversation_look_again(struct psst_conversation *conversation);
bool psst_conversation_looks_again(const struct psst_conversation *conversation); /* the answer is under way */
void psst_conversation_unask(struct psst_conversation *conversation);

#endif
