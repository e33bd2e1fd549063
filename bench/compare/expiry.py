"""How late expired keys leave, and what their leaving costs.

Question: a million keys with deadlines scattered over a window: when is each gone, seen from
outside? DBSIZE, asked about every millisecond, says how many are still there; sorted deadlines
are matched with removals in order, which is the smallest lateness consistent with the counts (a
server that removes in another order is flattered, never blamed). The CPU is compared with the
same keys, the same questions and no deadline in the window. freehold-bench's `expiry` measures
each key by itself, in virtual time.
"""

import random
import time

import peers
import results
import wire
from results import say

GRACE_S = 30.0


def _deadlines(count, start_ms, window_ms, seed):
    rng = random.Random(seed)
    return [start_ms + rng.randrange(window_ms) for _ in range(count)]


def _fill(port, deadlines):
    connection = wire.Connection(port)
    value = b"v" * 8
    for first in range(0, len(deadlines), 1000):
        rows = enumerate(deadlines[first:first + 1000], first)
        batch = [b"*5\r\n$3\r\nSET\r\n$16\r\n%b\r\n$8\r\n%b\r\n$4\r\nPXAT\r\n$13\r\n%d\r\n"
                 % (wire.key(i), value, at) for i, at in rows]
        connection.expect(b"".join(batch), b"+OK\r\n" * len(batch))
    connection.close()


def _watch(server, until_s, empty_ends):
    """[(unix ms, keys)] about every millisecond until `until_s`, and GRACE_S more if needed."""
    samples = []
    ask = wire.request("DBSIZE")
    connection = server.connection
    while True:
        connection.send(ask)
        count, now = connection.reply(), time.time()
        samples.append((now * 1000, count))
        if now >= until_s and (count == 0 or not empty_ends or now >= until_s + GRACE_S):
            return samples
        time.sleep(0.001)


def _lateness_ms(deadlines, samples):
    """Lateness of each removal, sorted; a key never seen to leave counts up to the last sample."""
    ordered, late, gone = sorted(deadlines), [], 0
    for now, count in samples:
        while gone < len(ordered) - count:
            late.append(max(now - ordered[gone], 0.0))
            gone += 1
    late += [samples[-1][0] - at for at in ordered[gone:]]
    return sorted(late), len(ordered) - gone


def _one(peer, cpus, count, window_s, expiring):
    server = peer.start(peers.Setting(cpus.server))
    try:
        used_before = server.used_bytes()
        lead_s = 3 + count / 100_000
        start = time.time() + lead_s
        shift = 0 if expiring else 3_600_000
        deadlines = _deadlines(count, int(start * 1000) + shift, int(window_s * 1000), seed=7)
        _fill(server.port, deadlines)
        used_full = server.used_bytes()
        if time.time() > start:
            raise RuntimeError("loading took longer than allowed for; the machine is too busy")
        time.sleep(max(start - time.time(), 0))
        cpu = server.child.cpu_ns()
        samples = _watch(server, start + window_s + 1, empty_ends=expiring)
        found = {"cpu_s": (server.child.cpu_ns() - cpu) / 1e9, "samples": len(samples),
                 "seconds": samples[-1][0] / 1000 - start,
                 "version": server.version(), "command": server.command_line()}
        if expiring:
            late, left = _lateness_ms(deadlines, samples)
            found.update({
                "late_p50_ms": late[len(late) // 2], "late_p99_ms": late[len(late) * 99 // 100],
                "late_max_ms": late[-1], "never_seen_to_leave": left,
                "used_before": used_before, "used_full": used_full,
                "used_after": server.used_bytes()})
        return found
    finally:
        server.stop()


def run(options, cpus, specs):
    count, window_s = (100_000, 4) if options.quick else (1_000_000, 20)
    cases = []
    for spec in specs:
        peer = peers.find(spec)
        if peer.protocol != "resp":
            continue
        idle = _one(peer, cpus, count, window_s, expiring=False)
        case = _one(peer, cpus, count, window_s, expiring=True)
        # Idle CPU is scaled: a slow expirer is watched longer.
        extra_s = case["cpu_s"] - idle["cpu_s"] * case["seconds"] / idle["seconds"]
        case.update({"peer": peer.name, "idle_cpu_s": idle["cpu_s"],
                     "cpu_us_per_expired_key": extra_s * 1e6 / count})
        cases.append(case)
        say(f"  {peer.name:10} late p50 {case['late_p50_ms']:.1f} ms, p99 "
            f"{case['late_p99_ms']:.1f} ms, max {case['late_max_ms']:.1f} ms; "
            f"{case['cpu_us_per_expired_key']:.2f} us CPU a key beyond idling")
    return {"keys": count, "window_s": window_s, "cases": cases}
