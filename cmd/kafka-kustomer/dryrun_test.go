package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"

	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/kustomersim"
)

func changeEvent(i int, message string) string {
	return fmt.Sprintf(`{"eventId":"e%d","messageId":%q,"changes":{"subject":"<canary> %d","custom":{"k%dStr":"v"}}}`, i, message, i, i%3)
}

// topicWorld is a broker with ten records in each of two partitions, and a client of
// the test's.
type topicWorld struct {
	cluster *kfake.Cluster
	client  *kgo.Client
	config  string
}

func newTopicWorld(t *testing.T, extra string) *topicWorld {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "message-changes"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w := &topicWorld{cluster: cluster, client: client}
	for i := range 20 {
		w.produce(t, int32(i%2), time.Unix(1_800_000_000+int64(i), 0), changeEvent(i, fmt.Sprintf("m%d", i)))
	}
	w.config = configFile(t, strings.ReplaceAll(minimalConfig, "127.0.0.1:1", cluster.ListenAddrs()[0])+extra)
	return w
}

func (w *topicWorld) produce(t *testing.T, partition int32, at time.Time, value string) {
	t.Helper()
	if err := w.client.ProduceSync(t.Context(), &kgo.Record{Topic: "message-changes", Partition: partition, Timestamp: at, Value: []byte(value)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// commit commits as a run that has given the partition back in order.
func (w *topicWorld) commit(t *testing.T, partition int32, at int64) {
	t.Helper()
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: "message-changes", Partition: partition, At: at, LeaderEpoch: -1, Metadata: "kk1 clean"})
	if err := kadm.NewClient(w.client).CommitAllOffsets(t.Context(), "kafka-kustomer", offsets); err != nil {
		t.Fatal(err)
	}
}

func TestDryRunOfTopics(t *testing.T) {
	for _, tc := range []struct {
		name    string
		config  string
		commits map[int32]int64
		args    []string
		records int
		note    string
	}{
		{"without commits, from the earliest", "", nil, nil, 20, ""},
		{"without commits, from the latest", "source: {start: latest}\n", nil, nil, 0, ""},
		{"without commits, which are asked for", "source: {start: committed}\n", nil, nil, 0, "a run would not start"},
		{"from commits", "", map[int32]int64{0: 7, 1: 9}, nil, 4, ""},
		{"a commit that is gone", "", map[int32]int64{0: 99, 1: 9}, nil, 1, "a run would stop at message-changes/0"},
		{"a commit that is gone, and it may", "source: {on_reset: earliest}\n", map[int32]int64{0: 99, 1: 9}, nil, 11, "reading begins at its start"},
		{"earliest", "", map[int32]int64{0: 7, 1: 9}, []string{"--from", "earliest"}, 20, ""},
		{"latest", "", nil, []string{"--from", "latest"}, 0, ""},
		{"an offset", "", nil, []string{"--from", "8"}, 4, ""},
		{"the last", "", nil, []string{"--from=-3"}, 6, ""},
		{"more than there are", "", nil, []string{"--from=-300"}, 20, ""},
		{"a time", "", nil, []string{"--from", time.Unix(1_800_000_016, 0).UTC().Format(time.RFC3339)}, 4, ""},
		{"a limit", "", nil, []string{"--limit", "7"}, 7, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newTopicWorld(t, tc.config)
			for p, at := range tc.commits {
				w.commit(t, p, at)
			}
			code, stdout, stderr := command(t, append([]string{"dry-run", "-c", w.config}, tc.args...)...)
			if code != exitDone || stderr != "" {
				t.Fatalf("exit code %d, stderr %q", code, stderr)
			}
			if !strings.Contains(stdout, fmt.Sprintf("\n%s of ", count(tc.records, "record"))) && !strings.HasPrefix(stdout, count(tc.records, "record")+" of ") {
				t.Errorf("want %d records:\n%s", tc.records, stdout)
			}
			if tc.note != "" && !strings.Contains(stdout, "note: "+tc.note) && !strings.Contains(stdout, tc.note) {
				t.Errorf("no note %q:\n%s", tc.note, stdout)
			}
			if strings.Contains(stdout, "canary-key") {
				t.Error("the API key is in the output")
			}
			w.untouched(t, tc.commits)
		})
	}
}

// What Kafka does not tell of is named: it would look like a log with nothing new in it.
func TestDryRunOfWhatCantBeAsked(t *testing.T) {
	for _, tc := range []struct {
		name, config string
		broken       bool // a partition has no leader
		words        string
	}{
		{"a missing topic", "", false, "note: topic other does not exist yet"},
		{"a missing topic, and commits are asked for", ", start: committed", false, "note: topic other does not exist yet"},
		{"a partition without leader", "", true, "note: message-changes/1 is left out, Kafka can't tell where it begins, ends or stands: UNKNOWN_SERVER_ERROR"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newTopicWorld(t, "source: {topics: [message-changes, other]"+tc.config+"}\n")
			for p := range int32(2) {
				w.commit(t, p, 9)
			}
			if tc.broken {
				w.refuseOffsets(1)
			}
			code, stdout, stderr := command(t, "dry-run", "-c", w.config)
			if code != exitDone || !strings.Contains(stdout, tc.words) || strings.Contains(stdout, "other/-1") || !strings.Contains(stdout, "(e18)") {
				t.Errorf("exit code %d, stdout:\n%s\nstderr: %s", code, stdout, stderr)
			}
		})
	}
}

