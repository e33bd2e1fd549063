"""Turns the stored results into README.md: budgets first, then a table for each part."""

import os

import budgets
import results

BASE = "valkey"
# Kinds of step shown of each type of `big`.
BIG_SHOWN = 8


def _spread(found):
    return f"{found['low']:.2f}–{found['high']:.2f}"


def _table(head, rows):
    if not rows:
        return []
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows] + [""]


def _conditions(stored):
    found = stored["conditions"]
    changed = ", with uncommitted changes" if found["uncommitted_changes"] else ""
    lines = [f"{found['date']}, commit `{found['commit'][:12]}`{changed}, {found['cpu']}, "
             f"{found['cpus']} CPUs, Linux {found['kernel']}, {found['seconds']} s: "
             f"`{found['command']}`", ""]
    if found["quick"]:
        lines = ["**A quick run: these figures only show that the machinery works.**", ""] + lines
    return lines


def _speed_rows(stored):
    for row in stored["rows"]:
        base = row["rounds"].get(BASE)
        for peer, rounds in row["rounds"].items():
            cpu = results.summary(rounds, "cpu_us")
            ratio = base and peer != BASE and results.paired_ratio(rounds, base, "cpu_us")
            median = {field: results.summary(rounds, field)["median"]
                      for field in ("rate", "p50_us", "p99_us", "p999_us")}
            yield [row["row"], row["generator"], peer, f"{cpu['median']:.3f}", _spread(cpu),
                   f"{ratio['median']:.2f} ({_spread(ratio)})" if ratio else "",
                   f"{median['rate'] / 1000:.0f} k", f"{median['p50_us']:.0f}",
                   f"{median['p99_us']:.0f}", f"{median['p999_us']:.0f}"]


SPEED_HEAD = ["load", "generator", "server", "CPU us/request", "low–high", "by Valkey's",
              "requests/s", "p50 us", "p99 us", "p99.9 us"]


def _speed(stored):
    started = [[name, server["version"], f"`{server['command']}`"]
               for name, server in stored["servers"].items()]
    lines = [f"{stored['keys']} keys with {stored['value_bytes']}-byte values. Command lines of "
             "the generators and every round are in speed.json.", ""]
    lines += _table(["server", "version", "started as"], started)
    return lines + _table(SPEED_HEAD, _speed_rows(stored))


def _types(stored):
    return _table(SPEED_HEAD, _speed_rows(stored))


def _null(stored):
    rows = []
    for row in stored["rows"]:
        (first, a), (second, b) = row["rounds"].items()
        ratio = results.paired_ratio(b, a, "cpu_us")
        rows.append([row["row"], row["generator"], f"{ratio['median']:.3f}", _spread(ratio)])
    return _table(["load", "generator", "CPU of one by the other", "low–high"], rows)


def _scaling(stored):
    rows = []
    for row in stored["rows"]:
        for layout, rounds in row["rounds"].items():
            cpu = results.summary(rounds, "cpu_us")
            rate = results.summary(rounds, "rate")["median"]
            rows.append([row["row"], row["generator"], layout, f"{cpu['median']:.3f}",
                         _spread(cpu), f"{rate / 1000:.0f} k"])
    lines = _table(["load", "generator", "layout", "CPU us/request", "low–high", "requests/s"],
                   rows)
    if stored["generators_share_cpus"]:
        lines += ["The machine has two CPUs, so two cores share them with the generators; they are "
                  "judged against two one-core servers that share them too. The run with one "
                  "core has a CPU for its generators and is given for orientation.", ""]
    return lines


def _memory(stored):
    names = list(dict.fromkeys(case["peer"] for case in stored["cases"]))
    rows = {}
    for case in stored["cases"]:
        shape = (case["keys"], case["value_bytes"], case["ttl"])
        rows.setdefault(shape, {})[case["peer"]] = f"{case['beyond_bytes']:.1f}"
    return _table(["keys", "value", "TTL", *names],
                  [[keys, f"{size} B", "yes" if ttl else "no",
                    *(found.get(name, "") for name in names)]
                   for (keys, size, ttl), found in rows.items()])


def _elements(stored):
    names = list(stored["rows"][0]["peers"])
    rows = []
    for row in stored["rows"]:
        held = row["peers"]
        base = held.get(BASE)
        ours = next((held[name] for name in names if name.startswith("freehold")), None)
        ratio = ""
        if base and ours:
            ratio = f"{ours['bytes_an_element'] / base['bytes_an_element']:.2f}"
        rows.append([row["row"], row["keys"], row["content_bytes"],
                     *(f"{held[name]['bytes_an_element']:.1f}" for name in names), ratio,
                     *(f"{held[name]['bytes_a_key']:.0f}" if row["keys"] >= 1000 else ""
                       for name in names)])
    return _table(["collection", "keys", "content", *names, "by Valkey's",
                   *(f"{name}, a key" for name in names)], rows)


