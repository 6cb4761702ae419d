#include "cli/voice_wait.h"
#include "cli/interrupts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- wav files ---- */

/* What is plainly no wav of 48 kHz, mono, 16 bits is refused before it rings anywhere; all else is for psst-voice to see. */
static bool may_be_wav(int fd)
{
    char head[36];
    if (pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head) return false;
    if (memcmp(head, "RIFF", 4) != 0 || memcmp(head + 8, "WAVE", 4) != 0) return false;
    if (memcmp(head + 12, "fmt ", 4) != 0) return true; /* it may come behind something else */
    return memcmp(head + 22, "\x01\x00\x80\xbb\x00\x00", 6) == 0 && memcmp(head + 34, "\x10\x00", 2) == 0;
}

int psst_wav_open(json_t *params, const char *wav_in, const char *wav_out, int fds[2], size_t *n)
{
    *n = 0;
    if (wav_in != NULL) {
        int fd = open(wav_in, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return psst_cli_error(PSST_EXIT_FAILED, "%s: %s", wav_in, strerror(errno));
        if (!may_be_wav(fd)) {
            (void)close(fd);
            return psst_cli_error(PSST_EXIT_FAILED, "%s: a wav of 48 kHz, mono, 16 bits is needed", wav_in);
        }
        fds[(*n)++] = fd;
        (void)json_object_set_new(params, "wav_in", json_true());
    }
    if (wav_out != NULL) {
        int fd = open(wav_out, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0) {
            int code = errno == EEXIST ? psst_cli_error(PSST_EXIT_FAILED,
                                                        "%s is there already, and nothing is ever overwritten", wav_out)
                                       : psst_cli_error(PSST_EXIT_FAILED, "%s: %s", wav_out, strerror(errno));
            while (*n > 0) (void)close(fds[--*n]);
            return code;
        }
        fds[(*n)++] = fd;
        (void)json_object_set_new(params, "wav_out", json_true());
    }
    return PSST_EXIT_DONE;
}

/* ---- one request that lasts ---- */

struct wait {
    bool answered;
    json_t *result;
    struct psst_failure failure;
};

static void on_done(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct wait *wait = ctx;
    wait->answered = true;
    wait->result = json_incref(result);
    if (result == NULL) wait->failure = *failure;
}

static void ignore(void *ctx, json_t *result, const struct psst_failure *failure)
{
    (void)ctx;
    (void)result;
    (void)failure;
}

static bool ask_to_stop(struct psst_client *client, bool discard)
{
    json_t *params = discard ? json_pack("{s:b}", "discard", 1) : json_object();
    return psst_client_request(client, "voice.stop", params, NULL, 0, ignore, NULL) == PSST_OK;
}

json_t *psst_voice_wait(struct psst_cli *cli, const char *method, json_t *params, const int *fds, size_t n,
                        const char *hint, bool discard, int *code)
{
    struct wait wait = {.answered = false};
    struct psst_interrupts was;
    unsigned woke = 0, stops = 0;
    if (!psst_interrupts_catch(&was)) {
        *code = psst_cli_error(PSST_EXIT_FAILED, "%s", strerror(errno));
        json_decref(params);
        for (size_t i = 0; i < n; i++) (void)close(fds[i]);
        return NULL;
    }
    if (hint != NULL) (void)fprintf(stderr, "%s\n", hint);
    bool asked = psst_client_request(cli->client, method, params, fds, n, on_done, &wait) == PSST_OK;
    while (asked && !wait.answered && (woke & PSST_WOKE_GONE) == 0 && stops < 3) {
        woke = psst_interrupts_wait(cli->client, hint != NULL && stops == 0, -1);
        if ((woke & (PSST_WOKE_INTERRUPT | PSST_WOKE_ENTER)) == 0 || wait.answered) continue;
        stops++; /* the third one is for who has no patience left */
        if (!ask_to_stop(cli->client, discard && (woke & PSST_WOKE_INTERRUPT) != 0)) break;
    }
    psst_interrupts_release(&was);
    if (wait.answered) {
        if (wait.result == NULL) *code = psst_cli_fail(&wait.failure);
        return wait.result;
    }
    *code = stops < 3 ? psst_cli_error(PSST_EXIT_LOCKED, "psstd has ended") : PSST_EXIT_FAILED;
    psst_client_close(cli->client); /* its answer must not find us gone */
    cli->client = NULL;
    return NULL;
}
