//go:build synctests

package consumer

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A broker that is away for a while is two lines, whatever was tried meanwhile.
func TestOutageIsTwoLines(t *testing.T) {
	inWorld(t, 4, func(w *world) {
		m := w.join("a", nil).run()
		w.awaitPartitions(m, 4)
		w.produce(0, 1)
		w.await("a record", func() bool { return len(m.offsets(m.handles()[0])) == 1 })
		h := m.handles()[0]
		m.logs.TakeAll()
		m.link.cut()
		for range 10 {
			m.commitAt(h, 1, "")
		}
		time.Sleep(time.Minute)
		m.link.mend()
		w.awaitPartitions(m, 4)
		w.await("no problem", func() bool { return len(m.Problems()) == 0 })
		var lines []string
		for _, l := range m.logs.All() {
			lines = append(lines, l.Message)
		}
		want := []string{"trouble with Kafka: broker", "trouble with Kafka is over: broker"}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("log lines (-want +got):\n%s", diff)
		}
	})
}
