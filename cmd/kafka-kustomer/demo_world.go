package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kfake"

	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/kustomersim"
)

// demoPartitions is how many the source topic has.
const demoPartitions = 6

// firstKey is the API key until one of the troubles changes it.
const firstKey = "demo"

// address is where one part of the demo listens. With --keep it is the usual port,
// or any when that is busy; without, any.
type address struct {
	flag, usual string
	at          string // as given, else empty
	explicit    bool
}

// addresses are those of the demo: of this machine alone unless somebody says otherwise.
type addresses struct{ broker, registry, api, status address }

func (a *addresses) flags(f *pflag.FlagSet) {
	a.broker = address{flag: "broker", usual: "127.0.0.1:9092"}
	a.registry = address{flag: "registry", usual: "127.0.0.1:8081"}
	a.api = address{flag: "listen", usual: "127.0.0.1:8089"}
	a.status = address{flag: "admin", usual: "127.0.0.1:8080"}
	usage := " (with --keep %s or, when it is busy, any; else any)"
	f.StringVar(&a.api.at, a.api.flag, "", fmt.Sprintf("`address` of the simulated API"+usage, a.api.usual))
	f.StringVar(&a.status.at, a.status.flag, "", fmt.Sprintf("`address` of the connector's status page"+usage, a.status.usual))
	f.StringVar(&a.registry.at, a.registry.flag, "", fmt.Sprintf("`address` of the schema registry"+usage, a.registry.usual))
	f.StringVar(&a.broker.at, a.broker.flag, "", fmt.Sprintf("`address` of the broker, on 127.0.0.1"+usage, a.broker.usual))
}

func (a *addresses) given(f *pflag.FlagSet) {
	for _, x := range []*address{&a.broker, &a.registry, &a.api, &a.status} {
		x.explicit = f.Changed(x.flag)
	}
}

// bind hands the address to listen. What was asked for must be had; a usual
// address that is busy is replaced by any other, with a word about it.
func (a address) bind(keep bool, say func(string, ...any), listen func(at string) error) error {
	const anywhere = "127.0.0.1:0"
	switch {
	case a.explicit:
		if err := listen(a.at); err != nil {
			return usageError{fmt.Errorf("--%s: %w", a.flag, err)}
		}
		return nil
	case !keep:
		return listen(anywhere)
	}
	err := listen(a.usual)
	if errors.Is(err, syscall.EADDRINUSE) {
		say("%s is busy: another port is taken; --%s sets one", a.usual, a.flag)
		return listen(anywhere)
	}
	return err
}

// world is what the connector meets: a broker, a schema registry and an API, and a page
// that tells of the connector itself.
type world struct {
	cfg     *config.Config
	kafka   *kfake.Cluster
	schemas *schemaRegistry
	sim     *kustomersim.Server
	script  atomic.Pointer[kustomersim.Script] // ours; somebody may have posted another
	api     *front
	status  *lateHandler
	page    string // base URL of the status page
	keyFile string
	closers []func() // the last first
}

// startWorld brings everything up but the connector. failing are the messages whose
// items the API fails.
func startWorld(d *demo, failing map[string]bool) (_ *world, err error) {
	w := &world{cfg: config.Default(), status: &lateHandler{}}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if err := w.startBroker(d); err != nil {
		return nil, fmt.Errorf("embedded broker: %w", err)
	}
	if err := w.startRegistry(d); err != nil {
		return nil, fmt.Errorf("embedded schema registry: %w", err)
	}
	folder, err := os.MkdirTemp("", "kafka-kustomer-demo-")
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, func() { _ = os.RemoveAll(folder) })
	w.keyFile = filepath.Join(folder, "api-key")
	if err := w.writeKey(firstKey); err != nil {
		return nil, err
	}
	if err := w.startAPI(d, failing); err != nil {
		return nil, fmt.Errorf("simulated API: %w", err)
	}
	if err := w.startStatus(d); err != nil {
		return nil, fmt.Errorf("status page: %w", err)
	}
	w.configure(d)
	return w, nil
}

func (w *world) close() {
	for i := len(w.closers) - 1; i >= 0; i-- {
		w.closers[i]()
	}
	w.closers = nil
}

