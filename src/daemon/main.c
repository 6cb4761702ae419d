/* psstd: options, the surroundings of the process, and where the log goes. */
#include "daemon/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LISTEN_MAX 16

static const char usage[] =
    "usage: psstd [--listen ADDR:PORT]... [--log-level error|warning|info|debug] [--ready-fd N]\n"
    "\n"
    "The daemon of PSST, one for each user. It runs in the foreground; `psst up` starts it in the background.\n"
    "\n"
    "  --listen ADDR:PORT  listen here, such as 0.0.0.0:4516 or [::1]:4516; replaces the default and is kept\n"
    "  --log-level LEVEL   how much is written to standard error, for this run\n"
    "  --ready-fd N        write one byte to descriptor N once psstd can be talked to\n"
    "  --help, --version\n";

/* ---- the log ---- */

/* Standard error is the journal: then it wants the level as a number in front, and knows the time. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    char ours[48];
    if (stream == NULL || fstat(STDERR_FILENO, &st) != 0) return false;
    (void)snprintf(ours, sizeof ours, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    return strcmp(stream, ours) == 0;
}

static void to_journal(void *ctx, enum psst_log_level level, const char *line)
{
    static const int priorities[] = {
        [PSST_LOG_ERROR] = 3, [PSST_LOG_WARNING] = 4, [PSST_LOG_INFO] = 6, [PSST_LOG_DEBUG] = 7};
    (void)ctx;
    (void)fprintf(stderr, "<%d>%s\n", priorities[level], line);
}

static void to_stderr(void *ctx, enum psst_log_level level, const char *line)
{
    static const char *const names[] = {[PSST_LOG_ERROR] = "error",
                                        [PSST_LOG_WARNING] = "warning",
                                        [PSST_LOG_INFO] = "info",
                                        [PSST_LOG_DEBUG] = "debug"};
    (void)ctx;
    struct timespec now;
    struct tm tm;
    char when[32];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &tm);
    (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)fprintf(stderr, "%s.%03ldZ %s %s\n", when, now.tv_nsec / 1000000, names[level], line);
}

/* ---- surroundings ---- */

static void prepare_process(void)
{
    (void)umask(077);
    (void)signal(SIGPIPE, SIG_IGN);
    /* descriptors 0 to 2 exist, so that no socket ever takes their place */
    for (int fd = open("/dev/null", O_RDWR); fd >= 0 && fd <= STDERR_FILENO;) fd = open("/dev/null", O_RDWR);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    const struct rlimit none = {0, 0}; /* a core file would hold session keys */
    (void)setrlimit(RLIMIT_CORE, &none);
}

/* ---- options ---- */

struct options {
    struct psst_run_options run;
    char listen[LISTEN_MAX * (PSST_ADDRESS_MAX + 2)];
    size_t n_listen;
};

static bool is_level(const char *level)
{
    return strcmp(level, "error") == 0 || strcmp(level, "warning") == 0 || strcmp(level, "info") == 0 ||
           strcmp(level, "debug") == 0;
}

static bool add_listen(struct options *o, const char *address, struct psst_diag *diag)
{
    char canonical[PSST_ADDRESS_MAX + 1];
    if (o->n_listen++ == LISTEN_MAX) {
        (void)psst_fail(diag, PSST_ERR_USAGE, "too many addresses");
        return false;
    }
    if (psst_address_normalize(canonical, address, diag) != PSST_OK) return false;
    if (o->listen[0] != '\0') (void)strncat(o->listen, " ", sizeof o->listen - strlen(o->listen) - 1);
    (void)strncat(o->listen, canonical, sizeof o->listen - strlen(o->listen) - 1);
    o->run.listen = o->listen;
    return true;
}

static bool read_fd(int *fd, const char *text)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || n < 0 || n > 1 << 20 || fcntl((int)n, F_GETFD) < 0) return false;
    (void)fcntl((int)n, F_SETFD, FD_CLOEXEC);
    *fd = (int)n;
    return true;
}

static bool take_option(struct options *o, const char *name, const char *value, struct psst_diag *diag)
{
    if (strcmp(name, "--listen") == 0) return add_listen(o, value, diag);
    if (strcmp(name, "--log-level") == 0 && is_level(value)) {
        o->run.log_level = value;
        return true;
    }
    if (strcmp(name, "--ready-fd") == 0 && read_fd(&o->run.ready_fd, value)) return true;
    (void)psst_fail(diag, PSST_ERR_USAGE, "%.60s does not take %.60s", name, value);
    return false;
}

static bool is_option(const char *arg)
{
    return strcmp(arg, "--listen") == 0 || strcmp(arg, "--log-level") == 0 || strcmp(arg, "--ready-fd") == 0;
}

/* -1: go on; else the exit code. */
static int read_options(struct options *o, int argc, char **argv)
{
    struct psst_diag diag = {{0}};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) return fputs(usage, stdout) < 0;
        if (strcmp(argv[i], "--version") == 0) return printf("psstd %s\n", PSST_VERSION) < 0;
        char name[32] = "";
        const char *equals = strchr(argv[i], '=');
        size_t len = equals != NULL ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        if (len < sizeof name) memcpy(name, argv[i], len);
        if (!is_option(name))
            (void)psst_fail(&diag, PSST_ERR_USAGE, "there is no option %.60s", argv[i]);
        else if (equals == NULL && i + 1 == argc)
            (void)psst_fail(&diag, PSST_ERR_USAGE, "%s wants a value", name);
        else if (take_option(o, name, equals != NULL ? equals + 1 : argv[++i], &diag))
            continue;
        (void)fprintf(stderr, "psstd: %s\n%s", diag.text, usage);
        return 2;
    }
    return -1;
}

int main(int argc, char **argv)
{
    static struct options o;
    o.run = (struct psst_run_options){.ready_fd = -1, .sink = is_journal() ? to_journal : to_stderr};
    int code = read_options(&o, argc, argv);
    if (code >= 0) return code;
    prepare_process();
    struct psst_diag diag = {{0}};
    enum psst_err err = psst_daemon_run(&o.run, &diag);
    if (err == PSST_OK) return 0;
    (void)fprintf(stderr, "psstd: %s\n", diag.text[0] != '\0' ? diag.text : psst_err_name(err));
    return err == PSST_ERR_USAGE ? 2 : 1;
}
