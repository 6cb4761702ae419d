#include "client/out.h"

#include "base/me.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <time.h>

void psst_out_init(void)
{
    const char *got = setlocale(LC_CTYPE, "");
    if (got == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0) (void)setlocale(LC_CTYPE, "C.UTF-8");
}

/* ---- text ---- */

const char *psst_out_text(const char *text, size_t max_chars)
{
    static struct psst_buf turn[8];
    static unsigned next;
    struct psst_buf *buf = &turn[next++ % 8];
    psst_buf_fini(buf);
    psst_buf_init(buf, 65536);
    if (text != NULL) psst_text_render(buf, psst_view_str(text), PSST_RENDER_LINE, max_chars);
    psst_buf_put_u8(buf, 0);
    return buf->failed ? "(out of memory)" : (const char *)buf->data;
}

const char *psst_out_alias(const char *alias, size_t max_chars)
{
    if (alias != NULL && psst_is_me(psst_view_str(alias))) return "not you: " PSST_ME;
    return psst_out_text(alias, max_chars);
}

const char *psst_out_string(const json_t *object, const char *key)
{
    return psst_out_text(json_string_value(json_object_get(object, key)), 1000);
}

long long psst_out_int(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

bool psst_out_bool(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* ---- numbers ---- */

const char *psst_out_size(char out[PSST_SIZE_TEXT], unsigned long long bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        (void)snprintf(out, PSST_SIZE_TEXT, "%llu byte%s", bytes, bytes == 1 ? "" : "s");
        return out;
    }
    double value = (double)bytes / 1000;
    size_t unit = 0;
    while (value >= 999.95 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    (void)snprintf(out, PSST_SIZE_TEXT, "%.1f %s", value, units[unit]);
    return out;
}

const char *psst_out_duration(char out[PSST_SIZE_TEXT], unsigned long long ms)
{
    unsigned long long s = ms / 1000;
    if (s < 60)
        (void)snprintf(out, PSST_SIZE_TEXT, "%llu s", s);
    else if (s < 3600)
        (void)snprintf(out, PSST_SIZE_TEXT, "%llu min", s / 60);
    else if (s < 86400)
        (void)snprintf(out, PSST_SIZE_TEXT, "%llu h %llu min", s / 3600, s / 60 % 60);
    else
        (void)snprintf(out, PSST_SIZE_TEXT, "%llu day%s", s / 86400, s < 2 * 86400 ? "" : "s");
    return out;
}

const char *psst_out_time(char out[64], long long unix_ms, const char *format)
{
    time_t s = (time_t)(unix_ms / 1000);
    struct tm tm;
    out[0] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (localtime_r(&s, &tm) == NULL || strftime(out, 64, format, &tm) == 0) (void)snprintf(out, 64, "?");
#pragma GCC diagnostic pop
    return out;
}

const char *psst_out_key(char out[PSST_SIZE_TEXT], const json_t *object)
{
    (void)snprintf(out, PSST_SIZE_TEXT, "RSA %lld bits%s", psst_out_int(object, "bits"),
                   psst_out_bool(object, "weak") ? " (weak)" : "");
    return out;
}
