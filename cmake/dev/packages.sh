# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced by ./dev: `need THING...` makes sure that each thing is there, and installs what is not with the system's
# package manager. A thing is what we use it for; its packages differ from system to system.

package_manager() {
    for manager in apt-get dnf apk pacman brew pkg; do
        if command -v "$manager" >/dev/null 2>&1; then
            echo "$manager"
            return
        fi
    done
    echo none
}

# libFuzzer brings main().
fuzzes() {
    probe=$(mktemp -d)
    printf 'int LLVMFuzzerTestOneInput(void);\nint LLVMFuzzerTestOneInput(void) { return 0; }\n' >"$probe/probe.c"
    if clang -fsanitize=fuzzer,address -o "$probe/probe" "$probe/probe.c" >/dev/null 2>&1; then rc=0; else rc=1; fi
    rm -rf "$probe"
    return $rc
}

# $1 compiler, then options: does a program build and link?
links() {
    probe=$(mktemp -d)
    echo 'int main(void) { return 0; }' >"$probe/probe.c"
    if "$@" -o "$probe/probe" "$probe/probe.c" >/dev/null 2>&1; then rc=0; else rc=1; fi
    rm -rf "$probe"
    return $rc
}

cmake_is_new_enough() {
    version=$(cmake --version 2>/dev/null | sed -n 's/^cmake version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
    # shellcheck disable=SC2086 # two numbers
    set -- $version
    [ $# -eq 2 ] && { [ "$1" -gt 3 ] || [ "$2" -ge 21 ]; }
}

have() {
    case $1 in
    cc) links cc || links gcc ;;
    gcc) links gcc ;;
    cxx) links c++ -x c++ ;;
    cmake) cmake_is_new_enough ;;
    ninja) command -v ninja ;;
    cmocka)
        probe=$(mktemp -d)
        printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n' >"$probe/p.c"
        printf '#include <cmocka.h>\n' >>"$probe/p.c"
        if cc -E "$probe/p.c" 2>/dev/null || cc -E "-I$(brew --prefix 2>/dev/null)/include" "$probe/p.c"; then
            rc=0
        else
            rc=1
        fi
        rm -rf "$probe"
        return $rc
        ;;
    clang) links clang ;;
    clang-rt) links clang -fsanitize=address,undefined && links clang -fsanitize=thread ;;
    fuzzer) fuzzes ;;
    musl) links musl-gcc ;;
    m32) links gcc -m32 ;;
    mingw64) links x86_64-w64-mingw32-gcc ;;
    mingw32) links i686-w64-mingw32-gcc ;;
    wine) command -v wine ;;
    pkgconf) command -v pkg-config ;;
    libuv) pkg-config --exists libuv ;;
    *) command -v "$1" ;;
    esac >/dev/null 2>&1
}

why() {
    case $1 in
    cc | gcc) echo "a C compiler and the C library's headers" ;;
    cxx) echo "a C++ compiler, to see that the headers are C++ too" ;;
    cmake) echo "the build system, 3.21 or later" ;;
    ninja) echo "runs the build" ;;
    cmocka) echo "the tests' framework" ;;
    clang) echo "the second compiler" ;;
    clang-rt) echo "the sanitizers' run-time libraries" ;;
    fuzzer) echo "clang's libFuzzer" ;;
    musl) echo "the second C library" ;;
    m32) echo "32-bit programs on a 64-bit system" ;;
    mingw64 | mingw32) echo "compiles for Windows" ;;
    wine) echo "runs Windows programs" ;;
    xz) echo "unpacks cmocka's source" ;;
    spin) echo "checks the models" ;;
    pkgconf) echo "reads the .pc files" ;;
    libuv) echo "an event loop, for an example and its test" ;;
    clang-format) echo "formats the code" ;;
    clang-tidy) echo "reads the code for mistakes" ;;
    shellcheck) echo "reads the scripts for mistakes" ;;
    *) echo "$1" ;;
    esac
}

