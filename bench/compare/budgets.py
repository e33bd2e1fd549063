"""The budgets of the design, each judged against what is stored: met, missed or not measured.

Speed budgets are ratios against Valkey of the same round. Where several generators measured a row,
every one of them is shown and all must meet the target.
"""

import results

BASE, SUBJECT = "valkey", "freehold"


class Verdict:
    def __init__(self, question, target, measured, met):
        self.question, self.target = question, target
        self.measured = measured or "not measured"
        self.verdict = "" if not measured else "met" if met else "**missed**"


def _rows(stored, name):
    return [row for row in stored["rows"] if row["row"] == name] if stored else []


def _against_valkey(speed, question, row_name, field, limit):
    """One verdict on a ratio over all generators that measured both peers."""
    parts, met = [], True
    for row in _rows(speed, row_name):
        rounds = row["rounds"]
        if BASE not in rounds or SUBJECT not in rounds:
            continue
        ratio = results.paired_ratio(rounds[SUBJECT], rounds[BASE], field)
        met = met and ratio["median"] <= limit
        parts.append(f"{ratio['median']:.2f} ({ratio['low']:.2f}–{ratio['high']:.2f}, "
                     f"{row['generator']})")
    return Verdict(question, f"≤ {limit:.2f} of Valkey's", ", ".join(parts), met)


def _memory(memory, ttl, limit):
    cases = [case for case in (memory or {"cases": []})["cases"]
             if case["peer"] == SUBJECT and case["ttl"] == ttl]
    largest = max((case["keys"] for case in cases), default=0)
    cases = [case for case in cases if case["keys"] == largest]
    text = ", ".join(f"{c['beyond_bytes']:.1f} ({c['value_bytes']}-byte values)" for c in cases)
    label = "resident bytes beyond key and value" + (", TTL" if ttl else "")
    text = f"{text}, {largest} keys" if text else ""
    return Verdict(label, f"≤ {limit}", text, all(c["beyond_bytes"] <= limit for c in cases))


def _two_cores(scaling):
    parts, met = [], True
    for row in (scaling or {"rows": []})["rows"]:
        ratio = results.paired_ratio(row["rounds"]["two cores, core ports"],
                                     row["rounds"]["two one-core servers"], "cpu_us")
        met = met and ratio["median"] <= 1.05
        parts.append(f"{_short(row)} {ratio['median']:.2f}")
    return Verdict("two cores on core ports by two one-core servers, CPU per request", "≤ 1.05",
                   ", ".join(parts), met)


def _forwarded(scaling, pipeline):
    """The plain port, where half of the requests belong to the other core, less core ports.

    The budget is read as the issue words it, half forwarded against all local: the difference of
    the averages. What one forwarded request costs more is given beside, about twice as much.
    """
    parts, met = [], True
    for row in (scaling or {"rows": []})["rows"]:
        if row["pipeline"] != pipeline:
            continue
        plain = row["rounds"]["two cores, plain port"]
        local = row["rounds"]["two cores, core ports"]
        average = results.median([a["cpu_us"] - b["cpu_us"] for a, b in zip(plain, local)])
        each = average / results.summary(plain, "forwarded_share")["median"]
        met = met and average <= 0.30
        parts.append(f"{_short(row)} {average:+.2f} ({each:+.2f} each)")
    verdict = Verdict(f"half forwarded less all local, P{pipeline}, CPU us per request",
                      "≤ +0.30" if pipeline == 16 else "published", ", ".join(parts), met)
    if pipeline != 16:
        verdict.verdict = ""
    return verdict


def _short(row):
    return f"{row['row'].split(',')[0]} P{row['pipeline']} by {row['generator']}"


def _growth(growth):
    cases = {case["name"]: case for case in (growth or {"cases": []})["cases"]}
    if "insert" not in cases:
        return Verdict("longest insert while growing", "≤ 100 us", "", True)
    insert, null = cases["insert"], cases["null"]
    text = f"{insert['max_us']:.0f} us (null run {null['max_us']:.0f} us), {insert['steps']} keys"
    return Verdict("longest insert while growing", "≤ 100 us", text, insert["max_us"] <= 100)


