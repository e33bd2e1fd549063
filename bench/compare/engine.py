"""Runs `freehold-bench`: the engine without sockets, in wall time and in instructions.

The program prints JSON; here it is pinned to one CPU, given its size, and stored.
"""

import json
import os
import shutil

import peers
import process
import results
from results import say


def binary():
    path = os.environ.get(
        "FREEHOLD_BENCH", os.path.join(peers.TARGET, "release/freehold-bench"))
    if not os.access(path, os.X_OK):
        raise SystemExit(f"compare: {path} is not there: cargo build --release -p freehold-bench")
    return path


def _run(cpus, *args, timeout_s=1800, environment=None):
    command = [binary(), *map(str, args)]
    said = process.run(command, cpus, timeout_s=timeout_s, env=environment)
    found = json.loads(said.splitlines()[-1])  # what comes before is progress
    settings = [f"{name}={value}" for name, value in (environment or {}).items()]
    return {"command": " ".join([*settings, "freehold-bench", *map(str, args)]), **found}


def micro(options, cpus):
    """Nanoseconds and instructions for the parts of a request."""
    keys, rounds = (100_000, 3) if options.quick else (1_000_000, 9)
    found = {"times": _run(cpus.server_pair, "micro", "--keys", keys, "--rounds", rounds)}
    for case in found["times"]["cases"]:
        say(f"  {case['name']:28} {case['ns_median']:8.1f} ns  "
            f"({case['ns_low']:.1f} to {case['ns_high']:.1f})")
    if shutil.which("valgrind"):
        found["instructions"] = _run(cpus.server, "instructions", "--keys", min(keys, 200_000))
        for case in found["instructions"]["cases"]:
            say(f"  {case['name']:28} {case['instructions']:8.1f} instructions")
    return found


def growth(options, cpus):
    """The longest insert while a keyspace grows, and the longest step of a null run."""
    keys = 1_000_000 if options.quick else 20_000_000
    found = _run(cpus.server, "growth", "--keys", keys)
    for case in found["cases"]:
        say(f"  {case['name']:28} p99.99 {case['p9999_us']:.1f} us, max {case['max_us']:.1f} us")
    return found


# As the server does: memory is given back to the system by its control thread, not on a core, and
# heaps are seldom gone through.
NOT_ON_A_CORE = {"MIMALLOC_PURGE_DELAY": "86400000", "MIMALLOC_GENERIC_COLLECT": "1000000"}
BIG_TYPES = ("list", "set", "hash", "fields", "zset", "stream", "string")


def big(options, cpus):
    """The longest command on a collection of ten million elements, a type at a time.

    With and without transparent huge pages: the first touch of one zeroes 2 MiB. A run of some
    types leaves what is stored of the others, as all of them take the better part of an hour.
    """
    elements, passes = (100_000, 2) if options.quick else (10_000_000, options.passes)
    runs = _stored_runs(options, elements)
    commit = results.conditions(options)["commit"]
    for kind in options.types or BIG_TYPES:
        for thp in options.huge_pages:
            found = _run(cpus.server, "big", "--elements", elements, "--passes", passes,
                         "--type", kind,
                         environment={"MIMALLOC_ALLOW_THP": thp, **NOT_ON_A_CORE})
            runs[kind, thp] = {"commit": commit, **found}
            cases = found["runs"][0]["cases"]
            worst = max(cases, key=lambda case: case["max_us"])
            say(f"  {kind:8} THP {thp}: longest {worst['max_us']:.0f} us ({worst['name']}), "
                f"{sum(case['over_1ms'] for case in cases)} steps over 1 ms")
    order = [(kind, thp) for thp in ("0", "1") for kind in BIG_TYPES]
    return {"elements": elements, "runs": [runs[place] for place in order if place in runs]}


def _stored_runs(options, elements):
    """Runs of other types at the same size, by type and huge pages."""
    stored = results.load(options.out, "big") if options.types else None
    if not stored or stored["elements"] != elements:
        return {}
    return {(found["runs"][0]["type"], found["mimalloc_allow_thp"]): found
            for found in stored["runs"]}


def expiry(options, cpus):
    """Lateness of every removal in virtual time, and the CPU of the removing."""
    sizes = [(200_000, 10)] if options.quick else [(1_000_000, 20), (10_000_000, 1000)]
    runs = [_run(cpus.server, "expiry", "--keys", keys, "--window", window)
            for keys, window in sizes]
    found = {"runs": runs, "cases": [case for run in runs for case in run["cases"]]}
    for case in found["cases"]:
        say(f"  {case['name']:28} late p50 {case['late_p50_ms']:.1f} ms, p99 "
            f"{case['late_p99_ms']:.1f} ms, max {case['late_max_ms']:.1f} ms, "
            f"{case['ns_per_key']:.0f} ns a key")
    return found
