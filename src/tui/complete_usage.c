#include "tui/complete_find.h"

#define TOKENS_MAX 48
#define TOKEN_SIZE 48

struct token {
    char text[TOKEN_SIZE]; /* "FILE|FOLDER", without brackets and dots */
    bool option;           /* begins with '-' */
    bool argument;         /* belongs to the option before it */
    bool repeats;          /* "..." */
};

struct form { /* one way to say a command */
    struct token tokens[TOKENS_MAX];
    size_t n;
};

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

/* ---- reading a usage ---- */

static void read_token(struct form *form, const char *from, size_t len, bool *opened)
{
    struct token token = {.option = false};
    size_t n = 0;
    bool begins = from[0] == '[', ends = from[len - 1] == ']';
    if (len >= 3 && memcmp(from + len - 3, "...", 3) == 0) {
        token.repeats = true;
        ends = ends || (len >= 4 && from[len - 4] == ']');
    }
    for (size_t i = 0; i < len && n + 1 < TOKEN_SIZE; i++) {
        bool dots = from[i] == '.' && ((i + 1 < len && from[i + 1] == '.') || (i > 0 && from[i - 1] == '.'));
        if (strncmp(from + i, "...", 3) == 0) token.repeats = true;
        if (from[i] != '[' && from[i] != ']' && !dots) token.text[n++] = from[i];
    }
    token.option = is_option(token.text);
    token.argument = *opened && !token.option && !begins;
    /* "[-o FILE]" and "-o FILE" take one, "[--json] FILE" and "--check [NAME]" do not */
    *opened = token.option && !ends;
    if (form->n < TOKENS_MAX && n > 0) form->tokens[form->n++] = token;
}

/* Reads one form and gives what is behind it. A line that begins with blanks goes on with the one before. */
static const char *read_form(struct form *form, const char *usage)
{
    bool opened = false;
    form->n = 0;
    while (*usage != '\0') {
        size_t len = strcspn(usage, " \n");
        if (len > 0) read_token(form, usage, len, &opened);
        usage += len;
        if (*usage == '\n' && usage[1] != ' ') return usage + 1;
        if (*usage != '\0') usage++;
    }
    return usage;
}

/* ---- alternatives: "on|off" ---- */

struct kind_name {
    const char *name;
    unsigned kind;
};
static const struct kind_name kind_names[] = {
    {"NAME", PSST_USAGE_CONTACT},  {"FILE", PSST_USAGE_PATH},      {"FOLDER", PSST_USAGE_PATH},
    {"PATH", PSST_USAGE_PATH},     {"CARD", PSST_USAGE_PATH},      {"F", PSST_USAGE_PATH},
    {"DIR", PSST_USAGE_DIRECTORY}, {"ID", PSST_USAGE_ID},          {"KEY", PSST_USAGE_SETTING},
    {"VALUE", PSST_USAGE_VALUE},   {"STATE", PSST_USAGE_PRESENCE}, {"COMMAND", PSST_USAGE_COMMAND},
    {"VERB", PSST_USAGE_COMMAND},
};

/* The next alternative; false: there is none. */
static bool next_of(const char **at, char out[TOKEN_SIZE])
{
    if (**at == '\0') return false;
    size_t len = strcspn(*at, "|");
    memcpy(out, *at, len);
    out[len] = '\0';
    *at += len;
    if (**at == '|') (*at)++;
    return true;
}

static bool is_literal(const char *word)
{
    return word[0] >= 'a' && word[0] <= 'z' && word[1] != '\0';
}

static unsigned kinds_of(const struct token *token, const struct psst_usage_ask *ask)
{
    unsigned kinds = 0;
    char word[TOKEN_SIZE];
    for (const char *at = token->text; next_of(&at, word);) {
        if (is_literal(word)) ask->literal(ask->ctx, word);
        for (size_t i = 0; i < sizeof kind_names / sizeof kind_names[0]; i++)
            if (strcmp(kind_names[i].name, word) == 0) kinds |= kind_names[i].kind;
    }
    return kinds;
}

/* A word stands where a form wants one of some literals: is it one? */
static bool agrees(const struct token *token, const char *word)
{
    char one[TOKEN_SIZE];
    for (const char *at = token->text; next_of(&at, one);)
        if (!is_literal(one) || strcmp(one, word) == 0) return true;
    return false;
}

