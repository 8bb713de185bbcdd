package consumer

import (
	"bytes"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/canary"
)

func TestSlabsAreUsedAgainWithinBounds(t *testing.T) {
	var s slabs
	kept := make([]byte, 100)
	s.PutDecompressBytes(kept)
	s.PutDecompressBytes(make([]byte, maxSlabBytes+1)) // too large to be kept
	got := s.GetDecompressBytes(nil, kgo.CodecNone)
	if cap(got) != 100 || len(got) != 0 || &got[:1][0] != &kept[0] {
		t.Errorf("a slab of %d bytes, length %d, is not the one that was put", cap(got), len(got))
	}
	if got := s.GetDecompressBytes(nil, kgo.CodecNone); got != nil {
		t.Errorf("a slab of %d bytes came from nowhere", cap(got))
	}
	s.PutRecords(make([]kgo.Record, 10))
	s.PutRecords(make([]kgo.Record, maxSlabRecords+1))
	if got := s.GetRecords(11); cap(got) < 11 || cap(got) > maxSlabRecords {
		t.Errorf("room for %d records, want 11, and not the slab that is too large to be kept", cap(got))
	}
	if got := s.GetRecords(10); cap(got) != 10 || len(s.records) != 0 {
		t.Errorf("room for %d records, want the ten that were put; %d slabs left", cap(got), len(s.records))
	}
	for n := range 3 * keptSlabs {
		s.PutDecompressBytes(make([]byte, n+1))
	}
	least := len(s.bytes[0])
	for _, slab := range s.bytes {
		least = min(least, cap(slab))
	}
	if len(s.bytes) != keptSlabs || least <= keptSlabs {
		t.Errorf("%d slabs are kept, the smallest of %d bytes: larger ones take the place of smaller ones", len(s.bytes), least)
	}
}

// What a poll has copied is given back, and what was copied stays what it was.
func TestCollectGivesSlabsBack(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	var s slabs
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("in"), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.WithPools(&s))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	value := bytes.Repeat([]byte("value "), 100) // compressed, so that there are bytes to give back
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "in", Key: []byte("key"), Value: value}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	handle := &batcher.Assignment{Topic: "in"}
	c := &Consumer{
		cfg: Config{MaxEventBytes: 1 << 20}, dec: none{}, log: canary.Logger(t), problems: newProblems(canary.Logger(t)),
		tenures: map[Partition]*tenure{{"in", 0}: {handle: handle, next: -1}},
	}
	if err := c.collect(client.PollFetches(t.Context()), 1<<20); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bytes) != 1 || len(s.records) != 1 {
		t.Fatalf("%d slabs of bytes and %d of records were given back, want one of each", len(s.bytes), len(s.records))
	}
	scribble(s.bytes[0][:cap(s.bytes[0])])
	if r := c.fetched[0].Changes[0].Record; string(r.Key) != "key" || !bytes.Equal(r.Value, value) {
		t.Errorf("the copy is %q: %.20q…", r.Key, r.Value)
	}
}

// What no waiting cures asks for a person at once.
func TestLastingProblemsNeedAPerson(t *testing.T) {
	ps := newProblems(canary.Logger(t))
	for err, want := range map[error]bool{
		&replacedError{"in"}: true, &positionError{what: "position"}: true, errNoCommit: true,
		&responseTooLargeError{limit: 1}: true, errNoTopic: false, errTopicDeleted: false,
	} {
		ps.report(topicProblem("in"), err)
		if got := ps.list(); len(got) != 1 || got[0].Person != want {
			t.Errorf("%v: %+v, want a person: %v", err, got, want)
		}
	}
}
