package kafkatest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafka-kustomer/internal/child"
)

// A small heap is enough, and the plain collector and compiler start soonest.
var jvmFlags = []string{
	"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
	"-Dlog4j2.configurationFile=log4j2.properties",
}

const (
	// A broker stops within a second, the last of three in six: it waits for a
	// quorum that is gone.
	stopTimeout = 15 * time.Second

	probeEvery   = 50 * time.Millisecond
	probeTimeout = 500 * time.Millisecond
)

// node is one broker: its folder, which outlives the process, and the process.
type node struct {
	id         int32 // from 1
	dir        string
	addr       string // of the client listener
	java, libs string
	crashed    chan<- error // told of an end nobody asked for; never blocks

	mu   sync.Mutex     // held while the process changes
	proc *child.Process // nil before the first start
}

func (n *node) command(ctx context.Context, mainClass string, args ...string) *exec.Cmd {
	all := slices.Concat(jvmFlags, []string{"-cp", filepath.Join(n.libs, "*"), mainClass}, args)
	cmd := exec.CommandContext(ctx, n.java, all...)
	cmd.Dir = n.dir
	return cmd
}

// format writes the first state of an empty data folder.
func (n *node) format(ctx context.Context, clusterID string) error {
	out, err := n.command(ctx, "kafka.tools.StorageTool", "format", "-t", clusterID, "-c", "server.properties").CombinedOutput()
	if err != nil {
		return fmt.Errorf("format broker %d with %s: %w; Kafka %s needs Java 17 or later; its last words:\n%s",
			n.id, n.java, errors.Join(err, ctx.Err()), Version, lastLines(out, 10))
	}
	return nil
}

// start starts the process, which may take ctx's time until it is ready, that
// is: answers on its own port and knows all of members to be live.
func (n *node) start(ctx context.Context, members []int32) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.proc != nil && n.proc.Running() {
		return fmt.Errorf("broker %d runs already", n.id)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("start broker %d: %w", n.id, err)
	}
	console, err := os.OpenFile(n.path("console.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer console.Close() // the child has its own copy
	// Not ctx: it ends with the start, the broker lives until it is stopped.
	cmd := n.command(context.Background(), "kafka.Kafka", "server.properties")
	cmd.Stdout, cmd.Stderr = console, console
	n.proc, err = child.Start(cmd, n.onExit)
	if err != nil {
		return fmt.Errorf("start broker %d: %w", n.id, err)
	}
	if err := n.awaitReady(ctx, n.proc, members); err != nil {
		n.proc.Kill()
		return err
	}
	return nil
}

func (n *node) onExit(p *child.Process) {
	if p.Asked() {
		return
	}
	select {
	case n.crashed <- n.exitError(p):
	default: // one is enough
	}
}

func (n *node) exitError(p *child.Process) error {
	return fmt.Errorf("broker %d ended by itself (%w); its last words:\n%s", n.id, p.Err(), n.lastWords())
}

func (n *node) awaitReady(ctx context.Context, p *child.Process, members []int32) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(n.addr))
	if err != nil {
		return err
	}
	defer client.Close()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		err := probe(ctx, client, members)
		if err == nil {
			return nil
		}
		select {
		case <-p.Exited():
			return n.exitError(p)
		case <-ctx.Done():
			return fmt.Errorf("broker %d is not ready: %w; last answer: %w; its last words:\n%s", n.id, ctx.Err(), err, n.lastWords())
		case <-tick.C:
		}
	}
}

// probe asks the client's seed and no other broker: a client that knows the
// cluster would send its requests to any of them.
func probe(ctx context.Context, client *kgo.Client, members []int32) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // none; nil would mean all
	res, err := req.RequestWith(ctx, client.SeedBrokers()[0])
	if err != nil {
		return err
	}
	for _, id := range members {
		if !slices.ContainsFunc(res.Brokers, func(b kmsg.MetadataResponseBroker) bool { return b.NodeID == id }) {
			return fmt.Errorf("broker %d is not in its metadata yet", id)
		}
	}
	return nil
}

// kill ends the process with SIGKILL; nothing happens if none runs.
func (n *node) kill() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.proc != nil {
		n.proc.Kill()
	}
}

// stop ends the process with SIGTERM, after stopTimeout with SIGKILL.
func (n *node) stop() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.proc == nil || !n.proc.Running() {
		return nil
	}
	if err := n.proc.Stop(stopTimeout); err != nil {
		return fmt.Errorf("stop broker %d: %w; its last words:\n%s", n.id, err, n.lastWords())
	}
	return nil
}

func (n *node) path(name string) string { return filepath.Join(n.dir, name) }

// noise are the lines of a log that seldom explain an end: a failing broker
// logs its error, and then hundreds of lines about its orderly shutdown.
var noise = regexp.MustCompile(`(?m)^(\S+ INFO .*|\s+at .*|\s+\.\.\. \d+ more)\n`)

// lastWords returns what the process said at last, errors first.
func (n *node) lastWords() string {
	console, _ := os.ReadFile(n.path("console.log"))
	log, _ := os.ReadFile(n.path("broker.log"))
	log = log[max(0, len(log)-64<<10):]
	words := bytes.Join([][]byte{console, noise.ReplaceAll(log, nil)}, nil)
	if len(bytes.TrimSpace(words)) == 0 {
		words = log
	}
	return lastLines(words, 15) + "\n(from " + n.dir + ")"
}
