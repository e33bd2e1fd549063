// ioredis and node-redis, plain and as cluster clients over core ports.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

const require = createRequire(process.env.CLIENTS_FOLDER + "/");
const Redis = require("ioredis");
const { createClient, createCluster } = require("redis");
const port = Number(process.env.FREEHOLD_PORT);
const clusterPort = Number(process.env.FREEHOLD_CLUSTER_PORT);
const cores = Number(process.env.FREEHOLD_CORES);

test("ioredis: strings, keys, pipelines, errors", async () => {
  const client = new Redis({ port, host: "127.0.0.1" });
  await client.flushall();
  assert.equal(await client.set("k", "v", "EX", 100), "OK");
  assert.equal(await client.get("k"), "v");
  assert.equal(await client.incr("n"), 1);
  assert.deepEqual(await client.mget("k", "missing"), ["v", null]);
  const pipeline = client.pipeline();
  for (let n = 0; n < 1000; n++) pipeline.set(`p${n}`, n).get(`p${n}`);
  const replies = await pipeline.exec();
  replies.forEach(([error, value], at) => {
    assert.equal(error, null);
    assert.equal(value, at % 2 ? String((at - 1) / 2) : "OK");
  });
  await assert.rejects(client.incr("k"), /not an integer/);
  const found = [];
  for await (const keys of client.scanStream({ match: "p99*" })) found.push(...keys);
  assert.equal(new Set(found).size, 11);
  client.disconnect();
});

test("ioredis: auto-pipelining keeps replies with their requests", async () => {
  const client = new Redis({ port, host: "127.0.0.1", enableAutoPipelining: true });
  const numbers = Array.from({ length: 2000 }, (_, n) => n);
  await Promise.all(numbers.map((n) => client.set(`a${n}`, n)));
  const values = await Promise.all(numbers.map((n) => client.get(`a${n}`)));
  assert.deepEqual(values, numbers.map(String));
  client.disconnect();
});

test("ioredis: cluster over core ports", async () => {
  const cluster = new Redis.Cluster([{ host: "127.0.0.1", port: clusterPort }]);
  for (let n = 0; n < 300; n++) assert.equal(await cluster.set(`c${n}`, n), "OK");
  for (let n = 0; n < 300; n++) assert.equal(await cluster.get(`c${n}`), String(n));
  assert.equal(cluster.nodes("master").length, cores);
  cluster.disconnect();
});

test("node-redis: strings, RESP3 maps, pipelined promises", async () => {
  const client = createClient({ RESP: 3, socket: { port, host: "127.0.0.1" } });
  await client.connect();
  await client.flushAll();
  assert.equal(await client.set("k", "v", { EX: 100 }), "OK");
  assert.equal(await client.get("k"), "v");
  assert.deepEqual(await client.mGet(["k", "missing"]), ["v", null]);
  const numbers = Array.from({ length: 1000 }, (_, n) => n);
  const counted = await Promise.all(numbers.map(() => client.incr("n")));
  assert.deepEqual(counted, numbers.map((n) => n + 1));
  assert.equal((await client.configGet("maxmemory")).maxmemory, "0");
  await assert.rejects(client.sendCommand(["NOSUCH"]), /unknown command/);
  client.destroy();
});

test("node-redis: cluster over core ports", async () => {
  const cluster = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${clusterPort}` }] });
  await cluster.connect();
  for (let n = 0; n < 300; n++) assert.equal(await cluster.set(`d${n}`, n), "OK");
  for (let n = 0; n < 300; n++) assert.equal(await cluster.get(`d${n}`), String(n));
  assert.equal(cluster.masters.length, cores);
  cluster.destroy();
});
