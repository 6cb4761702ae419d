/* The clock, the mishaps, a life and its end, and the last check. */
#include "outbox.h"

#include "store/store_internal.h"
#include "support/vectors.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define STEPS_AT_ONE_TIME 200000                 /* more than any story takes: something would be spinning */
#define PATIENCE          (4 * 3600 * OB_SECOND) /* pauses get longer; after the last mishap all must have gone by then */

struct ob_tally ob_tally;

void ob_fail(const struct ob_world *w, const char *file, int line, const char *what)
{
    fail_msg("seed %llu, at %.3f s: %s (%s:%d)", (unsigned long long)w->seed,
             (double)(w->now.mono_ns - 1000 * OB_SECOND) / 1e9, what, file, line);
    abort(); /* not reached */
}

void ob_trace(const struct ob_world *w, const char *fmt, ...)
{
    static int on = -1;
    if (on < 0) on = getenv("PSST_SIM_TRACE") != NULL;
    if (on == 0) return;
    va_list args;
    va_start(args, fmt);
    print_message("%10.3f ", (double)(w->now.mono_ns - 1000 * OB_SECOND) / 1e9);
    vprint_message(fmt, args);
    va_end(args);
}

uint64_t ob_draw(struct ob_world *w, uint64_t lo, uint64_t hi)
{
    return psst_rng_range(&w->rng, lo, hi);
}

bool ob_chance(struct ob_world *w, unsigned percent)
{
    return ob_draw(w, 1, 100) <= percent;
}

uint64_t ob_soon(struct ob_world *w, uint64_t lo_ms, uint64_t hi_ms)
{
    return w->now.mono_ns + ob_draw(w, lo_ms * OB_MS, hi_ms * OB_MS);
}

/* ---- a life ---- */

static void start(struct ob_party *p)
{
    ob_trace(p->w, "%s: starts\n", p->name);
    ob_store_open(p);
    p->up = true;
    p->life++;
    p->loop.data = p;
    p->peers.p = p->book.p = p;
    p->d = (struct psst_daemon){.loop = &p->loop, .store = &p->thread, .book = &p->book, .peers = &p->peers};
    struct psst_contact *contact = calloc(1, sizeof *contact);
    OB_CHECK(p->w, contact != NULL);
    contact->id = p->contact_id;
    contact->key = p->other->pub;
    contact->receipts = p->w->receipts;
    contact->keep_history = p->w->history;
    (void)snprintf(contact->alias, sizeof contact->alias, "%s", p->other->name);
    p->contact = contact;
    OB_CHECK(p->w, psst_delivery_new(&p->d.delivery, &p->d) == PSST_OK);
    psst_delivery_loaded(p->d.delivery);
    p->dial_ns = ob_soon(p->w, 0, 5000);
    ob_people_begin(p);
}

static void end_life(struct ob_party *p)
{
    struct psst_contact *contact = p->contact;
    p->up = false;
    p->contact = NULL; /* whatever comes late finds nobody */
    ob_store_drop_jobs(p);
    psst_delivery_forget(p->d.delivery, contact);
    free(contact);
    psst_delivery_close(p->d.delivery);
    psst_delivery_free(p->d.delivery);
    psst_store_close(p->store);
    p->store = NULL;
    p->trouble = OB_TROUBLE_NONE;
}

void ob_cut(struct ob_party *p, bool power)
{
    if (!fault_disk_dead(p->disk)) fault_disk_power_cut(p->disk);
    p->lost_power = power;
    (void)(power ? ob_tally.cuts++ : ob_tally.crashes++);
    ob_trace(p->w, "%s: %s\n", p->name, power ? "the power goes" : "psstd dies");
    ob_lines_gone(p, power && ob_chance(p->w, 70)); /* whose power is off says nothing; a kernel does */
    end_life(p);
    p->back_ns = ob_soon(p->w, 100, ob_chance(p->w, 20) ? 120000 : 20000);
}

static void come_back(struct ob_party *p)
{
    if (p->lost_power)
        fault_disk_power_back(p->disk, ob_draw(p->w, 0, UINT32_MAX));
    else
        fault_disk_crash_back(p->disk);
    fault_disk_seed(p->disk, ob_draw(p->w, 0, UINT32_MAX));
    start(p);
}

/* In order: bye, all jobs done, the store closed. The power may go right after that. */
static void stop(struct ob_party *p)
{
    struct ob_world *w = p->w;
    ob_tally.stops++;
    ob_trace(w, "%s: stops\n", p->name);
    (void)fault_disk_clear(p->disk);
    ob_lines_bye(p);
    ob_lines_gone(p, false);
    p->contact->session = NULL;
    ob_store_drain(p);
    end_life(p);
    p->lost_power = ob_chance(w, 50);
    if (p->lost_power) ob_tally.cuts++;
    fault_disk_power_cut(p->disk);
    p->back_ns = ob_soon(w, 100, 10000);
}

/* ---- mishaps ---- */

