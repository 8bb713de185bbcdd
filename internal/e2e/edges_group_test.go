//go:build kafka && linux

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafka-kustomer/internal/kafkatest"
	"kafka-kustomer/internal/workload"
)

// raiseSession gives the group the session time-out that connectors here ask
// for. The brokers of tests have a shorter one.
func (w *world) raiseSession() {
	w.t.Helper()
	value := "15000"
	c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	c.Name, c.Value = "consumer.session.timeout.ms", &value
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName, r.Configs = kmsg.ConfigResourceTypeGroupConfig, w.group, append(r.Configs, c)
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(w.t.Context(), w.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.Resources[0].ErrorCode)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	await(w.t, 20*time.Second, "the brokers know the session time-out", func() error {
		ask := kmsg.NewDescribeConfigsRequestResource()
		ask.ResourceType, ask.ResourceName, ask.ConfigNames = kmsg.ConfigResourceTypeGroupConfig, w.group, []string{c.Name}
		req := kmsg.NewPtrDescribeConfigsRequest()
		req.Resources = append(req.Resources, ask)
		resp, err := req.RequestWith(w.t.Context(), w.client)
		if err != nil {
			return err
		}
		for _, config := range resp.Resources[0].Configs {
			if config.Value != nil && *config.Value == value {
				return nil
			}
		}
		return fmt.Errorf("they say %v", resp.Resources[0].Configs)
	})
}

// The brokers divide the partitions (KIP-848): members come and go, and the
// account comes out even. A lease longer than the brokers' session is refused.
func TestEdgeProtocolConsumer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, workload.Config{Messages: 2000, HotShare: 0.3}, calm())
	const protocol = ", protocol: consumer"
	refused := w.connector("too-long", protocol)
	if code := refused.wait(20 * time.Second); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if said := refused.lines("stopped"); len(said) == 0 || !strings.Contains(said[0].text("error"), "source.session_timeout is 11s") {
		t.Errorf("it says %v", said)
	} else {
		t.Log(said[0].text("error"))
	}
	w.raiseSession()
	stop := w.load(300)
	first := w.connector("first", protocol)
	if l := first.awaitLine(30*time.Second, "joined the group"); l.text("protocol") != "consumer" {
		t.Errorf("protocol: %v", l)
	}
	w.api.awaitItems(time.Minute, 300)
	second := w.connector("second", protocol)
	w.api.awaitItems(time.Minute, 600)
	second.awaitLine(time.Minute, "partitions assigned")
	first.term()
	w.api.awaitItems(time.Minute, 600)
	third := w.connector("third", protocol)
	third.awaitLine(time.Minute, "partitions assigned")
	second.kill()
	w.api.awaitItems(takeover, 600)
	stop()
	w.awaitNoLag(takeover)
	third.term()
	// A member of the other protocol takes the group over, in order.
	fourth := w.connector("classic", "")
	w.awaitMembers(time.Minute, 1)
	w.produce(200)
	w.awaitNoLag(time.Minute)
	if l := fourth.awaitLine(time.Second, "joined the group"); l.text("protocol") != "classic" {
		t.Errorf("protocol: %v", l)
	}
	fourth.term()
	w.check()
}

// Brokers that know the protocol and do not offer it, as after an upgrade whose
// features were never switched on.
func TestEdgeProtocolNotOffered(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cluster, err := kafkatest.Start(ctx, kafkatest.Options{
		Properties: map[string]string{"group.coordinator.rebalance.protocols": "classic", "group.consumer.session.timeout.ms": "15000"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Close() })
	w := edgeWorld(t, cluster.Brokers()...)
	ids := w.put(w.topic, 0, 3)
	c := w.connector("modern", ", protocol: consumer")
	l := c.awaitTrouble(time.Minute, "group", "UNSUPPORTED_VERSION")
	if !strings.Contains(l.text("check"), "set source.protocol to classic") {
		t.Errorf("want it to say what to set: %v", l)
	}
	pass(t, 10*time.Second)
	if told, spoken := len(c.lines("trouble")), len(c.lines("joined the group")); told != 1 || spoken != 0 {
		t.Errorf("%d lines of trouble, want 1; said %d times what the group speaks", told, spoken)
	}
	c.term()
	c = w.connector("classic", "")
	w.awaitCommitted(time.Minute, w.topic, 0, 3)
	c.term()
	w.wantDelivered(ids)
}
