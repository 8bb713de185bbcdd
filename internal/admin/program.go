package admin

import (
	"context"
	"time"

	"kafka-kustomer/batcher"
)

// Program is what a server asks. The functions are called from many goroutines,
// and all but Release are needed.
type Program struct {
	// Snapshot asks the loop, and returns an error when ctx ends first.
	Snapshot func(ctx context.Context) (batcher.Snapshot, error)
	// Kafka tells of the consumer; it does not wait.
	Kafka func() Kafka
	// Schemas tells of the reading of records; it does not wait.
	Schemas func() Schemas
	// Unacknowledged is how long the oldest result event or dead letter that Kafka
	// has not acknowledged has been under way, 0 without one. It does not wait.
	Unacknowledged func(now time.Time) time.Duration
	// Release releases the brake and reports whether it held; nil when there is
	// none to release.
	Release func(ctx context.Context) (held bool, err error)
}

// Kafka is what the consumer knows.
type Kafka struct {
	Protocol string // that the group speaks, "" until it has answered
	Problems []Problem
	Lag      map[Partition]int64 // offsets from the last record read to the log's end
	Expired  uint64              // offsets that Kafka deleted before they were read
}

// Schemas is what is known of the schemas of records.
type Schemas struct {
	Waiting      int       // partitions whose next record waits for its schema
	Known        int       // schemas that the registry has given
	Unknown      int       // ids that it did not have, or not of use, when it was asked
	FailingSince time.Time // since when no attempt to ask it has succeeded; zero: all is well, or nobody asks
	Problems     []Problem // with the registry; Person: it refuses us
	// LeftOut is how many members the mapping of a topic has left out on purpose.
	LeftOut map[string]uint64
}

// Partition names one partition.
type Partition struct {
	Topic     string
	Partition int32
}

// Problem is something that is wrong with Kafka, or the schema registry, at the moment.
type Problem struct {
	Topic     string    // empty: not about a topic
	Partition int32     // -1: not about one partition
	Broker    string    // host:port, or empty
	Text      string    // what happened
	Check     string    // what to check next
	Since     time.Time // when it was first seen
	Person    bool      // it lasts until somebody sees to it
	Waits     bool      // a partition waits for the schema of its next record
}

// status is one look at the program; all that is told is derived from one.
type status struct {
	now      time.Time
	phase    phase
	since    time.Time // of the phase
	asked    bool      // there was a program to ask; without it, what follows is zero
	snapshot batcher.Snapshot
	silent   error // why the loop did not answer, nil when it did
	kafka    Kafka
	schemas  Schemas
	oldest   time.Duration // of what Kafka has not acknowledged
}

// phase is a part of the program's life.
type phase string

const (
	starting phase = "starting" // nothing runs yet
	running  phase = "running"
	draining phase = "draining" // until the end of the process
)