// refuseOffsets makes the broker fail to tell the offsets of one partition.
func (w *topicWorld) refuseOffsets(partition int32) {
	w.cluster.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
		for _, ask := range req.(*kmsg.ListOffsetsRequest).Topics {
			topic := kmsg.NewListOffsetsResponseTopic()
			topic.Topic = ask.Topic
			for _, p := range ask.Partitions {
				said := kmsg.NewListOffsetsResponseTopicPartition()
				said.Partition, said.Offset = p.Partition, 10
				switch {
				case p.Partition == partition:
					said.Offset, said.ErrorCode = -1, kerr.UnknownServerError.Code
				case p.Timestamp == -2:
					said.Offset = 0
				}
				topic.Partitions = append(topic.Partitions, said)
			}
			resp.Topics = append(resp.Topics, topic)
		}
		return resp, nil, true
	})
}

// The records of a transaction that was aborted are not read, the markers are passed
// over, and the reading ends although the log ends with them.
func TestDryRunOfTransactions(t *testing.T) {
	w := newTopicWorld(t, "")
	producer, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.TransactionalID("tx"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := producer.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		record := &kgo.Record{Topic: "message-changes", Value: []byte(changeEvent(100+i, "tx"))}
		if err := producer.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := producer.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	code, stdout, stderr := command(t, "dry-run", "-c", w.config)
	if code != exitDone || stderr != "" || time.Since(begin) > 5*time.Second {
		t.Fatalf("exit code %d after %v, stderr %q", code, time.Since(begin), stderr)
	}
	if !strings.Contains(stdout, "(e100)") || strings.Contains(stdout, "(e101)") || !strings.Contains(stdout, "21 would be sent, 2 skipped") {
		t.Errorf("stdout:\n%s", stdout)
	}
}

// untouched sees that no group was joined, nothing committed and no topic made.
func (w *topicWorld) untouched(t *testing.T, commits map[int32]int64) {
	t.Helper()
	admin := kadm.NewClient(w.client)
	offsets, err := admin.FetchOffsets(t.Context(), "kafka-kustomer")
	if err != nil && len(commits) > 0 {
		t.Fatal(err)
	}
	got := make(map[int32]int64)
	offsets.Each(func(o kadm.OffsetResponse) { got[o.Partition] = o.At })
	if len(commits) == 0 {
		commits = map[int32]int64{}
	}
	if diff := cmp.Diff(commits, got); diff != "" {
		t.Errorf("offsets: -before +after:\n%s", diff)
	}
	topics, err := admin.ListTopics(t.Context())
	if err != nil || len(topics) != 1 {
		t.Errorf("topics %v, %v; want the source only", topics.Names(), err)
	}
	groups, err := admin.DescribeGroups(t.Context(), "kafka-kustomer")
	if g := groups["kafka-kustomer"]; err == nil && len(g.Members) > 0 {
		t.Errorf("the group has members: %v", g.Members)
	}
}

func TestDryRunWithoutBroker(t *testing.T) {
	code, stdout, stderr := command(t, "dry-run", "-c", configFile(t, minimalConfig))
	if code != exitFailure || !strings.Contains(stderr, "no broker of 127.0.0.1:1 answers") || strings.Contains(stdout, "records of") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

// What is shown is what is sent: a run over the same backlog makes the same requests.
func TestDryRunIsARun(t *testing.T) {
	var mu sync.Mutex
	var sent []string
	sim := kustomersim.New(kustomersim.Options{Script: &kustomersim.Script{}})
	t.Cleanup(sim.Close)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			mu.Lock()
			sent = append(sent, string(body))
			mu.Unlock()
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		sim.ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	// Of two partitions, which comes first is chance: only one has something new.
	w := newTopicWorld(t, "")
	w.commit(t, 0, 10)
	w.commit(t, 1, 10)
	var values []*kgo.Record
	for i := range 600 {
		values = append(values, &kgo.Record{Topic: "message-changes", Partition: 0, Value: []byte(changeEvent(i, fmt.Sprintf("m%d", i%130)))})
	}
	if err := w.client.ProduceSync(t.Context(), values...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	w.config = configFile(t, fmt.Sprintf("kafka: {brokers: [%q]}\nkustomer: {base_url: %q, api_key: k}\nadmin: {listen: ''}\nbatch: {linger: 2s, max_items: 90}\n", w.cluster.ListenAddrs()[0], api.URL))
	requests, summary := dryRunLines(t, "-c", w.config, "--limit", "0")
	if summary.Records != 600 || len(requests) < 2 || summary.RecordsPerItem < 2 {
		t.Fatalf("%+v", summary)
	}
	if len(sent) > 0 {
		t.Fatalf("the dry run has sent %q", sent)
	}
	cfg, err := config.Load(w.config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, cfg, wiring{log: zap.NewNop()}) }()
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(sent) }
	for deadline := time.Now().Add(30 * time.Second); count() < len(requests) && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	reference := regexp.MustCompile(`"_clientRef":"[^"]*\.`)
	items := func(body string) string { return reference.ReplaceAllString(body, `"_clientRef":"`) }
	show := make(map[string]bool)
	for _, r := range requests {
		show[items(r.Body)] = true
	}
	made := make(map[string]bool)
	for _, body := range sent {
		made[items(body)] = true
	}
	if diff := cmp.Diff(show, made); diff != "" {
		t.Errorf("-dry run +run:\n%s", diff)
	}
}
