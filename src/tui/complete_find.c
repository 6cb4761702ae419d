#include "tui/complete_find.h"

#include "client/file_words.h"
#include "ipc/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* ---- candidates ---- */

/* Shown as something else than it is: controls, and what turns the direction of text. */
static bool misleads(const char *text)
{
    static const char *const bad[] = {"\u061c", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202b",
                                      "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"};
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
        if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0)) return true;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (strstr(text, bad[i]) != NULL) return true;
    return false;
}

static bool grow(struct psst_found *found)
{
    if (found->n < found->cap) return true;
    if (found->n >= PSST_FOUND_MAX) return false;
    size_t cap = found->cap > 0 ? found->cap * 2 : 64;
    struct psst_candidate *list = realloc(found->list, cap * sizeof *list);
    if (list == NULL) return false;
    found->list = list;
    found->cap = cap;
    return true;
}

void psst_found_add(struct psst_found *found, const char *word, const char *shown, char tail)
{
    if (word[0] == '\0') return;
    if (!psst_text_valid(psst_view_str(word)) || misleads(word)) {
        found->hidden++;
        return;
    }
    if (!grow(found)) return;
    struct psst_candidate candidate = {strdup(word), shown != NULL ? strdup(shown) : NULL, tail};
    if (candidate.word == NULL) {
        free(candidate.shown);
        return;
    }
    found->list[found->n++] = candidate;
}

static void drop(struct psst_candidate *candidate)
{
    free(candidate->word);
    free(candidate->shown);
}

static int by_word(const void *a, const void *b)
{
    const struct psst_candidate *x = (const struct psst_candidate *)a, *y = (const struct psst_candidate *)b;
    int folded = strcasecmp(x->word, y->word);
    return folded != 0 ? folded : strcmp(x->word, y->word);
}

void psst_found_sort(struct psst_found *found)
{
    if (found->n == 0) return;
    qsort(found->list, found->n, sizeof found->list[0], by_word);
    size_t kept = 1;
    for (size_t i = 1; i < found->n; i++) {
        if (strcmp(found->list[i].word, found->list[kept - 1].word) == 0)
            drop(&found->list[i]);
        else
            found->list[kept++] = found->list[i];
    }
    found->n = kept;
}

void psst_found_fini(struct psst_found *found)
{
    for (size_t i = 0; i < found->n; i++) drop(&found->list[i]);
    free(found->list);
    *found = (struct psst_found){0};
}

/* Whether text begins with the word that is there, without regard to ASCII case. */
static bool begins(const char *text, const char *word)
{
    return strncasecmp(text, word, strlen(word)) == 0;
}

/* ---- what there is to choose from ---- */

struct finding {
    struct psst_found *out;
    struct psst_app *app;
    const struct psst_words *words;
    const char *word;    /* the last one */
    const char *command; /* its whole name */
};

static void offer(struct finding *f, const char *word)
{
    if (begins(word, f->word)) psst_found_add(f->out, word, NULL, ' ');
}

static void offer_literal(void *ctx, const char *word)
{
    offer((struct finding *)ctx, word);
}

static void offer_all(struct finding *f, const char *const *words)
{
    for (; *words != NULL; words++) offer(f, *words);
}

static void offer_contacts(struct finding *f, char tail)
{
    for (size_t i = 0; i < psst_model_people(f->app->model); i++) {
        const char *name = psst_model_person(f->app->model, i)->name;
        if (begins(name, f->word)) psst_found_add(f->out, name, NULL, tail);
    }
}

/* With or without the slash that they have when they are said. */
static void offer_commands(struct finding *f, const char *begun)
{
    for (size_t i = 0; i < psst_commands_count; i++)
        if (begins(psst_commands[i].name, begun)) psst_found_add(f->out, psst_commands[i].name, NULL, ' ');
    for (size_t i = 0; i < f->app->setup->n_verbs; i++) {
        const struct psst_verb *verb = f->app->setup->verbs[i];
        if (verb->screen != PSST_SCREEN_NOT && begins(verb->name, begun)) psst_found_add(f->out, verb->name, NULL, ' ');
    }
}

/* Files by number: those that the command can do something with. */
static void offer_files(struct finding *f)
{
    bool answers = strcmp(f->command, "accept") == 0 || strcmp(f->command, "decline") == 0;
    bool plays = strcmp(f->command, "play") == 0;
    for (size_t i = 0; i < psst_model_transfers(f->app->model); i++) {
        const struct psst_transfer *t = psst_model_transfer(f->app->model, i);
        if (answers && !psst_transfer_is_offer(t)) continue;
        if (plays ? strcmp(t->form, "voice") != 0 : !psst_transfer_is_under_way(t)) continue;
        char id[24], shown[192];
        (void)snprintf(id, sizeof id, "%lld", (long long)t->id);
        (void)snprintf(shown, sizeof shown, "%s (%.150s)", id, t->name);
        if (begins(id, f->word)) psst_found_add(f->out, id, shown, ' ');
    }
}

/* ---- settings ---- */

