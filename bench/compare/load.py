"""How long a start takes that brings the data back: from the process to the first answer of a
server that has all its keys.

Each server loads what it has saved itself (SAVE, then an end without saving), on both cores of the
machine; the rounds go A B C A B C and nobody else runs. The files are in the page cache for all, so
it is the work that is compared and not the disk. A virtual machine's host may take back what is
free for some seconds and give it out again at the first touch, at more than a start costs: so the
memory of a start is touched by the driver just before it, for every server alike.
"""

import os
import shutil
import time

import peers
import results
import wire
from results import say

CORES = 2
SIZES = [(5_000_000, 64), (1_000_000, 1024)]
TOUCHED_BYTES = 3_000_000_000


def _saved(peer, setting, count, size):
    """Fills a server, saves, ends; returns what its files take."""
    shutil.rmtree(setting.directory, ignore_errors=True)
    server = peer.start(setting)
    try:
        server.fill(count, size, progress=results.progress(peer.name))
        started = time.monotonic()
        wire.Connection(server.port, timeout_s=600).call("SAVE")
        seconds = time.monotonic() - started
    finally:
        server.stop()
    files = [os.path.join(folder, name) for folder, _, names in os.walk(setting.directory)
             for name in names if name != "log"]
    return {"save_s": seconds, "file_bytes": sum(map(os.path.getsize, files))}


def _touch_memory():
    _ = b"1" * TOUCHED_BYTES


def _start(peer, setting, count):
    _touch_memory()
    started = time.monotonic()
    server = peer.start(setting)
    seconds = time.monotonic() - started
    try:
        found = server.key_count()
        if found != count:
            raise RuntimeError(f"{peer.name} has {found} keys of {count}")
        cpu = server.child.cpu_ns() / 1e9
        return {"seconds": seconds, "cpu_s": cpu, "command": server.command_line()}
    finally:
        server.stop()


def run(options, cpus, specs):
    """All sizes; returns the body of the result file."""
    found = [peer for peer in map(peers.find, specs) if peer.protocol == "resp"]
    both = cpus.server | cpus.load
    cases = []
    for count, size in SIZES:
        count = options.keys if options.quick else count
        settings = {peer.name: peers.Setting(
            both, cores=CORES, directory=os.path.join(peers.WORK, "run", f"load-{peer.name}"))
            for peer in found}
        try:
            saved = {peer.name: _saved(peer, settings[peer.name], count, size) for peer in found}
            rounds = {peer.name: [] for peer in found}
            for _ in range(options.rounds):
                for peer in found:
                    rounds[peer.name].append(_start(peer, settings[peer.name], count))
        finally:
            for setting in settings.values():
                shutil.rmtree(setting.directory, ignore_errors=True)
        shown = "  ".join(f"{name} {results.summary(times, 'seconds')['median']:.2f}"
                          for name, times in rounds.items())
        say(f"  {count} keys, {size}-byte values, seconds: {shown}")
        cases.append({"keys": count, "value_bytes": size, "saved": saved, "rounds": rounds})
    return {"cores": CORES, "cases": cases}
