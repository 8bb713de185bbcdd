package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// runTimeout bounds one run of a program.
const runTimeout = 10 * time.Minute

// run is what one run of a program has shown.
type run struct {
	usage
	seconds float64 // by the clock, from the start to the last call or commit
	verdict
}

// program is what the events go through.
type program struct {
	name    string
	command func(p place, group string) ([]string, error)
	signal  bool // it does not end by itself
	judged  bool
}

func (o *options) benchWhole(ctx context.Context, out io.Writer, dir string) error {
	programs, err := o.programs(ctx, dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%-40s %24s %18s %27s\n", fmt.Sprintf("Whole, %d events, %d messages", o.events, o.messages),
		"processor µs/event", "peak MiB", "events/s by the clock")
	w, err := startWorld(ctx, o.events, o.messages)
	if err != nil {
		return err
	}
	defer w.end()
	medians := make([]float64, len(programs))
	for i, p := range programs {
		runs := make([]run, o.wholeRuns)
		for j := range runs {
			if runs[j], err = w.measure(ctx, dir, p, fmt.Sprintf("bench-%d-%d", i, j)); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
		o.show(out, p, runs)
		medians[i] = median(runs, o.micros)
	}
	fmt.Fprintf(out, "  that is %.1f times the floor that PUTs\n", medians[2]/medians[1])
	return nil
}

// benchAllocations shows what the whole allocates, by its own benchmark.
func (o *options) benchAllocations(ctx context.Context, out io.Writer) error {
	const name, pkg = "BenchmarkRun", module + "/cmd/kafka-kustomer"
	stdout, _, err := runIn(ctx, "", "go", "test", "-run=^$", "-bench="+pattern(name), "-benchmem",
		"-benchtime="+strconv.Itoa(o.events)+"x", pkg)
	if err != nil {
		return err
	}
	perEvent, err := parseBench(stdout, name)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  allocations: %.0f an event, %.0f bytes\n", perEvent["allocs/op"], perEvent["B/op"])
	return nil
}

// micros is the processor time of an event.
func (o *options) micros(r run) float64 {
	return float64(r.cpu.Nanoseconds()) / 1e3 / float64(o.events)
}

func (o *options) show(out io.Writer, p program, runs []run) {
	n := float64(o.events)
	fmt.Fprintf(out, "%-40s %24s %18s %27s\n", p.name,
		spread(runs, "%.2f", o.micros),
		spread(runs, "%.0f", func(r run) float64 { return float64(r.peak) / (1 << 20) }),
		spread(runs, "%.0f", func(r run) float64 { return n / r.seconds }))
	if !p.judged {
		return
	}
	fmt.Fprintf(out, "  per 1,000 events: %s PUTs, %s looks; %s items a PUT; every message is in its right state\n",
		spread(runs, "%.2f", func(r run) float64 { return float64(r.Stats.Puts) / n * 1000 }),
		spread(runs, "%.2f", func(r run) float64 { return float64(r.Stats.Gets) / n * 1000 }),
		spread(runs, "%.1f", func(r run) float64 { return float64(r.Stats.ItemsAccepted) / float64(r.Stats.OperationsAccepted) }))
}

func (o *options) programs(ctx context.Context, dir string) ([]program, error) {
	binary := filepath.Join(dir, "kafka-kustomer")
	if _, _, err := runIn(ctx, "", "go", "build", "-trimpath", "-o", binary, module+"/cmd/kafka-kustomer"); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	floor := func(which string) func(place, string) ([]string, error) {
		return func(p place, group string) ([]string, error) {
			return []string{
				self, "-floor", which, "-events", strconv.Itoa(o.events),
				"-brokers", p.Brokers, "-base", p.API, "-group", group,
			}, nil
		}
	}
	return []program{
		{name: "floor: poll and discard", command: floor(floorPoll)},
		{name: "floor: poll, splice, PUT", command: floor(floorPut)},
		{name: "kafka-kustomer run", signal: true, judged: true, command: func(p place, group string) ([]string, error) {
			file := filepath.Join(dir, group+".yaml")
			return []string{binary, "run", "-c", file}, os.WriteFile(file, settings(p, group), 0o600)
		}},
	}, nil
}

// settings are the defaults but for where, who, and a quota that no run meets.
func settings(p place, group string) []byte {
	return fmt.Appendf(nil, `kafka: {brokers: ["%s"]}
source: {topics: [%s], group: %s}
kustomer: {base_url: "%s", api_key: bench, requests_per_minute: 100000}
admin: {listen: ""}
`, p.Brokers, topic, group, p.API)
}

// world is the process of [surroundings].
type world struct {
	place
	cmd   *exec.Cmd
	lines *json.Decoder
	in    io.WriteCloser
	err   bytes.Buffer
}

func startWorld(ctx context.Context, events, messages int) (*world, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &world{cmd: exec.CommandContext(ctx, self, "-serve", "-events", strconv.Itoa(events), "-messages", strconv.Itoa(messages))}
	w.cmd.Stderr = &w.err
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	w.lines = json.NewDecoder(bufio.NewReader(out))
	if err := w.lines.Decode(&w.place); err != nil {
		w.end()
		return nil, fmt.Errorf("broker and API did not come up: %w\n%s", err, w.err.Bytes())
	}
	return w, nil
}

func (w *world) end() {
	w.in.Close()
	_ = w.cmd.Wait() // killed or not, it is over
}

// await waits until the group is through.
func (w *world) await(group string) (v verdict, err error) {
	if _, err := fmt.Fprintf(w.in, "await %s\n", group); err != nil {
		return v, err
	}
	if err := w.lines.Decode(&v); err != nil {
		return v, fmt.Errorf("broker and API ended: %w\n%s", err, w.err.Bytes())
	}
	if v.Error != "" {
		return v, errors.New(v.Error)
	}
	return v, nil
}

// measure takes all events through a program once.
func (w *world) measure(ctx context.Context, dir string, p program, group string) (r run, err error) {
	args, err := p.command(w.place, group)
	if err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	log, err := os.Create(filepath.Join(dir, group+".log"))
	if err != nil {
		return r, err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return r, err
	}
	through := make(chan error, 1)
	go func() {
		var err error
		r.verdict, err = w.await(group)
		r.seconds = time.Since(started).Seconds()
		if err == nil && p.signal {
			err = cmd.Process.Signal(syscall.SIGTERM)
		}
		through <- err
	}()
	if err := cmd.Wait(); err != nil {
		w.end() // and with it the wait
		<-through
		text, _ := os.ReadFile(log.Name())
		return r, fmt.Errorf("%w; the end of its output:\n%s", err, text[max(0, len(text)-4000):])
	}
	if err := <-through; err != nil {
		return r, err
	}
	if p.judged && r.Wrong > 0 {
		return r, fmt.Errorf("%d messages are not in the state they must be in: what it cost does not matter", r.Wrong)
	}
	r.usage = usageOf(cmd)
	return r, nil
}
