/* The plain file `config`: `key = value`, one a line, # begins a comment line. It is needed before anything is unlocked,
 * and a person may edit it, so what is not understood is left as it stands. */
#include "ipc/settings.h"
#include "daemon/daemon.h"
#include "daemon/small_file.h"
#include "net/address.h"

#include <stdio.h>
#include <stdlib.h>

#define CONFIG_MAX_BYTES 65536
#define VALUE_MAX_BYTES  1024

/* What a value must be beyond psst_setting_infos; of what is one of a few words that table says all. */
struct setting {
    const char *fallback; /* NULL: computed */
    enum psst_err (*check)(const char *value, struct psst_diag *diag);
};

static enum psst_err check_listen(const char *value, struct psst_diag *diag);
static enum psst_err check_directory(const char *value, struct psst_diag *diag);
static enum psst_err check_line(const char *value, struct psst_diag *diag);
static enum psst_err check_limit(const char *value, struct psst_diag *diag);
static enum psst_err check_quality(const char *value, struct psst_diag *diag);
static enum psst_err check_sense(const char *value, struct psst_diag *diag);
static enum psst_err check_volume(const char *value, struct psst_diag *diag);
static enum psst_err check_device(const char *value, struct psst_diag *diag);

static const struct setting table[PSST_SETTINGS] = {
    [PSST_SETTING_LISTEN] = {"[::]:4516 0.0.0.0:4516", check_listen},
    [PSST_SETTING_PASSPHRASE_COMMAND] = {"", check_line},
    [PSST_SETTING_DOWNLOAD_DIR] = {NULL, check_directory},
    [PSST_SETTING_LOG_LEVEL] = {"info", check_line},
    [PSST_SETTING_UPLOAD_LIMIT] = {"0", check_limit},
    [PSST_SETTING_VOICE_QUALITY] = {"4", check_quality},
    [PSST_SETTING_VOICE_SENSE] = {"-50", check_sense},
    [PSST_SETTING_VOICE_VOLUME] = {"100", check_volume},
    [PSST_SETTING_MICROPHONE] = {"", check_device},
    [PSST_SETTING_SPEAKER] = {"", check_device},
    [PSST_SETTING_ECHO] = {"own", check_line},
    [PSST_SETTING_CLEAN] = {"yes", check_line},
    [PSST_SETTING_PUSH_TO_TALK] = {"no", check_line},
    [PSST_SETTING_BELL] = {"yes", check_line},
    [PSST_SETTING_NOTIFY] = {"hidden", check_line},
    [PSST_SETTING_MOUSE] = {"yes", check_line},
};

struct psst_settings {
    char file[sizeof((struct psst_paths *)0)->config];
    char dir[PSST_PATH_MAX];
    char download_dir[PSST_PATH_MAX]; /* the fallback of that key */
    char *values[PSST_SETTINGS];      /* NULL: not set */
    struct psst_buf rest;             /* lines that are not ours to change: comments, unknown keys */
};

/* ---- values ---- */

