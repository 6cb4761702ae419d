#include "client/model_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void weave_all(struct psst_model *model, const struct psst_held_person *person)
{
    for (struct psst_conversation *c = model->conversations; c != NULL; c = c->next)
        if (c->person == person) psst_conversation_weave(c);
}

/* Whether the same words stand there already: what is told at each loading is told once. */
static bool is_noted(const struct psst_held_person *person, const char *words)
{
    for (size_t i = 0; i < person->n_notes; i++)
        if (strcmp(person->notes[i].text, words) == 0) return true;
    return false;
}

void psst_model_put_note(struct psst_model *model, struct psst_held_person *person, const char *words, bool once)
{
    if (words[0] == '\0' || (once && is_noted(person, words))) return;
    if (person->notes == NULL) person->notes = calloc(PSST_MODEL_NOTES, sizeof *person->notes);
    char *text = person->notes != NULL ? strndup(words, PSST_MODEL_PATH + PSST_MODEL_WORDS) : NULL;
    if (text == NULL) return;
    if (person->n_notes == PSST_MODEL_NOTES) {
        free(person->notes[0].text);
        memmove(person->notes, person->notes + 1, --person->n_notes * sizeof *person->notes);
    }
    person->notes[person->n_notes++] = (struct psst_note){.serial = ++model->last_serial,
                                                          .time_ms = (int64_t)psst_model_now_unix_ms(),
                                                          .text = text,
                                                          .len = strlen(text)};
    weave_all(model, person);
    psst_model_changed(model, PSST_PART_CONVERSATION);
}

void psst_model_note(struct psst_model *model, const char *name, const char *fmt, ...)
{
    struct psst_held_person *person = psst_model_held(model, name);
    char *words = NULL;
    va_list args;
    if (person == NULL) return;
    va_start(args, fmt);
    int len = vasprintf(&words, fmt, args);
    va_end(args);
    if (len < 0) return;
    psst_model_put_note(model, person, words, false);
    free(words);
}

void psst_model_notes_before(struct psst_held_person *person, int64_t seq)
{
    if (seq <= person->newest) return; /* an answer that was overtaken: what was noted came after it */
    person->newest = seq;
    for (size_t i = person->n_notes; i > 0 && person->notes[i - 1].before == 0; i--) person->notes[i - 1].before = seq;
}

void psst_model_notes_free(struct psst_held_person *person)
{
    for (size_t i = 0; i < person->n_notes; i++) free(person->notes[i].text);
    free(person->notes);
    person->notes = NULL;
    person->n_notes = 0;
}
