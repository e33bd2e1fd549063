"""CPU per request, throughput and latency of one server core under one generator core.

Question: what does one request cost, with the kernel's TCP in it, and how much of that is floor
(PING)? All peers stay up and loaded with the same million keys; the rounds go A B C A B C, and a
peer that is not being asked is stopped (SIGSTOP), so that nobody's timers run on the shared core.
"""

import time

import generators
import peers
import results
from results import say


class Row:
    def __init__(self, name, command, connections, pipeline):
        self.name, self.command = name, command
        self.connections, self.pipeline = connections, pipeline


ROWS = [
    Row("PING, 50 connections, P1", "ping", 50, 1),
    Row("PING, 50 connections, P16", "ping", 50, 16),
    Row("GET, 50 connections, P1", "get", 50, 1),
    Row("SET, 50 connections, P1", "set", 50, 1),
    Row("GET, 50 connections, P16", "get", 50, 16),
    Row("SET, 50 connections, P16", "set", 50, 16),
    Row("GET, 1 connection, P1", "get", 1, 1),
]


def _requests(rate, seconds, pipeline):
    return max(int(rate * seconds) // pipeline, 200) * pipeline


def _round(generator, servers, load, counts, cpus, commands, settle_s=0):
    """Every peer once, the others asleep, `settle_s` after its turn; returns {peer: figures}."""
    found = {}
    for name, server in servers.items():
        server.child.resume()
        time.sleep(0.05)
        figures, command = generators.measure(generator, server, load, counts[name], cpus)
        time.sleep(settle_s)
        server.child.pause()
        commands[name] = command
        found[name] = figures
    return found


def measure_row(row, generator, servers, options, cpus):
    load = generators.Load(row.command, row.connections, row.pipeline, options.keys)
    takers = {name: server for name, server in servers.items()
              if generator.serves(server.peer, load)}
    if not takers:
        return None
    commands = {}
    first = 2000 if row.connections == 1 else 20_000 * min(row.pipeline, 5)
    warm = _round(generator, takers, load, dict.fromkeys(takers, first), cpus.load, commands)
    counts = {name: _requests(warm[name]["rate"], options.seconds, row.pipeline)
              for name in takers}
    rounds = {name: [] for name in takers}
    for _ in range(options.rounds):
        for name, figures in _round(generator, takers, load, counts, cpus.load, commands).items():
            rounds[name].append(figures)
    line = "  ".join(f"{name} {results.summary(rounds[name], 'cpu_us')['median']:.3f}"
                     for name in takers)
    say(f"  {generator.name:16} {row.name:26} CPU us/request: {line}")
    return {"row": row.name, "generator": generator.name, "commands": commands, "rounds": rounds}


def run(options, cpus, specs, rows=ROWS):
    """All rows with all generators; returns the body of the result file."""
    found = [peers.find(spec) for spec in specs]
    chosen = generators.chosen(options.generators)
    servers = {}
    try:
        for peer in found:
            servers[peer.name] = server = peer.start(peers.Setting(cpus.server))
            say(f"  {peer.name} {server.version()}: loading {options.keys} keys")
            server.fill(options.keys, 64, progress=results.progress(peer.name))
        described = {name: {"version": server.version(), "command": server.command_line()}
                     for name, server in servers.items()}
        for server in servers.values():
            server.child.pause()
        measured = [measure_row(row, generator, servers, options, cpus)
                    for row in rows for generator in chosen]
    finally:
        for server in servers.values():
            server.stop()
    return {"servers": described, "keys": options.keys, "value_bytes": 64,
            "rows": [row for row in measured if row]}
