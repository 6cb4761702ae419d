#!/usr/bin/env bash
# Two people talk: Alice and Bob, each with a home of their own, on this machine. Everything shown is what the real programs
# print. Leaves nothing running and nothing behind.
# Usage: tools/demo.sh [DIRECTORY OF THE PROGRAMS]
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(cd "${1:-build/bin}" && pwd)
work=$(mktemp -d)
alice=$work/alice
bob=$work/bob
step=0

clean_up() {
    PSST_HOME=$alice "$bin/psst" down >/dev/null 2>&1 || true
    PSST_HOME=$bob "$bin/psst" down >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say_title() { step=$((step + 1)); printf '\n%d. %s\n' "$step" "$1"; }
# as NAME COMMAND...: shows the command, runs it in that person's home
as() {
    who=$1
    shift
    printf '%s$ psst' "$who"
    for word in "$@"; do
        case $word in *[!A-Za-z0-9_./:=-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    printf '\n'
    PSST_HOME=$work/$who "$bin/psst" "$@" | sed 's/^/    /'
}

free_port() { # a port of the loopback that nobody listens at
    local port
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + RANDOM % 20000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

cd "$work"
printf 'alice-pass\n' >alice.pass && printf 'bob-pass\n' >bob.pass && chmod 600 ./*.pass
mkdir -m 700 "$alice" "$bob"

say_title "Each makes an identity: an RSA key pair of 4096 bits, under a passphrase"
as alice init --name Alice --passphrase-file alice.pass
as bob init --name Bob --passphrase-file bob.pass
at_alice=127.0.0.1:$(free_port)
at_bob=127.0.0.1:$(free_port)
as alice up --listen "$at_alice"
as bob up --listen "$at_bob"

say_title "They hand each other their cards, as files"
as alice card -o alice.psst --address "$at_alice"
as bob card -o bob.psst --address "$at_bob"
as alice add bob.psst --yes
as bob add alice.psst --yes

say_title "They compare the safety number, by voice or in person: it is the same on both sides"
as alice verify Bob --yes
as bob verify Alice --yes

say_title "Alice calls; text goes both ways"
as alice dial Bob
as alice say Bob --wait 10 "Hello Bob. Nobody in between."
as bob say Alice --wait 10 "Hello Alice. Only us two."
as alice status
as bob log Alice

say_title "A file across, checked by its SHA-256 at the end"
head -c 20000000 /dev/urandom >holiday.bin
as alice send Bob "$work/holiday.bin"
id=""
for _ in 1 2 3 4 5 6 7 8 9 10; do
    id=$(PSST_HOME=$bob "$bin/psst" files --json | sed -n 's/.*"id": *\([0-9]*\).*/\1/p' | head -n 1)
    [ -n "$id" ] && break
    sleep 0.3
done
[ -n "$id" ] || { echo "demo: the offer did not arrive" >&2; exit 1; }
mkdir received
as bob files
as bob accept "$id" -o "$work/received" --wait 60
as bob files
sha256sum holiday.bin received/holiday.bin | sed 's/^/    /'
cmp holiday.bin received/holiday.bin

say_title "Bob is away: what Alice says waits, and reaches him when he is back"
as bob down
as alice say Bob "Are you there?"
as alice outbox
as bob up --listen "$at_bob"
as bob unlock --passphrase-file bob.pass
for _ in $(seq 40); do
    PSST_HOME=$bob "$bin/psst" log Alice | grep -q "Are you there" && break
    sleep 0.5
done
as bob log Alice -n 1
as alice log Bob -n 1

say_title "Either hangs up"
as bob hangup Alice
as alice log Bob
as alice down
as bob down
printf '\nThat was the whole of it: no server, no account. Next: README.md, "A first conversation".\n'
