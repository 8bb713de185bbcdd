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
	floor   bool // the others are told as so many times this one
}

func (o *options) benchWhole(ctx context.Context, out io.Writer, dir string) error {
	fmt.Fprintf(out, "\n%-40s %24s %18s %27s\n", fmt.Sprintf("Whole, %d events", o.events),
		"processor µs/event", "peak MiB", "events/s by the clock")
	for i, s := range settings {
		if o.embedded && s.real {
			continue
		}
		if err := o.benchSetting(ctx, out, dir, s, i); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
	}
	return nil
}

func (o *options) benchSetting(ctx context.Context, out io.Writer, dir string, s setting, number int) error {
	programs, err := o.programs(ctx, dir, s)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s, %d messages\n", s.title, s.count(o))
	w, err := startWorld(ctx, s.serve(o)...)
	if err != nil {
		return err
	}
	defer w.end()
	floor := 0.
	for i, p := range programs {
		runs := make([]run, o.wholeRuns)
		for j := range runs {
			if runs[j], err = w.measure(ctx, dir, p, fmt.Sprintf("bench-%d-%d-%d", number, i, j)); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
		o.show(out, p, runs)
		cost := median(runs, o.micros)
		if p.floor {
			floor = cost
		}
		if p.judged && floor > 0 {
			fmt.Fprintf(out, "    that is %.1f times the floor that PUTs\n", cost/floor)
		}
	}
	return nil
}

// benchAllocations shows what the whole allocates, by its own benchmark.
func (o *options) benchAllocations(ctx context.Context, out io.Writer) error {
	const name, pkg = "BenchmarkRun", module + "/cmd/kafka-kustomer"
	runs := make([]map[string]float64, o.wholeRuns)
	for i := range runs {
		stdout, _, err := runIn(ctx, "", "go", "test", "-run=^$", "-bench="+pattern(name), "-benchmem",
			"-benchtime="+strconv.Itoa(o.events)+"x", pkg)
		if err != nil {
			return err
		}
		if runs[i], err = parseBench(stdout, name); err != nil {
			return err
		}
	}
	of := func(unit string) func(map[string]float64) float64 {
		return func(r map[string]float64) float64 { return r[unit] }
	}
	fmt.Fprintf(out, "\nAllocations of the whole, embedded broker: %s an event, %s bytes\n",
		spread(runs, "%.1f", of("allocs/op")), spread(runs, "%.0f", of("B/op")))
	return nil
}

// micros is the processor time of an event.
func (o *options) micros(r run) float64 {
	return float64(r.cpu.Nanoseconds()) / 1e3 / float64(o.events)
}

func (o *options) show(out io.Writer, p program, runs []run) {
	n := float64(o.events)
	fmt.Fprintf(out, "%-40s %24s %18s %27s\n", "  "+p.name,
		spread(runs, "%.2f", o.micros),
		spread(runs, "%.0f", func(r run) float64 { return float64(r.peak) / (1 << 20) }),
		spread(runs, "%.0f", func(r run) float64 { return n / r.seconds }))
	if !p.judged {
		return
	}
	fmt.Fprintf(out, "    per 1,000 events: %s PUTs, %s looks; %s items a PUT; every message is in its right state\n",
		spread(runs, "%.2f", func(r run) float64 { return float64(r.Stats.Puts) / n * 1000 }),
		spread(runs, "%.2f", func(r run) float64 { return float64(r.Stats.Gets) / n * 1000 }),
		spread(runs, "%.1f", func(r run) float64 { return float64(r.Stats.ItemsAccepted) / float64(r.Stats.OperationsAccepted) }))
}

// world is the process of [surroundings].
type world struct {
	place
	cmd   *exec.Cmd
	lines *json.Decoder
	in    io.WriteCloser
	err   bytes.Buffer
}

func startWorld(ctx context.Context, args ...string) (*world, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &world{cmd: exec.CommandContext(ctx, self, append([]string{"-serve"}, args...)...)}
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
