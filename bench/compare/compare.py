#!/usr/bin/env python3
"""Runs Freehold beside its peers and stores the answers under bench/results.

Each part runs by itself (`compare.py speed`), `all` runs every part, `report` only rewrites
README.md from what is stored. `--quick` makes runs of seconds whose figures prove that the
machinery works and nothing else; they go to target/bench/results. `run.sh` builds and installs
what this needs.
"""

import argparse
import os
import sys
import time

import elements
import engine
import expiry
import generators
import hitrate
import load
import log
import memory
import peers
import process
import report
import results
import scaling
import snapshot
import speed
import values


def _speed(options, cpus):
    return speed.run(options, cpus, options.peers)


def _null(options, cpus):
    """Two identical builds as two peers: what difference is noise."""
    binary = peers.find(options.subject).binary
    kind = peers.find(options.subject).kind
    return speed.run(options, cpus, [f"{kind}-a={binary}", f"{kind}-b={binary}"])


def _memory(options, cpus):
    return memory.run(options, cpus, options.peers)


def _elements(options, cpus):
    return elements.run(options, cpus, [peer for peer in options.peers if peer != "memcached"])


def _hitrate(options, cpus):
    return hitrate.run(options, cpus, options.peers)


def _scaling(options, cpus):
    return scaling.run(options, cpus, options.subject)


def _expiry(options, cpus):
    return {**expiry.run(options, cpus, options.peers), "engine": engine.expiry(options, cpus)}


def _growth(options, cpus):
    return engine.growth(options, cpus)


def _big(options, cpus):
    return engine.big(options, cpus)


def _engine(options, cpus):
    return engine.micro(options, cpus)


def _types(options, cpus):
    return values.run(options, cpus, [peer for peer in options.peers if peer != "memcached"])


def _log(options, cpus):
    return log.run(options, cpus, options.peers)


def _load(options, cpus):
    return load.run(options, cpus, options.peers)


def _snapshot(options, cpus):
    return snapshot.run(options, cpus, options.peers)


PARTS = {"speed": _speed, "types": _types, "null": _null, "scaling": _scaling, "memory": _memory,
         "elements": _elements, "hitrate": _hitrate, "expiry": _expiry, "growth": _growth,
         "big": _big, "log": _log, "load": _load, "snapshot": _snapshot, "engine": _engine}


def _options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="+", choices=[*PARTS, "all", "report"], metavar="PART",
                        help=", ".join([*PARTS, "all", "report"]))
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--peers", default="freehold,valkey,redis,memcached",
                        help="names or NAME=PATH, separated by commas (default %(default)s)")
    parser.add_argument("--subject", default="freehold",
                        help="the peer of `null` and `scaling` (default %(default)s)")
    parser.add_argument("--generators", default=",".join(generators.ALL),
                        help="separated by commas (default %(default)s)")
    parser.add_argument("--rounds", type=int, help="measured rounds (default 5, quick 2)")
    parser.add_argument("--seconds", type=float,
                        help="aim for the length of one measurement (default 2, quick 0.5)")
    parser.add_argument("--keys", type=int, help="keys loaded for speed (default 1 M, quick 50 k)")
    parser.add_argument("--sync-delay-ms",
                        help="`log` on a disk whose syncs take so long, as 2 or 0..20; needs root")
    parser.add_argument("--types", help="of `big`, separated by commas; the others stay as stored")
    parser.add_argument("--passes", type=int, default=2, help="of `big` (default %(default)s)")
    parser.add_argument("--huge-pages", default="0",
                        help="of `big`: 0, 1 or both, separated by commas (default %(default)s)")
    parser.add_argument("--out", help="directory of results (default bench/results)")
    options = parser.parse_args()
    options.peers = options.peers.split(",")
    options.generators = options.generators.split(",")
    options.types = options.types.split(",") if options.types else None
    options.huge_pages = options.huge_pages.split(",")
    unknown = [name for name in options.generators if name not in generators.ALL]
    if unknown:
        parser.error(f"unknown generator {unknown[0]}: {', '.join(generators.ALL)}")
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.seconds = options.seconds or (0.5 if options.quick else 2.0)
    options.keys = options.keys or (50_000 if options.quick else 1_000_000)
    quick_out = os.path.join(peers.WORK, "results")
    options.out = options.out or (quick_out if options.quick else results.DEFAULT)
    return options


def main():
    options = _options()
    process.stop_all_at_exit()
    wanted = [part for part in PARTS if part in options.parts or "all" in options.parts]
    cpus = process.Cpus() if wanted else None
    failed = []
    if wanted and os.getloadavg()[0] > 0.5:
        results.say(f"compare: the machine is not idle (load {os.getloadavg()[0]:.1f}); figures "
                    "taken now are not worth keeping")
    for part in wanted:
        results.say(f"{part}:")
        conditions = results.conditions(options)
        started = time.monotonic()
        try:
            body = PARTS[part](options, cpus)
        except (RuntimeError, OSError) as trouble:
            # One part that cannot run should not cost the hour spent on the others.
            results.say(f"{part} failed: {trouble}")
            failed.append(part)
            continue
        finally:
            process.stop_all()
        conditions["seconds"] = round(time.monotonic() - started)
        slow = part == "log" and options.sync_delay_ms is not None
        results.store(options, "log-slow-disk" if slow else part, conditions, body)
    report.write(options.out)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    sys.exit(main())