def _hitrate(stored):
    rows = [[case["policy"], case["peer"], f"{case['hit_rate']:.4f}", case["keys_held"],
             f"{case['used_of_limit_max']:.3f}", f"{case['rss'] / (1 << 20):.0f} MiB",
             case["refused_writes"], f"{case['server_cpu_s']:.1f} s"]
            for case in stored["cases"]]
    lines = [f"zipf {stored['zipf']}, {stored['keys']} keys, {stored['requests']} reads, maxmemory "
             f"{stored['maxmemory'] >> 20} MiB, values of 32 to 255 bytes.", ""]
    return lines + _table(["policy", "server", "hit rate", "keys held", "most used / limit",
                           "resident", "writes refused", "server CPU"], rows)


def _expiry(stored):
    rows = [[case["peer"], f"{case['late_p50_ms']:.1f}", f"{case['late_p99_ms']:.1f}",
             f"{case['late_max_ms']:.1f}", case["never_seen_to_leave"],
             f"{case['cpu_us_per_expired_key']:.2f}",
             f"{(case['used_after'] - case['used_before']) / 1e6:.1f} of "
             f"{(case['used_full'] - case['used_before']) / 1e6:.1f} MB"]
            for case in stored["cases"]]
    lines = [f"{stored['keys']} keys, deadlines scattered over {stored['window_s']} s, seen "
             "through DBSIZE.", ""]
    lines += _table(["server", "late p50 ms", "p99 ms", "max ms", "left at the end",
                     "CPU us/key beyond idle", "memory kept"], rows)
    rows = [[case["name"], f"{case['late_p50_ms']:.1f}", f"{case['late_p99_ms']:.1f}",
             f"{case['late_max_ms']:.1f}", f"{case['ns_per_key']:.0f}"]
            for case in stored["engine"]["cases"]]
    return lines + _table(["engine, virtual time", "late p50 ms", "p99 ms", "max ms",
                           "CPU ns/key"], rows)


def _growth(stored):
    rows = [[case["name"], case["steps"], f"{case['p50_us']:.2f}", f"{case['p9999_us']:.1f}",
             f"{case['max_us']:.1f}"] for case in stored["cases"]]
    return _table(["step", "steps", "p50 us", "p99.99 us", "max us"], rows)


def _big(stored):
    """Of each type the cases that took longest; all of them are in big.json."""
    rows = []
    for found in stored["runs"]:
        pages = "yes" if found["mimalloc_allow_thp"] == "1" else "no"
        for run in found["runs"]:
            cases = sorted(run["cases"], key=lambda case: -case["max_us"])
            shown = [case for at, case in enumerate(cases)
                     if at < BIG_SHOWN or case["name"].startswith("null")]
            rows += [[run["type"], pages, case["name"], case["steps"], f"{case['p50_us']:.2f}",
                      f"{case['p9999_us']:.1f}", f"{case['max_us']:.1f}", case["over_1ms"],
                      f"{case['one_pass_max_us']:.1f}", case["one_pass_over_1ms"]]
                     for case in shown]
    passes = sorted({found["passes"] for found in stored["runs"]})
    lines = [f"{stored['elements']} elements; every step keeps the shortest of its times in "
             f"{' or '.join(map(str, passes))} passes, each in a process of its own, and time "
             f"spent waiting for a CPU is not counted. The {BIG_SHOWN} longest kinds of step of "
             "each type; the others are in big.json. \"THP\": whether mimalloc asks for huge "
             "pages. A string is one allocation and no collection: a step that doubles it copies "
             "it. The last two columns are one pass by itself, interrupts and all.", ""]
    return lines + _table(["type", "THP", "step", "steps", "p50 us", "p99.99 us", "max us",
                           "over 1 ms", "one pass, max us", "over 1 ms"], rows)


def _log(stored):
    rows = []
    for row in stored["rows"]:
        rounds = row["rounds"]
        rates = {name: results.summary(found, "rate")["median"] for name, found in rounds.items()}
        for name, rate in rates.items():
            others = [f"{rate / other:.2f} of {peer}" for peer, other in rates.items()
                      if peer != name]
            p99 = results.summary(rounds[name], "p99_us")["median"]
            rows.append([row["policy"], row["row"], row["generator"], name, f"{rate:,.0f}",
                         ", ".join(others), f"{p99:.0f}"])
    return _table(["appendfsync", "load", "generator", "peer", "requests/s", "", "p99 us"], rows)


