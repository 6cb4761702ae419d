/* psst call, answer: a call in the foreground; and a voice message when nobody answers. */
#include "cli/call_watch.h"
#include "cli/prompt.h"
#include "cli/voice_wait.h"
#include "client/call_words.h"
#include "client/out.h"

#define MESSAGE_MAX_S 300

struct options {
    struct psst_call_wish wish;
    bool message;
};

static int take_options(struct psst_cli *cli, int argc, char **argv, struct options *o)
{
    static const struct option call_table[] = {
        {"wav-in", required_argument, NULL, 'i'}, {"wav-out", required_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},         {"seconds", required_argument, NULL, 's'},
        {"message", no_argument, NULL, 'm'},      {NULL, 0, NULL, 0}};
    static const struct option answer_table[] = {{"wav-in", required_argument, NULL, 'i'},
                                                 {"wav-out", required_argument, NULL, 'o'},
                                                 {"json", no_argument, NULL, 'j'},
                                                 {"seconds", required_argument, NULL, 's'},
                                                 {NULL, 0, NULL, 0}};
    bool calls = strcmp(o->wish.method, "call") == 0;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":", calls ? call_table : answer_table, NULL)) != -1) {
        switch (opt) {
        case 'i': o->wish.wav_in = optarg; break;
        case 'o': o->wish.wav_out = optarg; break;
        case 'j': o->wish.as_json = true; break;
        case 'm': o->message = true; break;
        case 's':
            if (!psst_cli_number(optarg, 1, PSST_CALL_SECONDS_MAX, &o->wish.seconds))
                return psst_cli_usage(cli, "--seconds takes a number of seconds, at least 1");
            break;
        default: return psst_cli_bad_option(cli, argv);
        }
    }
    if (!psst_cli_args(cli, argc, calls ? 1 : 0, 1, &code)) return code;
    o->wish.name = optind < argc ? argv[optind] : NULL;
    if (o->message && (o->wish.as_json || o->wish.wav_out != NULL))
        return psst_cli_usage(cli, "--message goes with --seconds and --wav-in only");
    if (o->message && o->wish.seconds > MESSAGE_MAX_S)
        return psst_cli_usage(cli, "a voice message takes at most %d seconds", MESSAGE_MAX_S);
    return PSST_EXIT_DONE;
}

/* ---- a voice message ---- */

static int leave_message(struct psst_cli *cli, const struct psst_call_wish *wish)
{
    int fds[2] = {-1, -1}, code = psst_cli_need_unlocked(cli);
    size_t n = 0;
    char took[PSST_SIZE_TEXT];
    if (code != PSST_EXIT_DONE) return code;
    bool person = psst_prompt_possible();
    json_t *params = psst_rpc_name(wish->name);
    if (wish->seconds > 0) (void)json_object_set_new(params, "seconds", json_integer(wish->seconds));
    code = psst_wav_open(params, wish->wav_in, NULL, fds, &n);
    if (code != PSST_EXIT_DONE) {
        json_decref(params);
        return code;
    }
    const char *hint = person ? "Speak after the tone. Enter ends it and sends it; an interrupt throws it away." : NULL;
    json_t *result = psst_voice_wait(cli, "voice.record", params, fds, n, hint, true, &code);
    if (result == NULL) return code;
    (void)printf(
        "voice message, %s, for %s: it goes as file %lld\n",
        psst_out_duration(took, (unsigned long long)(json_number_value(json_object_get(result, "seconds")) * 1000)),
        psst_out_text(wish->name, 64), psst_out_int(result, "id"));
    json_decref(result);
    return PSST_EXIT_DONE;
}

static bool may_leave_message(const char *result)
{
    static const char *const results[] = {"unanswered", "busy", "unreachable"};
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
        if (strcmp(results[i], result) == 0) return true;
    return false;
}

static int run_call(struct psst_cli *cli, int argc, char **argv)
{
    struct options o = {.wish = {.method = "call"}};
    char result[32] = "";
    int code = take_options(cli, argc, argv, &o);
    if (code != PSST_EXIT_DONE) return code;
    if (o.message) return leave_message(cli, &o.wish);
    code = psst_call_watch(cli, &o.wish, result);
    bool asks = !o.wish.as_json && o.wish.wav_in == NULL && cli->client != NULL && psst_prompt_possible();
    if (!asks || !may_leave_message(result) || !psst_prompt_yes("Leave a voice message?")) return code;
    struct psst_call_wish wish = {.name = o.wish.name};
    (void)leave_message(cli, &wish);
    return code; /* what came of the call */
}

const struct psst_verb psst_verb_call = {
    "call",
    "call NAME [--seconds S] [--wav-in F] [--wav-out F] [--json]\n"
    "call NAME --message [--seconds S] [--wav-in F]",
    "talk to a contact",
    "Dials when there is no session, rings over there, and stays in the foreground\n"
    "until somebody hangs up; an interrupt does. Your microphone opens when the other\n"
    "side answers. On a terminal one line shows both levels (\"voice\" stands there\n"
    "while your voice really goes out), the way, the delay, what is lost, and the\n"
    "quality. psst mute, ptt, receive, sense, quality and volume work meanwhile.\n"
    "\n"
    "  --seconds S   hang up S seconds after it was answered\n"
    "  --wav-in F    speak this wav (48 kHz, mono, 16 bits) instead of the microphone\n"
    "  --wav-out F   write what is heard into a new wav, from its first frame on\n"
    "  --json        one event a line: call and voice, as docs/IPC.md says\n"
    "  --message     do not call: leave a voice message, at most 300 s, at once\n"
    "\n"
    "0: it was answered, and somebody hung up. 5: not reachable, or cut off; 6: you\n"
    "are refused; 7: declined; 8: busy; 9: not answered; 10: the program over there\n"
    "knows no calls. After 5, 8 and 9 you are asked, on a terminal, whether to leave\n"
    "a voice message.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_call,
};

static int run_answer(struct psst_cli *cli, int argc, char **argv)
{
    struct options o = {.wish = {.method = "answer"}};
    int code = take_options(cli, argc, argv, &o);
    return code == PSST_EXIT_DONE ? psst_call_watch(cli, &o.wish, NULL) : code;
}

const struct psst_verb psst_verb_answer = {
    "answer",
    "answer [NAME] [--seconds S] [--wav-in F] [--wav-out F] [--json]",
    "take a call that rings",
    "Opens your microphone, and stays in the foreground until somebody hangs up; an\n"
    "interrupt does. NAME may be left out when just one call rings. Options, the line\n"
    "of levels and exit codes are those of psst call; 1 when nothing rings.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_answer,
};
