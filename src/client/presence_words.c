#include "client/presence_words.h"

#include <string.h>
#include <time.h>

#define TEXT_MAX 140

const char *psst_presence_words(char out[PSST_PRESENCE_WORDS], const json_t *object)
{
    const char *state = psst_out_string(object, "presence");
    long long seen_ms = psst_out_int(object, "seen_ms");
    char ago[PSST_SIZE_TEXT];
    if (strcmp(state, "offline") == 0 && seen_ms > 0) {
        long long age_ms = (long long)time(NULL) * 1000 - seen_ms;
        (void)snprintf(out, PSST_PRESENCE_WORDS, "last seen %s ago",
                       psst_out_duration(ago, age_ms > 0 ? (unsigned long long)age_ms : 0));
    } else if (state[0] == '\0' || strcmp(state, "offline") == 0) {
        (void)snprintf(out, PSST_PRESENCE_WORDS, "%s", psst_out_bool(object, "online") ? "in session" : "-");
    } else {
        (void)snprintf(out, PSST_PRESENCE_WORDS, "%.40s", strcmp(state, "online") == 0 ? "in session" : state);
    }
    return out;
}

const char *psst_presence_quote(char out[PSST_PRESENCE_WORDS], const json_t *object)
{
    const char *text = psst_out_text(json_string_value(json_object_get(object, "presence_text")), TEXT_MAX);
    (void)snprintf(out, PSST_PRESENCE_WORDS, "%s%s%s", text[0] != '\0' ? "  \"" : "", text,
                   text[0] != '\0' ? "\"" : "");
    return out;
}

const char *psst_presence_line(char out[PSST_PRESENCE_WORDS], const json_t *event)
{
    const char *state = psst_out_string(event, "state"), *name = psst_out_text(psst_out_string(event, "contact"), 64);
    const char *text = psst_out_text(json_string_value(json_object_get(event, "text")), TEXT_MAX);
    (void)snprintf(out, PSST_PRESENCE_WORDS, "%s is %s%s%s%s", name,
                   strcmp(state, "busy") == 0     ? "busy: do not disturb"
                   : strcmp(state, "online") == 0 ? "there"
                                                  : state,
                   text[0] != '\0' ? ", \"" : "", text, text[0] != '\0' ? "\"" : "");
    return out;
}
