#include "folder.h"

#include "daemon/daemon.h"

#include <stdio.h>
#include <sys/stat.h>

struct bench {
    struct folder folder;
    struct psst_paths paths;
    struct psst_settings *settings;
};

static int setup(void **state)
{
    static struct bench b;
    b = (struct bench){.settings = NULL};
    folder_init(&b.folder);
    (void)snprintf(b.paths.config_dir, sizeof b.paths.config_dir, "%s", b.folder.path);
    (void)snprintf(b.paths.config, sizeof b.paths.config, "%s/config", b.folder.path);
    (void)snprintf(b.paths.download_dir, sizeof b.paths.download_dir, "/home/alice/Downloads");
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    psst_settings_free(b->settings);
    folder_fini(&b->folder);
    return 0;
}

static enum psst_err load(struct bench *b, struct psst_diag *diag)
{
    psst_settings_free(b->settings);
    b->settings = NULL;
    return psst_settings_load(&b->settings, &b->paths, diag);
}

static void put(struct bench *b, const char *text)
{
    folder_put(&b->folder, "config", text, strlen(text));
}

static void settings__without_a_file__are_the_defaults(void **state)
{
    struct bench *b = *state;
    struct psst_diag diag = {{0}};
    assert_int_equal(load(b, &diag), PSST_OK);
    assert_string_equal(diag.text, ""); /* nothing to tell: the next one who fails must be heard */
    assert_string_equal(psst_settings_get(b->settings, "listen"), "[::]:4516 0.0.0.0:4516");
    assert_string_equal(psst_settings_get(b->settings, "passphrase_command"), "");
    assert_string_equal(psst_settings_get(b->settings, "download_dir"), "/home/alice/Downloads");
    assert_string_equal(psst_settings_get(b->settings, "log_level"), "info");
    assert_null(psst_settings_get(b->settings, "colour"));
    json_t *all = psst_settings_all(b->settings);
    assert_int_equal(json_object_size(all), 16);
    assert_string_equal(json_string_value(json_object_get(all, "notify")), "hidden");
    assert_string_equal(json_string_value(json_object_get(all, "log_level")), "info");
    json_decref(all);
}

static void settings__are_read__whatever_the_blanks(void **state)
{
    struct bench *b = *state;
    struct psst_diag diag = {{0}};
    put(b, "# mine\n\n  listen=127.0.0.1:1   [::1]:2\t\r\nlog_level =  error\nlog_level = debug\n"
           "passphrase_command = pass show psst = yes # not a comment");
    assert_int_equal(load(b, &diag), PSST_OK);
    assert_string_equal(psst_settings_get(b->settings, "listen"), "127.0.0.1:1   [::1]:2");
    assert_string_equal(psst_settings_get(b->settings, "log_level"), "debug");
    assert_string_equal(psst_settings_get(b->settings, "passphrase_command"), "pass show psst = yes # not a comment");
}

static void settings__that_are_wrong__name_the_line(void **state)
{
    struct bench *b = *state;
    static const char *const cases[] = {
        "listen = 4516",    "listen = localhost:4516",  "listen =",      "listen = 1.2.3.4:70000",
        "log_level = loud", "download_dir = Downloads", "listen = [::1]"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_diag diag = {{0}};
        char text[100];
        (void)snprintf(text, sizeof text, "# a\n%s\n", cases[i]);
        put(b, text);
        assert_int_equal(load(b, &diag), PSST_ERR_MALFORMED);
        assert_non_null(strstr(diag.text, "config, line 2: "));
    }
}

static void settings__readable_by_others__are_refused_with_the_chmod(void **state)
{
    struct bench *b = *state;
    struct psst_diag diag = {{0}};
    put(b, "log_level = debug\n");
    assert_int_equal(chmod(b->paths.config, 0644), 0);
    assert_int_equal(load(b, &diag), PSST_ERR_PERMISSION);
    assert_non_null(strstr(diag.text, "chmod 600 "));
}

static void set__writes__and_leaves_what_is_not_ours(void **state)
{
    struct bench *b = *state;
    struct psst_diag diag = {{0}};
    put(b, "# by hand\nfuture_key = 7\nlog_level = debug\n");
    assert_int_equal(load(b, &diag), PSST_OK);
    assert_int_equal(psst_settings_set(b->settings, "listen", " 127.0.0.1:4516 ", &diag), PSST_OK);
    assert_int_equal(psst_settings_set(b->settings, "log_level", NULL, &diag), PSST_OK);
    assert_string_equal(psst_settings_get(b->settings, "log_level"), "info");
    const char *want = "# by hand\nfuture_key = 7\nlisten = 127.0.0.1:4516\n";
    folder_assert_is(&b->folder, "config", want, strlen(want));
    assert_int_equal(load(b, &diag), PSST_OK);
    assert_string_equal(psst_settings_get(b->settings, "listen"), "127.0.0.1:4516");
}

static void set__refuses__and_keeps_the_old_value(void **state)
{
    struct bench *b = *state;
    assert_int_equal(load(b, NULL), PSST_OK);
    static const char *const cases[][2] = {{"colour", "red"},
                                           {"listen", "here"},
                                           {"log_level", "info\nlisten = 0.0.0.0:1"},
                                           {"passphrase_command", "a\nb"},
                                           {"download_dir", "x"},
                                           {"upload_limit", "-1"},
                                           {"upload_limit", "1.5"},
                                           {"upload_limit", "12345678"},
                                           {"upload_limit", "x"},
                                           {"upload_limit", ""},
                                           {"voice_quality", "11"},
                                           {"voice_quality", "-1"},
                                           {"voice_quality", "4 x"},
                                           {"voice_sense", "1"},
                                           {"voice_sense", "-101"},
                                           {"voice_sense", "-"},
                                           {"voice_volume", "201"},
                                           {"voice_volume", "loud"},
                                           {"echo", "yes"},
                                           {"clean", "own"},
                                           {"push_to_talk", ""},
                                           {"bell", "loud"},
                                           {"notify", "yes"},
                                           {"mouse", "on"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_diag diag = {{0}};
        assert_int_equal(psst_settings_set(b->settings, cases[i][0], cases[i][1], &diag), PSST_ERR_USAGE);
        assert_true(diag.text[0] != '\0');
    }
    assert_false(folder_has(&b->folder, "config"));
    assert_int_equal(mkdir(folder_file(&b->folder, "config.new"), 0700), 0); /* the file cannot be written */
    struct psst_diag diag = {{0}};
    assert_int_not_equal(psst_settings_set(b->settings, "log_level", "debug", &diag), PSST_OK);
    assert_string_equal(psst_settings_get(b->settings, "log_level"), "info");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(settings__without_a_file__are_the_defaults, setup, teardown),
        cmocka_unit_test_setup_teardown(settings__are_read__whatever_the_blanks, setup, teardown),
        cmocka_unit_test_setup_teardown(settings__that_are_wrong__name_the_line, setup, teardown),
        cmocka_unit_test_setup_teardown(settings__readable_by_others__are_refused_with_the_chmod, setup, teardown),
        cmocka_unit_test_setup_teardown(set__writes__and_leaves_what_is_not_ours, setup, teardown),
        cmocka_unit_test_setup_teardown(set__refuses__and_keeps_the_old_value, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
