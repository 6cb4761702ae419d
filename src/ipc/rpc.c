#include "ipc/rpc.h"

#include "base/text.h"

/* jansson parses by recursion: what is nested too deeply never reaches it. */
static bool shallow(struct psst_view line)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < line.len; i++) {
        uint8_t c = line.data[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > PSST_RPC_DEPTH_MAX) return false;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return true;
}

static bool id_allowed(const json_t *id)
{
    return json_is_integer(id) || (json_is_string(id) && json_string_length(id) <= PSST_RPC_ID_MAX);
}

static enum psst_err read_error(struct psst_rpc *out, const json_t *error)
{
    const json_t *data = json_object_get(error, "data");
    json_int_t exit_code = json_integer_value(json_object_get(data, "exit"));
    out->kind = PSST_RPC_ERROR;
    out->message = json_string_value(json_object_get(error, "message"));
    out->name = json_string_value(json_object_get(data, "name"));
    if (out->message == NULL) return PSST_ERR_PROTOCOL;
    if (out->name == NULL) out->name = "failed";
    out->exit_code = exit_code >= 1 && exit_code <= PSST_EXIT_REFUSED ? (int)exit_code : PSST_EXIT_FAILED;
    return PSST_OK;
}

static enum psst_err take_apart(struct psst_rpc *out)
{
    json_t *id = json_object_get(out->root, "id");
    if (id != NULL && id_allowed(id)) out->id = id;
    const char *version = json_string_value(json_object_get(out->root, "jsonrpc"));
    if (version == NULL || strcmp(version, "2.0") != 0) return PSST_ERR_PROTOCOL;
    const json_t *method = json_object_get(out->root, "method");
    if (method != NULL) {
        out->method = json_string_value(method);
        out->params = json_object_get(out->root, "params");
        out->kind = id != NULL ? PSST_RPC_REQUEST : PSST_RPC_EVENT;
        if (out->method == NULL || (id != NULL && out->id == NULL)) return PSST_ERR_PROTOCOL;
        return out->params == NULL || json_is_object(out->params) ? PSST_OK : PSST_ERR_PROTOCOL;
    }
    const json_t *error = json_object_get(out->root, "error");
    if (error != NULL) return read_error(out, error);
    out->kind = PSST_RPC_RESULT;
    out->result = json_object_get(out->root, "result");
    return out->result != NULL && out->id != NULL ? PSST_OK : PSST_ERR_PROTOCOL;
}

enum psst_err psst_rpc_parse(struct psst_rpc *out, struct psst_view line)
{
    *out = (struct psst_rpc){0};
    if (line.len == 0 || line.len > PSST_LINE_MAX || !shallow(line)) return PSST_ERR_MALFORMED;
    json_error_t where;
    out->root = json_loadb((const char *)line.data, line.len, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(out->root)) {
        psst_rpc_fini(out);
        return PSST_ERR_MALFORMED;
    }
    return take_apart(out);
}

void psst_rpc_fini(struct psst_rpc *rpc)
{
    json_decref(rpc->root);
    *rpc = (struct psst_rpc){0};
}

json_t *psst_rpc_request(json_int_t id, const char *method, json_t *params)
{
    if (params == NULL) params = json_object();
    return json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id", id, "method", method, "params", params);
}

json_t *psst_rpc_result(json_t *id, json_t *result)
{
    if (result == NULL) result = json_object();
    return json_pack("{s:s, s:O?, s:o}", "jsonrpc", "2.0", "id", id, "result", result);
}

json_t *psst_rpc_event(const char *method, json_t *params)
{
    if (params == NULL) params = json_object();
    return json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", method, "params", params);
}

json_t *psst_rpc_words(const char *words)
{
    struct psst_buf buf;
    psst_buf_init(&buf, 4096);
    psst_text_render(&buf, psst_view_str(words), PSST_RENDER_LINE, 1000);
    json_t *json = buf.failed ? NULL : json_stringn(buf.len > 0 ? (const char *)buf.data : "", buf.len);
    psst_buf_fini(&buf);
    return json;
}

json_t *psst_rpc_text(const char *text)
{
    json_t *exact = json_string(text);
    return exact != NULL ? exact : psst_rpc_words(text);
}

json_t *psst_rpc_name(const char *name)
{
    json_t *params = json_object();
    if (params != NULL) (void)json_object_set_new(params, "name", psst_rpc_text(name));
    return params;
}

json_t *psst_rpc_error(json_t *id, int code, enum psst_exit exit_code, const char *name, const char *message)
{
    json_t *words = psst_rpc_words(message);
    if (words == NULL) return NULL;
    return json_pack("{s:s, s:O?, s:{s:i, s:o, s:{s:i, s:s}}}", "jsonrpc", "2.0", "id", id, "error", "code", code,
                     "message", words, "data", "exit", (int)exit_code, "name", name);
}

struct dump {
    struct psst_buf *out;
    bool too_long;
};

static int append(const char *bytes, size_t len, void *ctx)
{
    struct dump *dump = ctx;
    if (len > dump->out->max - dump->out->len) dump->too_long = true;
    psst_buf_put(dump->out, bytes, len);
    return dump->out->failed ? -1 : 0;
}

enum psst_err psst_rpc_dump(const json_t *object, struct psst_buf *out)
{
    struct dump dump = {.out = out};
    if (json_dump_callback(object, append, &dump, JSON_COMPACT) == 0 && !out->failed) return PSST_OK;
    return dump.too_long ? PSST_ERR_TOO_LONG : PSST_ERR_MEMORY;
}

enum psst_err psst_rpc_put(struct psst_lines *lines, json_t *object, const int *fds, size_t n)
{
    struct psst_buf line;
    psst_buf_init(&line, PSST_LINE_MAX - 1);
    enum psst_err err = object != NULL ? psst_rpc_dump(object, &line) : PSST_ERR_MEMORY;
    json_decref(object);
    if (err == PSST_OK)
        err = psst_lines_put(lines, psst_buf_view(&line), fds, n);
    else
        psst_fds_close(fds, n);
    psst_buf_fini(&line);
    return err;
}

enum psst_exit psst_rpc_exit_of(enum psst_err err)
{
    switch (err) {
    case PSST_OK: return PSST_EXIT_DONE;
    case PSST_ERR_USAGE: return PSST_EXIT_USAGE;
    case PSST_ERR_LOCKED: return PSST_EXIT_LOCKED;
    default: return PSST_EXIT_FAILED;
    }
}
