"""What a run leaves behind: the conditions it ran under, every round, and medians over rounds."""

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys

import peers

DEFAULT = os.path.join(peers.REPOSITORY, "bench", "results")


def _git(*args):
    done = subprocess.run(["git", "-C", peers.REPOSITORY, *args], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def _first_line(path, prefix):
    with open(path) as file:
        for line in file:
            if line.startswith(prefix):
                return line.partition(":")[2].strip()
    return "unknown"


def conditions(options):
    """Commit, machine and command line: what a reader needs to run it again."""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!bench/results")
    return {
        "commit": _git("rev-parse", "HEAD") or "none",
        "uncommitted_changes": bool(changed),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": _first_line("/proc/cpuinfo", "model name"),
        "cpus": os.cpu_count(),
        "kernel": platform.release(),
        "memory": _first_line("/proc/meminfo", "MemTotal"),
        "load_average_at_start": os.getloadavg()[0],
        "command": "bench/compare/compare.py " + " ".join(sys.argv[1:]),
        "quick": options.quick,
    }


def store(options, name, conditions_found, body):
    """Writes NAME.json into the directory of results and says where."""
    os.makedirs(options.out, exist_ok=True)
    path = os.path.join(options.out, name + ".json")
    with open(path, "w") as file:
        json.dump({"conditions": conditions_found, **body}, file, indent=1, sort_keys=False)
        file.write("\n")
    say(f"written: {os.path.relpath(path)}")


def load(directory, name):
    """What was stored under NAME, or None."""
    try:
        with open(os.path.join(directory, name + ".json")) as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def median(numbers):
    return statistics.median(numbers)


def summary(rounds, field):
    """Median, lowest and highest of one figure over the rounds."""
    numbers = [figures[field] for figures in rounds]
    return {"median": median(numbers), "low": min(numbers), "high": max(numbers)}


def paired_ratio(rounds, base_rounds, field):
    """Median over the rounds of this peer's figure by the base's in the same round.

    Rounds are interleaved, so what slows the machine for a while slows both sides of a pair.
    """
    ratios = [a[field] / b[field] for a, b in zip(rounds, base_rounds) if b[field]]
    if not ratios:
        return None
    return {"median": median(ratios), "low": min(ratios), "high": max(ratios)}


def say(text):
    """Progress goes to standard error, a line at a time."""
    print(text, file=sys.stderr, flush=True)


def progress(label):
    """A callback for long fills: one line overwritten on a terminal, silence otherwise."""
    def show(done, total):
        if sys.stderr.isatty():
            print(f"\r  {label}: {100 * done // total} %  ", end="", file=sys.stderr, flush=True)
    return show
