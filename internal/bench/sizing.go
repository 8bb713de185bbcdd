package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Sizing runs the real program with default settings against a backlog, under the
// quota of each of Kustomer's plans, and counts what gets through a minute.
const (
	sizingWarmUp = time.Minute     // the pace is learned, and the first quota minute is over
	sizingTime   = 2 * time.Minute // whole quota minutes
)

// budgets are the requests a minute of Kustomer's plans.
var budgets = []int{300, 500, 1000, 2000}

// mixes are how often a message changes in what waits.
var mixes = []struct {
	title    string
	messages int // 0: as many as events
	merge    int // events an item, at most: for how many events there must be
}{
	{"each message once", 0, 1},
	{"10,000 messages in turn", 10_000, 5},
}

// sized is what got through.
type sized struct {
	budget           int
	mix              string
	events, items    float64 // a second
	puts, looks      float64 // a minute
	limited          int64   // 429s in all
	fill, eventsItem float64
	err              error
}

// progress is an answer of the surroundings while a run goes on.
type progress struct {
	Committed int64  `json:"committed"`
	Puts      int64  `json:"puts"`
	Gets      int64  `json:"gets"`
	Items     int64  `json:"items"`
	Accepted  int64  `json:"accepted"`
	Limited   int64  `json:"limited"`
	Error     string `json:"error,omitempty"`
}

func benchSizing(ctx context.Context, out io.Writer, dir string) error {
	binary, err := buildConnector(ctx, dir)
	if err != nil {
		return err
	}
	all := make([]sized, 0, len(budgets)*len(mixes))
	for _, mix := range mixes {
		for _, budget := range budgets {
			all = append(all, sized{budget: budget, mix: mix.title})
		}
	}
	var wait sync.WaitGroup
	for i := range all {
		mix := mixes[i/len(budgets)]
		// A request carries 100 items, and there may be no more of them than the quota.
		events := all[i].budget * 100 * mix.merge * int((sizingWarmUp+sizingTime).Minutes()+1) / 2
		messages := mix.messages
		if messages == 0 {
			messages = events
		}
		wait.Go(func() { all[i].err = all[i].measure(ctx, binary, dir, events, messages, fmt.Sprintf("sizing-%d", i)) })
	}
	wait.Wait()
	fmt.Fprintf(out, "\nSizing: a backlog under each quota, %v after %v, default settings\n%-28s %8s %10s %10s %12s %8s %8s %8s %6s\n", sizingTime, sizingWarmUp,
		"", "quota/min", "events/s", "items/s", "events/item", "items/PUT", "PUTs/min", "looks/min", "429s")
	for _, s := range all {
		if s.err != nil {
			return s.err
		}
		fmt.Fprintf(out, "%-28s %8d %10.0f %10.0f %12.2f %8.1f %8.0f %8.0f %6d\n",
			s.mix, s.budget, s.events, s.items, s.eventsItem, s.fill, s.puts, s.looks, s.limited)
	}
	return nil
}

// measure runs one world. It holds more events than can get through in the time.
func (s *sized) measure(ctx context.Context, binary, dir string, events, messages int, group string) error {
	w, err := startWorld(ctx, "-events", strconv.Itoa(events), "-messages", strconv.Itoa(messages), "-turn", "-quota", strconv.Itoa(s.budget))
	if err != nil {
		return err
	}
	defer w.end()
	file := filepath.Join(dir, group+".yaml")
	config := fmt.Appendf(nil, "kafka: {brokers: [\"%s\"]}\nsource: {topics: [%s], group: %s}\nkustomer: {base_url: \"%s\", api_key: bench}\nadmin: {listen: \"\"}\n",
		w.Brokers, topic, group, w.API)
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, binary, "run", "-c", file)
	if err := cmd.Start(); err != nil {
		return err
	}
	first, errFirst := w.progressAfter(ctx, group, sizingWarmUp)
	last, errLast := w.progressAfter(ctx, group, sizingTime)
	err = errors.Join(errFirst, errLast, cmd.Process.Signal(syscall.SIGTERM), cmd.Wait())
	if err == nil && last.Committed >= int64(events) {
		err = fmt.Errorf("%d events were too few to last", events)
	}
	minutes := sizingTime.Minutes()
	events64, items := float64(last.Committed-first.Committed), float64(last.Items-first.Items)
	s.events, s.items = events64/minutes/60, items/minutes/60
	s.puts, s.looks, s.limited = float64(last.Puts-first.Puts)/minutes, float64(last.Gets-first.Gets)/minutes, last.Limited
	s.fill, s.eventsItem = items/max(1, float64(last.Accepted-first.Accepted)), events64/max(1, items)
	return err
}

func (w *world) progressAfter(ctx context.Context, group string, after time.Duration) (p progress, err error) {
	select {
	case <-time.After(after):
	case <-ctx.Done():
		return p, ctx.Err()
	}
	if _, err := fmt.Fprintf(w.in, "progress %s\n", group); err != nil {
		return p, err
	}
	if err := w.lines.Decode(&p); err != nil {
		return p, err
	}
	if p.Error != "" {
		return p, errors.New(p.Error)
	}
	return p, nil
}

// progress tells how far a group is, without waiting.
func (s *surroundings) progress(ctx context.Context, group string) (p progress) {
	committed, err := s.committed(ctx, group)
	if err != nil {
		return progress{Error: err.Error()}
	}
	stats := s.sim.Load().Stats()
	return progress{
		Committed: committed, Puts: stats.Puts, Gets: stats.Gets, Items: stats.ItemsAccepted,
		Accepted: stats.OperationsAccepted, Limited: stats.RateLimited,
	}
}
