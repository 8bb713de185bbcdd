package dryrun

import (
	"errors"
	"fmt"
	"time"

	"kafka-kustomer/batcher"
	"kafka-kustomer/sink"
)

// Previewer makes the request of a batch without sending it.
type Previewer interface {
	Preview(b *batcher.Batch) sink.Request
}

// Decoder reads records. Package schemas has the real one.
type Decoder interface {
	Decode(topic string, partition int32, c *batcher.Change) error
}

// Config is what a dry run needs. Core is that of a run; the lease, the write-ahead
// of commits and the seed are set here.
type Config struct {
	Core          batcher.Config
	MaxEventBytes int // of key and value together, as the consumer counts
}

// Origin is the record that something came from.
type Origin struct {
	Topic     string
	Partition int32
	Offset    int64
	EventID   string
	// Change says which of the record's changes it is, from 1, of so many; both are 0
	// where it has only one.
	Change, Changes int
}

// Item is one item of a request: the changes of one message, oldest first.
type Item struct {
	MessageID string
	From      []Origin
}

// Request is a request that a run would send.
type Request struct {
	sink.Request
	BatchID string
	Closed  string // why the batch was cut: "size", "bytes", "time"
	Items   []Item
}

// Skipped is a record that holds nothing to send.
type Skipped struct {
	Origin
	Reason batcher.Reason
}

// DeadLetter is a record that would go to the dead-letter topic.
type DeadLetter struct {
	Origin
	Reason batcher.Reason
}

// Note is something else that a person should know.
type Note struct{ Text string }

// Event is a Request, a Skipped, a DeadLetter or a Note.
type Event any

// Totals are the numbers of a dry run.
type Totals struct {
	Records, Skipped, DeadLetters int
	Sent                          int // records whose changes are in a request
	Items, Requests               int
	BodyBytes                     int
	RecordBytes                   int // keys and values
}

// Run is a dry run under way.
type Run struct {
	cfg     Config
	core    *batcher.Core
	sender  Previewer
	decoder Decoder
	show    func(Event)

	now         time.Time
	assignments map[place]*batcher.Assignment
	paused      map[*batcher.Assignment]bool
	totals      Totals
	brakeHeld   bool
}

type place struct {
	topic     string
	partition int32
}

// New starts a dry run that shows what happens by calls of show.
func New(cfg Config, decoder Decoder, sender Previewer, show func(Event)) *Run {
	cfg.Core.BatchPrefix, cfg.Core.Seed = "dry-run", 1
	cfg.Core.Lease = 0 // there is no group
	return &Run{
		cfg: cfg, core: batcher.New(cfg.Core), sender: sender, decoder: decoder, show: show,
		// Any time will do, but not the zero one, which the core takes for none.
		now:         time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		assignments: make(map[place]*batcher.Assignment),
		paused:      make(map[*batcher.Assignment]bool),
	}
}

// Room is how many records a run would read now. It is never 0 after [Run.Step].
func (r *Run) Room() int {
	if len(r.paused) > 0 {
		return 0 // rather than that the caller reads around one partition
	}
	return r.core.Room()
}

// Begin tells where the group stands in a partition, if it is to be read from there:
// one that was not given back in order makes a run wait.
func (r *Run) Begin(start batcher.Start) {
	r.assignments[place{start.Topic, start.Partition}] = r.core.Assigned(r.now, start)
}

// Records hands over records of one partition, in its order. They are the run's
// from now on. An error is of the decoder's.
func (r *Run) Records(topic string, partition int32, changes []batcher.Change) error {
	at := place{topic, partition}
	a := r.assignments[at]
	if a == nil {
		r.Begin(batcher.Start{Topic: topic, Partition: partition, Offset: -1, LeaderEpoch: -1})
		a = r.assignments[at]
	}
	for i := range changes {
		if err := r.decode(a, &changes[i]); err != nil {
			return err
		}
	}
	r.core.Fetched(r.now, a, changes)
	return nil
}

func (r *Run) decode(a *batcher.Assignment, c *batcher.Change) error {
	size := len(c.Record.Key) + len(c.Record.Value)
	r.totals.Records++
	r.totals.RecordBytes += size
	switch {
	case c.Verdict != batcher.Send: // the caller knows: the end of a transaction, a line that was cut
	case r.cfg.MaxEventBytes > 0 && size > r.cfg.MaxEventBytes:
		c.Verdict = batcher.Reject
		c.Reason = batcher.Reason{Code: "oversize", Text: fmt.Sprintf("key and value are %d bytes, more than limits.max_event_bytes (%d)", size, r.cfg.MaxEventBytes)}
	default:
		if err := r.decoder.Decode(a.Topic, a.Partition, c); err != nil {
			return err
		}
	}
	if c.Verdict == batcher.Skip {
		r.totals.Skipped++
		r.show(Skipped{Origin{Topic: a.Topic, Partition: a.Partition, Offset: c.Offset, EventID: string(c.EventID)}, c.Reason})
	}
	return nil
}