func (w *world) writeKey(key string) error { return os.WriteFile(w.keyFile, []byte(key+"\n"), 0o600) }

func (w *world) startBroker(d *demo) error {
	return d.addresses.broker.bind(d.keep, d.show.say, func(at string) error {
		host, port, err := net.SplitHostPort(at)
		if err != nil {
			return err
		}
		number, err := strconv.Atoi(port)
		if err != nil || host != "127.0.0.1" && host != "localhost" {
			return fmt.Errorf("%s: the embedded broker listens on 127.0.0.1 only, on a port by its number", at)
		}
		w.kafka, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(number), kfake.SeedTopics(demoPartitions, w.cfg.Source.Topics[0].Name))
		if err == nil {
			w.closers = append(w.closers, w.kafka.Close)
		}
		return err
	})
}

func (w *world) startAPI(d *demo, failing map[string]bool) error {
	script := d.calm()
	w.script.Store(&script)
	w.sim = kustomersim.New(kustomersim.Options{
		Key: firstKey, Seed: d.seed, Script: &script,
		FailID: func(id string) bool { return failing[id] },
	})
	w.closers = append(w.closers, w.sim.Close)
	return d.addresses.api.bind(d.keep, d.show.say, func(at string) error {
		w.api = &front{handler: w.sim, at: at}
		if err := w.api.open(); err != nil {
			return err
		}
		w.closers = append(w.closers, w.api.close)
		return nil
	})
}

func (w *world) startStatus(d *demo) error {
	return d.addresses.status.bind(d.keep, d.show.say, func(at string) error {
		listener, err := net.Listen("tcp", at)
		if err != nil {
			return err
		}
		w.page = "http://" + listener.Addr().String()
		w.closers = append(w.closers, serve(listener, w.status))
		return nil
	})
}

// configure writes the connector's configuration. Its times are shorter than a real
// one's, because the simulator is quicker than Kustomer and a demo must end.
func (w *world) configure(d *demo) {
	w.cfg.Kafka.Brokers = w.kafka.ListenAddrs()
	w.cfg.SchemaRegistry.URLs = []string{w.schemas.url()}
	w.cfg.Admin.Listen = "" // served by the demo, which knows a free port
	k := &w.cfg.Kustomer
	k.BaseURL, k.APIKeyFile = "http://"+w.api.at, w.keyFile
	k.Timeout, k.LostReplyWait = 2*time.Second, 3*time.Second
	k.RequestsPerMinute = 1500
	k.ItemRetry = config.ItemRetry{Attempts: 2, Over: time.Second}
	if d.faults {
		// Trouble of seconds must show, and end, within seconds.
		k.Retry.Max = 2 * time.Second
		k.OverdueAfter, k.MaxOpenOperations = 2*time.Second, 8
		w.cfg.Batch.Linger = 250 * time.Millisecond
	}
}

// front is an address that can be closed, so that dials are refused, and opened again.
type front struct {
	handler http.Handler
	at      string
	stop    func() // nil while it is closed
}

// open listens.
func (f *front) open() error {
	listener, err := net.Listen("tcp", f.at)
	if err != nil {
		return err
	}
	f.at, f.stop = listener.Addr().String(), serve(listener, f.handler)
	return nil
}

// reopen listens again after close. It is patient: somebody may have the port by
// now, if only for a connection out.
func (f *front) reopen(ctx context.Context) error {
	retry := time.NewTicker(100 * time.Millisecond)
	defer retry.Stop()
	for attempts := 1; f.stop == nil; attempts++ {
		err := f.open()
		if err == nil || attempts == 50 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-retry.C:
		}
	}
	return nil
}

func (f *front) close() {
	if f.stop != nil {
		f.stop()
		f.stop = nil
	}
}

// serve serves until the returned function is called, which waits for the end.
func serve(listener net.Listener, handler http.Handler) (stop func()) {
	return background(func(ctx context.Context) { _ = serveUntil(ctx, listener, handler) })
}

// lateHandler answers 503 until there is somebody to answer.
type lateHandler struct{ handler atomic.Pointer[http.Handler] }

func (l *lateHandler) set(h http.Handler) { l.handler.Store(&h) }

func (l *lateHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := l.handler.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	http.Error(w, "the connector has not started yet", http.StatusServiceUnavailable)
}
