package results

import (
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The producer id is there before the first record needs it.
func TestEnsureFetchesTheProducerID(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "results", "dead"))
	var asked atomic.Int32
	c.ControlKey(kmsg.InitProducerID.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		asked.Add(1)
		return nil, nil, false
	})
	w := newWriter(t, c)
	if err := w.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times by Ensure, want once", n)
	}
	if err := await(t, func(done func(error)) { w.Report(report(1), done) }); err != nil {
		t.Error(err)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times after the first record, want once", n)
	}
}
