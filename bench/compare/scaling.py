"""Two cores on core ports, two cores with half of the requests forwarded, and what to compare with.

Question: what does a second core cost, and what does a hop between cores cost? Keys are uniform,
so on the plain port of two cores half of the requests belong to the other core; on core ports the
generator goes straight to the owner and nothing is forwarded.

The measure for two cores is two one-core servers side by side, each with half of the keys, on the
same two CPUs under the same two generator processes: whatever a second core costs more is the
price of being one server. A single one-core server under the whole load would differ in everything
else too: with two CPUs in the machine the generators share them with a two-core server, and how
well a server batches depends on who else wants its CPU. That run is recorded beside, as "one core".
"""

import generators
import peers
import results
from results import say

LOADS = [("get", 1), ("set", 1), ("get", 16), ("set", 16)]
CONNECTIONS = 50


class Layout:
    """Servers under two generator processes; `keys` are asked of each server."""

    def __init__(self, name, settings, load_cpus, keys, topology="plain"):
        self.name, self.settings, self.load_cpus = name, settings, load_cpus
        self.keys, self.topology = keys, topology
        self.servers = []

    def start(self, peer):
        for setting in self.settings:
            server = peer.start(setting)
            self.servers.append(server)
            server.fill(self.keys, 64, progress=results.progress(self.name))

    def awake(self, wanted):
        for server in self.servers:
            server.child.resume() if wanted else server.child.pause()

    def describe(self):
        return [{"version": server.version(), "command": server.command_line()}
                for server in self.servers]

    def _forwarded(self):
        return sum(int(server.connection.info("stats").get("forwarded_commands", 0))
                   for server in self.servers)

    def measure(self, generator, command, pipeline, count):
        load = generators.Load(command, CONNECTIONS, pipeline, self.keys, topology=self.topology)
        self.awake(True)
        before = self._forwarded()
        pair = (self.servers * 2)[:2]
        found, lines = generators.measure_pair(generator, pair, load, count, self.load_cpus)
        found["forwarded_share"] = (self._forwarded() - before) / found["requests"]
        self.awake(False)
        if self.topology == "cluster" and found["forwarded_share"] > 0.01:
            raise RuntimeError("requests were forwarded: the generator did not find core ports")
        return found, lines


def _layouts(cpus, keys):
    first, second = ({cpu} for cpu in sorted(cpus.server_pair))
    beside = cpus.load_beside_pair
    setting = peers.Setting
    return [
        Layout("one core", [setting(cpus.server)], cpus.load, keys),
        Layout("two one-core servers", [setting(first), setting(second)], beside, keys // 2),
        Layout("two cores, core ports",
               [setting(cpus.server_pair, cores=2, core_ports=True)], beside, keys, "cluster"),
        Layout("two cores, plain port", [setting(cpus.server_pair, cores=2)], beside, keys),
    ]


def _measure(layouts, generator, command, pipeline, options):
    """One load over all layouts, round by round."""
    rounds, commands, counts = {layout.name: [] for layout in layouts}, {}, {}
    for number in range(options.rounds + 1):
        for layout in layouts:
            count = counts.get(layout.name, 20_000)
            figures, lines = layout.measure(generator, command, pipeline, count)
            commands[layout.name] = lines
            if number == 0:
                step = 2 * pipeline
                steps = int(figures["rate"] * options.seconds) // step
                counts[layout.name] = max(steps, 100) * step
            else:
                rounds[layout.name].append(figures)
    name = f"{command.upper()}, {CONNECTIONS} connections, P{pipeline}"
    say(f"  {generator.name:16} {name}: CPU us/request: " + "  ".join(
        f"{key} {results.summary(value, 'cpu_us')['median']:.3f}"
        for key, value in rounds.items()))
    return {"row": name, "generator": generator.name, "pipeline": pipeline,
            "commands": commands, "rounds": rounds}


def run(options, cpus, spec):
    peer = peers.find(spec)
    load = generators.Load("get", CONNECTIONS, 1, options.keys, topology="cluster")
    able = [g for g in generators.chosen(options.generators) if g.serves(peer, load)]
    if not able:
        raise SystemExit("compare: none of these generators can find core ports")
    layouts = _layouts(cpus, options.keys)
    try:
        for layout in layouts:
            layout.start(peer)
        described = {layout.name: layout.describe() for layout in layouts}
        for layout in layouts:
            layout.awake(False)
        rows = [_measure(layouts, generator, command, pipeline, options)
                for generator in able for command, pipeline in LOADS]
    finally:
        for layout in layouts:
            for server in layout.servers:
                server.stop()
    return {"servers": described, "keys": options.keys,
            "generators_share_cpus": cpus.pair_shares_with_load, "rows": rows}
