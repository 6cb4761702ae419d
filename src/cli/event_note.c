#include "cli/event_note.h"

#include "client/call_words.h"
#include "client/meet_words.h"
#include "client/presence_words.h"

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

void psst_event_note_call(struct psst_gutter *gutter, const json_t *call, bool rings)
{
    char words[PSST_CALL_WORDS];
    if (psst_call_event_line(words, call)[0] == '\0') return;
    bool bell = rings && strcmp(psst_out_string(call, "state"), "offered") == 0 && !psst_out_bool(call, "quiet");
    psst_gutter_note(gutter, "%s", words);
    if (bell) (void)fputc('\a', gutter->f);
    (void)fflush(gutter->f);
}

void psst_event_note_missed(struct psst_cli *cli, struct psst_gutter *gutter, const char *name)
{
    struct psst_failure failure;
    json_t *answer = psst_cli_try(cli, "calls", psst_rpc_name(name), &failure);
    const json_t *list = json_object_get(answer, "calls");
    for (size_t i = json_array_size(list); i > 0; i--) { /* the newest come first */
        char when[64], words[PSST_CALL_WORDS];
        const json_t *call = json_array_get(list, i - 1);
        if (!json_is_false(json_object_get(call, "seen"))) continue;
        psst_gutter_note(gutter, "%s %s", psst_out_time(when, psst_out_int(call, "began"), "%Y-%m-%d %H:%M"),
                         psst_call_line(words, call));
    }
    json_decref(answer);
}

void psst_event_note_meets(struct psst_cli *cli, struct psst_gutter *gutter, const char *name)
{
    struct psst_failure failure;
    json_t *answer = psst_cli_try(cli, "meets", psst_rpc_name(name), &failure);
    size_t i;
    json_t *meet;
    json_array_foreach(json_object_get(answer, "meets"), i, meet) note_meet(gutter, meet);
    json_decref(answer);
}
