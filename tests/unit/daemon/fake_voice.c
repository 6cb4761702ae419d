/* A psst-voice without sound, for test_calls_voice. What it does is written in the file that comes with START: each process
 * takes the next letter, so that the second may do otherwise than the first.
 *
 *   g good: READY, frames that hold 'g' from the timestamp of START    z the same from 0
 *   d dies after five frames    x dies at once    h hangs after five frames    n talks nonsense after five frames
 *   b says DONE, result 2       s READY, and DONE after STOP
 *   p pauses for 200 ms after five frames, and makes up for it
 *   e sends back what comes     f floods: a thousand frames a second    w floods with LEVELS
 *   anything else, or nothing more: as g
 */
#include "daemon/voice/protocol.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void say(const struct psst_voice_message *message)
{
    uint8_t bytes[PSST_VOICE_MESSAGE_MAX];
    size_t len = psst_voice_message_write(bytes, message);
    if (len == 0 || send(PSST_VOICE_FD, bytes, len, MSG_NOSIGNAL) < 0) _exit(1);
}

static void say_done(uint8_t result)
{
    say(&(struct psst_voice_message){.op = PSST_VOICE_DONE, .result = result, .words = "fake"});
}

/* False: the end. */
static bool hear(struct psst_voice_message *message, uint8_t *bytes, int *fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * PSST_VOICE_FDS_MAX)];
    } control = {0};
    struct iovec iov = {.iov_base = bytes, .iov_len = PSST_VOICE_MESSAGE_MAX};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(PSST_VOICE_FD, &msg, 0);
    if (n <= 0) return false;
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    if (c != NULL) memcpy(fd, CMSG_DATA(c), sizeof *fd);
    return psst_voice_message_read(message, psst_view(bytes, (size_t)n)) == PSST_OK;
}

static void frame(uint32_t timestamp, struct psst_view payload)
{
    say(&(struct psst_voice_message){.op = PSST_VOICE_FRAME, .timestamp = timestamp, .payload = payload});
}

/* Until the next message, or the time of a frame. True: there is a message. */
static bool wait_turn(int ms)
{
    struct pollfd poll_fd = {.fd = PSST_VOICE_FD, .events = POLLIN};
    return poll(&poll_fd, 1, ms) > 0;
}

int main(void)
{
    struct psst_voice_message message;
    uint8_t bytes[PSST_VOICE_MESSAGE_MAX];
    char order = 0;
    unsigned frames = 0;
    uint8_t payload[2] = {'g', 0}; /* and how many STARTs this process has had */
    uint32_t timestamp = 0;
    for (;;) {
        bool rhythm = order != 0 && strchr("gdhnzfp", order) != NULL;
        if (!wait_turn(order == 'f' ? 1 : rhythm ? 20 : -1)) {
            frame(timestamp, psst_view(payload, sizeof payload));
            timestamp += PSST_VOICE_FRAME_SAMPLES;
            frames++;
            if (frames == 5 && order == 'd') _exit(3);
            if (frames == 5 && order == 'n' && send(PSST_VOICE_FD, "nonsense", 8, MSG_NOSIGNAL) < 0) _exit(1);
            while (frames == 5 && order == 'h') (void)pause();
            if (frames == 5 && order == 'p') {
                (void)usleep(200000);
                for (int i = 0; i < 10; i++, timestamp += PSST_VOICE_FRAME_SAMPLES)
                    frame(timestamp, psst_view(payload, sizeof payload));
            }
            continue;
        }
        int fd = -1;
        if (!hear(&message, bytes, &fd)) return 0;
        if (message.op == PSST_VOICE_STOP) {
            if (order == 's') say_done(0);
            return 0;
        }
        if (message.op == PSST_VOICE_FRAME && order == 'e') frame(message.timestamp, message.payload);
        if (message.op != PSST_VOICE_START) continue;
        payload[1]++;
        order = 'g';
        if (fd >= 0 && (read(fd, &order, 1) != 1 || strchr("gzdxhnbsefpw", order) == NULL)) order = 'g';
        if (fd >= 0) (void)close(fd);
        if (order == 'x') _exit(4);
        timestamp = order == 'z' ? 0 : message.start.timestamp;
        frames = 0;
        say(&(struct psst_voice_message){.op = PSST_VOICE_READY});
        for (int i = 0; i < 5000 && order == 'w'; i++) say(&(struct psst_voice_message){.op = PSST_VOICE_LEVELS});
        if (order == 'b') say_done(2);
    }
}
