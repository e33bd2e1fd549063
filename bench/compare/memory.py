"""Resident bytes per key beyond the bytes of key and value.

Question: what does a key cost? A fresh server for every case; resident memory before the fill and
after it has stood still; the difference less 16 bytes of key and the bytes of the value.
"""

import peers
import results
import wire
from results import say

TTL_S = 100_000


def _cases(quick):
    for count in ([200_000] if quick else [1_000_000, 5_000_000]):
        for size in (8, 64):
            for ttl in (False, True):
                yield count, size, ttl


def _one(peer, cpus, count, size, ttl):
    server = peer.start(peers.Setting(cpus.server))
    try:
        before, used_before = server.child.settled_rss_bytes(), server.used_bytes()
        server.fill(count, size, TTL_S if ttl else 0,
                    progress=results.progress(f"{peer.name} {count}"))
        after, used_after = server.child.settled_rss_bytes(), server.used_bytes()
        if server.key_count() != count:
            raise RuntimeError(f"{peer.name} holds {server.key_count()} keys instead of {count}")
        payload = wire.KEY_BYTES + size
        return {
            "peer": peer.name, "keys": count, "value_bytes": size, "ttl": ttl,
            "rss_before": before, "rss_after": after,
            "beyond_bytes": (after - before) / count - payload,
            "accounted_beyond_bytes": (used_after - used_before) / count - payload,
            "command": server.command_line(), "version": server.version()}
    finally:
        server.stop()


def run(options, cpus, specs):
    found = [peers.find(spec) for spec in specs]
    cases = []
    for count, size, ttl in _cases(options.quick):
        for peer in found:
            case = _one(peer, cpus, count, size, ttl)
            cases.append(case)
            say(f"  {peer.name:10} {count:>8} keys, {size:>2}-byte values, "
                f"{'TTL   ' if ttl else 'no TTL'}: {case['beyond_bytes']:6.1f} B beyond key and "
                f"value (its own count: {case['accounted_beyond_bytes']:.1f})")
    return {"key_bytes": wire.KEY_BYTES, "cases": cases}
