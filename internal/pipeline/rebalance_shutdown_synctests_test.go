//go:build synctests

package pipeline

import (
	"fmt"
	"testing"
	"time"
)

// A shutdown while Kafka is silent: commits hang, the last one too. Whenever it
// comes, and whichever partitions have something open, the loop ends within
// DrainTimeout.
func TestShutdownWhileKafkaIsSilent(t *testing.T) {
	for _, open := range []int32{4, 2, 0} { // partitions with an operation that does not end
		for _, after := range []time.Duration{0, 300 * time.Millisecond, 3 * time.Second, 7 * time.Second} {
			t.Run(fmt.Sprint(open, " open, ", after), func(t *testing.T) {
				byHand(t, func(h *hand) {
					m := h.member(func(s *setup) { s.timing.CommitTimeout = 5 * time.Second })
					h.await("all partitions are assigned", func() bool { return m.snapshot().Partitions == 4 })
					h.sendTo(lateMessage)
					h.awaitNoLag()
					h.setScript(stalled())
					for p := range open {
						h.send(h.message(p, hotMessage))
					}
					h.await("operations are queued", func() bool { return h.sim.Stats().ItemsAccepted == 4+int64(open) })
					h.await("the commits name them", func() bool {
						for p := range open {
							if len(h.committed(p).Metadata) <= len("kk1 open") {
								return false
							}
						}
						return true
					})
					m.kafka.silent.Store(true)
					h.setScript(steady(100 * time.Millisecond)) // they end, and that can't be told
					time.Sleep(300 * time.Millisecond)
					h.setScript(stalled())
					time.Sleep(after)
					told := time.Now()
					m.stop()
					<-m.loop.stopped
					took := time.Since(told)
					t.Logf("the loop ended after %v", took)
					if took > drainTimeout+100*time.Millisecond { // what the consumer adds to a commit's time
						t.Errorf("the loop ended after %v, DrainTimeout is %v", took, drainTimeout)
					}
					m.kafka.speak()
				})
			})
		}
	}
}
