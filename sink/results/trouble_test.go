package results

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kafka-kustomer/internal/canary"
)

func newWatch(t *testing.T, asked *[]string) (*pending, *troubles, *observer.ObservedLogs) {
	core, logs := observer.New(zap.InfoLevel)
	p := &pending{}
	return p, newTroubles(canary.Watch(t, core), p, func(_ context.Context, topic string) (string, string) {
		*asked = append(*asked, topic)
		return "too few replicas", "the brokers"
	}), logs
}

// A write without an answer becomes a problem once it is old, and one only: with
// others behind it, and however long it takes.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		p, tr, logs := newWatch(t, &asked)
		defer tr.close()
		quick, alone := p.add("dead", time.Now())
		if !alone {
			t.Fatal("the first is not alone")
		}
		tr.watch(stallAfter)
		time.Sleep(20 * time.Second)
		p.remove(quick)
		begun := time.Now()
		slow, _ := p.add("results", begun)
		tr.watch(stallAfter)
		time.Sleep(stallAfter - time.Second)
		later, _ := p.add("results", time.Now())
		if ps := tr.list(); len(ps) != 0 {
			t.Fatalf("problems after %v: %+v", time.Since(begun), ps)
		}
		time.Sleep(2 * time.Second)
		ps := tr.list()
		if len(ps) != 1 || ps[0] != (Problem{"results", "too few replicas", "the brokers", begun}) {
			t.Fatalf("problems after %v: %+v", time.Since(begun), ps)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		// Told after 10 and 30 minutes again, and asked twice a minute.
		if most := 1 + int(time.Hour/askAgain); logs.Len() != 3 || len(asked) < most-1 || len(asked) > most {
			t.Errorf("an hour later: asked %d times, log %v", len(asked), logs.All())
		}
		p.remove(slow)
		p.remove(later)
		time.Sleep(stallCheck)
		synctest.Wait()
		if ps := tr.list(); len(ps) != 0 || logs.FilterMessage("Kafka acknowledges again").Len() != 1 {
			t.Errorf("problems at its end: %+v, log %v", ps, logs.All())
		}
	})
}

// What is refused is tried again each second: one line when it begins, one when
// it has not come for a while.
func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		_, tr, logs := newWatch(t, &asked)
		defer tr.close()
		for range 60 {
			tr.refuse("results", "denied", "the ACLs")
			tr.refuse("results", "denied", "the ACLs")
			time.Sleep(time.Second)
		}
		if ps := tr.list(); len(ps) != 1 || ps[0].Text != "denied" || ps[0].Check != "the ACLs" || logs.Len() != 1 {
			t.Errorf("problems %+v, log %v", ps, logs.All())
		}
		time.Sleep(quietAfter + stallCheck)
		synctest.Wait()
		if ps := tr.list(); len(ps) != 0 || logs.Len() != 2 {
			t.Errorf("at its end: problems %+v, log %v", ps, logs.All())
		}
		tr.refuse("results", "denied", "the ACLs")
		if logs.Len() != 3 {
			t.Error("the next one is not told of")
		}
	})
}

// Two partitions that are refused for different reasons, in turn, are no flood.
func TestRefusalsThatTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		_, tr, logs := newWatch(t, &asked)
		defer tr.close()
		for n := range 3600 {
			tr.refuse("results", []string{"denied", "too few replicas"}[n%2], "the ACLs")
			time.Sleep(time.Second)
		}
		if n := logs.Len(); n < 6 || n > 12 {
			t.Errorf("%d lines in an hour, want ever fewer", n)
		}
	})
}

// Another refusal after hours of one is told of soon.
func TestAnotherRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		_, tr, logs := newWatch(t, &asked)
		defer tr.close()
		say := func(text string, of time.Duration) {
			for begun := time.Now(); time.Since(begun) < of; time.Sleep(time.Second) {
				tr.refuse("results", text, "the ACLs")
			}
		}
		say("too few replicas", 312*time.Minute)
		say("denied", remindAfter)
		if n := logs.FilterField(zap.String("error", "denied")).Len(); n != 1 {
			t.Errorf("told of %d times", n)
		}
	})
}

// Closing does not wait for a diagnosis.
func TestCloseEndsADiagnosis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pending{}
		tr := newTroubles(canary.Logger(t), p, func(ctx context.Context, _ string) (string, string) {
			<-ctx.Done()
			return "cut short", ""
		})
		p.add("results", time.Now())
		tr.watch(stallAfter)
		time.Sleep(stallAfter + time.Second)
		begun := time.Now()
		tr.close()
		if took := time.Since(begun); took != 0 {
			t.Errorf("it took %v", took)
		}
		tr.watch(stallAfter)
		time.Sleep(time.Hour) // nothing may be left that looks
	})
}

func TestRefusedWriteIsAProblem(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "results"))
	w := newWriter(t, c)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed, Count: 1})
	if err := await(t, func(done func(error)) { w.Report(report(1), done) }); err == nil {
		t.Fatal("not refused")
	}
	ps := w.Problems()
	if len(ps) != 1 || ps[0].Topic != "results" || !strings.Contains(ps[0].Check, "grant Write") {
		t.Errorf("problems: %+v", ps)
	}
}

func TestDiagnoseNamesTheReplicas(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "results"), kfake.BrokerConfigs(map[string]string{"min.insync.replicas": "2"}))
	w := newWriter(t, c, kgo.MetadataMinAge(50*time.Millisecond))
	text, check := w.diagnose(t.Context(), "results")
	if text != "partition 0 has 1 of 1 replicas in sync, and min.insync.replicas is 2" || !strings.Contains(check, "min.insync.replicas") {
		t.Errorf("%s; %s", text, check)
	}
	if text, _ := w.diagnose(t.Context(), "gone"); !strings.Contains(text, "UNKNOWN_TOPIC_OR_PARTITION") {
		t.Errorf("of a topic that is not there: %s", text)
	}
}

// A topic that is gone while writes wait for it is created anew, where it may be.
func TestDiagnoseCreatesWhatIsGone(t *testing.T) {
	for _, create := range []bool{true, false} {
		w := newWriter(t, newCluster(t), kgo.MetadataMinAge(50*time.Millisecond))
		w.cfg.CreateResults = create
		text, check := w.diagnose(t.Context(), "results")
		time.Sleep(100 * time.Millisecond) // the client asks for metadata no sooner again
		topics, err := w.admin.ListTopics(t.Context(), "results")
		if err != nil {
			t.Fatal(err)
		}
		if there := topics["results"].Err == nil; there != create || strings.Contains(text, "created anew") != create || !strings.Contains(text, "exist any more") || check == "" {
			t.Errorf("create %v: %s; %s; there: %v", create, text, check, there)
		}
	}
}