# The packages of a thing ($2) for a package manager ($1); nothing where we do not know any.
packages() {
    case $1:$2 in
    apt-get:cc | apt-get:gcc) echo gcc libc6-dev ;;
    apt-get:cxx) echo g++ ;;
    apt-get:ninja) echo ninja-build ;;
    apt-get:cmocka) echo libcmocka-dev ;;
    apt-get:clang-rt | apt-get:fuzzer) echo "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev" ;;
    apt-get:musl) echo musl-tools ;;
    apt-get:m32) echo "gcc-$(gcc -dumpversion | cut -d. -f1)-multilib" ;; # gcc-multilib excludes the cross compilers
    apt-get:mingw64) echo gcc-mingw-w64-x86-64 ;;
    apt-get:mingw32) echo gcc-mingw-w64-i686 ;;
    apt-get:wine) echo wine wine64 ;;
    apt-get:pkgconf) echo pkg-config ;;
    apt-get:libuv) echo libuv1-dev ;;
    apt-get:xz) echo xz-utils ;;
    apt-get:*) echo "$2" ;;
    dnf:cc | dnf:gcc) echo gcc glibc-devel ;;
    dnf:cxx) echo gcc-c++ ;;
    dnf:ninja) echo ninja-build ;;
    dnf:cmocka) echo libcmocka-devel ;;
    dnf:clang-rt | dnf:fuzzer) echo compiler-rt ;;
    dnf:clang-format | dnf:clang-tidy) echo clang-tools-extra ;;
    dnf:mingw64) echo mingw64-gcc ;;
    dnf:mingw32) echo mingw32-gcc ;;
    dnf:musl) echo musl-gcc ;;
    dnf:m32) echo glibc-devel.i686 libgcc.i686 ;;
    dnf:libuv) echo libuv-devel ;;
    dnf:shellcheck) echo ShellCheck ;;
    dnf:*) echo "$2" ;;
    apk:cc | apk:gcc) echo gcc musl-dev ;;
    apk:cxx) echo g++ ;;
    apk:cmocka) echo cmocka-dev ;;
    apk:clang-format | apk:clang-tidy) echo clang-extra-tools ;;
    apk:clang-rt | apk:fuzzer) echo compiler-rt ;;
    apk:libuv) echo libuv-dev ;;
    apk:cmake | apk:clang | apk:ninja | apk:pkgconf | apk:shellcheck) echo "$2" ;;
    pacman:cc | pacman:gcc | pacman:cxx) echo gcc ;;
    pacman:clang-format | pacman:clang-tidy) echo clang ;;
    pacman:clang-rt | pacman:fuzzer) echo compiler-rt ;;
    pacman:mingw64 | pacman:mingw32) echo mingw-w64-gcc ;;
    pacman:m32) echo lib32-gcc-libs lib32-glibc ;;
    pacman:*) echo "$2" ;;
    brew:cc | brew:gcc | brew:cxx) ;; # Apple's own, by xcode-select --install
    brew:clang-format | brew:clang-tidy) echo llvm ;;
    brew:cmake | brew:ninja | brew:cmocka | brew:spin | brew:shellcheck | brew:pkgconf | brew:libuv) echo "$2" ;;
    pkg:cc | pkg:cxx) ;;
    pkg:shellcheck) echo hs-ShellCheck ;;
    pkg:cmake | pkg:ninja | pkg:cmocka | pkg:gcc | pkg:spin | pkg:pkgconf | pkg:libuv) echo "$2" ;;
    esac
}

# Runs a command as root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

install_packages() {
    manager=$1
    shift
    if [ "$manager" != brew ] && [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
        die "not root and no sudo here, so it cannot be installed; as root: $manager install $*"
    fi
    say "installing with $manager: $*"
    case $manager in
    apt-get)
        # The lists may be empty, or name versions that are gone. A third party's source that cannot be reached is
        # none of our concern: whether what we ask for is there, the installation tells.
        as_root apt-get -qq update || say "apt-get update failed; trying all the same"
        as_root env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get -qq install -y --no-install-recommends "$@" >/dev/null
        ;;
    dnf) as_root dnf -q install -y "$@" ;;
    apk) as_root apk add --quiet "$@" ;;
    pacman) as_root pacman -S --needed --noconfirm "$@" ;;
    brew) brew install --quiet "$@" ;;
    pkg) as_root pkg install -y "$@" ;;
    esac || die "$manager could not install: $*"
}

need() {
    manager=$(package_manager)
    wanted=
    for thing in "$@"; do
        if have "$thing"; then
            continue
        fi
        names=$(packages "$manager" "$thing")
        if [ -z "$names" ]; then
            die "missing: $thing ($(why "$thing")). Please install it; $manager has no package that we know of."
        fi
        say "missing: $thing, $(why "$thing"): $names"
        wanted="$wanted $names"
    done
    [ -n "$wanted" ] || return 0
    # shellcheck disable=SC2086 # a list
    install_packages "$manager" $wanted
    for thing in "$@"; do
        have "$thing" || die "$thing is still missing after installing$wanted"
    done
}