static enum psst_err check_line(const char *value, struct psst_diag *diag)
{
    for (const char *p = value; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return psst_fail(diag, PSST_ERR_USAGE, "a setting is one line of plain text");
    if (strlen(value) > VALUE_MAX_BYTES) return psst_fail(diag, PSST_ERR_USAGE, "the value is too long");
    return PSST_OK;
}

static enum psst_err check_listen(const char *value, struct psst_diag *diag)
{
    size_t n = 0;
    for (const char *at = value + strspn(value, " "); *at != '\0'; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        char word[PSST_ADDRESS_MAX + 1];
        union psst_sockaddr sa;
        if (len < sizeof word) {
            memcpy(word, at, len);
            word[len] = '\0';
        }
        if (len >= sizeof word || psst_sockaddr_parse(&sa, word) != PSST_OK)
            return psst_fail(diag, PSST_ERR_USAGE,
                             "listen takes addresses in digits with their port, such as 0.0.0.0:4516 or [::]:4516");
        if (++n > 16) return psst_fail(diag, PSST_ERR_USAGE, "listen takes at most 16 addresses");
        at += len;
    }
    return n > 0 ? PSST_OK : psst_fail(diag, PSST_ERR_USAGE, "listen takes at least one address");
}

static enum psst_err check_limit(const char *value, struct psst_diag *diag)
{
    size_t digits = strspn(value, "0123456789");
    if (digits > 0 && digits <= 7 && value[digits] == '\0') return PSST_OK;
    return psst_fail(diag, PSST_ERR_USAGE, "upload_limit is a number of KiB a second, at most 9999999; 0: no limit");
}

/* A whole number in [lo, hi] and nothing else. */
static bool is_number(const char *value, long lo, long hi)
{
    char *end;
    size_t sign = value[0] == '-';
    if (strspn(value + sign, "0123456789") == 0 || strlen(value) > 6) return false;
    long n = strtol(value, &end, 10);
    return *end == '\0' && n >= lo && n <= hi;
}

static enum psst_err check_quality(const char *value, struct psst_diag *diag)
{
    if (is_number(value, 0, 10)) return PSST_OK;
    return psst_fail(diag, PSST_ERR_USAGE, "voice_quality is a number from 0 to 10");
}

static enum psst_err check_sense(const char *value, struct psst_diag *diag)
{
    if (is_number(value, -100, 0)) return PSST_OK;
    return psst_fail(diag, PSST_ERR_USAGE,
                     "voice_sense is a level from -100 to 0 dBFS: what is quieter is not sent; -100: everything is");
}

static enum psst_err check_volume(const char *value, struct psst_diag *diag)
{
    if (is_number(value, 0, 200)) return PSST_OK;
    return psst_fail(diag, PSST_ERR_USAGE, "voice_volume is a percentage from 0 to 200");
}

static enum psst_err check_device(const char *value, struct psst_diag *diag)
{
    if (strlen(value) < 256) return check_line(value, diag);
    return psst_fail(diag, PSST_ERR_USAGE, "a sound device's name has at most 255 bytes: psst devices shows them");
}

static enum psst_err check_directory(const char *value, struct psst_diag *diag)
{
    if (value[0] != '/' || strlen(value) >= PSST_PATH_MAX)
        return psst_fail(diag, PSST_ERR_USAGE, "download_dir is an absolute path of a directory");
    return check_line(value, diag);
}

/* Whether it is one of the words that this setting may be. */
static bool is_one_of(const char *words, const char *value)
{
    size_t len = strlen(value);
    for (const char *at = words; *at != '\0'; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == len && strncmp(at, value, len) == 0) return true;
    return false;
}

static enum psst_err check(enum psst_setting setting, const char *value, struct psst_diag *diag)
{
    const struct psst_setting_info *info = &psst_setting_infos[setting];
    if (info->values[0] == '\0' || is_one_of(info->values, value)) return table[setting].check(value, diag);
    return psst_fail(diag, PSST_ERR_USAGE, "%s is one of: %s", info->name, info->values);
}

/* ---- reading ---- */

static struct psst_view trim(struct psst_view v)
{
    while (v.len > 0 && (v.data[0] == ' ' || v.data[0] == '\t')) v = psst_view(v.data + 1, v.len - 1);
    while (v.len > 0 && (v.data[v.len - 1] == ' ' || v.data[v.len - 1] == '\t' || v.data[v.len - 1] == '\r')) v.len--;
    return v;
}

/* A key of ours with its value; anything else is kept as it stands. */
static enum psst_err read_line(struct psst_settings *s, struct psst_view line, unsigned number, struct psst_diag *diag)
{
    struct psst_view trimmed = trim(line);
    const uint8_t *equals = trimmed.len > 0 ? memchr(trimmed.data, '=', trimmed.len) : NULL;
    char key[64] = "";
    if (equals != NULL && trimmed.data[0] != '#') {
        struct psst_view name = trim(psst_view(trimmed.data, (size_t)(equals - trimmed.data)));
        if (name.len < sizeof key) memcpy(key, name.data, name.len); /* terminated: key was all zeros */
    }
    enum psst_setting setting = psst_setting_find(key);
    if (setting == PSST_SETTINGS) {
        psst_buf_put_view(&s->rest, line);
        psst_buf_put_u8(&s->rest, '\n');
        return PSST_OK;
    }
    struct psst_view value = trim(psst_view(equals + 1, (size_t)(trimmed.data + trimmed.len - equals) - 1));
    char *copy = strndup((const char *)value.data, value.len);
    if (copy == NULL) return psst_fail(diag, PSST_ERR_MEMORY, "out of memory");
    struct psst_diag why = {{0}};
    if (check(setting, copy, &why) != PSST_OK) {
        free(copy);
        return psst_fail(diag, PSST_ERR_MALFORMED, "%.120s, line %u: %s", s->file, number, why.text);
    }
    free(s->values[setting]); /* the last one counts */
    s->values[setting] = copy;
    return PSST_OK;
}

static enum psst_err read_lines(struct psst_settings *s, struct psst_view text, struct psst_diag *diag)
{
    unsigned number = 0;
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.data);
        enum psst_err err = read_line(s, psst_view(text.data, len), ++number, diag);
        if (err != PSST_OK) return err;
        size_t used = end == NULL ? len : len + 1;
        text = psst_view(text.data + used, text.len - used);
    }
    return PSST_OK;
}

