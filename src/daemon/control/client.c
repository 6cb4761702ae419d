/* One user interface: lines in, lines out.
 *
 *   readable -> psst_lines_read -> whole lines -> psst_control_request_begin
 *   answers, notifications -> psst_lines_put -> flush; what the socket does not take waits for UV_WRITABLE
 *
 * One that lets 4 MiB wait is dropped; one with many unanswered requests is not read for a while (attack 44).
 */
#include "daemon/control/internal.h"

#include "daemon/calls/calls.h"
#include "daemon/calls/message.h"
#include "daemon/transfers/transfers.h"

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#define LARGE_BYTES    ((size_t)64 << 10)
#define READS_PER_TURN 16 /* of 64 KiB: then the others have their turn */

static void on_client(uv_poll_t *handle, int status, int events);

static void client_closed(uv_handle_t *handle)
{
    struct psst_control_client *client = handle->data;
    psst_lines_fini(&client->lines);
    free(client);
}

/* What lasts only as long as the one who asked for it. */
static void asker_gone(struct psst_control_client *client)
{
    struct psst_daemon *d = client->control->daemon;
    psst_messages_client_gone(d->messages, client->number);
    psst_calls_client_gone(d->calls, client->number);
}

void psst_control_client_drop(struct psst_control_client *client)
{
    if (client->closing) return;
    struct psst_control *control = client->control;
    client->closing = true;
    for (struct psst_request *req = control->requests; req != NULL; req = req->next)
        if (req->client == client) req->client = NULL;
    for (struct psst_control_client **at = &control->clients; *at != NULL; at = &(*at)->next) {
        if (*at != client) continue;
        *at = client->next;
        break;
    }
    control->n_clients--;
    psst_transfers_client_gone(control->daemon->transfers, client->number);
    asker_gone(client);
    uv_close((uv_handle_t *)&client->poll, client_closed);
}

void psst_control_client_watch(struct psst_control_client *client)
{
    if (client->closing) return;
    size_t waiting = psst_lines_waiting(&client->lines);
    if (client->ended && client->pending == 0 && waiting == 0 && !client->keep_to_end) {
        psst_control_client_drop(client);
        return;
    }
    int events = 0;
    if (!client->ended && client->pending < PSST_CONTROL_REQUESTS) events |= UV_READABLE;
    if (waiting > 0) events |= UV_WRITABLE;
    int rc = events != 0 ? uv_poll_start(&client->poll, events, on_client) : uv_poll_stop(&client->poll);
    if (rc != 0) psst_control_client_drop(client);
}

/* The objects of a list of a thousand take megabytes, in small pieces all over the heap. */
static void give_back(struct psst_control_client *client)
{
    client->large = false;
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

void psst_control_client_flush(struct psst_control_client *client)
{
    if (client->closing) return;
    if (psst_lines_waiting(&client->lines) >= LARGE_BYTES) client->large = true;
    enum psst_err err = psst_lines_flush(&client->lines);
    if (client->large && psst_lines_waiting(&client->lines) == 0) give_back(client);
    if (err != PSST_OK && err != PSST_ERR_AGAIN)
        psst_control_client_drop(client);
    else
        psst_control_client_watch(client);
}

enum psst_err psst_control_client_put(struct psst_control_client *client, json_t *object)
{
    enum psst_err err = psst_rpc_put(&client->lines, object, NULL, 0);
    if (err == PSST_ERR_FULL) psst_daemon_count(client->control->daemon, "control.dropped");
    if (err != PSST_OK && err != PSST_ERR_TOO_LONG)
        psst_control_client_drop(client);
    else if (err == PSST_OK)
        psst_control_client_flush(client);
    return err;
}

void psst_control_subscribe_client(struct psst_control_client *client, unsigned events)
{
    client->events = events;
}

void psst_control_keep_to_the_end(struct psst_control_client *client)
{
    client->keep_to_end = true;
}

void psst_control_refuse_line(struct psst_control_client *client, json_t *id, int code, const char *words)
{
    psst_daemon_count(client->control->daemon, "control.refused");
    (void)psst_control_client_put(client, psst_rpc_error(id, code, PSST_EXIT_USAGE, "invalid", words));
}

static void take_line(struct psst_control_client *client, struct psst_view line)
{
    struct psst_rpc rpc;
    enum psst_err err = psst_rpc_parse(&rpc, line);
    if (err == PSST_ERR_MALFORMED)
        psst_control_refuse_line(client, NULL, PSST_RPC_PARSE_ERROR, "that is not a JSON object");
    else if (err != PSST_OK || rpc.kind == PSST_RPC_RESULT || rpc.kind == PSST_RPC_ERROR)
        psst_control_refuse_line(client, rpc.id, PSST_RPC_INVALID_REQUEST, "that is not a JSON-RPC 2.0 request");
    else if (rpc.kind == PSST_RPC_REQUEST) /* a notification wants no answer, and nothing here takes one */
        psst_control_request_begin(client, &rpc);
    psst_rpc_fini(&rpc);
}

void psst_control_client_work_off(struct psst_control_client *client)
{
    while (!client->closing && client->pending < PSST_CONTROL_REQUESTS) {
        struct psst_view line;
        enum psst_err err = psst_lines_next(&client->lines, &line);
        if (err == PSST_ERR_AGAIN) break;
        if (err == PSST_OK) {
            take_line(client, line);
            continue;
        }
        psst_control_refuse_line(client, NULL, PSST_RPC_PARSE_ERROR, "the line is too long");
        psst_control_client_drop(client);
    }
    if (!client->closing) psst_control_client_watch(client);
}

static void on_client(uv_poll_t *handle, int status, int events)
{
    struct psst_control_client *client = handle->data;
    if (status < 0) {
        psst_control_client_drop(client);
        return;
    }
    if ((events & UV_WRITABLE) != 0) psst_control_client_flush(client);
    for (int i = 0; i < READS_PER_TURN && !client->closing && (events & UV_READABLE) != 0; i++) {
        if (client->ended || client->pending >= PSST_CONTROL_REQUESTS) break;
        enum psst_err err = psst_lines_read(&client->lines);
        if (err == PSST_ERR_AGAIN) break;
        if (err != PSST_OK) {
            psst_control_client_drop(client);
            return;
        }
        client->ended = client->lines.ended;
        if (client->ended) asker_gone(client);
        psst_control_client_work_off(client);
    }
}

void psst_control_client_new(struct psst_control *control, int fd)
{
    struct psst_control_client *client = calloc(1, sizeof *client);
    if (client == NULL || uv_poll_init(control->daemon->loop, &client->poll, fd) != 0) {
        free(client);
        (void)close(fd);
        return;
    }
    client->control = control;
    client->number = ++control->numbers;
    client->poll.data = client;
    psst_lines_init(&client->lines, fd);
    client->next = control->clients;
    control->clients = client;
    control->n_clients++;
    psst_control_client_watch(client);
}
