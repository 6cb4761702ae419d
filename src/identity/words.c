/* The words of safety numbers: 256, in alphabetical order, so that one word stands for one byte. Chosen to be told apart
 * over a bad line: four to seven letters, no two share their first three letters, any two are at least three edits apart
 * (tests/unit/identity/test_words.c holds them to that). Never change one: it would change everybody's safety number.
 */
#include "identity/words.h"

/* clang-format off */
const char *const psst_words[PSST_WORDS] = {
    "acorn", "album", "almond", "amber", "anchor", "anvil", "apple", "atlas",
    "attic", "badge", "bamboo", "banana", "barley", "basket", "beacon", "beetle",
    "bicycle", "biscuit", "blossom", "bonfire", "broom", "bubble", "buffalo", "butter",
    "cabin", "cactus", "camel", "candle", "captain", "carpet", "cashew", "cedar",
    "cello", "chalk", "cherry", "chimney", "chorus", "circus", "clover", "cobalt",
    "coconut", "compass", "cookie", "copper", "cotton", "cricket", "crystal", "cuckoo",
    "cushion", "cypress", "daisy", "dancer", "diamond", "dinghy", "dolphin", "domino",
    "donkey", "dragon", "drizzle", "duck", "eagle", "echo", "elbow", "emblem",
    "emerald", "engine", "fabric", "falcon", "feather", "fender", "fiddle", "finch",
    "flute", "forest", "fossil", "freckle", "funnel", "galaxy", "garden", "gazelle",
    "giant", "ginger", "giraffe", "glacier", "globe", "goblet", "granite", "guitar",
    "hamlet", "harbor", "helmet", "hickory", "hobby", "horizon", "igloo", "inkwell",
    "iris", "island", "ivory", "jaguar", "jasmine", "jewel", "jigsaw", "journal",
    "jungle", "kayak", "kernel", "kitchen", "kiwi", "knight", "koala", "ladder",
    "lagoon", "lantern", "laurel", "lava", "lemon", "leopard", "lettuce", "library",
    "lilac", "linen", "lizard", "lobster", "lotus", "magnet", "mammoth", "mango",
    "marble", "meadow", "mermaid", "meteor", "midday", "mimosa", "mirror", "mitten",
    "moose", "mosaic", "muffin", "museum", "napkin", "nectar", "nest", "nickel",
    "noodle", "novel", "nugget", "nutmeg", "nylon", "oasis", "oatmeal", "ocean",
    "octopus", "olive", "omelet", "onion", "opera", "orange", "orbit", "orchid",
    "osprey", "ostrich", "palace", "pancake", "parrot", "pastry", "peanut", "pelican",
    "pencil", "petal", "picnic", "pigeon", "pillow", "pirate", "pocket", "pollen",
    "pony", "porch", "postman", "potato", "prairie", "pretzel", "pumpkin", "puppet",
    "purple", "pyramid", "quail", "rabbit", "raccoon", "radish", "raft", "rainbow",
    "raven", "recipe", "rhyme", "ribbon", "rowboat", "ruby", "saffron", "sailor",
    "sandal", "sardine", "scarf", "scooter", "sequoia", "sesame", "shelter", "shrimp",
    "silver", "sketch", "skipper", "sleigh", "sonnet", "spider", "sponge", "squash",
    "stable", "sugar", "summit", "swallow", "syrup", "tadpole", "teacup", "tempo",
    "tennis", "thimble", "thunder", "toast", "topaz", "tower", "tractor", "trumpet",
    "tulip", "tundra", "twig", "unicorn", "vacuum", "vanilla", "verse", "violet",
    "volcano", "voyage", "vulture", "waffle", "walnut", "weaver", "wheat", "whistle",
    "window", "wombat", "yogurt", "yolk", "zebra", "zenith", "zigzag", "zodiac",
};
/* clang-format on */
