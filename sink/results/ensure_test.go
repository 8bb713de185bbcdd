package results

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

func TestEnsureCreatesWhatIsMissing(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(7, "dead"), kfake.DefaultNumPartitions(5))
	w := newWriter(t, c)
	w.cfg.CreateResults, w.cfg.CreateDeadLetters = true, true
	w.cfg.ResultsReplication, w.cfg.DeadLetterPartitions = -1, 2
	// Members start together: all but one find the topic there already.
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() { errs <- w.Ensure(t.Context()) }()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := len(c.PartitionInfos("results")); got != 5 {
		t.Errorf("results has %d partitions, want the broker's default", got)
	}
	if got := len(c.PartitionInfos("dead")); got != 7 {
		t.Errorf("dead has %d partitions: one that exists is left alone", got)
	}
	if err := await(t, func(done func(error)) { w.Report(report(1), done) }); err != nil {
		t.Error(err)
	}
}

// A dead letter is as old as its record, so a new topic must not delete by age.
func TestNewTopicKeepsDeadLetters(t *testing.T) {
	c := newCluster(t)
	w := newWriter(t, c)
	w.cfg.CreateResults, w.cfg.CreateDeadLetters = true, true
	if err := w.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	configs, err := w.admin.DescribeTopicConfigs(t.Context(), "results", "dead")
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range configs {
		for _, setting := range topic.Configs {
			if setting.Key == "retention.ms" && (setting.MaybeValue() == "-1") != (topic.Name == "dead") {
				t.Errorf("retention.ms of %s is %s", topic.Name, setting.MaybeValue())
			}
		}
	}
	if value, err := configs.On("dead", nil); err != nil || len(value.Configs) == 0 {
		t.Errorf("no settings of the topic: %v", err)
	}
}

func TestEnsureSaysWhatToCheck(t *testing.T) {
	tests := []struct {
		name  string
		edit  func(*Config)
		fault *kfake.Fault
		want  []string
	}{
		{"missing, never created", func(*Config) {}, nil, []string{"topic results does not exist", "results.create is never", "topic dead does not exist", "dead_letter.create"}},
		{"no right to create", func(c *Config) { c.CreateResults, c.CreateDeadLetters = true, true }, &kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.TopicAuthorizationFailed, Count: -1}, []string{"grant Create"}},
		{"retention", func(c *Config) { c.CreateResults, c.CreateDeadLetters = true, true }, &kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.InvalidConfig, Count: -1}, []string{"retention.ms=-1"}},
		{"replication", func(c *Config) { c.CreateResults, c.CreateDeadLetters = true, true }, &kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.InvalidReplicationFactor, Count: -1}, []string{"results.replication", "dead_letter.replication"}},
		{"no right to see", func(*Config) {}, &kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "results", Err: kerr.TopicAuthorizationFailed, Count: -1}, []string{"looking for topic results", "grant Describe and Write"}},
		{"no name", func(c *Config) { c.ResultsTopic = "no good" }, &kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "no good", Err: kerr.InvalidTopicException, Count: -1}, []string{"check results.topic"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(t)
			if tt.fault != nil {
				c.Fault(*tt.fault)
			}
			w := newWriter(t, c)
			tt.edit(&w.cfg)
			err := w.Ensure(t.Context())
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nwant an error with %q", err, want)
				}
			}
			if c.TopicInfo("results") != nil {
				t.Error("the topic was created all the same")
			}
		})
	}
}

// Rights are looked at before anything is read: who may see a topic may not
// always write to it.
func TestEnsureNeedsWrite(t *testing.T) {
	allow := func(topic string, op kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{Resource: kmsg.ACLResourceTypeTopic, Name: topic, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: op, Allow: true}
	}
	c := newCluster(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.SeedTopics(1, "results", "dead"), kfake.Superuser("PLAIN", "admin", "admin"),
		kfake.User("PLAIN", "kk", "pw", allow("results", kmsg.ACLOperationDescribe), allow("dead", kmsg.ACLOperationWrite)))
	w := newWriter(t, c, kgo.SASL(plain.Auth{User: "kk", Pass: "pw"}.AsMechanism()))
	err := w.Ensure(t.Context())
	if err == nil || !strings.Contains(err.Error(), "topic results may not be written to; grant Write") || strings.Contains(err.Error(), "topic dead") {
		t.Errorf("%v, want one about results only", err)
	}
}
