//go:build kafka && linux

package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/kafkatest"
)

// wantRefusal waits for a process to refuse to start, and checks its words.
func wantRefusal(t *testing.T, c *process, words ...string) {
	t.Helper()
	if code := c.wait(30 * time.Second); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	said := c.lines("stopped")
	if len(said) == 0 {
		t.Fatal("it does not say why it stopped")
	}
	for _, word := range words {
		if !strings.Contains(said[0].text("error"), word) {
			t.Errorf("it says %q, want %q in it", said[0].text("error"), word)
		}
	}
	t.Log(said[0].text("error"))
}

// A process that could not tell what became of an event does not take one.
func TestEdgeOutputsMissing(t *testing.T) {
	t.Parallel()
	w := edgeWorld(t)
	w.put(w.topic, 0, 3)
	wantRefusal(t, w.connectorTo("refuses", w.brokers, "", "never"),
		"topic "+w.results+" does not exist and results.create is never",
		"topic "+w.deadLetters+" does not exist and dead_letter.create is never")
	if n := w.api.stats().ItemsAccepted; n > 0 {
		t.Errorf("%d items accepted", n)
	}
}

// An output that is deleted while it is written to is missed, and written to
// again once it is there.
func TestEdgeOutputsMadeAnew(t *testing.T) {
	t.Parallel()
	w := edgeWorld(t)
	ids := w.put(w.topic, 0, 3)
	c := w.connector("writes", "")
	w.awaitCommitted(time.Minute, w.topic, 0, 3)
	w.deleteTopic(w.results)
	ids = append(ids, w.put(w.topic, 0, 3)...)
	pass(t, 5*time.Second)
	if at := w.committed(w.topic, 0); at != 3 {
		t.Errorf("committed %d without a topic for results", at)
	}
	w.createTopic(w.results, 1, nil)
	w.awaitCommitted(90*time.Second, w.topic, 0, 6)
	c.term()
	w.wantDelivered(ids)
	w.readAll(w.results, 2)
}

// Too few replicas in sync: Kafka never answers. The process says so, stops
// reading when its credit is used up, and goes on by itself.
func TestEdgeOutputsStall(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cluster, err := kafkatest.Start(ctx, kafkatest.Options{Brokers: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Close() })
	w := edgeWorld(t, cluster.Brokers()...)
	w.placeTopic(w.results, 2, 3) // with a third, Kafka would go on without one
	cluster.Kill(2)
	w.produce(3000)
	c := w.connector("waits", "", "limits: {max_open_events: 300}")
	l := c.awaitLine(90*time.Second, "Kafka does not acknowledge")
	if l.text("topic") != w.results || l.text("level") != "error" ||
		!strings.Contains(l.text("detail"), "1 of 2 replicas in sync, and min.insync.replicas is 2") || l.text("check") == "" {
		t.Errorf("want it to name the topic and the replicas: %v", l)
	}
	t.Logf("%v", l)
	accepted := w.api.stats().ItemsAccepted
	pass(t, 5*time.Second)
	if now := w.api.stats().ItemsAccepted; now != accepted || now > 300 {
		t.Errorf("%d items accepted, %d five seconds before: want polling to have stopped", now, accepted)
	}
	wantNothingGivenUp(t, w)
	if n := len(c.lines("Kafka does not acknowledge")); n != 1 {
		t.Errorf("said %d times, want once", n)
	}
	if err := cluster.Restart(ctx, 2); err != nil {
		t.Fatal(err)
	}
	w.awaitNoLag(2 * time.Minute)
	c.awaitLine(20*time.Second, "Kafka acknowledges again")
	c.term()
	w.check()
}

