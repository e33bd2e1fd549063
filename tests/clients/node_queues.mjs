// ioredis and node-redis where they wait and listen: stream consumer groups, blocking commands,
// transactions, pub/sub. Each promise is kept for both libraries, and in RESP2 and RESP3.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

const require = createRequire(process.env.CLIENTS_FOLDER + "/");
const Redis = require("ioredis");
const { createClient, createClientPool } = require("redis");
const host = "127.0.0.1";
const port = Number(process.env.FREEHOLD_PORT);

/** Runs `body` with a connector of ioredis clients, all of them closed afterwards. */
async function withIoredis(body) {
  const open = [];
  const connect = (options = {}) => {
    const client = new Redis({ port, host, ...options });
    open.push(client);
    return client;
  };
  try {
    await connect().flushall();
    await body(connect);
  } finally {
    open.forEach((client) => client.disconnect());
  }
}

/** The same for node-redis, in one protocol. */
async function withNodeRedis(RESP, body) {
  const open = [];
  const connect = async () => {
    // XREADGROUP comes back as the server said it then, and its shape is not settled yet.
    const client = createClient({ RESP, unstableResp3: true, socket: { port, host } });
    open.push(client);
    return client.connect();
  };
  try {
    await (await connect()).flushAll();
    await body(connect);
  } finally {
    open.filter((client) => client.isOpen).forEach((client) => client.destroy());
  }
}

