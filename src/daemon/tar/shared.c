/* What psst-tar's files share. */
#include "daemon/tar/tar.h"

#include "base/text.h"

#include <poll.h>
#include <stdio.h>

static int line_fd = -1;

void psst_tar_line_set(int fd)
{
    line_fd = fd;
}

int psst_tar_line(void)
{
    return line_fd;
}

enum psst_err psst_tar_alive(void)
{
    struct pollfd line = {.fd = line_fd};
    if (line_fd < 0 || poll(&line, 1, 0) <= 0) return PSST_OK;
    return (line.revents & (POLLHUP | POLLERR)) != 0 ? PSST_ERR_EXPIRED : PSST_OK;
}

const char *psst_tar_shown(struct psst_view path)
{
    static char shown[2][160];
    static unsigned next;
    char *out = shown[next++ % 2];
    struct psst_buf buf;
    psst_buf_init(&buf, 4 * sizeof shown[0]);
    psst_text_render(&buf, path, PSST_RENDER_LINE, sizeof shown[0] / 4 - 2);
    (void)snprintf(out, sizeof shown[0], "\"%.*s\"", (int)buf.len, buf.len > 0 ? (const char *)buf.data : "");
    psst_buf_fini(&buf);
    return out;
}
