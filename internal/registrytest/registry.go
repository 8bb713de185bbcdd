package registrytest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"kafka-kustomer/internal/child"
)

const (
	// startTimeout covers a first fetch over a slow line.
	startTimeout = 5 * time.Minute
	stopTimeout  = 15 * time.Second

	probeEvery   = 50 * time.Millisecond
	probeTimeout = 2 * time.Second

	api = "/apis/ccompat/v7"
)

// Registry is one that was started. Its methods may be called from several
// goroutines.
type Registry struct {
	java, home, dir string
	ports           *ports
	door            door

	close func() error // once

	mu   sync.Mutex // held while the process changes
	proc *child.Process
}

// Start opens a registry for a test, and closes it after the test, which fails
// when there is none. The log of the registry is shown when the test fails.
func Start(tb testing.TB) *Registry {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), startTimeout)
	defer cancel()
	r, err := Open(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("the registry's log ends with\n%s", r.lastWords())
		}
		if err := r.Close(); err != nil {
			tb.Error(err)
		}
	})
	return r
}

// Open starts an empty registry and returns when it answers, or with the tail of
// its log when it ends before. ctx bounds the start, and the fetching of the
// registry when this machine does not have it yet; half a minute is ample
// without, five minutes with it.
func Open(ctx context.Context) (*Registry, error) {
	r, err := open(ctx)
	if err != nil {
		return nil, fmt.Errorf("registrytest: %w", err)
	}
	return r, nil
}

func open(ctx context.Context) (*Registry, error) {
	java, err := findJava(ctx)
	if err != nil {
		return nil, err
	}
	home, err := Home(ctx)
	if err != nil {
		return nil, err
	}
	r := &Registry{java: java, home: home}
	r.close = sync.OnceValue(r.tearDown)
	if r.dir, err = os.MkdirTemp("", "registrytest-"); err != nil {
		return nil, err
	}
	if r.ports, err = claimPorts(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	r.door = door{addr: r.ports.door, to: r.ports.registry}
	if err := r.run(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	if err := r.door.unblock(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// URL is the address of Confluent's API. It never changes.
func (r *Registry) URL() string { return "http://" + r.ports.door + api }

// NativeURL is the address of Apicurio's own API, for its own serializers.
func (r *Registry) NativeURL() string { return "http://" + r.ports.door + "/apis/registry/v3" }

// run starts the process and waits until it is ready.
func (r *Registry) run(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.proc != nil && r.proc.Running() {
		return errors.New("it runs already")
	}
	log, err := os.OpenFile(r.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the child has its own copy
	cmd := exec.Command(r.java, r.args()...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.dir, log, log
	if r.proc, err = child.Start(cmd, nil); err != nil {
		return fmt.Errorf("start the registry: %w", err)
	}
	if err := r.awaitReady(ctx); err != nil {
		r.proc.Kill()
		return err
	}
	return nil
}

func (r *Registry) args() []string {
	host, port, _ := net.SplitHostPort(r.ports.registry)
	_, management, _ := net.SplitHostPort(r.ports.management)
	return []string{
		// A small heap is enough, and the plain collector and compiler start soonest.
		"-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dquarkus.http.host=" + host, "-Dquarkus.http.port=" + port,
		// Without these it listens on port 9000 of all addresses.
		"-Dquarkus.management.host=" + host, "-Dquarkus.management.port=" + management,
		// In a file instead of memory, so that a restart keeps it.
		"-Dapicurio.datasource.url=jdbc:h2:file:" + filepath.Join(r.dir, "contents"),
		"-jar", filepath.Join(r.home, starter),
	}
}

func (r *Registry) awaitReady(ctx context.Context) error {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		err := r.probe(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-r.proc.Exited():
			return fmt.Errorf("the registry ended by itself (%w); its last words:\n%s", r.proc.Err(), r.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("the registry is not ready: %w; last answer: %w; its last words:\n%s", ctx.Err(), err, r.lastWords())
		case <-tick.C:
		}
	}
}

// probe asks the process itself, past the door.
func (r *Registry) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.ports.registry+api+"/subjects", nil)
	if err != nil {
		return err
	}
	req.Close = true // no connection is left behind
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

// Block refuses new connections and resets the open ones, as if the registry, or
// the way to it, were down. It keeps running, and what it has.
func (r *Registry) Block() error { return wrap("block the registry", r.door.block()) }

// Unblock ends what Block began.
func (r *Registry) Unblock() error { return wrap("unblock the registry", r.door.unblock()) }

// Stop ends the process in order, or kills it after 15 seconds and says so, as it
// does with one that is paused. The door stays open: who comes is reset.
func (r *Registry) Stop() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return wrap("stop the registry", r.proc.Stop(stopTimeout))
}

// Restart starts a stopped registry again, at the same address and with what it
// had, and returns when it answers.
func (r *Registry) Restart(ctx context.Context) error {
	return wrap("restart the registry", r.run(ctx))
}

// Close ends the registry at once and removes its folder. It must be the last
// call; closing again does nothing.
func (r *Registry) Close() error { return r.close() }

func (r *Registry) tearDown() error {
	errs := []error{r.door.block()}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.proc != nil {
		r.proc.Kill()
	}
	if r.ports != nil {
		errs = append(errs, r.ports.claim.Close())
	}
	return wrap("close the registry", errors.Join(append(errs, os.RemoveAll(r.dir))...))
}

func (r *Registry) logFile() string { return filepath.Join(r.dir, "registry.log") }

// noise are the lines of a log that seldom explain an end.
var noise = regexp.MustCompile(`(?m)^(\S+ \S+ INFO .*|\s+at .*|\s+\.\.\. \d+ more)\n`)

// lastWords is the end of the log without noise, or with it when there is nothing else.
func (r *Registry) lastWords() string {
	log, err := os.ReadFile(r.logFile())
	if err != nil {
		return err.Error()
	}
	if words := lastLines(noise.ReplaceAll(log, nil), 20); words != "" {
		return words
	}
	return lastLines(log, 20)
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("registrytest: %s: %w", what, err)
	}
	return nil
}
