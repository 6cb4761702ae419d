/* psst mute, receive, ptt, sense, quality, volume: what can be turned during a call; psst devices, soundcheck, play. */
#include "cli/cli.h"
#include "cli/print.h"
#include "cli/voice_wait.h"

static const struct option no_options[] = {{NULL, 0, NULL, 0}};

/* ---- switches and numbers ---- */

/* At most one word behind the verb. *word is NULL when there is none. */
static bool take_word(struct psst_cli *cli, int argc, char **argv, const char **word, int *code)
{
    if (getopt_long(argc, argv, "+:", no_options, NULL) != -1) {
        *code = psst_cli_bad_option(cli, argv);
        return false;
    }
    if (!psst_cli_args(cli, argc, 0, 1, code)) return false;
    *word = optind < argc ? argv[optind] : NULL;
    return true;
}

static int turn_switch(struct psst_cli *cli, int argc, char **argv, const char *key, bool inverted, const char *name)
{
    const char *word = NULL;
    int code = PSST_EXIT_DONE;
    if (!take_word(cli, argc, argv, &word, &code)) return code;
    bool on = word != NULL && strcmp(word, "on") == 0;
    if (word != NULL && !on && strcmp(word, "off") != 0) return psst_cli_usage(cli, "on or off?");
    json_t *params = word != NULL ? json_pack("{s:b}", key, on != inverted) : NULL;
    json_t *state = psst_cli_call(cli, word != NULL ? "voice.set" : "voice", params, &code);
    if (state == NULL) return code;
    bool now = psst_out_bool(state, key) != inverted;
    bool in_call = json_is_object(json_object_get(state, "call"));
    (void)printf("%s is %s%s\n", name, now ? "on" : "off", in_call ? "" : "; there is no call");
    json_decref(state);
    return PSST_EXIT_DONE;
}

static int set_number(struct psst_cli *cli, int argc, char **argv, const char *key, long long lo, long long hi)
{
    const char *word = NULL;
    long long value = 0;
    int code = PSST_EXIT_DONE;
    if (argc == 2 && argv[1][0] == '-' && argv[1][1] >= '0' && argv[1][1] <= '9') /* a negative number is no option */
        word = argv[1];
    else if (!take_word(cli, argc, argv, &word, &code))
        return code;
    bool negative = word != NULL && word[0] == '-';
    if (word != NULL && !psst_cli_number(word + negative, 0, negative ? -lo : hi, &value))
        return psst_cli_usage(cli, "%s is a number from %lld to %lld", key, lo, hi);
    if (negative) value = -value;
    if (word != NULL && (value < lo || value > hi))
        return psst_cli_usage(cli, "%s is a number from %lld to %lld", key, lo, hi);
    json_t *params = word != NULL ? json_pack("{s:I}", key, (json_int_t)value) : NULL;
    json_t *state = psst_cli_call(cli, word != NULL ? "voice.set" : "voice", params, &code);
    if (state == NULL) return code;
    (void)printf("%s is %lld\n", key, psst_out_int(state, key));
    json_decref(state);
    return PSST_EXIT_DONE;
}

static int run_mute(struct psst_cli *cli, int argc, char **argv)
{
    return turn_switch(cli, argc, argv, "send", true, "mute");
}

static int run_receive(struct psst_cli *cli, int argc, char **argv)
{
    return turn_switch(cli, argc, argv, "receive", false, "receiving");
}

static int run_ptt(struct psst_cli *cli, int argc, char **argv)
{
    return turn_switch(cli, argc, argv, "ptt", false, "push to talk");
}

static int run_sense(struct psst_cli *cli, int argc, char **argv)
{
    return set_number(cli, argc, argv, "sense", -100, 0);
}

static int run_quality(struct psst_cli *cli, int argc, char **argv)
{
    return set_number(cli, argc, argv, "quality", 0, 10);
}

