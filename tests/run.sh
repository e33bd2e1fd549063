#!/usr/bin/env bash
# Shows everything pass: formatting, lints, house rules, unit tests, live servers, conformance, the
# differential run, transactions and client libraries. Installs what is missing (see
# requirements.sh), needs no answers, and can be run again and again. Ends with one line
# `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
export CARGO_TERM_COLOR=never CARGO_TERM_PROGRESS_WHEN=never RUST_BACKTRACE=0

COMMANDS=${FREEHOLD_DIFFERENTIAL_COMMANDS:-200000}
TRANSFERS=${FREEHOLD_TRANSFERS:-50000}
SEED=${FREEHOLD_SEED:-1}
passed=0
failed=0
times=()
log=$(mktemp)
trap 'rm -f "$log"' EXIT

source tests/requirements.sh

# part NAME COMMAND…: runs it, tells how long it took, and counts the tests it reports, or one.
part() {
    local name=$1 start=$SECONDS status good bad
    shift
    printf '\n== %s\n' "$name"
    "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    read -r good bad < <(count "$status")
    passed=$((passed + good))
    failed=$((failed + bad))
    times+=("$(printf '%5d s  %-34s %5d passed %3d failed' \
        $((SECONDS - start)) "$name" "$good" "$bad")")
    return "$status"
}

# Adds up what nextest, cargo test or our own programs report in the log.
count() {
    awk -v status="$1" '
        /^ *Summary \[/ { for (i = 2; i <= NF; i++) {
            if ($i ~ /^passed/) good += $(i - 1)
            if ($i ~ /^(failed|timed)/) bad += $(i - 1) } seen = 1 }
        /^test result:/ { good += $4; bad += $6; seen = 1 }
        /^clients: [0-9]+ passed/ { good += $2; bad += $4; seen = 1 }
        END {
            if (!seen) { good = status == 0; bad = status != 0 }
            if (status != 0 && bad == 0) bad = 1
            print good + 0, bad + 0
        }' "$log"
}

finish() {
    printf '\n== times\n'
    printf '%s\n' "${times[@]}"
    printf '%5d s  all\n\n' "$SECONDS"
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ]
    exit
}

requirements() {
    need_compiler
    need_redis
    need_clients
}

tests() {
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run -j2 --workspace
    else
        cargo test -j2 --workspace --no-fail-fast -- --test-threads=2
    fi
}

clients() {
    local folder="$PWD/target/clients"
    "$folder/venv/bin/python" tests/clients/run.py --folder "$folder" \
        --freehold "$FREEHOLD_BIN" --cores "$1"
}

set -eE
trap 'printf "0 passed, 1 failed\n"' ERR
requirements
trap - ERR
set +eE
target=${CARGO_TARGET_DIR:-$PWD/target}
export FREEHOLD_BIN="$target/debug/freehold"

part "formatting" cargo fmt --all --check
part "build" cargo build -j2 --workspace --all-targets || finish
part "lints" cargo clippy -j2 --workspace --all-targets -- -D warnings
part "tests" tests
part "differential, $COMMANDS commands" \
    "$target/debug/differential" --commands "$COMMANDS" --seed "$SEED"
part "transfers, $TRANSFERS over 4 cores" \
    "$target/debug/transfers" --transfers "$TRANSFERS" --cores 4 --seed "$SEED"
part "clients, 1 core" clients 1
part "clients, 2 cores" clients 2
finish
