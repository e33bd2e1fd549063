#!/usr/bin/env bash
# Everything of run.sh, and what takes longer or needs more tools: the client tests against
# redis-server, which shows what they demand, the mesh under loom, the engine under Miri, a minute
# of each fuzz target, the dependencies' licences and advisories. A tool that is not installed is
# named and left out.
set -uo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
status=0

bash tests/run.sh || status=1

printf '\n== clients, redis-server as the control\n'
source tests/requirements.sh
need_redis && need_clients && "$PWD/target/clients/venv/bin/python" tests/clients/run.py \
    --folder "$PWD/target/clients" --control redis-server || status=1

printf '\n== loom\n'
RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom \
    cargo test -j2 -p freehold-engine --lib --release loom || status=1

printf '\n== Miri\n'
if cargo +nightly miri --version >/dev/null 2>&1; then
    CARGO_TARGET_DIR=target/miri MIRIFLAGS=-Zmiri-disable-isolation \
        cargo +nightly miri test -p freehold-engine --lib memory mesh keyspace::entry || status=1
else
    echo "left out: cargo miri is not installed (rustup +nightly component add miri)"
fi

printf '\n== fuzz\n'
# Each input builds keyspaces and drops them: where the allocator is the C library's, as without a
# sanitizer, giving the memory back every time took three quarters of a run.
export MALLOC_TRIM_THRESHOLD_=1073741824
if cargo +nightly fuzz --version >/dev/null 2>&1; then
    for folder in protocol server/engine; do
        [ -d "$folder/fuzz" ] || continue
        for target in $(cd "$folder" && cargo +nightly fuzz list); do
            (cd "$folder" && cargo +nightly fuzz run "$target" -- -max_total_time=60) || status=1
        done
    done
else
    echo "left out: cargo fuzz is not installed (cargo install cargo-fuzz)"
fi

printf '\n== dependencies\n'
if cargo deny --version >/dev/null 2>&1; then
    cargo deny check licenses bans sources || status=1
else
    echo "left out: cargo deny is not installed (cargo install cargo-deny)"
fi

[ "$status" -eq 0 ] && printf '\neverything holds\n'
exit "$status"