static int run_volume(struct psst_cli *cli, int argc, char **argv)
{
    return set_number(cli, argc, argv, "volume", 0, 200);
}

const struct psst_verb psst_verb_mute = {
    "mute",
    "mute [on|off]",
    "close the microphone during a call",
    "The other side hears silence; what leaves your machine looks the same. Without a\n"
    "word it says what holds. A call begins with the microphone open, unless\n"
    "psst set push_to_talk yes.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_mute,
};

const struct psst_verb psst_verb_receive = {
    "receive",
    "receive [on|off]",
    "play what comes during a call, or not",
    "With off nothing is played, and the other side is told that you do not listen.\n"
    "Without a word it says what holds.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_receive,
};

const struct psst_verb psst_verb_ptt = {
    "ptt",
    "ptt [on|off]",
    "push to talk: speak while muted",
    "With on the microphone goes out although it is muted, until off: bind the two to\n"
    "a key's going down and up. psst set push_to_talk yes begins calls muted.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_ptt,
};

const struct psst_verb psst_verb_sense = {
    "sense",
    "sense [DBFS]",
    "how loud a voice has to be to go out",
    "From -100 (everything goes out) to 0 (nothing does), in decibels under full\n"
    "scale; softer than that is silence. The line of levels in a call shows \"voice\"\n"
    "while something goes out. Kept for later calls.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_sense,
};

const struct psst_verb psst_verb_quality = {
    "quality",
    "quality [0..10]",
    "the bit rate of your voice",
    "0 to 10 is 8, 12, 16, 20, 24, 28, 32, 40, 48, 64 and 96 kbit/s. Kept for later\n"
    "calls; during one at most 6, or what it began with.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_quality,
};

const struct psst_verb psst_verb_volume = {
    "volume",
    "volume [0..200]",
    "how loud calls are played, in percent",
    "100 plays what was sent as loud as it was. Kept for later calls.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_volume,
};

/* ---- devices ---- */

static void print_devices(const json_t *list)
{
    struct psst_table table;
    psst_table_init(&table, 4);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *device = json_array_get(list, i);
        psst_table_add(&table, psst_out_string(device, "end"));
        psst_table_add(&table, psst_out_bool(device, "default") ? "default" : "");
        psst_table_add(&table, psst_out_text(json_string_value(json_object_get(device, "name")), 80));
        psst_table_add(&table, psst_out_text(json_string_value(json_object_get(device, "description")), 80));
    }
    psst_table_print(&table, stdout);
    psst_table_fini(&table);
}

static int run_devices(struct psst_cli *cli, int argc, char **argv)
{
    bool as_json = false;
    int code = PSST_EXIT_DONE;
    if (!psst_cli_json_only(cli, argc, argv, &as_json, &code)) return code;
    json_t *result = psst_cli_call(cli, "devices", NULL, &code);
    const json_t *list = json_object_get(result, "devices");
    if (result != NULL && as_json)
        psst_out_json_list(list);
    else if (result != NULL && json_array_size(list) == 0)
        (void)printf("there is no microphone and no speaker: does a sound server run?\n");
    else if (result != NULL)
        print_devices(list);
    json_decref(result);
    return code;
}

const struct psst_verb psst_verb_devices = {
    "devices",
    "devices [--json]",
    "microphones and speakers",
    "What PulseAudio, or PipeWire in its place, has. psst set microphone NAME and\n"
    "psst set speaker NAME take one of them; \"null\" is none at all, and an empty\n"
    "name, \"\", the sound server's default again.\n"
    "\n"
    "  --json   a list of objects: end (microphone, speaker), name, description,\n"
    "           default\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_devices,
};

/* ---- sound check, playing ---- */

struct sound_options {
    const char *wav_in, *wav_out;
    long long seconds;
};

