/* JSON-RPC 2.0 objects, one a line (docs/IPC.md): taken apart with every bound checked, and put together.
 *
 * Both sides use it: psstd reads requests, user interfaces read results, errors and notifications.
 */
#ifndef PSST_IPC_RPC_H
#define PSST_IPC_RPC_H

#include "ipc/lines.h"

#include <jansson.h>

#define PSST_RPC_DEPTH_MAX 8  /* objects and lists inside each other */
#define PSST_RPC_ID_MAX    64 /* bytes of an id that is a string */

/* The codes of JSON-RPC 2.0; what fails for a reason of ours has 1000 + exit code. */
#define PSST_RPC_PARSE_ERROR     (-32700)
#define PSST_RPC_INVALID_REQUEST (-32600)
#define PSST_RPC_NO_METHOD       (-32601)
#define PSST_RPC_INVALID_PARAMS  (-32602)
#define PSST_RPC_OURS            1000

/* What a command line ends with (docs/IPC.md, "Errors"). */
enum psst_exit {
    PSST_EXIT_DONE = 0,
    PSST_EXIT_FAILED = 1,
    PSST_EXIT_USAGE = 2,
    PSST_EXIT_LOCKED = 3, /* no daemon, no identity, or locked */
    PSST_EXIT_NO_CONTACT = 4,
    PSST_EXIT_UNREACHABLE = 5,
    PSST_EXIT_REFUSED = 6,
};

enum psst_rpc_kind { PSST_RPC_REQUEST, PSST_RPC_EVENT, PSST_RPC_RESULT, PSST_RPC_ERROR };

struct psst_rpc {
    enum psst_rpc_kind kind;
    json_t *root; /* owned; all that follows is borrowed from it */
    json_t *id;   /* NULL: none */
    const char *method;
    json_t *params; /* an object, or NULL */
    json_t *result;
    const char *message; /* of an error; never NULL there */
    const char *name;    /* "not-found", ...; never NULL there */
    int exit_code;       /* 1 to 6 */
};

/* PSST_ERR_MALFORMED: no JSON object, doubled keys, too deep (answer: parse error; nothing to free).
 * PSST_ERR_PROTOCOL: JSON, but not JSON-RPC 2.0 (answer: invalid request, to out->id when there is one). */
PSST_MUST_USE enum psst_err psst_rpc_parse(struct psst_rpc *out, struct psst_view line);
void psst_rpc_fini(struct psst_rpc *rpc);

/* All take params or result (NULL: an empty object), and give a new reference, NULL when memory is out. id is borrowed;
 * NULL becomes null. */
json_t *psst_rpc_request(json_int_t id, const char *method, json_t *params);
json_t *psst_rpc_result(json_t *id, json_t *result);
json_t *psst_rpc_error(json_t *id, int code, enum psst_exit exit_code, const char *name, const char *message);
json_t *psst_rpc_event(const char *method, json_t *params);

/* Writes object (taken) as a line and queues it with the descriptors (taken), as psst_lines_put. */
PSST_MUST_USE enum psst_err psst_rpc_put(struct psst_lines *lines, json_t *object, const int *fds, size_t n);
/* Only the writing: appends the line without line feed. */
PSST_MUST_USE enum psst_err psst_rpc_dump(const json_t *object, struct psst_buf *out);

/* A JSON string of words that may not be valid UTF-8 (a sentence cut off): rendered. NULL: out of memory. */
json_t *psst_rpc_words(const char *words);
/* What a person wrote, exactly; what is no UTF-8 of it is replaced, as by psst_rpc_words. New. */
json_t *psst_rpc_text(const char *text);
/* {"name": name}, new. */
json_t *psst_rpc_name(const char *name);

/* The exit code and name that belong to an error of ours. */
enum psst_exit psst_rpc_exit_of(enum psst_err err);

#endif
