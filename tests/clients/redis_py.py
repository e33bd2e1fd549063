"""redis-py against the plain port, in both protocols, and RedisCluster over core ports."""

import threading
import unittest

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry

import under_test


class Plain(unittest.TestCase):
    protocol = 2

    def setUp(self):
        self.client = under_test.empty_client(protocol=self.protocol, decode_responses=True)

    def tearDown(self):
        self.client.close()

    def test_strings(self):
        client = self.client
        self.assertTrue(client.set("k", "v", ex=100))
        self.assertEqual(client.get("k"), "v")
        self.assertTrue(99 <= client.ttl("k") <= 100)
        self.assertIsNone(client.set("k", "w", nx=True))
        self.assertEqual(client.set("k", "w", get=True), "v")
        self.assertEqual(client.append("k", "x"), 2)
        self.assertEqual(client.incrby("n", 41), 41)
        self.assertEqual(client.incr("n"), 42)
        self.assertEqual(client.incrbyfloat("f", 0.5), 0.5)
        self.assertEqual(client.getrange("k", 0, 0), "w")
        self.assertEqual(client.getex("k", persist=True), "wx")
        self.assertEqual(client.getdel("k"), "wx")
        self.assertIsNone(client.get("k"))

    def test_keys(self):
        client = self.client
        client.mset({f"k{n}": n for n in range(100)})
        self.assertEqual(client.dbsize(), 100)
        self.assertEqual(client.mget("k1", "missing", "k2"), ["1", None, "2"])
        self.assertEqual(sorted(client.scan_iter(match="k1*", count=7)),
                         sorted(f"k{n}" for n in range(100) if str(n)[0] == "1"))
        self.assertEqual(client.delete("k1", "k2", "missing"), 2)
        self.assertTrue(client.rename("k3", "renamed"))
        self.assertEqual(client.type("renamed"), "string")
        self.assertTrue(client.copy("renamed", "copied"))
        self.assertTrue(client.expire("copied", 50))
        self.assertEqual(client.object("encoding", "renamed"), "int")

    def test_pipelines(self):
        pipeline = self.client.pipeline(transaction=False)
        for number in range(1000):
            pipeline.set(f"p{number}", number)
            pipeline.get(f"p{number}")
        replies = pipeline.execute()
        self.assertEqual(replies[1::2], [str(number) for number in range(1000)])

    def test_errors(self):
        self.client.set("k", "v")
        with self.assertRaisesRegex(redis.ResponseError, "not an integer"):
            self.client.incr("k")
        with self.assertRaisesRegex(redis.ResponseError, "unknown command"):
            self.client.execute_command("NOSUCH", "x")

    def test_introspection(self):
        client = self.client
        info = client.info()
        self.assertEqual(info["redis_mode"], "standalone")
        self.assertEqual(client.client_setname("tester"), True)
        self.assertEqual(client.client_getname(), "tester")
        self.assertTrue(any(one["name"] == "tester" for one in client.client_list()))
        self.assertEqual(client.config_get("maxmemory")["maxmemory"], "0")
        self.assertEqual(client.command_getkeys("MSET", "a", "1", "b", "2"), ["a", "b"])
        self.assertGreater(client.command_count(), 50)
        self.assertEqual(client.echo("hello"), "hello")

    def test_many_threads_share_a_pool(self):
        def work(worker):
            for number in range(200):
                self.client.set(f"w{worker}:{number}", number)
                assert self.client.get(f"w{worker}:{number}") == str(number)

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.client.dbsize(), 1600)


class PlainResp3(Plain):
    protocol = 3


class Cluster(unittest.TestCase):
    protocol = 2

    def setUp(self):
        self.client = RedisCluster(
            startup_nodes=[ClusterNode("127.0.0.1", under_test.CLUSTER_PORT)],
            decode_responses=True, protocol=self.protocol, retry=Retry(NoBackoff(), 2),
        )
        self.client.flushall()

    def tearDown(self):
        self.client.close()

    def test_every_core_is_a_node(self):
        self.assertEqual(len(self.client.get_primaries()), under_test.CORES)

    def test_keys_go_straight_to_their_owner(self):
        for number in range(500):
            self.assertTrue(self.client.set(f"key:{number}", number))
        for number in range(500):
            self.assertEqual(self.client.get(f"key:{number}"), str(number))
        everywhere = self.client.dbsize(target_nodes=RedisCluster.PRIMARIES)
        self.assertEqual(everywhere, 500)
        statistics = [node.redis_connection.info("commandstats") for node in
                 self.client.get_primaries()]
        self.assertTrue(all("cmdstat_set" in one for one in statistics))

    def test_several_keys(self):
        self.client.mset_nonatomic({f"m{number}": number for number in range(50)})
        values = self.client.mget_nonatomic([f"m{number}" for number in range(50)])
        self.assertEqual(values, [str(number) for number in range(50)])
        self.assertTrue(self.client.mset({"{tag}a": 1, "{tag}b": 2}))
        self.assertEqual(self.client.mget("{tag}a", "{tag}b"), ["1", "2"])
        self.assertEqual(sorted(self.client.scan_iter(match="m1*")),
                         sorted(f"m{number}" for number in range(50) if str(number)[0] == "1"))

    def test_pipelines(self):
        pipeline = self.client.pipeline()
        for number in range(200):
            pipeline.set(f"p{number}", number)
            pipeline.get(f"p{number}")
        self.assertEqual(pipeline.execute()[1::2], [str(number) for number in range(200)])


class ClusterResp3(Cluster):
    protocol = 3
