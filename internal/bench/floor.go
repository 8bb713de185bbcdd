package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The floors.
const (
	floorPoll = "poll"
	floorPut  = "put"
)

// floor is a program that does the least: it polls all events and, as floorPut,
// cuts each patch out by its place in the text and PUTs it with 99 others. It
// checks nothing, merges nothing, waits for no operation, and commits once, at
// the end.
type floor struct {
	client *kgo.Client
	put    bool
	url    string

	body  []byte
	items int
}

func (o *options) runFloor(ctx context.Context) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(o.brokers, ",")...), kgo.ConsumerGroup(o.group), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// As the connector has it.
		kgo.FetchMaxBytes(8<<20), kgo.FetchMaxPartitionBytes(1<<20), kgo.MaxConcurrentFetches(2),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	f := &floor{client: client, put: o.floor == floorPut, url: o.base + "/v1/messages/bulk"}
	for n := 0; n < o.events; {
		fetches := client.PollRecords(ctx, 2000)
		if err := fetches.Err(); err != nil {
			return err
		}
		n += fetches.NumRecords()
		if !f.put {
			continue
		}
		for r := range fetches.RecordsAll() {
			if err := f.add(ctx, r.Value); err != nil {
				return err
			}
		}
	}
	if err := f.flush(ctx); err != nil {
		return err
	}
	return client.CommitUncommittedOffsets(ctx)
}

var (
	beforeID    = []byte(`"messageId":"`)
	beforePatch = []byte(`"changes":{`)
)

func (f *floor) add(ctx context.Context, event []byte) error {
	_, id, found := bytes.Cut(event, beforeID)
	end := bytes.IndexByte(id, '"')
	_, patch, foundPatch := bytes.Cut(event, beforePatch)
	if !found || !foundPatch || end < 0 {
		return fmt.Errorf("an event of %d bytes is not what the floor expects", len(event))
	}
	f.body = append(f.body, `,{"id":"`...)
	f.body = append(append(f.body, id[:end]...), `",`...)
	f.body = append(f.body, patch[:len(patch)-1]...) // with the item's closing brace
	if f.items++; f.items < 100 {
		return nil
	}
	return f.flush(ctx)
}

func (f *floor) flush(ctx context.Context) error {
	if f.items == 0 {
		return nil
	}
	f.body[0] = '['
	f.body = append(f.body, ']')
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, f.url, bytes.NewReader(f.body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer bench")
	r.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if _, err := io.Copy(io.Discard, reply.Body); err != nil {
		return err
	}
	f.body, f.items = f.body[:0], 0
	return nil
}
