/* A program that embeds libpsst, and sees nothing of it but <psst/psst.h>: Alice and Bob, both in here, exchange cards,
 * connect, prove themselves, say one thing each, and hang up. Their "network" is a memcpy and their clock is a variable.
 * Also the shortest example of how a link is driven. Exits with 0 when all of it went as it must.
 */
#include <psst/psst.h>

#include <stdio.h>
#include <stdlib.h>

#define SCRATCH   65536
#define MAX_TURNS 10000

struct person {
    const char *name;
    struct psst_rsa_private *key;
    struct psst_card card;    /* one's own */
    struct psst_card contact; /* the other's, as it was read from text */
    struct psst_link_config config;
    struct psst_link *link;
    struct psst_replay_cache *seen;
    uint8_t scratch[SCRATCH];
    bool established, ended, acknowledged;
    enum psst_link_end end;
    char heard[64];
};

static struct psst_now now = {.mono_ns = 1, .unix_ms = UINT64_C(1700000000000)};

#define CHECK(x)                                                                                                       \
    do {                                                                                                               \
        if (!(x)) {                                                                                                    \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #x);                                          \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* A key pair, and a card made of its public half. */
static void be_born(struct person *p, const char *name)
{
    p->name = name;
    CHECK(psst_rsa_generate(&p->key, 1024, NULL, NULL, NULL) == PSST_OK);
    CHECK(psst_name_check(name, NULL) == PSST_OK);
    CHECK(psst_rsa_public_load(&p->card.key, psst_rsa_public_spki(psst_rsa_private_public(p->key))) == PSST_OK);
    snprintf(p->card.name, sizeof p->card.name, "%s", name);
    p->config = (struct psst_link_config){.self = p->card.key, .rng = &psst_crypto_rng};
    p->seen = psst_replay_cache_new();
    CHECK(p->seen != NULL);
}

static void give_card(const struct person *from, struct person *to)
{
    struct psst_buf text;
    psst_buf_init(&text, PSST_CARD_MAX);
    CHECK(psst_card_write(&from->card, &text) == PSST_OK);
    CHECK(psst_card_parse(&to->contact, psst_buf_view(&text), NULL) == PSST_OK);
    CHECK(strcmp(to->contact.name, from->name) == 0);
    psst_buf_fini(&text);
}

static void on_decapsulate(struct person *p, const uint8_t *x)
{
    struct psst_kem_secret secret;
    enum psst_err err = psst_kem_decapsulate(p->key, "z", x, &secret);
    psst_link_decapsulated(p->link, err == PSST_OK ? &secret : NULL);
    PSST_WIPE(secret);
}

static void on_text(struct person *p, const struct psst_text *text)
{
    CHECK(text->utf8.len < sizeof p->heard);
    memcpy(p->heard, text->utf8.data, text->utf8.len);
    p->heard[text->utf8.len] = '\0';
    CHECK(psst_link_ack(p->link, now, &text->id) == PSST_OK); /* a real program has stored it by now */
}

static void on_event(struct person *p, const struct psst_event *ev)
{
    const struct psst_fpr *expected = psst_rsa_public_fpr(p->contact.key);
    switch (ev->type) {
    case PSST_EV_ADMIT:
        psst_link_admit(p->link, psst_replay_cache_add(p->seen, ev->mac, ev->day, ev->day) == PSST_OK);
        break;
    case PSST_EV_DECAPSULATE: on_decapsulate(p, ev->x); break;
    case PSST_EV_CONTACT: {
        bool known = memcmp(&ev->fpr, expected, sizeof ev->fpr) == 0;
        psst_link_contact(p->link, known ? p->contact.key : NULL, NULL);
        break;
    }
    case PSST_EV_ESTABLISHED:
        CHECK(memcmp(&ev->fpr, expected, sizeof ev->fpr) == 0);
        p->established = true;
        break;
    case PSST_EV_TEXT: on_text(p, &ev->text); break;
    case PSST_EV_ACK: p->acknowledged = true; break;
    case PSST_EV_ENDED:
        p->ended = true;
        p->end = ev->end;
        break;
    default: fprintf(stderr, "%s: unexpected event %d\n", p->name, (int)ev->type); exit(1);
    }
}

/* All that can be done now; true when there was something. */
static bool work(struct person *p)
{
    bool any = false;
    struct psst_event ev;
    for (;;) {
        psst_link_next(p->link, now, &ev);
        if (ev.type == PSST_EV_NONE) return any;
        on_event(p, &ev);
        any = true;
    }
}

static bool carry(struct person *from, struct person *to)
{
    struct psst_view out = psst_link_output(from->link);
    if (out.len == 0 || !psst_link_wants_input(to->link)) return false;
    struct psst_span place = psst_link_space(to->link, (struct psst_span){to->scratch, sizeof to->scratch});
    size_t n = out.len < place.len ? out.len : place.len;
    memcpy(place.data, out.data, n);
    psst_link_sent(from->link, n);
    psst_link_received(to->link, place.data, n);
    work(to);
    return true;
}

/* Turns until *done; when nothing moves, the clock goes on to the next deadline. */
static void run_until(struct person *a, struct person *b, const bool *done)
{
    for (int turn = 0; turn < MAX_TURNS && !*done; turn++) {
        bool moved = work(a);
        moved |= work(b);
        moved |= carry(a, b);
        moved |= carry(b, a);
        if (moved) continue;
        uint64_t next_a = psst_link_deadline(a->link), next_b = psst_link_deadline(b->link);
        uint64_t next = next_a < next_b ? next_a : next_b;
        CHECK(next != PSST_NEVER);
        if (next > now.mono_ns) now.mono_ns = next;
    }
    CHECK(*done);
}

static void say(struct person *p, uint8_t number, const char *words)
{
    const struct psst_text text = {.id = {{number}}, .time_ms = now.unix_ms, .utf8 = psst_view_str(words)};
    CHECK(psst_link_text(p->link, now, &text) == PSST_OK);
}

static void die(struct person *p)
{
    psst_link_free(p->link);
    psst_replay_cache_free(p->seen);
    psst_card_fini(&p->card);
    psst_card_fini(&p->contact);
    psst_rsa_private_free(p->key);
}

int main(void)
{
    static struct person alice, bob;
    CHECK(strcmp(psst_version(), PSST_VERSION) == 0);
    CHECK(psst_crypto_init(0) == PSST_OK);
    be_born(&alice, "Alice");
    be_born(&bob, "Bob");
    give_card(&alice, &bob);
    give_card(&bob, &alice);

    CHECK(psst_link_call(&alice.link, &alice.config, alice.contact.key, NULL, now) == PSST_OK);
    CHECK(psst_link_accept(&bob.link, &bob.config, now) == PSST_OK);
    run_until(&alice, &bob, &alice.established);
    run_until(&alice, &bob, &bob.established);

    say(&alice, 1, "psst, Bob");
    say(&bob, 2, "yes, Alice?");
    run_until(&alice, &bob, &alice.acknowledged);
    run_until(&alice, &bob, &bob.acknowledged);
    CHECK(strcmp(bob.heard, "psst, Bob") == 0);
    CHECK(strcmp(alice.heard, "yes, Alice?") == 0);

    psst_link_bye(alice.link, now, PSST_BYE_CLOSED);
    run_until(&alice, &bob, &bob.ended);
    run_until(&alice, &bob, &alice.ended);
    CHECK(bob.end == PSST_END_BYE && alice.end == PSST_END_CLOSED);

    struct psst_safety here, there;
    CHECK(psst_safety_number(&here, psst_rsa_public_fpr(alice.card.key), psst_rsa_public_fpr(alice.contact.key)) ==
          PSST_OK);
    CHECK(psst_safety_number(&there, psst_rsa_public_fpr(bob.card.key), psst_rsa_public_fpr(bob.contact.key)) ==
          PSST_OK);
    CHECK(strcmp(here.digits, there.digits) == 0);
    printf("a session in memory, libpsst %s: both spoke, both heard, both hung up\n", psst_version());
    die(&alice);
    die(&bob);
    return 0;
}
