//go:build kafka && linux

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"kafka-kustomer/internal/kafkatest"
	"kafka-kustomer/internal/workload"
)

// behindGate starts a broker with a second listener that tells clients to come
// through the gate, so that one process can be cut off from it alone.
func behindGate(t *testing.T) (kafka *kafkatest.Cluster, gate *gate) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	gate = openGate(t, "")
	var err error
	for range 5 { // its own port must be known before it starts, and may be taken
		port := 10_000 + 32*rand.IntN(300)
		kafka, err = kafkatest.Start(ctx, kafkatest.Options{
			Port: port, Listeners: []kafkatest.Listener{{Name: "GATE", Protocol: "PLAINTEXT"}},
			Properties: map[string]string{
				"advertised.listeners": fmt.Sprintf("PLAINTEXT://127.0.0.1:%d,GATE://%s", port, gate.address),
			},
		})
		if err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kafka.Close() })
	gate.to = kafka.Listener("GATE")[0]
	return kafka, gate
}

// A process is cut off from Kafka, and from Kafka only, with a backlog in its
// memory: another gets its partitions, and it can't know. It may write as long as
// its lease holds, five seconds less than its session, and not longer. Then it is
// told to stop.
func TestCutOffFromKafka(t *testing.T) {
	t.Parallel()
	const lease = sessionTimeout - 5*time.Second
	kafka, gate := behindGate(t)
	w := newWorldOn(t, kafka.Brokers(), workload.Config{Messages: 20_000}, steady(2*time.Second))
	w.produce(30_000)

	var mu sync.Mutex
	var puts []time.Time
	api := openGate(t, w.api.url)
	api.heard = func(b []byte) {
		if bytes.HasPrefix(b, []byte("PUT ")) {
			mu.Lock()
			puts = append(puts, time.Now())
			mu.Unlock()
		}
	}
	direct := w.baseURL
	w.brokers, w.baseURL = []string{gate.address}, api.url()
	cut := w.connector("cut-off", "")
	w.brokers, w.baseURL = kafka.Brokers(), direct
	w.api.awaitItems(takeover, 2000)

	gate.silent.Store(true)
	at := time.Now()
	heir := w.connector("heir", "")
	heir.awaitLine(takeover, "not given back clean")
	taken := time.Since(at)
	pass(t, 2*time.Second)
	mu.Lock()
	last := puts[len(puts)-1].Sub(at)
	mu.Unlock()
	t.Logf("it wrote until %v after the cut; its partitions were taken over after %v", last.Round(time.Millisecond), taken.Round(time.Millisecond))
	if last > lease+200*time.Millisecond {
		t.Errorf("it wrote %v after the cut, its lease is %v", last, lease)
	}
	if last < time.Second {
		t.Errorf("it wrote nothing a second after the cut: it had no backlog")
	}
	if n := w.api.stats().ItemsAccepted; n > 15_000 {
		t.Errorf("%d items were accepted: there was no backlog at the end of the lease", n)
	}

	told := time.Now()
	cut.signal(syscall.SIGTERM)
	w.api.setScript(calm())
	cut.wantEnd(told, "while the broker is silent")
	w.awaitNoLag(2 * time.Minute)
	heir.term()
	w.check()
}
