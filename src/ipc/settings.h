/* The settings that psstd keeps (docs/IPC.md, `settings` and `set`), by name: psstd checks and stores them
 * (daemon/settings.c), user interfaces complete and explain them. A unit test sees to it that psst(1) and psstd(8) name each.
 */
#ifndef PSST_IPC_SETTINGS_H
#define PSST_IPC_SETTINGS_H

/* X(enumerator, name, what it may be when that is one of a few words, what it is: a line with its name) */
#define PSST_SETTINGS_TABLE(X)                                                                                         \
    X(LISTEN, "listen", "", "addresses to listen on, separated by blanks")                                             \
    X(PASSPHRASE_COMMAND, "passphrase_command", "", "a command whose first line of output unlocks at start")           \
    X(DOWNLOAD_DIR, "download_dir", "", "where accepted files go")                                                     \
    X(LOG_LEVEL, "log_level", "error warning info debug", "error, warning, info or debug")                             \
    X(UPLOAD_LIMIT, "upload_limit", "", "KiB a second that files may take; 0: no limit")                               \
    X(VOICE_QUALITY, "voice_quality", "", "0 to 10")                                                                   \
    X(VOICE_SENSE, "voice_sense", "", "-100 to 0 dBFS: what is quieter is not sent")                                   \
    X(VOICE_VOLUME, "voice_volume", "", "0 to 200 percent")                                                            \
    X(MICROPHONE, "microphone", "", "a name of psst devices; null: none")                                              \
    X(SPEAKER, "speaker", "", "a name of psst devices; null: none")                                                    \
    X(ECHO, "echo", "own server off", "cancelled here (own), by the sound server, or off")                             \
    X(CLEAN, "clean", "yes no", "noise is suppressed, the level kept even: yes or no")                                 \
    X(PUSH_TO_TALK, "push_to_talk", "yes no", "calls begin with the microphone closed: yes or no")                     \
    X(BELL, "bell", "yes no", "the screen rings the terminal's bell: yes or no")                                       \
    X(NOTIFY, "notify", "no hidden shown", "on the desktop: no, hidden (only that there is news), shown")              \
    X(MOUSE, "mouse", "yes no", "the screen takes clicks and the wheel: yes or no")

#define PSST_SETTING_ENUMERATOR(id, name, values, words) PSST_SETTING_##id,
enum psst_setting { PSST_SETTINGS_TABLE(PSST_SETTING_ENUMERATOR) PSST_SETTINGS };

struct psst_setting_info {
    const char *name, *words;
    const char *values; /* all that there are, a blank between them; "": it is something else */
};
extern const struct psst_setting_info psst_setting_infos[PSST_SETTINGS];

/* PSST_SETTINGS: there is no such setting. */
enum psst_setting psst_setting_find(const char *name);

#endif
