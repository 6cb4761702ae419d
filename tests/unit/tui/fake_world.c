#include "fake_world.h"
#include "tui/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct fake_world fake;
static wchar_t cells[FAKE_ROWS][FAKE_COLUMNS][PSST_CELL_CHARS + 1];
static uint64_t serials;

void fake_wipe(void)
{
    for (int r = 0; r < FAKE_ROWS; r++)
        for (int c = 0; c < FAKE_COLUMNS; c++) memset(cells[r][c], 0, sizeof cells[r][c]), cells[r][c][0] = L' ';
}

void fake_begin(struct psst_app *app, int rows, int columns)
{
    static struct psst_person bob = {.name = "Bob",
                                     .fingerprint = "",
                                     .there_text = "",
                                     .address = "10.0.0.2:4516",
                                     .there = PSST_THERE_ONLINE,
                                     .online = true,
                                     .verified = true,
                                     .bits = 4096};
    memset(&fake, 0, sizeof fake);
    memset(app, 0, sizeof *app);
    fake.rows = rows;
    fake.columns = columns;
    fake.self = (struct psst_self){.known = true,
                                   .exists = true,
                                   .name = "Alice",
                                   .fingerprint = "",
                                   .presence = "online",
                                   .presence_text = "",
                                   .listen = "0.0.0.0:4516",
                                   .words = "",
                                   .bits = 4096};
    fake.people[fake.n_people++] = bob;
    fake.name = "Bob";
    fake.trouble = "";
    fake.loaded = true;
    fake.call = (struct psst_call_now){.name = "", .way = "", .words = ""};
    app->model = (struct psst_model *)&fake;
    app->conversation = (struct psst_conversation *)&fake;
    app->open = (char *)(uintptr_t) "Bob";
    app->place.end = true;
    app->areas.conversation = (struct psst_area){0, 0, rows, columns};
    app->areas.contacts = (struct psst_area){0, 0, rows, columns};
    fake_wipe();
}

static struct psst_item *add(void)
{
    struct psst_item *item = &fake.items[fake.n_items++];
    *item = (struct psst_item){.serial = ++serials, .seq = (int64_t)serials, .time_ms = 1795433400000, .reason = ""};
    return item;
}

struct psst_item *fake_say(bool out, const char *text)
{
    struct psst_item *item = add();
    item->out = out;
    item->state = out ? PSST_STATE_DELIVERED : PSST_STATE_RECEIVED;
    item->text = psst_view_str(text);
    return item;
}

struct psst_item *fake_note(const char *text)
{
    struct psst_item *item = add();
    item->kind = PSST_ITEM_NOTE;
    item->text = psst_view_str(text);
    return item;
}

/* ---- looking ---- */

static size_t put_char(char *out, wchar_t c)
{
    uint32_t cp = (uint32_t)c;
    if (cp < 0x80) return out[0] = (char)cp, 1;
    if (cp < 0x800) return out[0] = (char)(0xc0 | cp >> 6), out[1] = (char)(0x80 | (cp & 63)), 2;
    if (cp < 0x10000)
        return out[0] = (char)(0xe0 | cp >> 12), out[1] = (char)(0x80 | (cp >> 6 & 63)),
               out[2] = (char)(0x80 | (cp & 63)), 3;
    return out[0] = (char)(0xf0 | cp >> 18), out[1] = (char)(0x80 | (cp >> 12 & 63)),
           out[2] = (char)(0x80 | (cp >> 6 & 63)), out[3] = (char)(0x80 | (cp & 63)), 4;
}

const char *fake_row(int row)
{
    static char lines[8][FAKE_COLUMNS * 4 * (PSST_CELL_CHARS + 1)];
    static unsigned turn;
    char *line = lines[turn++ % 8];
    size_t n = 0;
    for (int c = 0; c < fake.columns; c++)
        for (const wchar_t *at = cells[row][c]; *at != L'\0'; at++) n += put_char(line + n, *at);
    while (n > 0 && line[n - 1] == ' ') n--;
    line[n] = '\0';
    return line;
}

int fake_find(const char *words)
{
    for (int r = 0; r < fake.rows; r++)
        if (strstr(fake_row(r), words) != NULL) return r;
    return -1;
}

bool fake_has(const char *words)
{
    return fake_find(words) >= 0;
}

/* ---- draw.h ---- */

static void put_cell(struct psst_area area, int row, int column, const struct psst_cell *cell)
{
    int r = area.row + row, c = area.column + column;
    if (row < 0 || row >= area.rows || column < 0 || column + cell->columns > area.columns) return;
    if (r >= FAKE_ROWS || c + 1 >= FAKE_COLUMNS || cell->columns == 0) return;
    memcpy(cells[r][c], cell->chars, sizeof cells[r][c]);
    if (cell->columns == 2) cells[r][c + 1][0] = L'\0';
}

void psst_draw_clear(struct psst_area area, enum psst_style style)
{
    (void)style;
    struct psst_cell blank = {.chars = L" ", .columns = 1};
    for (int r = 0; r < area.rows; r++)
        for (int c = 0; c < area.columns; c++) put_cell(area, r, c, &blank);
}

