"""Children that are pinned, measured, and surely ended.

CPU time comes from the process's own scheduler clock (`clock_gettime` on the CPU clock of another
process): user + system of all its threads, living and dead, in nanoseconds. `/proc/PID/stat` holds
the same sum rounded to clock ticks (10 ms), which is too coarse for runs of a second or two; it is
kept beside for the split into user and system. A child dies with the orchestrator.
"""

import atexit
import ctypes
import os
import signal
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_running = []


class Child:
    """One process pinned to `cpus`. Its output goes to the file `log` (or to a pipe)."""

    def __init__(self, command, cpus, env=None, log=None, cwd=None):
        self.command = [str(part) for part in command]
        self.log = log
        parent = os.getpid()

        def prepare():
            os.sched_setaffinity(0, cpus)
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        out = open(log, "wb") if log else subprocess.PIPE
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})}, preexec_fn=prepare, cwd=cwd)
        if log:
            out.close()
        self.pid = self.process.pid
        _running.append(self)

    def alive(self):
        return self.process.poll() is None

    def cpu_ns(self):
        """User plus system time of all threads so far."""
        return time.clock_gettime_ns((~self.pid << 3) | 2)

    def user_system_ns(self):
        """The same time split in two, each in whole clock ticks."""
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) * _TICK_NS, int(fields[12]) * _TICK_NS

    def rss_bytes(self):
        """Resident bytes, counted page by page: `VmRSS` may lag by some hundred kilobytes."""
        with open(f"/proc/{self.pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Rss:"):
                    return int(line.split()[1]) * 1024
        raise RuntimeError(f"no Rss line for process {self.pid}")

    def settled_rss_bytes(self, still_s=2.0, limit_s=30.0):
        """Resident bytes once they have stood still: rehashing in slices is over by then."""
        deadline = time.monotonic() + limit_s
        last, since = self.rss_bytes(), time.monotonic()
        while time.monotonic() < deadline:
            time.sleep(0.1)
            now = self.rss_bytes()
            if abs(now - last) > 64 * 1024:
                last, since = now, time.monotonic()
            elif time.monotonic() - since >= still_s:
                return now
        return self.rss_bytes()

    def pause(self):
        """Stops the process without ending it: its timers and pollers take no CPU."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def output(self, timeout_s):
        """Waits for the end and returns what was printed; an unsuccessful end is an error."""
        try:
            text = self.process.communicate(timeout=timeout_s)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            self.stop()
            raise RuntimeError(f"no end after {timeout_s} s: {' '.join(self.command)}") from None
        _running.remove(self)
        if self.process.returncode != 0:
            raise RuntimeError(
                f"exit status {self.process.returncode}: {' '.join(self.command)}\n{text[-2000:]}")
        return text

    def log_tail(self):
        if not self.log or not os.path.exists(self.log):
            return ""
        with open(self.log, errors="replace") as file:
            return file.read()[-2000:]

    def stop(self):
        if self.alive():
            self.resume()
            self.process.terminate()
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self in _running:
            _running.remove(self)


def run(command, cpus, timeout_s=600, env=None):
    """Runs a program to its end on `cpus` and returns its output."""
    return Child(command, cpus, env=env).output(timeout_s)


def stop_all():
    for child in list(_running):
        child.stop()


def stop_all_at_exit():
    """Ends every child however this program ends; SIGTERM becomes an ordinary exit."""
    atexit.register(stop_all)
    signal.signal(signal.SIGTERM, lambda *_: exit(143))


class Cpus:
    """Which CPUs serve and which load. With two CPUs, two-core runs share them with the load."""

    def __init__(self):
        allowed = sorted(os.sched_getaffinity(0))
        if len(allowed) < 2:
            raise SystemExit("compare.py needs two CPUs: one for the server, one for the load")
        self.all = allowed
        self.server = {allowed[0]}
        self.load = {allowed[1]}
        self.server_pair = set(allowed[:2])
        self.pair_shares_with_load = len(allowed) < 3
        self.load_beside_pair = set(allowed[2:]) or set(allowed[:2])