static void begin_trouble(struct ob_party *p)
{
    struct ob_world *w = p->w;
    ob_trace(w, "%s: the disk fails\n", p->name);
    p->trouble = ob_draw(w, OB_TROUBLE_RESERVE, OB_TROUBLE_DISK);
    p->trouble_ns = ob_soon(w, 100, ob_chance(w, 20) ? 300000 : 20000);
    ob_tally.reserve += p->trouble == OB_TROUBLE_RESERVE;
    ob_tally.flaky += p->trouble == OB_TROUBLE_FLAKY;
    if (p->trouble != OB_TROUBLE_DISK) return; /* no room for what others send: store.c */
    bool full = ob_chance(w, 50), for_good = ob_chance(w, 60);
    if (!full && ob_chance(w, 30)) {
        ob_tally.syncs++;
        fault_disk_plan_sync(p->disk, (long)ob_draw(w, 1, 3), for_good);
        return;
    }
    (void)(full ? ob_tally.full++ : ob_tally.io++);
    fault_disk_plan(p->disk, full ? FAULT_FULL : FAULT_IO, (long)ob_draw(w, 1, 30), for_good);
}

static void no_more_trouble(struct ob_party *p)
{
    if (p->trouble != OB_TROUBLE_NONE) ob_trace(p->w, "%s: the disk is well again\n", p->name);
    p->trouble = OB_TROUBLE_NONE;
    (void)fault_disk_clear(p->disk);
}

/* What is wrong with a disk ends by itself. */
static void plan_no_cut(struct ob_party *p)
{
    if (p->trouble == OB_TROUBLE_NONE) (void)fault_disk_clear(p->disk);
}

static void mishap(struct ob_world *w)
{
    struct ob_party *p = ob_chance(w, 50) ? &w->alice : &w->bob;
    w->mishap_ns = ob_soon(w, 0, ob_chance(w, 50) ? 2000 : 60000);
    w->mishaps--;
    if (!p->up) return;
    uint64_t which = ob_draw(w, 0, 99);
    /* what a program that died had not made safe is worth a look: the power goes before the disk has it */
    if (p->life > 1 && !p->lost_power && ob_chance(w, 40)) which = 60;
    if (which < 50) { /* in the middle of one of the next changes to the disk */
        p->kills = which >= 40;
        fault_disk_plan(p->disk, FAULT_POWER, (long)ob_draw(w, 1, 60), false);
    } else if (which < 62) {
        ob_cut(p, true);
    } else if (which < 70) {
        ob_cut(p, false);
    } else if (which < 75) {
        stop(p);
    } else if (which < 88) {
        begin_trouble(p);
    } else {
        ob_line_break(p);
    }
}

/* ---- the clock ---- */

