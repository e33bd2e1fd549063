"""What the log costs: throughput of SET with one server core under one generator core, at each
`appendfsync`, against the same server without a log and against the peers.

The rate is what counts here, not the CPU: under `always` the server waits for the disk. So it
counts too what the generator can do at most: the rows without a log say that. All servers keep
their files in the same file system; nothing else uses the disk. A peer that is not being asked is
stopped, once it has had the time to make durable what it was sent: what a stopped server has not
synced looks to it as if the disk had been slow. Before a round everything written so far is synced,
so that no server pays for another.

With `--sync-delay-ms` that file system is one in memory whose every sync takes so long, mounted
through FUSE (`tests/lossymount`) on the CPU of the load.
"""

import contextlib
import itertools
import os
import time

import generators
import peers
import process
import results
import speed
from results import say

ROWS = [
    ("always", speed.Row("SET, 50 connections, P1", "set", 50, 1)),
    ("always", speed.Row("SET, 500 connections, P1", "set", 500, 1)),
    ("always", speed.Row("SET, 50 connections, P16", "set", 50, 16)),
    ("everysec", speed.Row("SET, 50 connections, P16", "set", 50, 16)),
    ("no log", speed.Row("SET, 500 connections, P1", "set", 500, 1)),
    ("no log", speed.Row("SET, 50 connections, P16", "set", 50, 16)),
]

SETTLE_S = 1.5  # `everysec` syncs within a second


def _rates(row, generator, servers, options, cpus):
    load = generators.Load(row.command, row.connections, row.pipeline, options.keys)
    commands, rounds = {}, {name: [] for name in servers}
    warm = speed._round(generator, servers, load, dict.fromkeys(servers, 20_000), cpus.load,
                        commands, SETTLE_S)
    counts = {name: speed._requests(warm[name]["rate"], options.seconds, row.pipeline)
              for name in servers}
    for _ in range(options.rounds):
        os.sync()
        for name, figures in speed._round(generator, servers, load, counts, cpus.load,
                                          commands, SETTLE_S).items():
            rounds[name].append(figures)
    return {"commands": commands, "rounds": rounds}


def run(options, cpus, specs):
    """All rows with both load generators; returns the body of the result file."""
    with _disk(options.sync_delay_ms, cpus) as place:
        body = _rows(options, cpus, specs, place)
    return {**body, "sync_delay_ms": options.sync_delay_ms}


@contextlib.contextmanager
def _disk(sync_delay_ms, cpus):
    """Where servers keep their files: None, the usual place, or a mount that is slow to sync."""
    if sync_delay_ms is None:
        yield None
        return
    place = os.path.join(peers.WORK, "slow-disk")
    os.makedirs(place, exist_ok=True)
    program = os.environ.get("LOSSYMOUNT", os.path.join(peers.TARGET, "release", "lossymount"))
    if not os.access(program, os.X_OK):
        raise RuntimeError(f"{program} is not there: cargo build --release -p freehold-tests "
                           "--bin lossymount")
    mount = process.Child([program, place, "--sync-delay-ms", sync_delay_ms], cpus.load,
                          log=os.path.join(peers.WORK, "slow-disk.log"))
    try:
        deadline = time.monotonic() + 5
        while not os.path.ismount(place):
            if not mount.alive() or time.monotonic() > deadline:
                raise RuntimeError(f"nothing can be mounted on {place}: {mount.log_tail()}")
            time.sleep(0.01)
        yield place
    finally:
        mount.stop()


def _rows(options, cpus, specs, place):
    chosen = generators.chosen([name for name in options.generators if name != "replay"])
    found = [peer for peer in map(peers.find, specs) if peer.protocol == "resp"]
    measured, described = [], {}
    for policy in ("always", "everysec", "no log"):
        append = None if policy == "no log" else policy
        servers = {}
        try:
            for peer in found:
                server = peer.start(peers.Setting(cpus.server, append=append, place=place))
                servers[peer.name] = server
                server.fill(options.keys, 64, progress=results.progress(peer.name))
                described[f"{peer.name}, {policy}"] = server.command_line()
                time.sleep(SETTLE_S)
                server.child.pause()
            rows = [row for of, row in ROWS if of == policy]
            for row, generator in itertools.product(rows, chosen):
                body = _rates(row, generator, servers, options, cpus)
                shown = "  ".join(
                    f"{name} {results.summary(rounds, 'rate')['median']:,.0f}"
                    for name, rounds in body["rounds"].items())
                say(f"  {policy:9} {row.name:26} {generator.name:16} requests/s: {shown}")
                measured.append({"policy": policy, "row": row.name,
                                 "generator": generator.name, **body})
        finally:
            for server in servers.values():
                server.child.resume()
                server.stop()
    return {"servers": described, "keys": options.keys, "value_bytes": 64, "rows": measured}