def _big(big):
    # A string is one allocation, here as in Redis: where it doubles, it is copied.
    cases = [case for found in (big or {"runs": []})["runs"] for run in found["runs"]
             for case in run["cases"]
             if found["mimalloc_allow_thp"] == "0" and run["type"] != "string"]
    text, met = "", True
    if cases:
        ours = [case for case in cases if not case["name"].startswith("null")]
        worst = max(ours, key=lambda case: case["max_us"])
        null = max(case["max_us"] for case in cases if case["name"].startswith("null"))
        types = ", ".join(sorted({run["type"] for found in big["runs"] for run in found["runs"]}))
        text = (f"{worst['max_us']:.0f} us ({worst['name']}; null run {null:.0f} us), "
                f"{big['elements']} elements of {types}, no huge pages")
        met = worst["max_us"] <= 1000
    return Verdict("longest command on a large collection", "≤ 1 ms", text, met)


def _expiry(expiry):
    cases = [case for case in (expiry or {"cases": []})["cases"] if case["peer"] == SUBJECT]
    text, met = "", True
    if cases:
        text = f"{cases[0]['late_p99_ms']:.1f} ms over {expiry['keys']} keys"
        met = cases[0]["late_p99_ms"] <= 100
    return Verdict("expired keys gone, p99 lateness", "≤ 100 ms", text, met)


def _hitrate(hitrate, policy):
    rates = {case["peer"]: case for case in (hitrate or {"cases": []})["cases"]
             if case["policy"] == policy}
    if SUBJECT not in rates or "redis" not in rates:
        return Verdict(f"hit rate, {policy}", "≥ Redis 7's, no write refused", "", True)
    ours, theirs = rates[SUBJECT]["hit_rate"], rates["redis"]["hit_rate"]
    refused = rates[SUBJECT]["refused_writes"]
    text = f"{ours:.4f} against {theirs:.4f}, {refused} writes refused"
    return Verdict(f"hit rate, {policy}", "≥ Redis 7's, no write refused", text,
                   ours >= theirs and refused == 0)


def _limit_held(hitrate):
    cases = [case for case in (hitrate or {"cases": []})["cases"] if case["peer"] == SUBJECT]
    text = ", ".join(f"{case['used_of_limit_max']:.3f} ({case['policy']})" for case in cases)
    return Verdict("most memory used by maxmemory", "≤ 1.02", text,
                   all(case["used_of_limit_max"] <= 1.02 for case in cases))


def judge(stored):
    """All verdicts, in the order of the design's table."""
    speed, scaling = stored["speed"], stored["scaling"]
    p1, p16 = "50 connections, P1", "50 connections, P16"
    return [
        _against_valkey(speed, "CPU per GET, 50 connections, P1", f"GET, {p1}", "cpu_us", 0.85),
        _against_valkey(speed, "CPU per SET, 50 connections, P1", f"SET, {p1}", "cpu_us", 0.85),
        _against_valkey(speed, "CPU per GET, P16", f"GET, {p16}", "cpu_us", 0.55),
        _against_valkey(speed, "CPU per SET, P16", f"SET, {p16}", "cpu_us", 0.55),
        _against_valkey(speed, "one connection, p50", "GET, 1 connection, P1", "p50_us", 1.0),
        _memory(stored["memory"], False, 24),
        _memory(stored["memory"], True, 32),
        _two_cores(scaling),
        _forwarded(scaling, 16),
        _forwarded(scaling, 1),
        _growth(stored["growth"]),
        _big(stored["big"]),
        _expiry(stored["expiry"]),
        _hitrate(stored["hitrate"], "allkeys-lru"),
        _hitrate(stored["hitrate"], "allkeys-lfu"),
        _limit_held(stored["hitrate"]),
    ]
