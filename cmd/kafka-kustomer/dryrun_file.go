package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/dryrun"
)

const (
	// maxPoll is how many records one poll of a run brings at most.
	maxPoll = 2000
	// maxFetch is about how many bytes of a file are handed over at once, as in a fetch
	// from Kafka: the core can say that it has enough only when it has them.
	maxFetch = 4 << 20
)

// readFile hands over the events of a file as the records of one partition. A
// line's number is its offset. Lines of white space only are passed over.
func (d *rehearsal) readFile(ctx context.Context, cfg *config.Config, stage *dryrun.Run) error {
	in, name := io.Reader(interruptedReader{ctx, os.Stdin}), d.fileName()
	if d.file != "-" {
		file, err := os.Open(d.file)
		if err != nil {
			return usageError{err}
		}
		defer file.Close()
		in = file
	}
	lines := lineReader{in: bufio.NewReaderSize(in, 64<<10), most: int(cfg.Limits.MaxEventBytes)}
	for read := 0; ctx.Err() == nil; {
		most := min(stage.Room(), maxPoll)
		if d.limit > 0 {
			most = min(most, d.limit-read)
		}
		changes, err := lines.next(most)
		read += len(changes)
		if len(changes) > 0 {
			if err := errors.Join(stage.Records(name, 0, changes), stage.Step()); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF), d.limit > 0 && read >= d.limit:
			return nil
		case err != nil && ctx.Err() == nil: // else the caller knows
			return fmt.Errorf("reading %s, line %d: %w", name, lines.number, err)
		}
	}
	return nil
}

// interruptedReader reads until ctx ends, also where nothing comes: a read of a pipe
// or a terminal can't be called off. After Ctrl-C its goroutine stays until the
// process, which ends now, is gone.
type interruptedReader struct {
	ctx context.Context
	in  io.Reader
}

func (r interruptedReader) Read(p []byte) (n int, err error) {
	if r.ctx.Err() != nil {
		return 0, r.ctx.Err()
	}
	done := make(chan struct{})
	var got int
	var failed error
	go func() { defer close(done); got, failed = r.in.Read(p) }()
	select {
	case <-done:
		return got, failed
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
}

// lineReader reads lines of which no more than is needed to see that they are too
// long is kept.
type lineReader struct {
	in     *bufio.Reader
	most   int
	number int64
}

// next reads up to n lines that hold something, fewer when they are long.
func (l *lineReader) next(n int) (changes []batcher.Change, err error) {
	for size := 0; len(changes) < n && size < maxFetch; {
		line, err := l.line()
		size += len(line)
		if line = bytes.TrimSpace(line); len(line) > 0 {
			c := batcher.Change{Offset: l.number, LeaderEpoch: -1, Record: batcher.Record{Value: line}}
			if len(line) > l.most {
				c.Verdict, c.Reason = batcher.Reject, batcher.Reason{Code: "oversize", Text: fmt.Sprintf("the line has more than %d bytes (limits.max_event_bytes)", l.most)}
			}
			changes = append(changes, c)
		}
		if err != nil {
			return changes, err
		}
	}
	return changes, nil
}

func (l *lineReader) line() (line []byte, err error) {
	l.number++
	for {
		part, err := l.in.ReadSlice('\n')
		if room := l.most + 2 - len(line); room > 0 {
			line = append(line, part[:min(len(part), room)]...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}
