package sink_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/schemas/rules"
	"kafka-kustomer/sink"
)

// breaking are changes that the simulator refuses. All others have the member that
// its words name, so that they alone say nothing.
var breaking = []string{
	`{"subject":"` + strings.Repeat("x", 257) + `","custom":{"tierStr":"gold"}}`,
	`{"subject":"a","custom":{"tierStr":7}}`,
	`{"subject":"a","custom":{"tierStr":"gold"},"sentAt":"yesterday"}`,
	`{"subject":"a","custom":{"tierStr":"gold"},"channel":"email"}`,
	`{"subject":"a","custom":{"tierStr":"gold"},"sentiment":{"polarity":1}}`,
}

// One item in a hundred that breaks a rule is found with the second request, and the
// third has all the others.
func TestBreakingItemIsFoundAtOnce(t *testing.T) {
	for i, patch := range breaking {
		for _, guilty := range []int64{0, 57, 99} {
			t.Run(fmt.Sprint(i, " at ", guilty), func(t *testing.T) {
				puts, buried := deliver(t, rules.Breaks, patch, guilty)
				if puts > 3 {
					t.Errorf("%d requests, want at most 3", puts)
				}
				if diff := cmp.Diff([]int64{guilty}, buried); diff != "" {
					t.Errorf("dead letters (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// Without the rules it is found too, with more requests: what they save is theirs.
func TestBreakingItemIsFoundWithoutRules(t *testing.T) {
	puts, buried := deliver(t, nil, breaking[0], 57)
	if diff := cmp.Diff([]int64{57}, buried); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
	if puts < 5 {
		t.Errorf("%d requests: then this shows nothing about the rules", puts)
	}
}

// A rule that Kustomer does not have costs two requests at most, and no item.
func TestWrongSuspicionGivesNothingUp(t *testing.T) {
	wrong := func(patch []byte) bool { return strings.Contains(string(patch), "note 31") }
	puts, buried := deliver(t, wrong, breaking[0], 57)
	if diff := cmp.Diff([]int64{57}, buried); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
	without, _ := deliver(t, nil, breaking[0], 57)
	if puts > without+2 {
		t.Errorf("%d requests, and %d without any suspicion", puts, without)
	}
}

// deliver sends a hundred changes to the simulator as the core decides, one of them
// the guilty one, until each is accepted or given up. It returns the number of PUTs
// and the offsets given up.
func deliver(t *testing.T, suspicious func([]byte) bool, patch string, guilty int64) (puts int, buried []int64) {
	t.Helper()
	sim := kustomersim.New(kustomersim.Options{Script: &kustomersim.Script{}})
	defer sim.Close()
	server := httptest.NewServer(sim)
	defer server.Close()
	s, err := sink.New(sink.Config{BaseURL: server.URL, APIKey: "any", Timeout: 10 * time.Second, MaxInFlight: 2, Suspicious: suspicious})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	now := time.Now()
	core := batcher.New(batcher.Config{
		MaxItems: 100, MaxBytes: 1 << 20, Linger: time.Second, MaxInFlight: 8, MaxOpenOperations: 128, RequestsPerMinute: 60_000, MaxPause: time.Minute,
		OverdueAfter: 10 * time.Minute, LostReplyWait: 90 * time.Second, Lease: time.Hour, RetryInitial: time.Second, RetryMax: time.Minute,
		ItemAttempts: 3, ItemOver: time.Minute, UnknownAttempts: 8, UnknownOver: 10 * time.Minute, BrakeAtLeast: 100, CommitInterval: time.Second,
		Recommit: time.Minute, MaxOpenEvents: 1000, MaxOpenBytes: 1 << 20, BatchPrefix: "b", Seed: 1, Rules: batcher.AllRules(),
	})
	core.Alive(now)
	a := core.Assigned(now, batcher.Start{Topic: "t", Offset: 0, LeaderEpoch: -1, Metadata: "kk1 clean"})
	core.Fetched(now, a, hundred(patch, guilty))
	for accepted := 0; accepted+len(buried) < 100; {
		switch d := core.Next(now).(type) {
		case batcher.Put:
			puts++
			out := s.Put(t.Context(), d.Batch, nil)
			if out.Sent, out.Answered = now, now; out.Kind == batcher.Accepted {
				accepted += len(d.Batch.Items)
			}
			core.Answered(now, d.Batch, out)
		case *batcher.Bury:
			buried = append(buried, d.Event.Offset)
			core.Buried(now, d)
		case *batcher.Commit:
			core.Committed(now, d)
		case batcher.Wait:
			if d.Until.IsZero() || puts > 100 {
				t.Fatalf("it waits for nothing: %d PUTs, %d accepted, %d given up", puts, accepted, len(buried))
			}
			now = d.Until
			core.Alive(now)
		}
	}
	return puts, buried
}

// hundred are changes of as many messages, one of them with this patch.
func hundred(patch string, guilty int64) []batcher.Change {
	list := make([]batcher.Change, 100)
	for i := range list {
		own := fmt.Sprintf(`{"subject":"Re: order","custom":{"tierStr":"note %d"},"sentAt":null,"sentiment":{"polarity":0,"confidence":1}}`, i)
		if int64(i) == guilty {
			own = patch
		}
		list[i] = batcher.Change{
			Offset: int64(i), MessageID: fmt.Appendf(nil, "64a1f0c2b7d9e30012ab%04d", i), Patch: []byte(own), Record: batcher.Record{Value: []byte(own)},
		}
	}
	return list
}