// placeTopic creates a topic of one partition with its replicas on these nodes.
func (w *world) placeTopic(topic string, nodes ...int32) {
	w.t.Helper()
	at := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
	at.Replicas = nodes
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = topic, -1, -1
	rt.ReplicaAssignment = append(rt.ReplicaAssignment, at)
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(w.t.Context(), w.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// Topics that take little: many small dead letters keep their values though they
// wait together, a larger one goes without, and result events are split.
func TestEdgeOutputsSmall(t *testing.T) {
	t.Parallel()
	w := edgeWorld(t)
	small := "4000"
	for _, topic := range []string{w.results, w.deadLetters} {
		w.createTopic(topic, 1, map[string]*string{"max.message.bytes": &small})
	}
	ids := w.put(w.topic, 0, 100)
	w.put(w.topic, 1, 1)
	w.garbage(w.topic, 2, 200, 100)
	w.garbage(w.topic, 3, 1, 10_000)
	c := w.connector("small", "", w.deadLetter("off"))
	for p, offset := range []int64{100, 1, 200, 1} {
		w.awaitCommitted(time.Minute, w.topic, int32(p), offset)
	}
	c.term()
	w.wantDelivered(ids)
	whole, without := 0, 0
	for _, r := range w.readAll(w.deadLetters, 201) {
		if r.Value == nil {
			without++
		} else {
			whole++
		}
	}
	if whole != 200 || without != 1 {
		t.Errorf("%d dead letters with and %d without a value, want 200 and 1", whole, without)
	}
	for _, text := range []string{"Kafka refuses", "not written"} {
		if n := len(c.lines(text)); n > 0 {
			t.Errorf("%d lines %q", n, text)
		}
	}
}

// Rights that are missing at the start are named; those taken away later stop
// what needs them, once named, and it goes on when they are back.
func TestEdgeACL(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	login := "org.apache.kafka.common.security.plain.PlainLoginModule required user_bob=\"" + canary.Secret + "\";"
	cluster, err := kafkatest.Start(ctx, kafkatest.Options{
		Listeners: []kafkatest.Listener{{Name: "SASLP", Protocol: "SASL_PLAINTEXT"}},
		Properties: map[string]string{
			"listener.name.saslp.sasl.enabled.mechanisms": "PLAIN",
			"listener.name.saslp.plain.sasl.jaas.config":  login,
			"authorizer.class.name":                       "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
			"super.users":                                 "User:ANONYMOUS",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Close() })
	w := edgeWorld(t, cluster.Brokers()...)
	w.createTopic(w.results, 1, nil)
	w.createTopic(w.deadLetters, 1, nil)
	bob := func(name string) *process {
		return w.connectorTo(name, cluster.Listener("SASLP"), ", sasl: {mechanism: plain, username: bob, password: "+canary.Secret+"}", "if-missing")
	}
	ids := w.put(w.topic, 0, 5)

	wantRefusal(t, bob("nobody"), "grant Describe and Write")
	w.grant(w.results, kadm.OpDescribe)
	w.grant(w.deadLetters, kadm.OpWrite)
	wantRefusal(t, bob("reader-of-results"), "topic "+w.results+" may not be written to; grant Write")

	w.grant(w.results, kadm.OpWrite)
	c := bob("no-group")
	c.awaitTrouble(time.Minute, "fetch", "TOPIC_AUTHORIZATION_FAILED")
	w.grant(w.topic, kadm.OpRead)
	c.awaitTrouble(90*time.Second, "group", "GROUP_AUTHORIZATION_FAILED")
	w.grantGroup()
	w.awaitCommitted(90*time.Second, w.topic, 0, 5)
	w.wantDelivered(ids)

	w.revoke(w.results, kadm.OpWrite)
	w.revoke(w.results, kadm.OpDescribe)
	ids = append(ids, w.put(w.topic, 0, 5)...)
	l := c.awaitLine(time.Minute, "Kafka refuses what is written")
	if l.text("topic") != w.results || !strings.Contains(l.text("check"), "grant Write") {
		t.Errorf("want it to name the topic and the right: %v", l)
	}
	pass(t, 5*time.Second)
	if at := w.committed(w.topic, 0); at != 5 {
		t.Errorf("committed %d without result events", at)
	}
	if n := len(c.lines("Kafka refuses what is written")); n != 1 {
		t.Errorf("said %d times, want once", n)
	}
	w.grant(w.results, kadm.OpWrite)
	w.awaitCommitted(time.Minute, w.topic, 0, 10)
	c.awaitLine(time.Minute, "Kafka takes what is written again")

	w.revoke(w.topic, kadm.OpRead)
	l = c.awaitTroubles(time.Minute, "fetch", "TOPIC_AUTHORIZATION_FAILED", 2)
	if l.text("topic") != w.topic {
		t.Errorf("want it to name the topic: %v", l)
	}
	more := w.put(w.topic, 0, 5)
	pass(t, 3*time.Second)
	w.wantDelivered(ids, more...)
	if n := len(c.lines("trouble with Kafka: fetch")); n != 2 {
		t.Errorf("%d lines for a topic with %d partitions that may not be read, want 1", n-1, partitions)
	}
	w.grant(w.topic, kadm.OpRead)
	w.awaitCommitted(90*time.Second, w.topic, 0, 15)
	c.term()
	w.wantDelivered(more)
}

// A broker that is away for a while is told of when it begins and when it ends.
func TestEdgeOutageIsQuiet(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cluster, err := kafkatest.Start(ctx, kafkatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Close() })
	w := edgeWorld(t, cluster.Brokers()...)
	ids := w.put(w.topic, 0, 5)
	c := w.connector("patient", "")
	w.awaitCommitted(time.Minute, w.topic, 0, 5)
	ids = append(ids, w.put(w.topic, 1, 5)...)
	before := len(c.lines(""))
	cluster.Kill(0)
	pass(t, 22*time.Second)
	if err := cluster.Restart(ctx, 0); err != nil {
		t.Fatal(err)
	}
	ids = append(ids, w.put(w.topic, 2, 5)...)
	w.awaitCommitted(time.Minute, w.topic, 2, 5)
	w.awaitCommitted(time.Minute, w.topic, 1, 5)
	c.awaitLine(20*time.Second, "trouble with Kafka is over: broker")
	told := c.lines("")[before:]
	for _, l := range told {
		t.Log(l.text("level"), l.text("msg"), l.text("error"))
	}
	if n := len(told); n > 30 {
		t.Errorf("%d lines for an outage", n)
	}
	if n := len(c.lines("trouble with Kafka: ")); n != 1 {
		t.Errorf("%d lines of trouble begin, want 1", n)
	}
	c.term()
	w.wantDelivered(ids)
}
