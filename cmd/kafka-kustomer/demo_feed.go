package main

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/workload"
)

// events are those of the demo. Beside scripted trouble they are all healthy, so
// that nothing but the trouble is to be seen.
func (d *demo) events() *workload.Generator {
	cfg := workload.Config{Seed: d.seed, Messages: 2000, HotShare: 0.3}
	if !d.faults {
		cfg.Malformed, cfg.Failing, cfg.Poison = 0.001, 0.003, 0.0005
	}
	return workload.New(cfg)
}

// feed writes events to the source topic.
type feed struct {
	client *kgo.Client
	seeds  kgo.Opt // for other clients
	topic  string
	places kgo.TopicPartitioner // where a record with a key will be, as the client has it

	mu     sync.Mutex // guards what follows
	events *workload.Generator
	avro   [demoPartitions]*workload.Avro // who writes the events of a partition that are Avro
	sent   int
	asAvro int
	made   []time.Time // when each event was made, by its number; nil once nobody wants to know
	failed error       // the first record that the broker did not take
}

// avroEvery is how many events there are for one in Avro, of every kind of message: the
// changes of one message come in both forms.
const avroEvery = 4

func newFeed(w *world, events *workload.Generator) (*feed, error) {
	avro, err := w.schemas.register(0)
	if err != nil {
		return nil, err
	}
	partitioner := kgo.StickyKeyPartitioner(nil)
	seeds := kgo.SeedBrokers(w.kafka.ListenAddrs()...)
	client, err := kgo.NewClient(seeds, kgo.RecordPartitioner(partitioner), kgo.ProducerBatchCompression(kgo.NoCompression())) // it is all one process
	if err != nil {
		return nil, err
	}
	f := &feed{client: client, seeds: seeds, topic: w.cfg.Source.Topics[0].Name, events: events, made: []time.Time{}}
	f.places = partitioner.ForTopic(f.topic)
	for i := range f.avro {
		f.avro[i] = avro
	}
	return f, nil
}

func (f *feed) close() { f.client.Close() }

// run makes rate events a second until there are total of them, or, with total 0,
// until ctx ends, which then is no error. It returns when the broker has them.
func (f *feed) run(ctx context.Context, rate, total int) error {
	started, before := time.Now(), f.produced()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for total == 0 || f.produced() < total {
		select {
		case <-ctx.Done():
			if total > 0 {
				return ctx.Err()
			}
			return f.flush(context.WithoutCancel(ctx))
		case now := <-tick.C:
			due := before + int(now.Sub(started).Seconds()*float64(rate))
			if total > 0 {
				due = min(due, total)
			}
			f.makeUpTo(ctx, due, now)
		}
	}
	return f.flush(ctx)
}

func (f *feed) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := f.client.Flush(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil {
		return f.failed
	}
	return err
}

// makeUpTo makes events until there are as many as are due.
func (f *feed) makeUpTo(ctx context.Context, due int, now time.Time) {
	ctx = context.WithoutCancel(ctx) // what the truth knows of must be written
	for f.produced() < due {
		record, err := f.next(now)
		if err != nil {
			f.written(nil, err)
			continue
		}
		f.client.Produce(ctx, record, f.written)
	}
}

// next makes an event.
func (f *feed) next(now time.Time) (*kgo.Record, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.events.Next(now)
	f.sent++
	if f.made != nil {
		f.made = append(f.made, now)
	}
	r := &kgo.Record{Topic: f.topic, Key: e.Key, Value: e.Value}
	if e.Malformed || f.sent%avroEvery != 0 {
		return r, nil
	}
	f.asAvro++
	var err error
	r.Value, err = f.avro[f.places.Partition(r, demoPartitions)].Encode(e.Value)
	return r, err
}

// useSchema makes a partition's events that are Avro be written that way from now on.
func (f *feed) useSchema(partition int32, avro *workload.Avro) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.avro[partition] = avro
}

func (f *feed) written(_ *kgo.Record, err error) {
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.failed == nil {
			f.failed = err
		}
	}
}

// inAvro is how many of the events so far are Avro.
func (f *feed) inAvro() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asAvro
}

func (f *feed) produced() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent
}

// poison makes that share of the events to come poison.
func (f *feed) poison(share float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events.SetPoison(share)
}

// deadLetters is how many of the events so far must end in the dead-letter topic.
func (f *feed) deadLetters() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.events.Truth().DeadLetters()
}

// times hands over when each event was made, and forgets it.
func (f *feed) times() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	made := f.made
	f.made = nil
	return made
}