enum psst_err psst_settings_load(struct psst_settings **out, const struct psst_paths *paths, struct psst_diag *diag)
{
    struct psst_settings *s = calloc(1, sizeof *s);
    if (s == NULL) return psst_fail(diag, PSST_ERR_MEMORY, "out of memory");
    memcpy(s->file, paths->config, sizeof s->file);
    memcpy(s->dir, paths->config_dir, sizeof s->dir);
    memcpy(s->download_dir, paths->download_dir, sizeof s->download_dir);
    psst_buf_init(&s->rest, CONFIG_MAX_BYTES + 1);
    struct psst_buf text;
    psst_buf_init(&text, CONFIG_MAX_BYTES);
    struct psst_diag why = {{0}};
    enum psst_err err = psst_paths_check_private(paths->config, &why);
    if (err == PSST_OK) err = psst_small_file_read(paths->config, CONFIG_MAX_BYTES, &text, &why);
    if (err == PSST_OK) err = read_lines(s, psst_buf_view(&text), &why);
    err = err == PSST_ERR_NOT_FOUND ? PSST_OK : err; /* all defaults */
    if (err != PSST_OK) err = psst_fail(diag, err, "%s", why.text);
    psst_buf_fini(&text);
    if (err == PSST_OK)
        *out = s;
    else
        psst_settings_free(s);
    return err;
}

void psst_settings_free(struct psst_settings *settings)
{
    if (settings == NULL) return;
    for (size_t i = 0; i < PSST_SETTINGS; i++) free(settings->values[i]);
    psst_buf_fini(&settings->rest);
    free(settings);
}

/* ---- looking and changing ---- */

static const char *value_of(const struct psst_settings *s, enum psst_setting setting)
{
    if (s->values[setting] != NULL) return s->values[setting];
    return table[setting].fallback != NULL ? table[setting].fallback : s->download_dir;
}

const char *psst_settings_get(const struct psst_settings *settings, const char *key)
{
    enum psst_setting setting = psst_setting_find(key);
    return setting < PSST_SETTINGS ? value_of(settings, setting) : NULL;
}

const char *psst_settings_own(const struct psst_settings *settings, const char *key)
{
    enum psst_setting setting = psst_setting_find(key);
    return setting < PSST_SETTINGS ? settings->values[setting] : NULL;
}

static enum psst_err write_file(struct psst_settings *s, struct psst_diag *diag)
{
    struct psst_buf text;
    psst_buf_init(&text, (size_t)2 * CONFIG_MAX_BYTES);
    psst_buf_put_view(&text, psst_buf_view(&s->rest));
    for (size_t i = 0; i < PSST_SETTINGS; i++)
        if (s->values[i] != NULL) psst_buf_printf(&text, "%s = %s\n", psst_setting_infos[i].name, s->values[i]);
    enum psst_err err = text.failed ? psst_fail(diag, PSST_ERR_MEMORY, "out of memory") : PSST_OK;
    if (err == PSST_OK) err = psst_paths_make_dir(s->dir, false, diag);
    if (err == PSST_OK) err = psst_small_file_write(s->file, psst_buf_view(&text), diag);
    psst_buf_fini(&text);
    return err;
}

enum psst_err psst_settings_set(struct psst_settings *settings, const char *key, const char *value,
                                struct psst_diag *diag)
{
    enum psst_setting setting = psst_setting_find(key);
    if (setting == PSST_SETTINGS) return psst_fail(diag, PSST_ERR_USAGE, "no such setting: psst set shows them all");
    char *copy = NULL;
    if (value != NULL) {
        struct psst_view kept = trim(psst_view_str(value));
        copy = strndup((const char *)kept.data, kept.len);
        if (copy == NULL) return psst_fail(diag, PSST_ERR_MEMORY, "out of memory");
        enum psst_err err = check_line(copy, diag);
        if (err == PSST_OK) err = check(setting, copy, diag);
        if (err != PSST_OK) {
            free(copy);
            return err;
        }
    }
    char *before = settings->values[setting];
    settings->values[setting] = copy;
    enum psst_err err = write_file(settings, diag);
    if (err != PSST_OK) { /* what is not kept does not hold */
        settings->values[setting] = before;
        before = copy;
    }
    free(before);
    return err;
}

json_t *psst_settings_all(const struct psst_settings *settings)
{
    json_t *all = json_object();
    for (size_t i = 0; i < PSST_SETTINGS; i++)
        (void)json_object_set_new(all, psst_setting_infos[i].name,
                                  json_string(value_of(settings, (enum psst_setting)i)));
    return all;
}
