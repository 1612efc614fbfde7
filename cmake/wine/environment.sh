# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
# Sourced by run and server, which set `here`: what Wine runs in.

# Each prefix is a machine of its own. Ours is the build tree's, so that no test meets a user's programs.
: "${ISTHMUS_WINEPREFIX:=$(cd "$here/../.." && pwd)/build/wine}"
export WINEPREFIX="$ISTHMUS_WINEPREFIX"

# Without winedbg a crash is an exit with its code; with it, one in four exits 0. The others would ask to be installed,
# or write menus into the user's home.
export WINEDLLOVERRIDES='winedbg.exe=d;mscoree,mshtml=;winemenubuilder.exe=d'
export WINEDEBUG=-all

# The first of these programs that there is.
find_program() {
    for candidate in "$@"; do
        if command -v "$candidate" >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    echo "$0: there is no $1 here" >&2
    return 127
}

wine=$(find_program wine64 /usr/lib/wine/wine64 wine)
wineserver=$(find_program wineserver /usr/lib/wine/wineserver)
