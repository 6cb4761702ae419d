#include "client/file_words.h"
#include "client/model_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_over(const char *state)
{
    return strcmp(state, "done") == 0 || strcmp(state, "declined") == 0 || strcmp(state, "failed") == 0;
}

static void file_free(struct psst_held_file *file)
{
    if (file == NULL) return;
    free(file->name);
    free(file->reason);
    free(file->path);
    free(file);
}

static void drop(struct psst_model *model, size_t at)
{
    file_free(model->files[at]);
    memmove(model->files + at, model->files + at + 1, (--model->n_files - at) * sizeof(struct psst_held_file *));
}

void psst_model_files_free(struct psst_model *model)
{
    while (model->n_files > 0) file_free(model->files[--model->n_files]);
}

/* Kept as it is when it does not change, or when there is no memory for it. */
static void set(char **slot, const char **seen, const char *value, size_t max)
{
    size_t len = strnlen(value, max - 1);
    if (strlen(*seen) == len && memcmp(*seen, value, len) == 0) return;
    char *copy = strndup(value, max - 1);
    if (copy == NULL) return;
    free(*slot);
    *seen = *slot = copy;
}

static void take_over(struct psst_held_file *file, const json_t *from)
{
    struct psst_transfer *pub = &file->pub;
    const json_t *size = json_object_get(from, "size");
    psst_model_copy(file->contact, sizeof file->contact, psst_model_string(from, "contact"));
    psst_model_copy(file->form, sizeof file->form, psst_model_string(from, "form"));
    psst_model_copy(file->state, sizeof file->state, psst_model_string(from, "state"));
    psst_model_copy(file->paused_by, sizeof file->paused_by, psst_model_string(from, "paused_by"));
    set(&file->name, &pub->name, psst_model_string(from, "name"), PSST_MODEL_WORDS);
    set(&file->reason, &pub->reason, psst_model_string(from, "reason"), PSST_MODEL_WORDS);
    set(&file->path, &pub->path, psst_model_string(from, "path"), PSST_MODEL_PATH);
    pub->in = strcmp(psst_model_string(from, "direction"), "in") == 0;
    pub->heard = json_is_true(json_object_get(from, "heard"));
    pub->taken = json_is_false(json_object_get(from, "asks"));
    pub->size = json_is_integer(size) ? psst_model_int(from, "size", 0) : -1;
    pub->done = psst_model_int(from, "done", 0);
    pub->rate = psst_model_int(from, "rate", 0);
    pub->left_ms = psst_model_int(from, "left_ms", 0);
    pub->seconds = psst_model_int(from, "seconds", 0);
    pub->time_ms = psst_model_int(from, "time_ms", 0);
}

static struct psst_held_file *new_file(struct psst_model *model, int64_t id)
{
    struct psst_held_file **files = model->files;
    if (model->n_files >= PSST_MODEL_FILES + PSST_MODEL_ENDED) return NULL;
    if ((model->n_files & (model->n_files - 1)) == 0)
        files = realloc(model->files, (model->n_files > 0 ? 2 * model->n_files : 1) * sizeof *files);
    if (files == NULL) return NULL;
    model->files = files;
    struct psst_held_file *file = calloc(1, sizeof *file);
    if (file == NULL) return NULL;
    file->pub = (struct psst_transfer){.id = id,
                                       .contact = file->contact,
                                       .form = file->form,
                                       .state = file->state,
                                       .paused_by = file->paused_by,
                                       .name = "",
                                       .reason = "",
                                       .path = ""};
    files[model->n_files++] = file;
    return file;
}

/* Of those that are over, the last ones stay. */
static void drop_ended(struct psst_model *model)
{
    size_t ended = 0;
    for (size_t i = model->n_files; i > 0; i--)
        if (is_over(model->files[i - 1]->state) && ++ended > PSST_MODEL_ENDED) drop(model, i - 1);
}

/* What a person should know of it: an offer, an end. */
static void tell(struct psst_model *model, const struct psst_held_file *file, const json_t *event, bool quiet)
{
    char words[PSST_FILE_LINE];
    const struct psst_transfer *pub = &file->pub;
    struct psst_held_person *person = psst_model_held(model, file->contact);
    if (person == NULL || psst_file_event_line(words, event)[0] == '\0') return;
    psst_model_put_note(model, person, words, false);
    if (!pub->in) return;
    if (!is_over(file->state))
        psst_model_arrived(model, PSST_ARRIVAL_OFFER, person->name, words, quiet);
    else if (strcmp(file->form, "voice") == 0 && strcmp(file->state, "done") == 0 && !pub->heard)
        psst_model_arrived(model, PSST_ARRIVAL_VOICE, person->name, words, quiet);
}

void psst_model_put_file(struct psst_model *model, const json_t *from, bool tells)
{
    int64_t id = psst_model_int(from, "id", 0);
    const char *contact = psst_model_string(from, "contact");
    if (id <= 0 || contact[0] == '\0' || strlen(contact) >= PSST_MODEL_NAME) return;
    size_t at = 0;
    while (at < model->n_files && model->files[at]->pub.id != id) at++;
    bool known = at < model->n_files;
    struct psst_held_file *file = known ? model->files[at] : new_file(model, id);
    if (file == NULL) return;
    bool was_over = known && is_over(file->state);
    take_over(file, from);
    bool offers = psst_file_is_offer(from), offered = offers && !file->offered;
    file->offered = file->offered || offers;
    if (tells && (offered || (!was_over && is_over(file->state))))
        tell(model, file, from, json_is_true(json_object_get(from, "quiet")));
    drop_ended(model);
}

void psst_model_files_of(struct psst_model *model, const char *name, const char *renamed)
{
    for (size_t i = model->n_files; i > 0; i--) {
        struct psst_held_file *file = model->files[i - 1];
        if (strcmp(file->contact, name) != 0) continue;
        if (renamed != NULL)
            psst_model_copy(file->contact, sizeof file->contact, renamed);
        else
            drop(model, i - 1);
    }
    psst_model_changed(model, PSST_PART_FILES);
}
