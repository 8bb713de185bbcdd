//go:build synctests

package consumer

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

func TestProtocolIsTheOneSpoken(t *testing.T) {
	for _, tt := range []struct {
		configured, want string
		warnings         int
		opts             []kfake.Opt
	}{
		{ProtocolClassic, ProtocolClassic, 0, nil},
		{ProtocolConsumer, ProtocolConsumer, 0, nil},
		{ProtocolConsumer, ProtocolClassic, 1, []kfake.Opt{kfake.MaxVersions(kversion.V3_6_0())}},
	} {
		inWorld(t, 1, func(w *world) {
			m := w.join("a", func(c *Config, _ *member) { c.Protocol = tt.configured }).run()
			w.awaitPartitions(m, 1)
			time.Sleep(time.Minute)
			if got := m.Protocol(); got != tt.want {
				t.Errorf("configured %s: speaks %q, want %q", tt.configured, got, tt.want)
			}
			if n := m.logs.FilterMessageSnippet("source.protocol").Len(); n != tt.warnings {
				t.Errorf("configured %s: %d warnings, want %d", tt.configured, n, tt.warnings)
			}
		}, tt.opts...)
	}
}

func TestAliveFollowsHeartbeats(t *testing.T) {
	for _, protocol := range []string{ProtocolClassic, ProtocolConsumer} {
		t.Run(protocol, func(t *testing.T) {
			inWorld(t, 1, func(w *world) {
				m := w.join("a", func(c *Config, _ *member) { c.Protocol = protocol }).run()
				w.awaitPartitions(m, 1)
				time.Sleep(time.Second)
				if m.lastAlive().IsZero() {
					t.Error("not alive a second after the first assignment")
				}
				for range 5 {
					time.Sleep(7 * time.Second)
					if age := time.Since(m.lastAlive()); age > 6*time.Second {
						t.Errorf("the last acknowledged heartbeat is %v old", age)
					}
				}
				for _, c := range m.aliveCalls() {
					if c.sent.After(c.told.Add(-grace)) {
						t.Errorf("promoted %v after it was sent, before the grace of %v", c.told.Sub(c.sent), grace)
					}
				}
			})
		})
	}
}

// A response counts from when its request was sent.
func TestAliveCountsFromTheSending(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		m := w.join("a", nil).run()
		w.awaitPartitions(m, 1)
		time.Sleep(5 * time.Second)
		asked := make(chan time.Time, 1)
		w.cluster.ControlKey(int16(kmsg.Heartbeat), func(kmsg.Request) (kmsg.Response, error, bool) {
			asked <- time.Now()
			w.cluster.SleepControl(func() { time.Sleep(1500 * time.Millisecond) })
			return nil, nil, false
		})
		sent := <-asked
		time.Sleep(1500*time.Millisecond + grace + 10*time.Millisecond)
		if got := m.lastAlive(); !got.Equal(sent) {
			t.Errorf("alive as of %v after the heartbeat was sent, want 0", got.Sub(sent))
		}
	})
}

// Responses to heartbeats that say no are no sign of life.
func TestRefusedHeartbeatIsNoSignOfLife(t *testing.T) {
	for _, tt := range []struct {
		protocol string
		key      kmsg.Key
		err      *kerr.Error
	}{
		{ProtocolClassic, kmsg.Heartbeat, kerr.UnknownMemberID},
		{ProtocolClassic, kmsg.Heartbeat, kerr.IllegalGeneration},
		{ProtocolClassic, kmsg.Heartbeat, kerr.NotCoordinator},
		{ProtocolClassic, kmsg.Heartbeat, kerr.CoordinatorLoadInProgress},
		{ProtocolConsumer, kmsg.ConsumerGroupHeartbeat, kerr.UnknownMemberID},
		{ProtocolConsumer, kmsg.ConsumerGroupHeartbeat, kerr.FencedMemberEpoch},
		{ProtocolConsumer, kmsg.ConsumerGroupHeartbeat, kerr.NotCoordinator},
	} {
		t.Run(tt.protocol+" "+tt.err.Message, func(t *testing.T) {
			inWorld(t, 1, func(w *world) {
				m := w.join("a", func(c *Config, _ *member) { c.Protocol = tt.protocol }).run()
				w.awaitPartitions(m, 1)
				time.Sleep(10 * time.Second)
				began := time.Now()
				// Joining fails as well, or the new membership would be a sign.
				fault := w.cluster.Fault(
					kfake.Fault{Keys: []kmsg.Key{tt.key}, Err: tt.err, Count: -1},
				)
				block := w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.GroupAuthorizationFailed, Count: -1})
				time.Sleep(15 * time.Second)
				if fault.Hits() == 0 {
					t.Fatal("no heartbeat was sent")
				}
				if sent := m.lastAlive(); sent.After(began) {
					t.Errorf("alive as of %v after heartbeats began to fail", sent.Sub(began))
				}
				fault.Remove()
				block.Remove()
				w.await("alive again", func() bool { return m.lastAlive().After(began.Add(15 * time.Second)) })
			})
		})
	}
}