// Step carries out what the core wants done at this moment, and lets the time pass
// until the core has room for more records.
func (r *Run) Step() error {
	for {
		until := r.carryOut()
		if r.Room() > 0 {
			return nil
		}
		if err := r.pass(until); err != nil {
			return err
		}
	}
}

// Finish lets the time pass until every record has met its end.
func (r *Run) Finish() (Totals, error) {
	for {
		until := r.carryOut()
		if r.core.Totals().Open == 0 {
			return r.totals, nil
		}
		if err := r.pass(until); err != nil {
			return r.totals, err
		}
	}
}

// pass lets the time pass until a moment. With nothing to wait for, and records
// still open, something of this package is wrong.
func (r *Run) pass(until time.Time) error {
	if !until.After(r.now) {
		return errors.New("dry-run: the core waits for something that never comes; please report this with the records that led here")
	}
	r.now = until
	return nil
}

// carryOut plays the world until the core has nothing more to do at this moment,
// and returns until when it waits.
func (r *Run) carryOut() (until time.Time) {
	for {
		switch d := r.core.Next(r.now).(type) {
		case batcher.Put:
			r.put(d.Batch)
		case batcher.Look:
			r.core.Polled(r.now, d.Operation, batcher.View{Kind: batcher.Complete, Results: updated(d.Operation.Batch), Calls: 1, Quota: batcher.NoQuota})
		case *batcher.Report:
			r.core.Reported(d)
		case *batcher.Bury:
			r.totals.DeadLetters++
			r.show(DeadLetter{originOf(d.Event), d.Reason})
			r.core.Buried(r.now, d)
		case *batcher.Commit:
			r.core.Committed(r.now, d) // CommitDone is the zero result
		case batcher.Pause:
			r.paused[d.Assignment] = true
		case batcher.Resume:
			delete(r.paused, d.Assignment)
		case batcher.Notice:
			r.notice(d)
		case batcher.Wait:
			return d.Until
		}
	}
}

func (r *Run) put(b *batcher.Batch) {
	request := Request{Request: r.sender.Preview(b), BatchID: b.ID, Closed: b.Reason.String(), Items: make([]Item, len(b.Items))}
	for i, it := range b.Items {
		request.Items[i] = Item{MessageID: it.MessageID, From: make([]Origin, len(it.Events))}
		for j, ev := range it.Events {
			request.Items[i].From[j] = originOf(ev)
			if n, _ := ev.Part(); n == 1 {
				r.totals.Sent++ // records
			}
		}
	}
	r.totals.Requests++
	r.totals.Items += len(b.Items)
	r.totals.BodyBytes += len(request.Body)
	r.show(request)
	r.core.Answered(r.now, b, batcher.Outcome{
		Kind: batcher.Accepted, Operation: b.ID, Complete: true, Status: 200,
		Sent: r.now, Answered: r.now, Quota: batcher.NoQuota,
	})
}

// notice is for the troubles there can be here: a partition that was not given back
// in order, and so many records that cannot be read that a run would hold the rest
// back.
func (r *Run) notice(n batcher.Notice) {
	switch n.Kind {
	case batcher.TakeoverBegun:
		r.show(Note{fmt.Sprintf("%s/%d was not given back in order: a run waits %v before its first request for it, and for the operations that its last commit names",
			n.Assignment.Topic, n.Assignment.Partition, n.Until.Sub(n.Since))})
	case batcher.BrakeHolds:
		if !r.brakeHeld {
			r.show(Note{"a run would stop dead-lettering here until somebody releases the brake (dead_letter.brake): " + n.Reason.Text})
		}
		r.brakeHeld = true
		r.core.ReleaseBrake(r.now)
	}
}

func originOf(ev *batcher.Event) Origin {
	o := Origin{Topic: ev.Assignment.Topic, Partition: ev.Assignment.Partition, Offset: ev.Offset, EventID: string(ev.EventID)}
	if n, of := ev.Part(); of > 1 {
		o.Change, o.Changes = n, of
	}
	return o
}

// updated are the results of a batch; none of an operation of an earlier owner, of
// which nothing but its end matters.
func updated(b *batcher.Batch) []batcher.ItemResult {
	if b == nil {
		return nil
	}
	results := make([]batcher.ItemResult, len(b.Items))
	for i := range results {
		results[i].Status = batcher.Updated
	}
	return results
}
