/* What the files of the control socket share: control.c (the socket, subscribers, the whole), control/client.c (one
 * user interface: lines in and out), control/request.c (requests: begun, held, answered). Nothing else includes this. */
#ifndef PSST_DAEMON_CONTROL_INTERNAL_H
#define PSST_DAEMON_CONTROL_INTERNAL_H

#include "daemon/control/control.h"

struct psst_control_client {
    struct psst_control *control;
    uint64_t number; /* rising; never 0 */
    struct psst_lines lines;
    uv_poll_t poll;
    unsigned events;  /* bits: subscribed */
    size_t pending;   /* unanswered requests */
    bool ended;       /* it has closed its side: the answers still go out */
    bool keep_to_end; /* it asked for the shutdown and waits for the socket to close */
    bool large;       /* much waits or waited to go out: when it is gone, memory is given back to the system */
    bool closing;
    struct psst_control_client *next;
};

struct psst_control {
    struct psst_daemon *daemon;
    int listen_fd, reserve_fd;
    uv_poll_t listening;
    uv_timer_t later; /* held requests and clients that were paused */
    struct psst_control_client *clients;
    size_t n_clients;
    uint64_t numbers;                   /* given to clients so far */
    struct psst_request *requests;      /* all unanswered */
    struct psst_request *held;          /* of these: waiting for the identity to open */
    int last_fds[PSST_CONTROL_CLIENTS]; /* of those who wait for the end: closed as the last thing */
    size_t n_last_fds;
    bool closed;
};

/* ---- control/client.c ---- */

/* Takes fd. */
void psst_control_client_new(struct psst_control *control, int fd);
/* Its requests go on without it. Its memory stays until the loop has closed the handle. */
void psst_control_client_drop(struct psst_control_client *client);
/* What is to be waited for now; a client that has nothing left to get is let go. */
void psst_control_client_watch(struct psst_control_client *client);
void psst_control_client_flush(struct psst_control_client *client);
/* Takes object. PSST_ERR_TOO_LONG leaves the client as it was; after every other error it is dropped. */
enum psst_err psst_control_client_put(struct psst_control_client *client, json_t *object);
/* Takes the whole lines that are there, as long as not too many requests wait. */
void psst_control_client_work_off(struct psst_control_client *client);
void psst_control_refuse_line(struct psst_control_client *client, json_t *id, int code, const char *words);

/* ---- control/request.c ---- */

/* A request of the client with its descriptors: run, refused or held. */
void psst_control_request_begin(struct psst_control_client *client, const struct psst_rpc *rpc);
void psst_control_request_free(struct psst_request *req);
/* The timer of control: runs what was held, and takes lines of clients that were paused. */
void psst_control_on_later(uv_timer_t *timer);

#endif
