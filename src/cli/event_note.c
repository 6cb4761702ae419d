#include "cli/event_note.h"

#include "cli/meet_words.h"
#include "cli/presence_words.h"

static void note_meet(struct psst_gutter *gutter, const json_t *meet)
{
    char words[PSST_MEET_WORDS];
    if (psst_meet_words(words, meet)[0] != '\0') psst_gutter_note(gutter, "%s", words);
}

bool psst_event_note(struct psst_gutter *gutter, const char *event, const json_t *params)
{
    if (strcmp(event, "meet") == 0) {
        note_meet(gutter, params);
        return true;
    }
    if (strcmp(event, "presence") != 0) return false;
    char words[PSST_PRESENCE_WORDS];
    psst_gutter_note(gutter, "%s", psst_presence_line(words, params));
    return true;
}

void psst_event_note_meets(struct psst_cli *cli, struct psst_gutter *gutter, const char *name)
{
    struct psst_failure failure;
    json_t *answer = psst_cli_try(cli, "meets", psst_cli_name(name), &failure);
    size_t i;
    json_t *meet;
    json_array_foreach(json_object_get(answer, "meets"), i, meet) note_meet(gutter, meet);
    json_decref(answer);
}
