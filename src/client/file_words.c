#include "client/file_words.h"

#include "client/call_words.h"

#include <string.h>

static const char *word_of(const char *form)
{
    if (strcmp(form, "voice") == 0) return "voice message";
    return strcmp(form, "folder") == 0 || strcmp(form, "stream") == 0 ? form : "file";
}

const char *psst_file_word(const json_t *file)
{
    return word_of(psst_out_string(file, "form"));
}

const char *psst_transfer_word(const struct psst_transfer *file)
{
    return word_of(file->form);
}

const char *psst_file_state(char out[256], const json_t *file)
{
    const char *state = psst_out_string(file, "state"), *reason = psst_out_string(file, "reason");
    (void)snprintf(out, 256, "%s%s%.200s", state, reason[0] != '\0' ? ": " : "", reason);
    return out;
}

bool psst_file_is_offer(const json_t *file)
{
    return strcmp(psst_out_string(file, "direction"), "in") == 0 &&
           strcmp(psst_out_string(file, "state"), "waiting") == 0 && psst_out_string(file, "path")[0] == '\0' &&
           !json_is_false(json_object_get(file, "asks"));
}

bool psst_transfer_is_offer(const struct psst_transfer *file)
{
    return file->in && !file->taken && strcmp(file->state, "waiting") == 0 &&
           (file->path == NULL || file->path[0] == '\0');
}

bool psst_transfer_is_under_way(const struct psst_transfer *file)
{
    return strcmp(file->state, "waiting") == 0 || strcmp(file->state, "running") == 0 ||
           strcmp(file->state, "paused") == 0;
}

/* ", 20.0 MB"; "" when it is not known. */
static const char *size_words(char out[PSST_SIZE_TEXT + 2], const json_t *file)
{
    char size[PSST_SIZE_TEXT];
    long long bytes = psst_out_int(file, "size");
    out[0] = '\0';
    if (bytes > 0) (void)snprintf(out, PSST_SIZE_TEXT + 2, ", %s", psst_out_size(size, (unsigned long long)bytes));
    return out;
}

static const char *done_line(char out[PSST_FILE_LINE], const json_t *file, bool in)
{
    char voice[PSST_CALL_WORDS];
    long long id = psst_out_int(file, "id");
    bool spoken = psst_voice_words(voice, file)[0] != '\0';
    const char *path = psst_out_text(json_string_value(json_object_get(file, "path")), 1200);
    if (spoken && in)
        (void)snprintf(out, PSST_FILE_LINE, "%s: /play %lld", voice, id);
    else if (spoken)
        (void)snprintf(out, PSST_FILE_LINE, "%s %lld is over there", voice, id);
    else if (in)
        (void)snprintf(out, PSST_FILE_LINE, "%s %lld is here: %s", psst_file_word(file), id,
                       path[0] != '\0' ? path : psst_out_string(file, "name"));
    else
        (void)snprintf(out, PSST_FILE_LINE, "%s %lld is over there: %s", psst_file_word(file), id,
                       psst_out_string(file, "name"));
    return out;
}

const char *psst_file_event_line(char out[PSST_FILE_LINE], const json_t *file)
{
    char size[PSST_SIZE_TEXT + 2], state[256];
    const char *word = psst_file_word(file), *name = psst_out_string(file, "name");
    const char *is = psst_out_string(file, "state");
    long long id = psst_out_int(file, "id");
    bool in = strcmp(psst_out_string(file, "direction"), "in") == 0;
    out[0] = '\0';
    if (psst_file_is_offer(file))
        (void)snprintf(out, PSST_FILE_LINE, "%s %lld is offered%s (/accept %lld or /decline %lld): %s", word, id,
                       size_words(size, file), id, id, name);
    else if (strcmp(is, "done") == 0)
        (void)done_line(out, file, in);
    else if (strcmp(is, "declined") == 0 || strcmp(is, "failed") == 0)
        (void)snprintf(out, PSST_FILE_LINE, "%s %lld %s: %s", word, id, psst_file_state(state, file), name);
    return out;
}
