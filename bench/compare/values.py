"""CPU per request of the commands on collections, one server core under redis-benchmark.

Question: what does a command on a list, set, hash, sorted set or stream cost beside Valkey's?
Rounds as in `speed`: the peers stay up with the same content and take turns, the others asleep.
"""

import generators
import peers
from results import say
from speed import measure_row

RANDOM = "__rand_int__"
KEYS = 100_000


class Row:
    """A request as redis-benchmark's words, after `prepare` has been run once on every peer."""

    def __init__(self, name, words, prepare=()):
        self.name, self.command, self.prepare = name, words.split(" "), prepare
        self.connections, self.pipeline = 50, 1

    def at(self, pipeline):
        row = Row(f"{self.name}, P{pipeline}", " ".join(self.command))
        row.pipeline = pipeline
        return row


HUNDRED = ["RPUSH", "list:100", *(f"element:{n:04}" for n in range(100))]
PAIRS = " ".join(f"key:{n}:{RANDOM} value:{n}" for n in range(10))
ROWS = [
    Row("LPUSH", f"LPUSH list element:{RANDOM}"),
    Row("RPOP", "RPOP list"),
    Row("SADD", f"SADD set member:{RANDOM}"),
    Row("HSET", f"HSET hash field:{RANDOM} value:{RANDOM}"),
    Row("HGET", f"HGET hash field:{RANDOM}"),
    Row("ZADD", f"ZADD zset {RANDOM} member:{RANDOM}"),
    Row("ZRANGE 10", "ZRANGE zset 1000 1009"),
    Row("ZRANGEBYSCORE", "ZRANGEBYSCORE zset 40000 50000 LIMIT 0 10"),
    Row("XADD", "XADD stream * field value"),
    Row("INCR", f"INCR counter:{RANDOM}"),
    Row("LRANGE 100", "LRANGE list:100 0 99", [HUNDRED]),
    Row("MSET 10", f"MSET {PAIRS}"),
]


class AnyCommand(generators.RedisBenchmark):
    def command(self, server, load, requests, cpus):
        return [self.binary, "-h", "127.0.0.1", "-p", server.port, "-c", load.connections,
                "-P", load.pipeline, "-n", requests, "-r", KEYS, "--precision", 3, *load.command]


def run(options, cpus, specs, rows=ROWS):
    """All rows at pipeline 1 and 16; returns the body of the result file."""
    found = [peers.find(spec) for spec in specs]
    servers = {}
    try:
        for peer in found:
            servers[peer.name] = server = peer.start(peers.Setting(cpus.server))
            say(f"  {peer.name} {server.version()}")
            for request in (request for row in rows for request in row.prepare):
                server.connection.call(*request)
        described = {name: {"version": server.version(), "command": server.command_line()}
                     for name, server in servers.items()}
        for server in servers.values():
            server.child.pause()
        measured = [measure_row(row.at(pipeline), AnyCommand(), servers, options, cpus)
                    for row in rows for pipeline in (1, 16)]
    finally:
        for server in servers.values():
            server.stop()
    return {"servers": described, "keys": KEYS, "rows": [row for row in measured if row]}