/** Polls until `condition` holds. */
async function until(condition, what) {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `30 s have passed without ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

const numbers = (count) => Array.from({ length: count }, (_, n) => n);

test("ioredis: a transaction runs as one and an aborted one not at all", () =>
  withIoredis(async (connect) => {
    const [client, other] = [connect(), connect()];
    const done = await client.multi().set("a", 1).incr("a").lpush("l", "x", "y").exec();
    assert.deepEqual(done, [[null, "OK"], [null, 2], [null, 2]]);
    const mixed = await client.multi().incr("l").get("a").exec();
    assert.match(mixed[0][0].message, /WRONGTYPE/);
    assert.deepEqual(mixed[1], [null, "2"]);
    await client.watch("a");
    await other.set("a", "changed");
    assert.equal(await client.multi().set("a", "lost").exec(), null);
    assert.equal(await client.get("a"), "changed");
    await assert.rejects(client.multi().set("a").exec(), /EXECABORT/);
  }));

test("ioredis: consumers of a group share a stream without a double", () =>
  withIoredis(async (connect) => {
    const client = connect();
    await client.xgroup("CREATE", "jobs", "workers", "$", "MKSTREAM");
    const taken = [];
    let stopped = 0;
    const work = async (name) => {
      const own = connect();
      for (;;) {
        const found = await own.xreadgroup(
          "GROUP", "workers", name, "COUNT", 7, "BLOCK", 20_000, "STREAMS", "jobs", ">");
        for (const [id, [, word]] of found[0][1]) {
          await own.xack("jobs", "workers", id);
          if (word === "stop") return stopped++;
          taken.push(Number(word));
        }
      }
    };
    const consumers = ["a", "b", "c", "d"].map(work);
    const pipeline = client.pipeline();
    numbers(500).forEach((n) => pipeline.xadd("jobs", "*", "n", n));
    await pipeline.exec();
    await until(() => taken.length === 500, "500 jobs");
    // One at a time, so that nobody takes two.
    for (const before of numbers(4)) {
      await client.xadd("jobs", "*", "n", "stop");
      await until(() => stopped > before, "the end of a consumer");
    }
    await Promise.all(consumers);
    assert.deepEqual(taken.sort((a, b) => a - b), numbers(500));
    assert.equal(await client.xlen("jobs"), 504);
  }));

test("ioredis: what a dead consumer left pending is claimed by another", () =>
  withIoredis(async (connect) => {
    const [client, dead] = [connect(), connect()];
    await client.xgroup("CREATE", "jobs", "workers", "0", "MKSTREAM");
    for (const n of numbers(25)) await client.xadd("jobs", "*", "n", n);
    await dead.xreadgroup("GROUP", "workers", "dead", "COUNT", 20, "STREAMS", "jobs", ">");
    dead.disconnect();
    assert.equal((await client.xpending("jobs", "workers"))[0], 20);
    assert.deepEqual((await client.xautoclaim("jobs", "workers", "heir", 60_000, "0"))[1], []);
    const claimed = [];
    for (let cursor = "0"; ; ) {
      const [next, entries] = await client.xautoclaim(
        "jobs", "workers", "heir", 0, cursor, "COUNT", 8);
      for (const [id, [, word]] of entries) {
        claimed.push(Number(word));
        assert.equal(await client.xack("jobs", "workers", id), 1);
      }
      if (next === "0-0") break;
      cursor = next;
    }
    assert.deepEqual(claimed, numbers(20));
    assert.equal(await client.xgroup("DELCONSUMER", "jobs", "workers", "dead"), 0);
    const rest = await client.xreadgroup("GROUP", "workers", "heir", "STREAMS", "jobs", ">");
    assert.deepEqual(rest[0][1].map(([, [, word]]) => Number(word)), [20, 21, 22, 23, 24]);
  }));

test("ioredis: waiting for lists, sorted sets and streams", () =>
  withIoredis(async (connect) => {
    const client = connect();
    const popped = connect().brpop("l1", "l2", 20);
    const least = connect().bzpopmin("z", 20);
    const moved = connect().blmove("from", "to", "LEFT", "RIGHT", 20);
    const read = connect().xread("BLOCK", 20_000, "STREAMS", "s", "$");
    const blocked = /blocked_clients:4/;
    await until(async () => blocked.test(await client.info("clients")), "four that wait");
    await client.pipeline().lpush("l2", "x").zadd("z", 2, "b", 1, "a").rpush("from", "y")
      .xadd("s", "1-1", "f", "v").exec();
    assert.deepEqual(await popped, ["l2", "x"]);
    assert.deepEqual(await least, ["z", "a", "1"]);
    assert.equal(await moved, "y");
    assert.deepEqual(await read, [["s", [["1-1", ["f", "v"]]]]]);
    assert.equal(await client.brpop("l1", 0.05), null);
  }));

test("ioredis: subscribers hear every message in order, by channel and by pattern", () =>
  withIoredis(async (connect) => {
    const [client, listener] = [connect(), connect()];
    const heard = { news: [], pattern: [] };
    listener.on("message", (channel, word) => heard[channel].push(Number(word)));
    listener.on("pmessage", (pattern, channel, word) => heard.pattern.push(Number(word)));
    assert.equal(await listener.subscribe("news"), 1);
    assert.equal(await listener.psubscribe("n?ws"), 2);
    const sent = await Promise.all(numbers(500).map((n) => client.publish("news", n)));
    assert.ok(sent.every((receivers) => receivers === 2));
    await until(() => heard.news.length + heard.pattern.length === 1000, "1000 messages");
    assert.deepEqual(heard, { news: numbers(500), pattern: numbers(500) });
    assert.equal(await listener.unsubscribe("news"), 1);
    assert.equal(await client.publish("news", "x"), 1);
  }));

test("ioredis: auto-pipelining of mixed commands, errors kept apart", () =>
  withIoredis(async (connect) => {
    const client = connect({ enableAutoPipelining: true });
    await client.set("word", "x");
    const done = await Promise.allSettled(numbers(900).map((n) =>
      n % 3 === 0 ? client.hset("h", `f${n}`, n) :
        n % 3 === 1 ? client.incr("word") : client.hget("h", `f${n - 2}`)));
    done.forEach(({ status, value, reason }, n) => {
      if (n % 3 === 1) assert.match(reason.message, /not an integer/);
      else assert.equal(value, n % 3 === 0 ? 1 : String(n - 2), status);
    });
  }));

for (const RESP of [2, 3]) {
  const name = (promise) => `node-redis in RESP${RESP}: ${promise}`;

  test(name("replies have the shape of their type"), () =>
    withNodeRedis(RESP, async (connect) => {
      const client = await connect();
      assert.equal(await client.hSet("h", { a: "1", b: "2" }), 2);
      assert.deepEqual({ ...(await client.hGetAll("h")) }, { a: "1", b: "2" });
      await client.zAdd("z", [{ score: 1.5, value: "a" }, { score: 2, value: "b" }]);
      assert.equal(await client.zScore("z", "a"), 1.5);
      assert.deepEqual((await client.zRangeWithScores("z", 0, -1)).map((one) => ({ ...one })),
        [{ value: "a", score: 1.5 }, { value: "b", score: 2 }]);
      await client.sAdd("s", ["x", "y"]);
      assert.deepEqual((await client.sMembers("s")).sort(), ["x", "y"]);
      assert.equal((await client.hello()).proto, RESP);
    }));

  test(name("a transaction runs as one and an aborted one not at all"), () =>
    withNodeRedis(RESP, async (connect) => {
      const [client, other] = [await connect(), await connect()];
      const done = await client.multi().set("a", 1).incr("a").hSet("h", "f", "v").hGetAll("h")
        .exec();
      assert.deepEqual(done.slice(0, 3), ["OK", 2, 1]);
      assert.deepEqual({ ...done[3] }, { f: "v" });
      await client.watch("a");
      await other.set("a", "changed");
      await assert.rejects(client.multi().set("a", "lost").exec(), /watched keys/);
      assert.equal(await client.get("a"), "changed");
    }));

  test(name("a group's dead consumer is inherited, and waiting ends with news"), () =>
    withNodeRedis(RESP, async (connect) => {
      const [client, dead, heir] = [await connect(), await connect(), await connect()];
      await client.xGroupCreate("jobs", "workers", "$", { MKSTREAM: true });
      const stream = [{ key: "jobs", id: ">" }];
      const waiting = dead.xReadGroup("workers", "dead", stream, { BLOCK: 20_000, COUNT: 100 });
      await Promise.all(numbers(300).map((n) => client.xAdd("jobs", "*", { n: String(n) })));
      const found = await waiting;
      assert.ok((RESP === 3 ? found.jobs : found[0].messages).length >= 1);
      while (await dead.xReadGroup("workers", "dead", stream, { COUNT: 100 }));
      dead.destroy();
      assert.equal((await client.xPending("jobs", "workers")).pending, 300);
      const got = [];
      for (let cursor = "0"; ; ) {
        const { nextId, messages } = await heir.xAutoClaim(
          "jobs", "workers", "heir", 0, cursor, { COUNT: 64 });
        got.push(...messages.map(({ message }) => Number(message.n)));
        assert.equal(await heir.xAck("jobs", "workers", messages.map(({ id }) => id)),
          messages.length);
        if (nextId === "0-0") break;
        cursor = nextId;
      }
      assert.deepEqual(got, numbers(300));
      const consumers = await client.xInfoConsumers("jobs", "workers");
      assert.deepEqual(consumers.map((one) => [one.name, one.pending]),
        [["dead", 0], ["heir", 0]]);
    }));

  test(name("subscribers hear every message in order"), () =>
    withNodeRedis(RESP, async (connect) => {
      const [client, listener] = [await connect(), await connect()];
      const heard = { channel: [], pattern: [], sharded: [] };
      await listener.subscribe("news", (word) => heard.channel.push(Number(word)));
      await listener.pSubscribe("n?ws", (word) => heard.pattern.push(Number(word)));
      await listener.sSubscribe("near", (word) => heard.sharded.push(Number(word)));
      await Promise.all(numbers(300).flatMap((n) =>
        [client.publish("news", String(n)), client.sPublish("near", String(n))]));
      const all = () => Object.values(heard).every((words) => words.length === 300);
      await until(all, "all messages");
      Object.values(heard).forEach((words) => assert.deepEqual(words, numbers(300)));
      // In RESP3 a subscriber may go on with commands on the same connection.
      if (RESP === 3) assert.equal(await listener.ping(), "PONG");
      await listener.unsubscribe("news");
      assert.equal(await client.publish("news", "x"), 1);
    }));

  test(name("a pool of connections takes waiting and working apart"), async () => {
    const pool = createClientPool({ RESP, socket: { port, host } }, { maximum: 5 });
    await pool.connect();
    try {
      await pool.flushAll();
      const waiting = numbers(4).map(() => pool.blPop("l", 20));
      const blocked = async () => (await pool.info("clients")).includes("blocked_clients:4");
      await until(blocked, "four that wait");
      await pool.rPush("l", ["a", "b", "c", "d"]);
      const popped = (await Promise.all(waiting)).map(({ element }) => element);
      assert.deepEqual(popped.sort(), ["a", "b", "c", "d"]);
      assert.equal(await pool.blPop("l", 0.05), null);
    } finally {
      pool.destroy();
    }
  });
}
