#!/bin/sh
# The layers of docs/ARCHITECTURE.md: who may include whom, and that the core stays sans-I/O. Prints what breaks them.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
complain() { echo "layers: $*"; bad=1; }

# folder: folders that it may include (itself is always allowed)
allowed() {
    case $1 in
    base) echo "" ;;
    crypto) echo "base" ;;
    identity) echo "base crypto" ;;
    proto) echo "base crypto" ;;
    media) echo "base" ;;
    audio) echo "base" ;;
    store) echo "base" ;;
    ipc) echo "base" ;;
    net) echo "base" ;;
    daemon) echo "base crypto identity proto media audio store ipc net" ;;
    client) echo "base ipc" ;;
    cli) echo "base ipc client tui" ;;
    tui | gtk) echo "base ipc client" ;;
    notify) echo "base" ;;
    *) echo "?" ;;
    esac
}

for dir in src/*/; do
    folder=$(basename "$dir")
    may=$(allowed "$folder")
    [ "$may" != "?" ] || { complain "$dir is not a folder of the architecture"; continue; }
    for file in $(find "$dir" -name '*.[ch]'); do
        for inc in $(sed -n 's|^ *# *include *"\([^/"]*\)/.*"|\1|p' "$file" | sort -u); do
            case " $may $folder " in
            *" $inc "*) ;;
            *) complain "$file includes $inc/, which $folder may not" ;;
            esac
        done
        bare=$(sed -n 's|^ *# *include *"\([^/"]*\)"$|\1|p' "$file")
        [ -z "$bare" ] || complain "$file includes \"$bare\" without its folder"
    done
done

# psst-key: base, crypto and its own files only
for file in $(ls src/daemon/key/*.[ch] | grep -v -e '/client' -e '/requests'); do
    for inc in $(sed -n 's|^ *# *include *"\([^"]*\)"|\1|p' "$file" | grep -v -e '^base/' -e '^crypto/' -e '^daemon/key/'); do
        complain "$file (psst-key) includes $inc"
    done
done

# psst-tar: base and its own files only
for file in src/daemon/tar/*.[ch]; do
    for inc in $(sed -n 's|^ *# *include *"\([^"]*\)"|\1|p' "$file" | grep -v -e '^base/' -e '^daemon/tar/'); do
        complain "$file (psst-tar) includes $inc"
    done
done

# psst-voice: base, media, audio and its own files only; and nobody else in the daemon sees sound but through its protocol
for file in src/daemon/voice/*.[ch]; do
    for inc in $(sed -n 's|^ *# *include *"\([^"]*\)"|\1|p' "$file" | grep -v -e '^base/' -e '^media/' -e '^audio/' -e '^daemon/voice/'); do
        complain "$file (psst-voice) includes $inc"
    done
done
hits=$(grep -lE '^ *# *include *"(audio/|media/)' -r src/daemon --include='*.[ch]' | grep -v '^src/daemon/voice/')
[ -z "$hits" ] || complain "sound is seen by: $hits"

# one folder, one outside library
only() { # PATTERN FILES-ALLOWED WHAT
    hits=$(grep -lE "^ *# *include *<($1)" -r src --include='*.[ch]' | grep -vE "$2")
    [ -z "$hits" ] || complain "$3 is seen by: $hits"
}
only 'openssl/' '^src/crypto/openssl' 'libcrypto'
only 'sqlcipher/|sqlite3' '^src/store/' 'SQLCipher'
only 'uv\.h' '^src/daemon/' 'libuv'
only 'jansson' '^src/(ipc|client|cli|tui|daemon)/' 'jansson'
only 'ncurses|curses|term\.h' '^src/tui/(screen|screen_kind|draw|input)\.c' 'ncurses'
only 'utf8proc|fribidi' '^src/tui/text' 'utf8proc and fribidi'
only 'libnotify' '^src/notify/' 'libnotify'
only 'opus|speex' '^src/media/' 'libopus and speexdsp'
only 'pulse/' '^src/audio/' 'libpulse'
only 'qrencode' '^src/client/' 'libqrencode'
only 'seccomp' '^src/daemon/(key|tar|voice)/' 'libseccomp'
only 'archive' '^src/daemon/tar/(pack|read)\.c' 'libarchive'

# sans-I/O: no socket, clock, thread, file or randomness in base, proto and media
forbidden='socket|connect|accept4?|bind|listen|recv(from|msg)?|send(to|msg)?|select|e?poll(_wait)?|clock_gettime|gettimeofday|time|nanosleep|usleep|sleep|rand(om)?|srand(om)?|getrandom|arc4random[a-z_]*|RAND_[a-z_]+|fopen|open(at)?|pthread_[a-z_]+|thrd_[a-z]+|fork|exec[vl][a-z]*|system|popen|getenv'
for file in $(find src/base src/proto src/media -name '*.[ch]' 2>/dev/null); do
    # comments are taken out first; a call is a forbidden word of its own, followed by "("
    hits=$(sed -e 's|//.*||' "$file" | perl -0pe 's{/\*.*?\*/}{}gs; s{"(\\.|[^"\\])*"}{""}g' |
        grep -nE "(^|[^A-Za-z0-9_.>])($forbidden) *\(" )
    [ -z "$hits" ] || complain "$file is not sans-I/O: $hits"
done

[ "$bad" -eq 0 ] && echo "layers: ok"
exit "$bad"
