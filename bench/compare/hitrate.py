"""Hit rate of a read-through cache at equal maxmemory, keys drawn from zipf 0.99.

Question: whose eviction keeps the better keys, and does the limit hold? Every peer sees the same
sequence: GET, and after a miss SET, in batches of 64 (a batch's misses are stored before the next
batch is read). The first half fills and settles, the second half counts. Values are 32 to 255
bytes long, a length per key, so that allocators have to cope with a mix.
"""

import itertools
import random
import time

import peers
import wire
from results import progress, say

BATCH = 64
EXPONENT = 0.99


def _sequence(keys, requests, seed):
    """Key numbers by popularity, the popular ones scattered over the key space."""
    rng = random.Random(seed)
    cumulative = list(itertools.accumulate((rank + 1) ** -EXPONENT for rank in range(keys)))
    identities = list(range(keys))
    rng.shuffle(identities)
    return rng.choices(identities, cum_weights=cumulative, k=requests)


def _size(index):
    return 32 + (index * 2654435761 >> 7) % 224


class _Resp:
    def gets(self, batch):
        return b"".join(b"*2\r\n$3\r\nGET\r\n$16\r\n%b\r\n" % wire.key(i) for i in batch)

    def misses(self, connection, batch):
        missed = set()
        for index in batch:
            length = connection.line()
            if length == b"$-1":
                missed.add(index)
            elif length == b"$%d" % _size(index):
                connection.line()
            else:
                raise wire.Refused(repr(length))
        return missed

    def sets(self, missed):
        return b"".join(wire.set_one("resp", i, _size(i), 0) for i in missed)

    def over_limit(self, connection, limit):
        return int(connection.info("memory")["used_memory"]) / limit

    def evicted(self, connection):
        return int(connection.info("stats")["evicted_keys"])


class _Memcached:
    def gets(self, batch):
        return b"".join(b"get %b\r\n" % wire.key(i) for i in batch)

    def misses(self, connection, batch):
        missed = set()
        for index in batch:
            if connection.line() == b"END":
                missed.add(index)
            else:
                connection.line()
                connection.line()
        return missed

    def sets(self, missed):
        return b"".join(wire.set_one("memcached", i, _size(i), 0) for i in missed)

    def over_limit(self, connection, limit):
        return int(connection.stats()["bytes"]) / limit

    def evicted(self, connection):
        return int(connection.stats()["evictions"])


def _drive(server, sequence, limit, label):
    """Runs the sequence; returns hits of the second half and the worst use of the limit."""
    talk = _Resp() if server.peer.protocol == "resp" else _Memcached()
    connection = wire.Connection(server.port)
    show = progress(label)
    half, hits, counted, fullest, refused = len(sequence) // 2, 0, 0, 0.0, 0
    stored = wire.stored(server.peer.protocol).strip()
    for number, first in enumerate(range(0, len(sequence), BATCH)):
        batch = sequence[first:first + BATCH]
        connection.send(talk.gets(batch))
        missed = talk.misses(connection, batch)
        if missed:
            connection.send(talk.sets(missed))
            refused += sum(connection.line() != stored for _ in missed)
        if first >= half:
            counted += len(batch)
            hits += sum(index not in missed for index in batch)
        if number % 200 == 0:
            fullest = max(fullest, talk.over_limit(connection, limit))
            show(first, len(sequence))
    evicted = talk.evicted(connection)
    connection.close()
    return {"hit_rate": hits / counted, "used_of_limit_max": fullest, "evicted_keys": evicted,
            "refused_writes": refused}


def run(options, cpus, specs):
    scale = 10 if options.quick else 1
    keys, requests, limit = 1_000_000 // scale, 4_000_000 // scale, (64 << 20) // min(scale, 8)
    say(f"  drawing {requests} of {keys} keys")
    sequence = _sequence(keys, requests, seed=99)
    cases = []
    for policy in ("allkeys-lru", "allkeys-lfu"):
        for peer in (peers.find(spec) for spec in specs):
            if peer.kind == "memcached" and policy != "allkeys-lru":
                continue
            setting = peers.Setting(cpus.server, maxmemory=limit, policy=policy)
            server = peer.start(setting)
            try:
                started, cpu = time.monotonic(), server.child.cpu_ns()
                case = _drive(server, sequence, limit, f"{peer.name} {policy}")
                case.update({
                    "peer": peer.name, "policy": policy, "maxmemory": limit,
                    "keys_held": server.key_count(), "rss": server.child.rss_bytes(),
                    "server_cpu_s": (server.child.cpu_ns() - cpu) / 1e9,
                    "seconds": time.monotonic() - started,
                    "version": server.version(), "command": server.command_line()})
            finally:
                server.stop()
            cases.append(case)
            say(f"  {peer.name:10} {policy}: hit rate {case['hit_rate']:.4f}, keys "
                f"{case['keys_held']}, used at most {case['used_of_limit_max']:.3f} of the limit, "
                f"{case['refused_writes']} writes refused")
    return {"keys": keys, "requests": requests, "zipf": EXPONENT, "maxmemory": limit,
            "cases": cases}
