// Package kafkatest runs a real Apache Kafka for tests, without Docker.
//
// A fake such as kfake is quick and is what most tests here use, but it agrees
// with Kafka only where its author looked: it keeps binary commit metadata that
// Kafka destroys, has no limit on its size, and lets a late commit through that
// Kafka refuses. What a test says about offsets, rebalances, transactions and
// dead brokers is worth more when Kafka itself answers.
//
// A machine needs a JDK (17 or later) and, the first time, Maven, which fetches
// Kafka's jars into a cache (see [Libs]). From then on a broker is ready about
// three seconds after [Start], and needs some 370 MB of memory.
//
// Most tests want some broker and do not care which:
//
//	func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m)) }
//
//	func TestCommit(t *testing.T) {
//		brokers := kafkatest.Brokers(t)
//		topic := kafkatest.Topic(t, brokers, "commit", 3)
//		...
//	}
//
// [Brokers] starts one broker for the test process, or takes the cluster named
// by KAFKA_BROKERS. It never skips: a test that did not run must not look like
// one that passed. A test that kills brokers calls [Start] for a cluster of its
// own. By convention, files that need a broker carry the build tag "kafka".
//
// How the parts fit: Libs finds the jars (libs.go); Start claims loopback ports
// (ports.go), writes the folder of each node and starts them (cluster.go,
// node.go); every broker is a child process that dies with ours (package child).
// The command kafkarun in the folder of that name does the same for people.
package kafkatest
