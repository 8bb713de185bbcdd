package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/config"
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
func (d *demo) account(ctx context.Context, cfg *config.Config, produced int) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := d.sim.Quiesce(ctx); err != nil {
		return fmt.Errorf("operations of the simulated API do not end: %w", err)
	}
	seeds := kgo.SeedBrokers(d.kafka.ListenAddrs()...)
	written, err := workload.Collect(ctx, cfg.Results.Topic, cfg.DeadLetter.Topic, seeds)
	if err != nil {
		return fmt.Errorf("reading the result and dead-letter topics: %w", err)
	}
	lag, err := groupLag(ctx, cfg.Source.Group, seeds)
	if err != nil {
		return fmt.Errorf("reading the group's lag: %w", err)
	}
	stats := d.sim.Stats()
	findings := d.events.Truth().Judge(d.state)
	fmt.Fprintf(d.out, "\n%d events in %d requests of %.1f items, %.2f looks an operation; %d replies were lost, %d operations overtook another\n\n",
		produced, stats.Puts, float64(stats.ItemsAccepted)/float64(max(1, stats.OperationsAccepted)),
		float64(stats.Gets)/float64(max(1, stats.OperationsAccepted)), stats.RepliesLost, stats.OperationsOvertaken)
	wrong := 0
	for _, c := range d.checks(stats, written, findings, lag) {
		mark := "ok   "
		if !c.ok {
			mark = "WRONG"
			wrong++
		}
		fmt.Fprintf(d.out, "  %s  %s\n", mark, c.text)
	}
	for i, f := range findings {
		if i == 10 {
			fmt.Fprintf(d.out, "         … and %d more\n", len(findings)-i)
			break
		}
		fmt.Fprintf(d.out, "         %v\n", f)
	}
	if wrong > 0 {
		return errors.New("the account is not right")
	}
	fmt.Fprintln(d.out, "\nEvery change is where it must be.")
	return nil
}

func (d *demo) checks(stats kustomersim.Stats, written *workload.Written, findings []workload.Finding, lag int64) []check {
	truth := d.events.Truth()
	breaches := int64(0)
	for _, n := range stats.Breaches {
		breaches += n
	}
	poison := 0
	for _, n := range truth.Poison {
		poison += n
	}
	twice := 0
	for _, n := range written.DeadLetters {
		if n != 1 {
			twice++
		}
	}
	unmatched := 0
	for op, n := range written.Accepted {
		if n != 1 || written.Completed[op] != 1 {
			unmatched++
		}
	}
	return []check{
		{len(findings) == 0, fmt.Sprintf("%d messages end in the state that their events say", len(truth.States))},
		{
			len(written.DeadLetters) == truth.DeadLetters() && twice == 0,
			fmt.Sprintf("%d dead letters, each once: %d malformed records, %d changes that the API refuses with all that is sent beside them, and %d of %d messages that it fails (found %d)",
				truth.DeadLetters(), truth.Malformed, poison, truth.DeadLetters()-truth.Malformed-poison, len(truth.Failing), len(written.DeadLetters)),
		},
		{
			unmatched == 0 && len(written.Accepted) == len(written.Completed) && len(written.Accepted) > 0,
			fmt.Sprintf("%d operations, each with one accepted and one completed event", len(written.Accepted)),
		},
		{lag == 0, fmt.Sprintf("the group's lag is %d", lag)},
		{breaches == 0, fmt.Sprintf("%d breaches of the API's contract", breaches)},
		{
			stats.FieldsBackByOrder+stats.FieldsBackByStamp+stats.NewerWhileOpen == 0,
			fmt.Sprintf("%d fields went back to an older value, %d changes overtook one that could still run",
				stats.FieldsBackByOrder+stats.FieldsBackByStamp, stats.NewerWhileOpen),
		},
	}
}

// state is what the simulated API holds of a message.
func (d *demo) state(id string) map[string]string {
	fields, _ := d.sim.Message(id)
	state := make(map[string]string, len(fields))
	for name, value := range fields {
		state[name] = string(value)
	}
	return state
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
