package online

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/sink"
)

// Status is how a check ended.
type Status string

// The statuses.
const (
	OK      Status = "ok"
	Warning Status = "warning" // it will run, but look at this
	Failed  Status = "failed"  // it will not run, or not well
	Skipped Status = "skipped" // it could not be asked, or need not be
)

// Check is one check and what came of it.
type Check struct {
	Name      string        `json:"check"`
	Status    Status        `json:"status"`
	Found     string        `json:"found"`
	Next      string        `json:"next,omitempty"`       // what to check next; of a warning or a failure
	NotProven string        `json:"not_proven,omitempty"` // what is only likely although the check is ok
	Took      time.Duration `json:"-"`
}

// Topic is a topic that the connector writes to.
type Topic struct {
	Section     string // of the configuration: "results" or "dead_letter"
	Name        string
	Create      bool // it is created when missing
	Partitions  int32
	Replication int16
	Wants       int // bytes of the largest record that should fit
}

// Config says what to check.
type Config struct {
	Brokers []string  // host:port of the seeds
	Opts    []kgo.Opt // as of a run: TLS, login, client id
	Login   string    // "scram-sha-256 as alice", or empty for none

	Sources        []string // topics that are read
	Group          string
	Start, OnReset string // as the configuration has them
	Protocol       string
	InstanceID     string
	SessionTimeout time.Duration
	Writes         []Topic

	API               *sink.Sink
	BaseURL           string
	RequestsPerMinute int           // 0: by the quota headers
	Lease             time.Duration // a clock further off is a failure

	Registry *Registry // nil: there is none, and no check of it
}

// checkTimeout bounds what one check asks of Kafka or of the registry.
const checkTimeout = 10 * time.Second

// Run makes all checks, and returns when they have ended, or soon after ctx has.
func Run(ctx context.Context, cfg Config) []Check {
	return parallel(
		func() []Check { return checkKafka(ctx, &cfg) },
		func() []Check { return checkAPI(ctx, &cfg) },
		func() []Check { return checkRegistry(ctx, &cfg) },
	)
}

// parallel runs groups of checks at the same time, and returns their checks in the
// order of the groups.
func parallel(groups ...func() []Check) (all []Check) {
	results := make([][]Check, len(groups))
	var wg sync.WaitGroup
	for i, group := range groups {
		wg.Go(func() { results[i] = group() })
	}
	wg.Wait()
	for _, r := range results {
		all = append(all, r...)
	}
	return all
}

// timed runs one check, with a deadline of its own.
func timed(ctx context.Context, name string, check func(ctx context.Context, c *Check)) Check {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	c := Check{Name: name, Status: OK}
	begin := time.Now()
	check(ctx, &c)
	c.Took = time.Since(begin)
	return c
}

// found notes what an ok check found.
func (c *Check) found(format string, args ...any) { c.Found = fmt.Sprintf(format, args...) }

// warn, unless the check has failed already, and fail say what is wrong and what to
// check next. What was found before stays in front.
func (c *Check) warn(next, format string, args ...any) {
	if c.Status != Failed {
		c.Status = Warning
	}
	c.add(next, fmt.Sprintf(format, args...))
}

func (c *Check) fail(next, format string, args ...any) {
	c.Status = Failed
	c.add(next, fmt.Sprintf(format, args...))
}

func (c *Check) skip(format string, args ...any) {
	c.Status, c.Found = Skipped, fmt.Sprintf(format, args...)
}

func (c *Check) add(next, text string) {
	if c.Found != "" {
		text = c.Found + "; " + text
	}
	if c.Next != "" && next != "" {
		next = c.Next + "; " + next
	}
	c.Found = text
	if next != "" {
		c.Next = next
	}
}

// unproven notes what is only likely.
func (c *Check) unproven(format string, args ...any) {
	if c.NotProven != "" {
		c.NotProven += "; "
	}
	c.NotProven += fmt.Sprintf(format, args...)
}

// skipped are checks that an earlier failure left no way to make.
func skipped(why string, names ...string) []Check {
	checks := make([]Check, len(names))
	for i, name := range names {
		checks[i] = Check{Name: name}
		checks[i].skip("%s", why)
	}
	return checks
}

// plural is "1 partition" or "3 partitions".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
