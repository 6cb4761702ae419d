#include "client/file_words.h"

#include <string.h>

const char *psst_file_word(const json_t *file)
{
    const char *form = psst_out_string(file, "form");
    if (strcmp(form, "voice") == 0) return "voice message";
    return strcmp(form, "folder") == 0 || strcmp(form, "stream") == 0 ? form : "file";
}

const char *psst_file_state(char out[256], const json_t *file)
{
    const char *state = psst_out_string(file, "state"), *reason = psst_out_string(file, "reason");
    (void)snprintf(out, 256, "%s%s%.200s", state, reason[0] != '\0' ? ": " : "", reason);
    return out;
}
