#include "client/model_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct psst_held_person *psst_model_held(const struct psst_model *model, const char *name)
{
    struct psst_held_person *like = NULL;
    for (size_t i = 0; i < model->n_shown; i++) {
        if (strcmp(model->people[i]->name, name) == 0) return model->people[i];
        if (like == NULL && strcasecmp(model->people[i]->name, name) == 0) like = model->people[i];
    }
    return like;
}

static size_t find_fingerprint(const struct psst_model *model, const char *fingerprint)
{
    size_t i = 0;
    while (i < model->n_people && strcmp(model->people[i]->fingerprint, fingerprint) != 0) i++;
    return i;
}

struct psst_held_person *psst_model_by_fingerprint(const struct psst_model *model, const char *fingerprint)
{
    size_t at = find_fingerprint(model, fingerprint);
    return at < model->n_shown ? model->people[at] : NULL;
}

static struct psst_held_person *new_person(struct psst_model *model)
{
    struct psst_held_person **people = model->people;
    if (model->n_people == PSST_MODEL_PEOPLE) return NULL;
    if ((model->n_people & (model->n_people - 1)) == 0) /* a power of two, and full */
        people = realloc(model->people, (model->n_people > 0 ? 2 * model->n_people : 1) * sizeof *people);
    if (people == NULL) return NULL;
    model->people = people;
    struct psst_held_person *person = calloc(1, sizeof *person);
    if (person == NULL) return NULL;
    person->pub = (struct psst_person){.name = person->name,
                                       .fingerprint = person->fingerprint,
                                       .there_text = person->there_text,
                                       .address = person->address};
    people[model->n_people++] = person;
    return person;
}

void psst_model_set_there(struct psst_held_person *person, const char *state, const char *text)
{
    person->pub.there = strcmp(state, "online") == 0 ? PSST_THERE_ONLINE
                        : strcmp(state, "away") == 0 ? PSST_THERE_AWAY
                        : strcmp(state, "busy") == 0 ? PSST_THERE_BUSY
                                                     : PSST_THERE_NOT;
    psst_model_copy(person->there_text, sizeof person->there_text, text);
    if (person->pub.there == PSST_THERE_NOT) person->there_text[0] = '\0';
}

static bool flag(const json_t *contact, const char *key)
{
    return json_is_true(json_object_get(contact, key));
}

static void take_over(struct psst_held_person *person, const json_t *contact)
{
    struct psst_person *pub = &person->pub;
    pub->verified = flag(contact, "verified");
    pub->blocked = flag(contact, "blocked");
    pub->paused = flag(contact, "paused");
    pub->weak = flag(contact, "weak");
    pub->pair_secret = flag(contact, "pair_secret");
    pub->history = flag(contact, "history");
    pub->redialled = flag(contact, "redialled");
    pub->online = flag(contact, "online");
    pub->bits = (unsigned)(psst_model_int(contact, "bits", 0) & 0xffff);
    pub->unread = (uint64_t)psst_model_int(contact, "unread", 0);
    pub->waiting = (uint64_t)psst_model_int(contact, "waiting", 0);
    pub->seen_ms = psst_model_int(contact, "seen_ms", 0);
    psst_model_set_there(person, psst_model_string(contact, "presence"), psst_model_string(contact, "presence_text"));
    if (pub->online) pub->dialling = false;
    if (!pub->online) person->address[0] = '\0';
    if (!pub->online) pub->there = PSST_THERE_NOT;
    if (pub->online && pub->there == PSST_THERE_NOT) pub->there = PSST_THERE_ONLINE;
}

static void rename_person(struct psst_model *model, struct psst_held_person *person, const char *name)
{
    char before[PSST_MODEL_NAME];
    psst_model_copy(before, sizeof before, person->name);
    psst_model_copy(person->name, sizeof person->name, name);
    psst_model_files_of(model, before, name);
    psst_model_calls_of(model, before, name);
    for (struct psst_conversation *c = model->conversations; c != NULL; c = c->next)
        if (c->person == person) psst_conversation_bind(c, person);
}

struct psst_held_person *psst_model_put_person(struct psst_model *model, const json_t *contact)
{
    char name[PSST_MODEL_NAME], fingerprint[PSST_MODEL_NAME];
    if (!psst_model_take_name(name, contact, "name") || !psst_model_take_name(fingerprint, contact, "fingerprint"))
        return NULL;
    size_t at = find_fingerprint(model, fingerprint);
    struct psst_held_person *person = at < model->n_people ? model->people[at] : new_person(model);
    if (person == NULL) return NULL;
    if (person->name[0] == '\0') psst_model_copy(person->name, sizeof person->name, name);
    psst_model_copy(person->fingerprint, sizeof person->fingerprint, fingerprint);
    if (at >= model->n_shown) { /* behind those that are shown, in psstd's order */
        model->people[at] = model->people[model->n_shown];
        model->people[model->n_shown++] = person;
    }
    if (strcmp(person->name, name) != 0) rename_person(model, person, name);
    take_over(person, contact);
    return person;
}

static void free_person(struct psst_model *model, struct psst_held_person *person)
{
    for (struct psst_conversation *c = model->conversations; c != NULL; c = c->next)
        if (c->person == person) psst_conversation_bind(c, NULL);
    psst_model_notes_free(person);
    free(person);
}

void psst_model_drop_person(struct psst_model *model, struct psst_held_person *person)
{
    size_t at = 0;
    while (at < model->n_people && model->people[at] != person) at++;
    if (at == model->n_people) return;
    psst_model_files_of(model, person->name, NULL);
    psst_model_calls_of(model, person->name, NULL);
    memmove(model->people + at, model->people + at + 1, (model->n_people - at - 1) * sizeof(struct psst_held_person *));
    if (at < model->n_shown) model->n_shown--;
    model->n_people--;
    free_person(model, person);
}

void psst_model_drop_hidden(struct psst_model *model)
{
    while (model->n_people > model->n_shown) free_person(model, model->people[--model->n_people]);
}
