package kafkatest

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"text/template"

	"golang.org/x/sync/errgroup"
)

var (
	//go:embed log4j2.properties
	log4j2 []byte

	//go:embed server.properties.tmpl
	serverText     string
	serverTemplate = template.Must(template.New("server.properties").Parse(serverText))
)

// Options says what to start. The zero value is one broker in a temporary folder.
type Options struct {
	// Brokers is 1 (also if 0) or 3. Three replicate every topic three times
	// and need two replicas in sync.
	Brokers int

	// Dir keeps the brokers' data and logs. A later Start finds the data again,
	// with the same number of brokers only. Empty: a temporary folder, which
	// Close removes.
	Dir string

	// Port is where the first broker listens, the others on the next ports; 31
	// ports after it may be used. 0: free ports, safe among processes.
	Port int

	// Listeners are further listeners, after PLAINTEXT, with their security
	// protocol; their settings go into Properties. See [Cluster.Listener].
	Listeners []Listener

	// Properties are added to server.properties of each broker, and win.
	Properties map[string]string

	// Java is the java command. Empty: that of $JAVA_HOME, or else of PATH.
	Java string
}

// Listener is one more way into each broker, say {"TLS", "SSL"}.
type Listener struct{ Name, Protocol string }

// Cluster is a running Kafka of one or three brokers. Its methods may be called
// from several goroutines. Brokers are counted from 0; their node ids from 1.
type Cluster struct {
	nodes     []*node
	ports     *portBlock
	listeners []Listener
	remove    string // the temporary folder, or ""
	crashed   chan error
	close     func() error // once
}

// Start starts brokers and returns when all of them are ready. It fails as soon
// as one of them ends, with the tail of its log. ctx bounds the start, and the
// fetching of Kafka when this machine does not have it yet; a deadline of a
// minute is ample without, of five with it.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Brokers == 0 {
		o.Brokers = 1
	}
	if o.Brokers != 1 && o.Brokers != 3 {
		return nil, fmt.Errorf("kafkatest: %d brokers asked for: 1 or 3 are possible", o.Brokers)
	}
	if len(o.Listeners) > maxKinds-2 {
		return nil, fmt.Errorf("kafkatest: %d further listeners asked for: %d are possible", len(o.Listeners), maxKinds-2)
	}
	java, err := findJava(o.Java)
	if err != nil {
		return nil, fmt.Errorf("kafkatest: %w", err)
	}
	libs, err := Libs(ctx)
	if err != nil {
		return nil, fmt.Errorf("kafkatest: %w", err)
	}
	c := &Cluster{listeners: o.Listeners, crashed: make(chan error, 1)}
	c.close = sync.OnceValue(c.tearDown)
	if err := c.start(ctx, o, java, libs); err != nil {
		return nil, fmt.Errorf("kafkatest: %w", errors.Join(err, c.Close()))
	}
	return c, nil
}

func findJava(java string) (string, error) {
	if home := os.Getenv("JAVA_HOME"); java == "" && home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	if java == "" {
		java = "java"
	}
	path, err := exec.LookPath(java)
	if err != nil {
		return "", fmt.Errorf("no Java: %w; install a JDK, version 17 or later, or set JAVA_HOME", err)
	}
	return filepath.Abs(path)
}

func (c *Cluster) start(ctx context.Context, o Options, java, libs string) error {
	dir := o.Dir
	var err error
	if dir == "" {
		dir, err = os.MkdirTemp("", "kafkatest-")
		c.remove = dir
	} else if dir, err = filepath.Abs(dir); err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return err
	}
	if c.ports, err = claimPorts(o.Port, 2+len(o.Listeners), o.Brokers); err != nil {
		return err
	}
	clusterID, err := identity(dir, o.Brokers)
	if err != nil {
		return err
	}
	for i := range o.Brokers {
		n := &node{
			id:  int32(i + 1),
			dir: filepath.Join(dir, fmt.Sprintf("broker-%d", i+1)), addr: loopback(c.ports.port(0, i)),
			java: java, libs: libs, crashed: c.crashed,
		}
		if err := c.writeFiles(n, i, o); err != nil {
			return err
		}
		c.nodes = append(c.nodes, n)
	}
	return c.boot(ctx, clusterID)
}

// identity returns the cluster's id, the same for all its brokers and starts.
func identity(dir string, brokers int) (string, error) {
	path := filepath.Join(dir, "cluster")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		var id [16]byte
		rand.Read(id[:])
		id[0] &= 0x7f // so that its text begins with a letter: Kafka's tool takes "-" for a flag
		text = fmt.Appendf(nil, "%s %d\n", base64.RawURLEncoding.EncodeToString(id[:]), brokers)
		return strings.Fields(string(text))[0], os.WriteFile(path, text, 0o644)
	}
	if err != nil {
		return "", err
	}
	var id string
	var was int
	if _, err := fmt.Sscan(string(text), &id, &was); err != nil || was != brokers {
		return "", fmt.Errorf("%s does not belong to a cluster of %d; ask for the number of brokers it names, or for another folder", path, brokers)
	}
	return id, nil
}

