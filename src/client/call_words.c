#include "client/call_words.h"

#include <string.h>

#define BAR_CELLS  8
#define BAR_BOTTOM (-60) /* dBFS of an empty bar */

static const struct {
    const char *result;
    int code;
    const char *out, *in; /* behind "called Bob: ", "Bob called: " */
} results[] = {
    {"", PSST_EXIT_FAILED, "runs", "runs"},
    {"ended", PSST_EXIT_DONE, "", ""},
    {"missed", PSST_CALL_EXIT_UNANSWERED, "not answered", "missed"},
    {"declined", PSST_CALL_EXIT_DECLINED, "declined", "declined by you"},
    {"busy", PSST_CALL_EXIT_BUSY, "busy", "you were busy"},
    {"unanswered", PSST_CALL_EXIT_UNANSWERED, "not answered", "missed"},
    {"no-voice", PSST_CALL_EXIT_NO_VOICE, "the program over there knows no calls", "there was no sound here"},
    {"failed", PSST_EXIT_FAILED, "failed", "failed"},
    {"cut off", PSST_EXIT_UNREACHABLE, "cut off", "cut off"},
};
#define RESULTS (sizeof results / sizeof results[0])

static size_t find(const char *result)
{
    size_t at = 0;
    while (at < RESULTS && strcmp(results[at].result, result) != 0) at++;
    return at < RESULTS ? at : RESULTS - 2; /* failed */
}

int psst_call_exit(const char *result)
{
    return results[find(result)].code;
}

const char *psst_call_clock(char out[PSST_SIZE_TEXT], unsigned long long seconds)
{
    if (seconds >= 3600)
        (void)snprintf(out, PSST_SIZE_TEXT, "%llu:%02llu:%02llu", seconds / 3600, seconds / 60 % 60, seconds % 60);
    else
        (void)snprintf(out, PSST_SIZE_TEXT, "%llu:%02llu", seconds / 60, seconds % 60);
    return out;
}

const char *psst_call_line(char out[PSST_CALL_WORDS], const json_t *call)
{
    char took[PSST_SIZE_TEXT];
    const char *name = psst_out_text(json_string_value(json_object_get(call, "name")), 64);
    bool in = strcmp(psst_out_string(call, "direction"), "in") == 0;
    size_t at = find(psst_out_string(call, "result"));
    const char *what = in ? results[at].in : results[at].out;
    long long seconds = psst_out_int(call, "seconds");
    (void)psst_out_duration(took, (unsigned long long)(seconds > 0 ? seconds : 0) * 1000);
    bool lasted = what[0] == '\0' || seconds > 0;
    (void)snprintf(out, PSST_CALL_WORDS, in ? "%s called: %s%s%s" : "called %s: %s%s%s", name, what,
                   what[0] != '\0' && lasted ? ", " : "", lasted ? took : "");
    return out;
}

const char *psst_call_event_line(char out[PSST_CALL_WORDS], const json_t *event)
{
    const char *name = psst_out_text(json_string_value(json_object_get(event, "name")), 64);
    const char *state = psst_out_string(event, "state"), *words = psst_out_string(event, "words");
    out[0] = '\0';
    if (strcmp(state, "calling") == 0)
        (void)snprintf(out, PSST_CALL_WORDS, "calling %s", name);
    else if (strcmp(state, "ringing") == 0)
        (void)snprintf(out, PSST_CALL_WORDS, "it rings at %s's", name);
    else if (strcmp(state, "offered") == 0)
        (void)snprintf(out, PSST_CALL_WORDS, "%s is calling: answer or decline", name);
    else if (strcmp(state, "active") == 0)
        (void)snprintf(out, PSST_CALL_WORDS, "in a call with %s%s%.200s", name, words[0] != '\0' ? ": " : "", words);
    else if (strcmp(state, "ended") == 0 && words[0] != '\0' && strcmp(psst_out_string(event, "result"), "missed") != 0)
        (void)snprintf(out, PSST_CALL_WORDS, "the call has ended: %.280s", words);
    else if (strcmp(state, "ended") == 0)
        (void)psst_call_line(out, event);
    return out;
}

const char *psst_voice_words(char out[PSST_CALL_WORDS], const json_t *file)
{
    long long seconds = psst_out_int(file, "seconds");
    out[0] = '\0';
    if (strcmp(psst_out_string(file, "form"), "voice") != 0) return out;
    if (seconds > 0)
        (void)snprintf(out, PSST_CALL_WORDS, "voice message, %lld s", seconds);
    else
        (void)snprintf(out, PSST_CALL_WORDS, "voice message");
    return out;
}

/* ---- levels ---- */

static void put_bar(char out[BAR_CELLS + 1], long long dbfs)
{
    long long filled = (dbfs - BAR_BOTTOM) * BAR_CELLS / -BAR_BOTTOM;
    for (int i = 0; i < BAR_CELLS; i++) out[i] = i < filled ? '#' : '.';
    out[BAR_CELLS] = '\0';
}

/* "voice" stands there only while something of the microphone really goes out. */
static const char *sending(const json_t *voice)
{
    bool sends = psst_out_bool(voice, "send") || psst_out_bool(voice, "ptt");
    if (!sends) return "mute ";
    if (psst_out_bool(voice, "clipping")) return "loud!";
    return psst_out_bool(voice, "voice") ? "voice" : "     ";
}

const char *psst_call_meter(char out[PSST_METER_SIZE], const json_t *voice, unsigned long long seconds, bool silent,
                            bool deaf, unsigned columns)
{
    char clock[PSST_SIZE_TEXT], microphone[BAR_CELLS + 1], speaker[BAR_CELLS + 1], tail[64];
    double loss = json_number_value(json_object_get(voice, "loss"));
    put_bar(microphone, psst_out_int(voice, "microphone_dbfs"));
    put_bar(speaker, psst_out_int(voice, "speaker_dbfs"));
    /* 80 columns are enough for all of it: what is wrong takes the place of figures */
    if (silent)
        (void)snprintf(tail, sizeof tail, "nothing is heard");
    else if (deaf)
        (void)snprintf(tail, sizeof tail, "not listening");
    else
        (void)snprintf(tail, sizeof tail, "loss %.1f%%  quality %lld%s", loss, psst_out_int(voice, "quality"),
                       psst_out_bool(voice, "fec") ? "+" : "");
    (void)snprintf(out, PSST_METER_SIZE, "%s  me [%s] %s peer [%s] %s%s %lld ms  %s", psst_call_clock(clock, seconds),
                   microphone, sending(voice), speaker, psst_out_bool(voice, "receive") ? "" : "off ",
                   psst_out_string(voice, "way"), psst_out_int(voice, "delay_ms"), tail);
    if (columns > 1 && strlen(out) >= columns && columns < PSST_METER_SIZE) out[columns - 1] = '\0'; /* ASCII alone */
    return out;
}