static bool step_party(struct ob_party *p)
{
    struct ob_world *w = p->w;
    uint64_t now_ns = w->now.mono_ns;
    bool moved = false;
    if (!p->up && p->back_ns <= now_ns) {
        come_back(p);
        moved = true;
    }
    if (p->up && p->trouble != OB_TROUBLE_NONE && p->trouble_ns <= now_ns) no_more_trouble(p);
    if (p->up && p->alarm_ns <= now_ns) {
        p->alarm_ns = OB_NEVER;
        p->alarm_cb(p->alarm);
        moved = true;
    }
    moved |= ob_store_step(p);
    moved |= ob_people_step(p);
    for (size_t i = 0; i < OB_LINES; i++) moved |= ob_line_step(&p->conns[i]);
    if (p->up && p->dial_ns <= now_ns) {
        ob_dial(p);
        moved = true;
    }
    return moved;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_of(const struct ob_party *p)
{
    if (!p->up) return p->back_ns;
    uint64_t next = earlier(earlier(ob_store_next(p), ob_people_next(p)), earlier(p->alarm_ns, p->dial_ns));
    if (p->trouble != OB_TROUBLE_NONE) next = earlier(next, p->trouble_ns);
    for (size_t i = 0; i < OB_LINES; i++) next = earlier(next, ob_line_next(&p->conns[i]));
    return next;
}

static void work_off(struct ob_world *w)
{
    for (size_t steps = 0;; steps++) {
        bool moved = step_party(&w->alice);
        moved |= step_party(&w->bob);
        if (w->mishaps > 0 && w->mishap_ns <= w->now.mono_ns) {
            mishap(w);
            moved = true;
        }
        if (!moved) return;
        OB_CHECK(w, steps < STEPS_AT_ONE_TIME);
    }
}

static void advance(struct ob_world *w)
{
    uint64_t next = earlier(next_of(&w->alice), next_of(&w->bob));
    if (w->mishaps > 0) next = earlier(next, w->mishap_ns);
    OB_CHECK(w, next != OB_NEVER && next > w->now.mono_ns);
    w->now.unix_ms += next / OB_MS - w->now.mono_ns / OB_MS;
    w->now.mono_ns = next;
}

/* ---- a story ---- */

static void init_party(struct ob_world *w, struct ob_party *p, struct ob_party *other, const char *name,
                       const char *key)
{
    char folder[160];
    p->w = w;
    p->name = name;
    p->letter = name[0];
    p->other = other;
    p->key = vectors_private_key(key);
    p->pub = vectors_public_key(key);
    p->config = (struct psst_link_config){.self = p->pub, .rng = &w->rng};
    p->to_say = (size_t)ob_draw(w, 0, 150);
    (void)snprintf(folder, sizeof folder, "%s/%s", w->dir, name);
    OB_CHECK(w, mkdir(folder, 0700) == 0);
    (void)snprintf(p->path, sizeof p->path, "%s/store", folder);
    p->disk = fault_vfs_disk(folder);
    fault_disk_seed(p->disk, ob_draw(w, 0, UINT32_MAX));
    fault_disk_safe_overwrite(p->disk, ob_chance(w, 70));
}

static void init_world(struct ob_world *w, uint64_t seed)
{
    static const uint64_t rates[] = {0, 64000, 1000000, 10000000};
    const char *tmp = getenv("TMPDIR");
    *w = (struct ob_world){.seed = seed};
    w->rng_state = det_rng(seed);
    w->rng = det_rng_of(&w->rng_state);
    w->now = (struct psst_now){.mono_ns = 1000 * OB_SECOND, .unix_ms = UINT64_C(1750000000000)};
    w->weather = (struct net_weather){.delay_ns = ob_draw(w, 0, 200 * OB_MS),
                                      .jitter_ns = ob_draw(w, 0, 100 * OB_MS),
                                      .bytes_per_s = rates[ob_draw(w, 0, 3)],
                                      .window = 65536,
                                      .pieces = ob_chance(w, 50) ? NET_RANDOM : NET_WHOLE};
    w->history = ob_chance(w, 85);
    w->receipts = ob_chance(w, 50);
    w->mishaps = (unsigned)ob_draw(w, 10, 40);
    w->mishap_ns = ob_soon(w, 0, 20000);
    (void)snprintf(w->dir, sizeof w->dir, "%.100s/psst-outbox-XXXXXX", tmp != NULL ? tmp : "/tmp");
    OB_CHECK(w, mkdtemp(w->dir) != NULL);
    init_party(w, &w->alice, &w->bob, "alice", "a1024");
    init_party(w, &w->bob, &w->alice, "bob", "b1024");
}

static void remove_folder(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *e = dir == NULL ? NULL : readdir(dir); e != NULL; e = readdir(dir)) {
        if (e->d_name[0] == '.') continue;
        char inside[512];
        (void)snprintf(inside, sizeof inside, "%s/%.200s", path, e->d_name);
        if (e->d_type == DT_DIR)
            remove_folder(inside);
        else
            (void)unlink(inside);
    }
    if (dir != NULL) (void)closedir(dir);
    (void)rmdir(path);
}

/* All that was confirmed and not taken back is there: in our store as arrived, in theirs with its text. */
static void check_end(struct ob_party *p)
{
    struct ob_world *w = p->w;
    ob_store_check(p);
    for (size_t i = 0; i < p->n_texts; i++) {
        const struct ob_text *t = &p->texts[i];
        OB_CHECK(w, !t->confirmed || t->recalled || t->stored_there);
        OB_CHECK(w, !t->recalled || !t->stored_there);
        OB_CHECK(w, !t->stored_there || t->wired);
    }
    int64_t left = 0;
    OB_CHECK(w, psst_store_pragma_int(p->store, "SELECT count(*) FROM messages WHERE direction = 1 AND state = 0",
                                      &left) == PSST_OK);
    OB_CHECK(w, left == 0);
}

static void fini_party(struct ob_party *p)
{
    ob_lines_free(p);
    if (p->up) end_life(p);
    psst_rsa_private_free(p->key);
    psst_rsa_public_free(p->pub);
}

static struct ob_world world;

void ob_clean_up(void)
{
    if (world.dir[0] != '\0') remove_folder(world.dir);
    world.dir[0] = '\0';
}

void ob_story(uint64_t seed)
{
    struct ob_world *w = &world;
    fault_vfs_install();
    init_world(w, seed);
    ob_tally.stories++;
    start(&w->alice);
    start(&w->bob);
    uint64_t quiet_ns = 0; /* since when nothing happens to them any more */
    for (work_off(w); w->mishaps > 0 || !ob_people_done(&w->alice) || !ob_people_done(&w->bob); work_off(w)) {
        if (w->mishaps == 0 && quiet_ns == 0) {
            quiet_ns = w->now.mono_ns;
            plan_no_cut(&w->alice);
            plan_no_cut(&w->bob);
        }
        OB_CHECK(w, quiet_ns == 0 || w->now.mono_ns < quiet_ns + PATIENCE);
        advance(w);
    }
    check_end(&w->alice);
    check_end(&w->bob);
    fini_party(&w->alice);
    fini_party(&w->bob);
    fault_vfs_uninstall();
    ob_clean_up();
}
