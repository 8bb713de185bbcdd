package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/workload"
)

// check is one line of the closing account.
type check struct {
	ok   bool
	text string
}

// account compares what happened with the truth, line by line, and returns an
// error when a line is not right.
func (d *demo) account(ctx context.Context, produced int) error {
	limit, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := d.world.sim.Quiesce(limit); err != nil {
		return fmt.Errorf("operations of the simulated API do not end: %w", err)
	}
	written, err := d.collect(limit)
	if err != nil {
		return err
	}
	lag, err := d.lag(limit)
	if err != nil {
		return fmt.Errorf("reading the group's lag: %w", err)
	}
	stats := d.world.sim.Stats()
	findings := d.feed.events.Truth().Judge(d.state)
	var b strings.Builder
	writeCost(&b, produced, d.feed.inAvro(), stats)
	writeLatency(&b, latencies(d.feed.times(), written.Updated))
	wrong := writeChecks(&b, d.checks(stats, written, findings, lag), findings)
	if wrong == 0 {
		b.WriteString("\nEvery change is where it must be.")
	}
	d.show.say("%s", b.String())
	if wrong > 0 {
		return errors.New("the account is not right")
	}
	return nil
}

// writeCost tells what merging and full requests have saved.
func writeCost(w io.Writer, produced, avro int, stats kustomersim.Stats) {
	accepted := float64(max(1, stats.OperationsAccepted))
	fmt.Fprintf(w, "\n%s events in %s requests of %.1f items, %.2f looks an operation; %d replies were lost, %d operations overtook another\n",
		thousands(produced), thousands(int(stats.Puts)), float64(stats.ItemsAccepted)/accepted,
		float64(stats.Gets)/accepted, stats.RepliesLost, stats.OperationsOvertaken)
	fmt.Fprintf(w, "formats    %s events were Avro and %s JSON\n", thousands(avro), thousands(produced-avro))
	if saved := produced - int(stats.ItemsAccepted); saved > 0 {
		fmt.Fprintf(w, "merging    %s events were sent as %s items, which saved %s requests\n",
			thousands(produced), thousands(int(stats.ItemsAccepted)), thousands(int(float64(saved)*accepted/float64(max(1, stats.ItemsAccepted)))))
	}
	fmt.Fprintf(w, "requests   %s, %s of them refused for poison; one for each event would be %s, and 100 events a request, without merging and if none failed, %s\n",
		thousands(int(stats.Puts)), thousands(int(stats.Poisoned)), thousands(produced), thousands((produced+99)/100))
}

// writeLatency tells how long events took.
func writeLatency(w io.Writer, sorted []time.Duration) {
	if len(sorted) == 0 {
		return
	}
	at := func(share float64) string { return seconds(sorted[int(share*float64(len(sorted)-1))]) }
	fmt.Fprintf(w, "latency    from event to completed: median %s, p99 %s, longest %s, of %s events\n",
		at(0.5), at(0.99), at(1), thousands(len(sorted)))
}

// latencies is how long each event took from when it was made to when its operation
// was seen to have ended, the shortest first. made is by the event's number, from 1.
func latencies(made []time.Time, updated map[string]time.Time) []time.Duration {
	var all []time.Duration
	for i, at := range made {
		if done, ok := updated["e-"+strconv.Itoa(i+1)]; ok {
			all = append(all, done.Sub(at))
		}
	}
	slices.Sort(all)
	return all
}

// writeChecks writes the lines, and returns how many are wrong.
func writeChecks(w io.Writer, checks []check, findings []workload.Finding) (wrong int) {
	fmt.Fprintln(w)
	for _, c := range checks {
		mark := "ok   "
		if !c.ok {
			mark = "WRONG"
			wrong++
		}
		fmt.Fprintf(w, "  %s  %s\n", mark, c.text)
	}
	for i, f := range findings {
		if i == 10 {
			fmt.Fprintf(w, "         … and %d more\n", len(findings)-i)
			break
		}
		fmt.Fprintf(w, "         %v\n", f)
	}
	return wrong
}

// checks are the lines of the account: what must be so after any run, and how each
// trouble was come through.
func (d *demo) checks(stats kustomersim.Stats, written *workload.Written, findings []workload.Finding, lag int64) []check {
	truth := d.feed.events.Truth()
	breaches := -d.keyRefused // a client can't know that its key was revoked
	for _, n := range stats.Breaches {
		breaches += n
	}
	back := stats.FieldsBackByOrder + stats.FieldsBackByStamp
	applied := truth.Total + truth.Malformed - truth.DeadLetters()
	lines := []check{
		{len(findings) == 0, fmt.Sprintf("%d messages end in the state that their events say", len(truth.States))},
		{len(written.Updated) == applied, fmt.Sprintf("%d events must be named as updated in the result topic (found %d)", applied, len(written.Updated))},
		deadLetters(truth, written),
		operations(written),
		{lag == 0, fmt.Sprintf("the group's lag is %d", lag)},
		{breaches == 0, fmt.Sprintf("%d breaches of the API's contract", breaches)},
		{back+stats.NewerWhileOpen == 0, fmt.Sprintf("%d fields went back to an older value, %d changes overtook one that could still run", back, stats.NewerWhileOpen)},
	}
	for _, v := range d.verdicts {
		lines = append(lines, check{v.right(), v.String()})
	}
	return lines
}

func deadLetters(truth *workload.Truth, written *workload.Written) check {
	poison, twice := 0, 0
	for _, n := range truth.Poison {
		poison += n
	}
	for _, n := range written.DeadLetters {
		if n != 1 {
			twice++
		}
	}
	return check{
		len(written.DeadLetters) == truth.DeadLetters() && twice == 0,
		fmt.Sprintf("%d dead letters, each once: %d malformed records, %d changes that the API refuses with all that is sent beside them, and %d changes of the %d messages whose items it always fails (found %d)",
			truth.DeadLetters(), truth.Malformed, poison, truth.DeadLetters()-truth.Malformed-poison, len(truth.Failing), len(written.DeadLetters)),
	}
}

func operations(written *workload.Written) check {
	unmatched := 0
	for op, n := range written.Accepted {
		if n != 1 || written.Completed[op] != 1 {
			unmatched++
		}
	}
	return check{
		unmatched == 0 && len(written.Accepted) == len(written.Completed) && len(written.Accepted) > 0,
		fmt.Sprintf("%d operations, each with one accepted and one completed event", len(written.Accepted)),
	}
}

// state is what the simulated API holds of a message.
func (d *demo) state(id string) map[string]string {
	fields, _ := d.world.sim.Message(id)
	state := make(map[string]string, len(fields))
	for name, value := range fields {
		state[name] = string(value)
	}
	return state
}

// lag is what the group has not committed. A connector that still runs commits once a
// second, so it has some time for it.
func (d *demo) lag(ctx context.Context) (int64, error) {
	tries := 1
	if d.keep {
		tries = 20
	}
	for {
		lag, err := groupLag(ctx, d.world.cfg.Source.Group, d.feed.seeds)
		if tries--; err != nil || lag == 0 || tries == 0 {
			return lag, err
		}
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// groupLag sums the records between the group's offsets and the logs' ends.
func groupLag(ctx context.Context, group string, opts ...kgo.Opt) (int64, error) {
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	lags, err := kadm.NewClient(client).Lag(ctx, group)
	if err != nil {
		return 0, err
	}
	lag := lags[group]
	if err := lag.Error(); err != nil {
		return 0, err
	}
	return lag.Lag.Total(), nil
}
