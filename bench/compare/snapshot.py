"""What a snapshot costs while everything is being written: memory on top of the data, and how late
the answers are.

One server core under one generator core that sets random keys as fast as it can. First without a
snapshot, then with BGSAVE asked for again as soon as the last one is done. Memory: what the process
grows by, looked at every few milliseconds; of a server that forks, the pages its child has copied
(`rdb_last_cow_size`, its own figure), which is the larger of the two there.
"""

import os
import threading
import time

import generators
import peers
import results
from results import say

LOOK_S = 0.005
PAGE = os.sysconf("SC_PAGESIZE")


class Saving(threading.Thread):
    """Keeps a snapshot under way, and watches the process."""

    def __init__(self, server, saves):
        super().__init__()
        self.server, self.saves = server, saves
        self.ended = threading.Event()
        self.first = self.peak = self._resident()
        self.snapshots, self.seconds, self.copied = 0, [], 0

    def _resident(self):
        with open(f"/proc/{self.server.child.pid}/statm") as file:
            return int(file.read().split()[1]) * PAGE

    def run(self):
        began = None
        asked = time.monotonic()
        while not self.ended.is_set():
            self.peak = max(self.peak, self._resident())
            if self.saves and time.monotonic() - asked > 0.05:
                asked = time.monotonic()
                info = self.server.connection.info("persistence")
                if int(info["rdb_bgsave_in_progress"]) == 0:
                    if began is not None:
                        self.snapshots += 1
                        self.seconds.append(time.monotonic() - began)
                    self.copied = max(self.copied, int(info.get("rdb_last_cow_size", 0)))
                    self.server.connection.call("BGSAVE")
                    began = time.monotonic()
            time.sleep(LOOK_S)

    def finish(self):
        """Lets the last snapshot end; returns the figures."""
        self.ended.set()
        self.join()
        while int(self.server.connection.info("persistence")["rdb_bgsave_in_progress"]):
            self.peak = max(self.peak, self._resident())
            time.sleep(LOOK_S)
        info = self.server.connection.info("persistence")
        self.copied = max(self.copied, int(info.get("rdb_last_cow_size", 0)))
        return {"grown_bytes": max(self.peak - self.first, self.copied),
                "snapshots": self.snapshots, "snapshot_s": self.seconds}


def _phase(generator, server, load, count, cpus, saves):
    saving = Saving(server, saves)
    saving.start()
    try:
        figures, command = generators.measure(generator, server, load, count, cpus.load)
    finally:
        watched = saving.finish()
    return {**figures, **watched, "command": command}


def run(options, cpus, specs):
    """Every peer; returns the body of the result file."""
    found = [peer for peer in map(peers.find, specs) if peer.protocol == "resp"]
    generator = generators.FreeholdLoadgen()
    keys = options.keys if options.quick else 5_000_000
    load = generators.Load("set", 50, 1, keys)
    cases = []
    for peer in found:
        server = peer.start(peers.Setting(cpus.server))
        try:
            server.fill(keys, 64, progress=results.progress(peer.name))
            data = server.child.settled_rss_bytes()
            warm, _ = generators.measure(generator, server, load, 100_000, cpus.load)
            count = int(warm["rate"] * options.seconds)
            rounds = {"idle": [], "saving": []}
            for _ in range(options.rounds):
                rounds["idle"].append(_phase(generator, server, load, count, cpus, False))
                rounds["saving"].append(_phase(generator, server, load, count, cpus, True))
            case = {"peer": peer.name, "keys": keys, "data_bytes": data, "rounds": rounds,
                    "server": server.command_line()}
        finally:
            server.stop()
        late = [results.summary(rounds[phase], "p999_us")["median"] for phase in rounds]
        grown = results.summary(rounds["saving"], "grown_bytes")["high"]
        say(f"  {peer.name}: p99.9 {late[0]:.0f} us idle, {late[1]:.0f} us saving; memory "
            f"+{grown / 1e6:.0f} MB on {data / 1e6:.0f} MB")
        cases.append(case)
    return {"cases": cases}
