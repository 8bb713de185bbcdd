package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/workload"
)

// The run that measures latency: so few events that nothing waits but for the
// linger, and for the operation to be seen done.
const (
	latencyRate   = 20 // events a second
	latencyEvents = 400
)

// latency is how long events took from their record's time to the completed event
// that tells of them, in seconds.
type latency struct {
	Median, P99 float64
}

// benchLatency shows how long an event takes when there is nothing to wait for.
// Each run has a world of its own.
func (o *options) benchLatency(ctx context.Context, out io.Writer, dir string, events int) error {
	binary, err := buildConnector(ctx, dir)
	if err != nil {
		return err
	}
	runs := make([]latency, o.wholeRuns)
	for i := range runs {
		w, err := startWorld(ctx, "-events", strconv.Itoa(events), "-messages", strconv.Itoa(events), "-rate", strconv.Itoa(latencyRate))
		if err != nil {
			return err
		}
		p := connector(binary, dir, "kafka-kustomer run", "")
		r, err := w.measure(ctx, dir, p, fmt.Sprintf("latency-%d", i))
		w.end()
		if err != nil {
			return fmt.Errorf("latency: %w", err)
		}
		runs[i] = r.Latency
	}
	fmt.Fprintf(out, "\nFrom record to completed event, %d events a second, linger 1 s, operations of 20 to 320 ms\n  median %s s, 99th percentile %s s\n", latencyRate,
		spread(runs, "%.2f", func(l latency) float64 { return l.Median }), spread(runs, "%.2f", func(l latency) float64 { return l.P99 }))
	return nil
}

// trickle produces all events at the rate.
func (s *surroundings) trickle(ctx context.Context) error {
	tick := time.NewTicker(time.Second / time.Duration(s.rate))
	defer tick.Stop()
	for range s.total {
		select {
		case now := <-tick.C:
			e := s.events.Next(now)
			if err := s.client.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: e.Key, Value: e.Value, Timestamp: now}).FirstErr(); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// latencies reads the result topic, and the source for the records' times.
func (s *surroundings) latencies(ctx context.Context) (l latency, err error) {
	produced := make(map[position]time.Time)
	err = workload.Read(ctx, []string{topic}, func(r *kgo.Record) error {
		produced[position{r.Partition, r.Offset}] = r.Timestamp
		return nil
	}, kgo.SeedBrokers(s.brokers...))
	if err != nil {
		return l, err
	}
	var took []float64
	err = workload.Read(ctx, []string{resultsTopic}, func(r *kgo.Record) error {
		var event struct {
			Kind  string
			Times struct{ CompletedAt time.Time }
			Items []struct {
				Partition int32
				Events    []struct{ Offset int64 }
			}
		}
		if err := json.Unmarshal(r.Value, &event); err != nil || event.Kind != "completed" {
			return err
		}
		for _, it := range event.Items {
			for _, ev := range it.Events {
				took = append(took, event.Times.CompletedAt.Sub(produced[position{it.Partition, ev.Offset}]).Seconds())
			}
		}
		return nil
	}, kgo.SeedBrokers(s.brokers...))
	if err != nil {
		return l, err
	}
	if int64(len(took)) != s.total {
		return l, errors.New("the result topic tells of " + strconv.Itoa(len(took)) + " events")
	}
	slices.Sort(took)
	return latency{Median: took[len(took)/2], P99: took[len(took)*99/100]}, nil
}

type position struct {
	partition int32
	offset    int64
}