/* ---- a form against what was written ---- */

/* The token of an option of that name; NULL. */
static const struct token *find_option(const struct form *form, const char *word, size_t *i)
{
    char one[TOKEN_SIZE];
    for (*i = 0; *i < form->n; (*i)++)
        if (form->tokens[*i].option)
            for (const char *at = form->tokens[*i].text; next_of(&at, one);)
                if (strcmp(one, word) == 0) return &form->tokens[*i];
    return NULL;
}

/* What belongs to an option: its token; NULL: nothing does. */
static const struct token *argument_of(const struct form *form, const char *word)
{
    size_t i;
    if (!is_option(word) || find_option(form, word, &i) == NULL || i + 1 >= form->n) return NULL;
    return form->tokens[i + 1].argument ? &form->tokens[i + 1] : NULL;
}

/* The so many-th word that is no option; NULL. The command itself counts as the first. */
static const struct token *word_at(const struct form *form, size_t place)
{
    const struct token *last = NULL;
    size_t n = 0;
    for (size_t i = 0; i < form->n; i++) {
        if (form->tokens[i].option || form->tokens[i].argument) continue;
        last = &form->tokens[i];
        if (n++ == place) return last;
    }
    return last != NULL && last->repeats && place >= n ? last : NULL;
}

static void give_options(const struct form *form, const struct psst_usage_ask *ask)
{
    char one[TOKEN_SIZE];
    for (size_t i = 0; i < form->n; i++) {
        if (!form->tokens[i].option && !form->tokens[i].argument) continue;
        for (const char *at = form->tokens[i].text; next_of(&at, one);)
            if (is_option(one)) ask->literal(ask->ctx, one);
    }
}

static bool names_first(const struct form *form)
{
    const struct token *first = word_at(form, 1);
    return first != NULL && strcmp(first->text, "NAME") == 0;
}

/* Walks the words before the last one. False: the form wants others. */
static bool match(const struct form *form, const struct psst_usage_ask *ask, size_t shift, size_t *place)
{
    *place = 1;
    for (size_t i = 1; i + 1 < ask->words->n; i++) {
        const char *word = ask->words->list[i].text;
        if (argument_of(form, ask->words->list[i - 1].text) != NULL || is_option(word)) continue;
        const struct token *token = word_at(form, *place + shift);
        if (token == NULL || !agrees(token, word)) return false;
        (*place)++;
    }
    return true;
}

static unsigned kinds_in(const struct form *form, const struct psst_usage_ask *ask)
{
    const struct psst_word *last = &ask->words->list[ask->words->n - 1];
    const struct token *argument = argument_of(form, last[-1].text);
    if (argument != NULL) return kinds_of(argument, ask);
    if (last->text[0] == '-') {
        give_options(form, ask);
        return 0;
    }
    unsigned kinds = 0;
    for (size_t shift = 0; shift < 2; shift++) {
        size_t place;
        if (shift == 1 && (!names_first(form) || !ask->may_leave_out)) break;
        if (!match(form, ask, shift, &place)) continue;
        if (place > 1 && names_first(form) && ask->first_is_contact != (shift == 0) && ask->may_leave_out) continue;
        const struct token *token = word_at(form, place + shift);
        if (token == NULL) continue;
        unsigned here = kinds_of(token, ask);
        if (names_first(form)) here &= ~(unsigned)PSST_USAGE_ID; /* of a message, not of a file */
        kinds |= here;
    }
    return kinds;
}

unsigned psst_usage_of(const struct psst_usage_ask *ask)
{
    unsigned kinds = 0;
    struct form form;
    for (const char *usage = ask->usage; *usage != '\0';) {
        usage = read_form(&form, usage);
        kinds |= kinds_in(&form, ask);
    }
    return kinds;
}

size_t psst_usage_place(const struct psst_usage_ask *ask)
{
    struct form form;
    (void)read_form(&form, ask->usage);
    size_t place = 0;
    for (size_t i = 1; i + 1 < ask->words->n; i++)
        if (argument_of(&form, ask->words->list[i - 1].text) == NULL && !is_option(ask->words->list[i].text)) place++;
    return place;
}