static int take_sound_options(struct psst_cli *cli, int argc, char **argv, bool checks, struct sound_options *o)
{
    static const struct option check_table[] = {{"wav-in", required_argument, NULL, 'i'},
                                                {"wav-out", required_argument, NULL, 'o'},
                                                {"seconds", required_argument, NULL, 's'},
                                                {NULL, 0, NULL, 0}};
    static const struct option play_table[] = {{"wav-out", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};
    int opt;
    while ((opt = getopt_long(argc, argv, ":", checks ? check_table : play_table, NULL)) != -1) {
        switch (opt) {
        case 'i': o->wav_in = optarg; break;
        case 'o': o->wav_out = optarg; break;
        case 's':
            if (!psst_cli_number(optarg, 1, 30, &o->seconds))
                return psst_cli_usage(cli, "--seconds takes a number from 1 to 30");
            break;
        default: return psst_cli_bad_option(cli, argv);
        }
    }
    return PSST_EXIT_DONE;
}

/* Takes params. */
static json_t *ask(struct psst_cli *cli, const char *method, json_t *params, const struct sound_options *o, int *code)
{
    bool checks = strcmp(method, "soundcheck") == 0; /* which has nothing to do with anybody's identity */
    int fds[2] = {-1, -1};
    size_t n = 0;
    *code = checks ? psst_cli_connect(cli, true) : psst_cli_need_unlocked(cli);
    if (*code == PSST_EXIT_DONE) *code = psst_wav_open(params, o->wav_in, o->wav_out, fds, &n);
    if (*code != PSST_EXIT_DONE) {
        json_decref(params);
        return NULL;
    }
    if (checks && o->wav_in == NULL)
        (void)fprintf(stderr, "Speak after the tone; you hear it afterwards as others would.\n");
    return psst_voice_wait(cli, method, params, fds, n, NULL, false, code);
}

static int run_soundcheck(struct psst_cli *cli, int argc, char **argv)
{
    struct sound_options o = {.wav_in = NULL};
    int code = take_sound_options(cli, argc, argv, true, &o);
    if (code != PSST_EXIT_DONE || !psst_cli_args(cli, argc, 0, 0, &code)) return code;
    json_t *params = o.seconds > 0 ? json_pack("{s:I}", "seconds", (json_int_t)o.seconds) : json_object();
    json_t *result = ask(cli, "soundcheck", params, &o, &code);
    if (result == NULL) return code;
    (void)printf("%s\n", psst_out_string(result, "words"));
    code = psst_out_bool(result, "ok") ? PSST_EXIT_DONE : PSST_EXIT_FAILED;
    json_decref(result);
    return code;
}

const struct psst_verb psst_verb_soundcheck = {
    "soundcheck",
    "soundcheck [--seconds S] [--wav-in F] [--wav-out F]",
    "do microphone and speaker work?",
    "Records for 5 seconds, or S, puts that through everything that a call does but\n"
    "the network, plays it, and says what it thinks of it. 0: it sounds good; 1: not.\n"
    "The wav files are as with psst call.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_ASKS,
    run_soundcheck,
};

static int run_play(struct psst_cli *cli, int argc, char **argv)
{
    struct sound_options o = {.wav_in = NULL};
    long long id = 0;
    int code = take_sound_options(cli, argc, argv, false, &o);
    if (code != PSST_EXIT_DONE || !psst_cli_args(cli, argc, 1, 1, &code)) return code;
    if (!psst_cli_number(argv[optind], 1, INT64_MAX, &id))
        return psst_cli_usage(cli, "ID is the number of the voice message: psst files --all shows it");
    json_t *result = ask(cli, "play", json_pack("{s:I}", "id", (json_int_t)id), &o, &code);
    json_decref(result);
    return code;
}

const struct psst_verb psst_verb_play = {
    "play",
    "play ID [--wav-out F]",
    "hear a voice message",
    "One that came, or one of your own, until its end or an interrupt. psst files\n"
    "shows them with their numbers. It is decoded in a process that can do nothing\n"
    "else. With --wav-out it goes into a new wav file and not to the speaker.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_play,
};