def _load(stored):
    rows = []
    for case in stored["cases"]:
        times = {name: results.summary(rounds, "seconds")
                 for name, rounds in case["rounds"].items()}
        for name, found in times.items():
            others = [f"{other['median'] / found['median']:.1f} times {peer}"
                      for peer, other in times.items() if peer != name]
            saved = case["saved"][name]
            cpu = results.summary(case["rounds"][name], "cpu_s")["median"]
            rows.append([f"{case['keys']} keys, {case['value_bytes']}-byte values", name,
                         f"{found['median']:.2f}", _spread(found), ", ".join(others),
                         f"{cpu:.2f}", f"{saved['file_bytes'] / 1e6:.0f}",
                         f"{saved['save_s']:.2f}"])
    lines = [f"{stored['cores']} cores; from the start of the process to its first answer with all "
             "keys, each server from what it has saved itself.", ""]
    return lines + _table(["data", "peer", "seconds", "", "as fast as", "CPU s", "files MB",
                           "SAVE s"], rows)


def _snapshot(stored):
    rows = []
    for case in stored["cases"]:
        idle, saving = case["rounds"]["idle"], case["rounds"]["saving"]
        grown = results.summary(saving, "grown_bytes")["high"]
        late = results.paired_ratio(saving, idle, "p999_us")
        took = [seconds for found in saving for seconds in found["snapshot_s"]]
        rows.append([case["peer"], f"{case['data_bytes'] / 1e6:.0f}", f"{grown / 1e6:.0f}",
                     f"{grown / case['data_bytes']:.1%}",
                     f"{results.summary(idle, 'p999_us')['median']:.0f}",
                     f"{results.summary(saving, 'p999_us')['median']:.0f}",
                     f"{late['median']:.2f} ({_spread(late)})",
                     f"{results.median(took):.1f}" if took else "none ended",
                     f"{results.paired_ratio(saving, idle, 'rate')['median']:.2f}"])
    return _table(["peer", "data MB", "grown MB", "", "p99.9 us", "saving", "ratio",
                   "a snapshot s", "rate"], rows)


def _engine(stored):
    counted = {case["name"]: case["instructions"]
               for case in stored.get("instructions", {}).get("cases", [])}
    rows = [[case["name"], f"{case['ns_median']:.1f}",
             f"{case['ns_low']:.1f}–{case['ns_high']:.1f}",
             f"{counted[case['name']]:.0f}" if case["name"] in counted else ""]
            for case in stored["times"]["cases"]]
    return _table(["part", "ns", "low–high", "instructions"], rows)


SECTIONS = [
    ("speed", "Speed: one server core, one generator core", _speed),
    ("types", "Commands on lists, sets, hashes, sorted sets and streams", _types),
    ("null", "Noise: two identical builds as two peers", _null),
    ("scaling", "Two cores, and the price of a hop", _scaling),
    ("memory", "Resident bytes per key beyond key and value", _memory),
    ("elements", "Resident bytes per element of collections, content and all", _elements),
    ("hitrate", "Hit rate at equal maxmemory", _hitrate),
    ("expiry", "Expiry", _expiry),
    ("growth", "The longest insert while the keyspace grows", _growth),
    ("big", "The longest command on a large collection", _big),
    ("log", "What the log costs", _log),
    ("log-slow-disk", "What the log costs where every sync takes some time", _log),
    ("load", "A start that brings the data back", _load),
    ("snapshot", "Snapshots while everything is being written", _snapshot),
    ("engine", "Parts of a request, engine only", _engine),
]


def write(directory):
    """Writes README.md beside the results it is made of."""
    stored = {name: results.load(directory, name) for name, _, _ in SECTIONS}
    lines = ["# Freehold beside its peers", "",
             "Generated by `bench/compare/compare.py report` from the JSON files beside it; do not "
             "edit. CPU is user + system of the server process. Absolute times belong to this "
             "machine; the ratios are medians over interleaved rounds, low–high in brackets.", ""]
    verdicts = [[v.question, v.target, v.measured, v.verdict] for v in budgets.judge(stored)]
    lines += ["## Budgets", ""] + _table(["budget", "target", "measured", ""], verdicts)
    for name, title, section in SECTIONS:
        if stored[name]:
            lines += [f"## {title}", "", *_conditions(stored[name]), *section(stored[name])]
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, "README.md")
    with open(path, "w") as file:
        file.write("\n".join(lines))
    results.say(f"written: {os.path.relpath(path)}")