static void offer_settings(struct finding *f)
{
    for (size_t i = 0; i < PSST_SETTINGS; i++) offer(f, psst_setting_infos[i].name);
}

static void offer_values(struct finding *f, const struct psst_word *last)
{
    const char *name = f->words->n >= 3 ? f->words->list[1].text : "";
    enum psst_setting setting = psst_setting_find(name);
    if (setting == PSST_SETTING_DOWNLOAD_DIR) psst_find_paths(f->out, last, true);
    if (setting == PSST_SETTINGS) return;
    for (const char *at = psst_setting_infos[setting].values; *at != '\0'; at += strspn(at, " ")) {
        char word[32];
        size_t len = strcspn(at, " ");
        (void)snprintf(word, sizeof word, "%.*s", (int)len, at);
        offer(f, word);
        at += len;
    }
}

/* ---- commands ---- */

static void offer_kinds(struct finding *f, unsigned kinds)
{
    static const char *const presence[] = {"online", "away", "busy", "dnd", "invisible", NULL};
    const struct psst_word *last = &f->words->list[f->words->n - 1];
    if ((kinds & PSST_USAGE_CONTACT) != 0) offer_contacts(f, ' ');
    if ((kinds & PSST_USAGE_ID) != 0) offer_files(f);
    if ((kinds & PSST_USAGE_SETTING) != 0) offer_settings(f);
    if ((kinds & PSST_USAGE_VALUE) != 0) offer_values(f, last);
    if ((kinds & PSST_USAGE_PRESENCE) != 0) offer_all(f, presence);
    if ((kinds & PSST_USAGE_COMMAND) != 0) offer_commands(f, f->word + (f->word[0] == '/' ? 1 : 0));
    if ((kinds & (PSST_USAGE_PATH | PSST_USAGE_DIRECTORY)) != 0)
        psst_find_paths(f->out, last, (kinds & PSST_USAGE_PATH) == 0);
}

/* What a command says its words are: names and switches stand first, files anywhere. */
static unsigned kinds_of_command(enum psst_complete_kind kind, size_t place, struct finding *f)
{
    static const char *const on_off[] = {"on", "off", NULL};
    switch (kind) {
    case PSST_WORD_CONTACT: return place == 0 ? PSST_USAGE_CONTACT : 0;
    case PSST_WORD_PATH: return PSST_USAGE_PATH;
    case PSST_WORD_ON_OFF:
        if (place == 0) offer_all(f, on_off);
        return 0;
    case PSST_WORD_COMMAND: return place == 0 ? PSST_USAGE_COMMAND : 0;
    case PSST_WORD_FILE_ID: return PSST_USAGE_ID;
    case PSST_WORD_NONE: break;
    }
    return 0;
}

static void find_argument(struct finding *f)
{
    const struct psst_command *command = NULL;
    const struct psst_verb *verb = NULL;
    if (!psst_command_find(f->app, f->words->list[0].text + 1, &command, &verb)) return;
    f->command = command != NULL ? command->name : verb->name;
    const char *usage = command != NULL && command->usage != NULL ? command->usage : verb != NULL ? verb->usage : "";
    struct psst_usage_ask ask = {.usage = usage, .words = f->words, .literal = offer_literal, .ctx = f};
    ask.may_leave_out = f->app->open != NULL;
    ask.first_is_contact = f->words->n > 2 && psst_model_find(f->app->model, f->words->list[1].text) != NULL;
    unsigned kinds = psst_usage_of(&ask);
    if (command != NULL && kinds == 0 && f->out->n == 0)
        kinds = kinds_of_command(command->words, psst_usage_place(&ask), f);
    offer_kinds(f, kinds);
}

static void find_in_command(struct psst_found *out, struct psst_app *app, struct psst_view line)
{
    struct psst_words words;
    if (!psst_words_read(&words, line)) return;
    struct finding f = {out, app, &words, words.list[words.n - 1].text, ""};
    out->from = words.list[words.n - 1].from;
    if (words.n > 1) {
        find_argument(&f);
    } else if (words.list[0].text[0] == '/') {
        out->from++;
        offer_commands(&f, words.list[0].text + 1);
    }
    psst_words_fini(&words);
}

/* A text: it may begin with somebody's name, blanks in it as they are. */
static void find_in_text(struct psst_found *out, struct psst_app *app, struct psst_view line)
{
    char *word = malloc(line.len + 1);
    if (word == NULL) return;
    if (line.len > 0) memcpy(word, line.data, line.len);
    word[line.len] = '\0';
    struct finding f = {out, app, NULL, word, ""};
    out->quote = PSST_QUOTE_NONE;
    if (line.len > 0) offer_contacts(&f, ':');
    free(word);
}

void psst_find(struct psst_found *out, struct psst_app *app, struct psst_view text, size_t cursor)
{
    *out = (struct psst_found){0};
    struct psst_view line = psst_view(text.data, cursor);
    if (line.len > 0 && line.data[0] == '/' && (line.len == 1 || line.data[1] != '/'))
        find_in_command(out, app, line);
    else if (line.len <= 1024)
        find_in_text(out, app, line);
    psst_found_sort(out);
}
