# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced by ./dev: the legs. Each installs what it needs, and ends as a failed command when anything is wrong.

ALL_LEGS="gcc asan tsan fuzz musl m32 mixed poll win32 win32-32 models consumer lint"

# Not green: its tests show the limits that docs/posix-registry.md tells.
OTHER_LEGS="flock"

# Runs the tests of a preset that is built, then looks at what they skipped. Under Wine one after the other: all are
# served by one server.
run_suite() {
    preset=$1
    shift
    jobs=$(getconf _NPROCESSORS_ONLN)
    [ "$preset" != mingw64 ] || jobs=1
    mkdir -p build/legs
    if ctest --test-dir "build/$preset" --output-on-failure --parallel "$jobs" "$@"; then rc=0; else rc=$?; fi
    tests/lint/skips "${DEV_LEG:-$preset}" "build/$preset/Testing/Temporary/LastTest.log" || rc=1
    return "$rc"
}

# Builds a preset and runs its tests.
leg_suite() {
    build "$1"
    run_suite "$@"
}

leg_gcc() {
    need gcc cmake ninja cmocka pkgconf libuv
    leg_suite gcc
}

leg_flock() {
    need gcc cmake ninja cmocka
    leg_suite flock
}

leg_asan() {
    need gcc cmake ninja cmocka clang
    need clang-rt
    leg_suite asan
}

# What has no threads has no races that it could see.
leg_tsan() {
    need gcc cmake ninja cmocka clang
    need clang-rt
    leg_suite tsan -E 'posix_(stops|pairs|crowd|corrupt|kills|steps|wakes|claims|pipe_stops|mailslot_damage)'
}

# Runs a fuzzer for a while, from its kept corpus; what it finds beyond that stays under build.
fuzz_one() {
    found=build/fuzz/found/$1
    mkdir -p "$found"
    if [ ! -d "fuzz/corpus/$1" ]; then
        say "$1: FAILED: fuzz/corpus/$1 is missing"
    elif "build/fuzz/fuzz/$1" -max_total_time="${ISTHMUS_FUZZ_SECONDS:-30}" -timeout=10 \
        -artifact_prefix="build/fuzz/$1-" "$found" "fuzz/corpus/$1" >"build/fuzz/$1.log" 2>&1; then
        say "$1: $(tail -n 1 "build/fuzz/$1.log")"
        echo ok >"build/fuzz/$1.result"
    else
        tail -n 100 "build/fuzz/$1.log"
        say "$1: FAILED; the input is build/fuzz/$1-*"
    fi
}

# All at a time: each is one thread.
leg_fuzz() {
    need clang cmake ninja
    need clang-rt fuzzer
    build fuzz
    rm -f build/fuzz/*.result
    names=$(basename -s .c fuzz/*.c)
    for name in $names; do
        fuzz_one "$name" &
    done
    wait
    mkdir -p build/legs
    echo "$names" | awk 'END { print NR, 0 }' >build/legs/fuzz.counts
    for name in $names; do
        [ -f "build/fuzz/$name.result" ] || return 1
    done
}

# Builds cmocka for a compiler that the system has no cmocka for.
cmocka_for() {
    [ -f "build/cmocka/$1/lib/libcmocka.a" ] || quietly env CMAKE_GENERATOR=Ninja cmake/cmocka/build "$1" "build/cmocka/$1"
}

leg_musl() {
    need gcc cmake ninja xz musl
    cmocka_for musl
    leg_suite musl
}

leg_m32() {
    need gcc cmake ninja xz
    need m32
    cmocka_for m32
    leg_suite m32
}

# Programs of other ABIs meet those of the gcc leg.
leg_mixed() {
    need gcc cmake ninja cmocka xz musl
    need m32
    cmocka_for musl
    cmocka_for m32
    test=test_process_posix_mixed_abi
    for preset in gcc m32 musl; do
        say "building $test in build/$preset"
        quietly cmake --preset "$preset"
        quietly cmake --build "build/$preset" --target "$test"
    done
    ISTHMUS_TEST_MIXED=$PWD/build/m32/tests/$test:$PWD/build/musl/tests/$test
    export ISTHMUS_TEST_MIXED
    run_suite gcc -R '^process\.posix_mixed_abi$'
}

leg_poll() {
    need gcc cmake ninja cmocka
    # What is not about waiting is the same as in the leg gcc.
    leg_suite poll -E 'posix_(stops|pairs|crowd|corrupt|full|sweep|users|tokens|descriptors|fork_threads|damage)'
}

leg_win32() {
    need gcc cmake ninja xz mingw64 wine
    cmocka_for mingw64
    leg_suite mingw64
}

leg_win32_32() {
    need gcc cmake ninja xz mingw32
    cmocka_for mingw32
    build mingw32
}

leg_models() {
    need gcc spin
    models/check
}

leg_consumer() {
    need cc cxx cmake ninja pkgconf
    tests/consumer/run build/consumer
}

leg_lint() {
    dev_lint
}

dev_legs() {
    names=${*:-$ALL_LEGS}
    for name in $names; do
        case " $ALL_LEGS $OTHER_LEGS " in
        *" $name "*) ;;
        *) die "no such leg: $name (there are: $ALL_LEGS $OTHER_LEGS)" ;;
        esac
    done
    mkdir -p build/legs
    failed=
    rm -f build/legs/table
    for name in $names; do
        printf '\n==== leg %s\n' "$name"
        started=$(date +%s)
        rm -f "build/legs/$name.counts"
        if DEV_LEG=$name ./dev _leg "$name"; then
            result=ok
        else
            result=FAILED
            failed="$failed $name"
        fi
        counts=$(cat "build/legs/$name.counts" 2>/dev/null || echo "- -")
        # shellcheck disable=SC2086 # two numbers
        printf '%-10s %-7s %6s %6s %6s\n' "$name" "$result" $counts "$(($(date +%s) - started))" >>build/legs/table
    done
    printf '\n%-10s %-7s %6s %6s %6s\n' leg result tests skips secs
    cat build/legs/table
    [ -z "$failed" ] || die "failed:$failed"
    say "all legs passed"
}