// writeFiles writes a node's settings anew at each start, as its ports change.
func (c *Cluster) writeFiles(n *node, i int, o Options) error {
	if err := os.MkdirAll(n.dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(n.path("log4j2.properties"), log4j2, 0o644); err != nil {
		return err
	}
	f, err := os.Create(n.path("server.properties"))
	if err != nil {
		return err
	}
	all := append([]Listener{{"PLAINTEXT", "PLAINTEXT"}, {"CONTROLLER", "PLAINTEXT"}}, o.Listeners...)
	var listeners, protocols, voters []string
	for kind, l := range all {
		listeners = append(listeners, l.Name+"://"+loopback(c.ports.port(kind, i)))
		protocols = append(protocols, l.Name+":"+l.Protocol)
	}
	for j := range o.Brokers {
		voters = append(voters, fmt.Sprintf("%d@%s", j+1, loopback(c.ports.port(1, j))))
	}
	err = serverTemplate.Execute(f, map[string]any{
		"ID": n.id, "Brokers": o.Brokers, "MinISR": (o.Brokers + 1) / 2, "Extra": o.Properties,
		"Listeners": strings.Join(listeners, ","), "Protocols": strings.Join(protocols, ","), "Voters": strings.Join(voters, ","),
	})
	return errors.Join(err, f.Close())
}

// boot starts all nodes side by side; the first failure gives up the others.
func (c *Cluster) boot(ctx context.Context, clusterID string) error {
	members := make([]int32, len(c.nodes))
	for i, n := range c.nodes {
		members[i] = n.id
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, n := range c.nodes {
		group.Go(func() error {
			if _, err := os.Stat(n.path("data/meta.properties")); err != nil {
				if err := n.format(ctx, clusterID); err != nil {
					return err
				}
			}
			return n.start(ctx, members)
		})
	}
	return group.Wait()
}

// Brokers returns the addresses of all brokers, running or not, for clients
// without security.
func (c *Cluster) Brokers() []string { return c.addresses(0) }

// Listener returns the addresses of the listener of that name in
// Options.Listeners, one a broker; nil if there is none.
func (c *Cluster) Listener(name string) []string {
	for i, l := range c.listeners {
		if l.Name == name {
			return c.addresses(2 + i)
		}
	}
	return nil
}

func (c *Cluster) addresses(kind int) []string {
	all := make([]string, len(c.nodes))
	for i := range c.nodes {
		all[i] = loopback(c.ports.port(kind, i))
	}
	return all
}

// Kill ends broker i as kill -9 does and waits until it is gone. It waits for a
// Restart of the same broker that is under way.
func (c *Cluster) Kill(i int) { c.nodes[i].kill() }

// Stop ends broker i in order (SIGTERM) and waits for that, at most 15 seconds;
// then it kills it and says so. A broker that does not run is no error.
func (c *Cluster) Stop(i int) error {
	if err := c.nodes[i].stop(); err != nil {
		return fmt.Errorf("kafkatest: %w", err)
	}
	return nil
}

// Restart starts broker i again, on its port and with its data, and returns
// when it is ready: 2 to 7 seconds, of which 2 or 3 go by after a Kill because
// the broker's former session has to end. A running broker is stopped first.
func (c *Cluster) Restart(ctx context.Context, i int) error {
	n := c.nodes[i]
	if err := n.stop(); err != nil {
		return fmt.Errorf("kafkatest: %w", err)
	}
	if err := n.start(ctx, []int32{n.id}); err != nil {
		return fmt.Errorf("kafkatest: %w", err)
	}
	return nil
}

// Wait returns nil when ctx ends, or before that the reason why a broker ended
// that was neither stopped nor killed.
func (c *Cluster) Wait(ctx context.Context) error {
	select {
	case err := <-c.crashed:
		return fmt.Errorf("kafkatest: %w", err)
	case <-ctx.Done():
		return nil
	}
}

// Close ends all brokers at once and gives up their ports and the temporary
// folder. It kills: an orderly stop of three takes six seconds, and nobody reads
// their data again. To keep data in Options.Dir tidy, Stop each broker before.
// It must be the last call; closing again does nothing.
func (c *Cluster) Close() error { return c.close() }

func (c *Cluster) tearDown() error {
	for _, n := range c.nodes {
		n.kill()
	}
	var errs []error
	if c.ports != nil {
		errs = append(errs, c.ports.release())
	}
	if c.remove != "" {
		errs = append(errs, os.RemoveAll(c.remove))
	}
	return errors.Join(errs...)
}