static unsigned put_row(struct psst_area area, int row, int column, const struct psst_layout *layout, size_t i)
{
    const struct psst_row *of = &layout->rows[i];
    int at = column;
    for (size_t j = of->first; j < of->first + of->n; j++) {
        put_cell(area, row, at, &layout->cells[j]);
        at += layout->cells[j].columns;
    }
    int used = at - column, room = area.columns - column;
    return (unsigned)(room < 0 ? 0 : used < room ? used : room);
}

void psst_draw_row(struct psst_area area, int row, int column, unsigned columns, enum psst_style style,
                   const struct psst_layout *layout, size_t i)
{
    const struct psst_row *of = &layout->rows[i];
    (void)style;
    (void)put_row(area, row, column + (of->rtl && columns > of->columns ? (int)(columns - of->columns) : 0), layout, i);
}

unsigned psst_draw_text(struct psst_area area, int row, int column, enum psst_style style, const char *text)
{
    struct psst_layout layout;
    (void)style;
    if (psst_layout_make(&layout, psst_view_str(text), PSST_RENDER_LINE, 1000) != PSST_OK) return 0;
    unsigned used = put_row(area, row, column, &layout, 0);
    psst_layout_fini(&layout);
    return used;
}

unsigned psst_draw_format(struct psst_area area, int row, int column, enum psst_style style, const char *fmt, ...)
{
    char text[2000];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return psst_draw_text(area, row, column, style, text);
}

void psst_draw_line(struct psst_area area, int row, int column, unsigned length, enum psst_line line)
{
    (void)area, (void)row, (void)column, (void)length, (void)line;
}

void psst_draw_bar(struct psst_area area, int row, int column, unsigned columns, enum psst_style style, double value)
{
    for (unsigned i = 0; i < columns; i++)
        psst_draw_text(area, row, column + (int)i, style, (double)i < value * columns ? "#" : ".");
}

void psst_draw_cursor(struct psst_area area, int row, int column)
{
    fake.cursor_row = area.row + row;
    fake.cursor_column = area.column + column;
}

int psst_screen_columns(void)
{
    return fake.columns;
}

int psst_screen_rows(void)
{
    return fake.rows;
}

bool psst_screen_behind(void)
{
    return fake.behind;
}

/* ---- model.h, conversation.h ---- */

const struct psst_self *psst_model_self(const struct psst_model *model)
{
    (void)model;
    return &fake.self;
}

size_t psst_model_people(const struct psst_model *model)
{
    (void)model;
    return fake.n_people;
}

const struct psst_person *psst_model_person(const struct psst_model *model, size_t i)
{
    (void)model;
    fake.people_asked++;
    return &fake.people[i];
}

const struct psst_person *psst_model_find(const struct psst_model *model, const char *name)
{
    (void)model;
    for (size_t i = 0; i < fake.n_people; i++)
        if (strcmp(fake.people[i].name, name) == 0) return &fake.people[i];
    return NULL;
}

const struct psst_call_now *psst_model_call(const struct psst_model *model)
{
    (void)model;
    return &fake.call;
}

size_t psst_model_transfers(const struct psst_model *model)
{
    (void)model;
    return fake.n_files;
}

const struct psst_transfer *psst_model_transfer(const struct psst_model *model, size_t i)
{
    (void)model;
    return &fake.files[i];
}

bool psst_model_complete(const struct psst_model *model)
{
    (void)model;
    return true;
}

const char *psst_conversation_name(const struct psst_conversation *conversation)
{
    (void)conversation;
    return fake.name;
}

size_t psst_conversation_count(const struct psst_conversation *conversation)
{
    (void)conversation;
    return fake.n_items;
}

const struct psst_item *psst_conversation_item(const struct psst_conversation *conversation, size_t i)
{
    (void)conversation;
    return &fake.items[i];
}

size_t psst_conversation_find(const struct psst_conversation *conversation, uint64_t serial)
{
    (void)conversation;
    size_t i = 0;
    while (i < fake.n_items && fake.items[i].serial != serial) i++;
    return i;
}

bool psst_conversation_loaded(const struct psst_conversation *conversation)
{
    (void)conversation;
    return fake.loaded;
}

const char *psst_conversation_trouble(const struct psst_conversation *conversation)
{
    (void)conversation;
    return fake.trouble;
}

bool psst_conversation_has_older(const struct psst_conversation *conversation)
{
    (void)conversation;
    return fake.has_older;
}

bool psst_conversation_has_newer(const struct psst_conversation *conversation)
{
    (void)conversation;
    return fake.has_newer;
}

uint64_t psst_conversation_below(const struct psst_conversation *conversation)
{
    (void)conversation;
    return fake.below;
}

void psst_conversation_older(struct psst_conversation *conversation)
{
    (void)conversation;
    fake.asked_older++;
}

void psst_conversation_newer(struct psst_conversation *conversation)
{
    (void)conversation;
    fake.asked_newer++;
}

void psst_conversation_shown(struct psst_conversation *conversation, size_t i)
{
    (void)conversation;
    fake.shown = i + 1;
}
