//go:build kafka

package registrytest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"kafka-kustomer/schemas/registry"
)

const (
	v1 = `{"type":"record","name":"E","fields":[{"name":"a","type":"string"}]}`
	v2 = `{"type":"record","name":"E","fields":[{"name":"a","type":"string"},{"name":"b","type":["null","long"],"default":null}]}`
	v3 = `{"type":"record","name":"E","fields":[{"name":"a","type":"long"}]}`
)

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// newClient asks with short pauses, and has kept nothing yet.
func newClient(t *testing.T, reg *Registry, timeout time.Duration) *registry.Client {
	t.Helper()
	client, err := registry.New(registry.Config{URLs: []string{reg.URL()}, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRegisterAndRead(t *testing.T) {
	ctx := testContext(t)
	reg := Start(t)
	client := newClient(t, reg, 0)
	id, err := client.Register(ctx, "events-value", v1)
	must(t, err)
	again, err := client.Register(ctx, "events-value", v1)
	must(t, err)
	if id != again || id.IsZero() {
		t.Errorf("ids %v and %v of one schema", id, again)
	}
	if s, err := client.Schema(ctx, id); err != nil || s.ID != id || s.Type != registry.Avro || s.Text != v1 {
		t.Errorf("%+v, %v", s, err)
	}
	var unknown *registry.UnknownError
	if _, err := client.Schema(ctx, registry.Number(4711)); !errors.As(err, &unknown) {
		t.Errorf("an id that nobody registered: %v", err)
	}
	if _, err := client.Lookup(ctx, "events-value", v2); !errors.As(err, &unknown) {
		t.Errorf("a schema that nobody registered: %v", err)
	}
}

func TestIncompatibleIsRefused(t *testing.T) {
	ctx := testContext(t)
	reg := Start(t)
	client := newClient(t, reg, 0)
	_, err := client.Register(ctx, "events-value", v1)
	must(t, err)
	admin, err := sr.NewClient(sr.URLs(reg.URL()))
	must(t, err)
	backward := sr.SetCompatibility{Level: sr.CompatBackward}
	must(t, admin.SetCompatibility(ctx, backward, "events-value")[0].Err)

	if _, err := client.Register(ctx, "events-value", v2); err != nil {
		t.Errorf("a field with a default: %v", err)
	}
	_, err = client.Register(ctx, "events-value", v3)
	var rejected *registry.RejectedError
	if !errors.As(err, &rejected) || rejected.Status != http.StatusConflict {
		t.Fatalf("another type: %v, want a 409", err)
	}
}

// Whatever happens to it, a registry keeps what it has and where it is.
func TestTrouble(t *testing.T) {
	ctx := testContext(t)
	reg := Start(t)
	id, err := newClient(t, reg, 0).Register(ctx, "events-value", v1)
	must(t, err)
	url := reg.URL()
	read := func(timeout time.Duration) error {
		_, err := newClient(t, reg, timeout).Schema(ctx, id)
		return err
	}
	down := func(what string) {
		t.Helper()
		var unavailable *registry.UnavailableError
		if err := read(200 * time.Millisecond); !errors.As(err, &unavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	back := func(what string) {
		t.Helper()
		if err := read(0); err != nil || reg.URL() != url {
			t.Errorf("%s: %v at %s", what, err, reg.URL())
		}
	}

	must(t, reg.Block())
	down("blocked")
	must(t, reg.Unblock())
	back("unblocked")

	must(t, reg.Pause())
	down("paused")
	must(t, reg.Resume())
	back("resumed")

	must(t, reg.Stop())
	down("stopped")
	must(t, reg.Restart(ctx))
	back("restarted")
	wantError(t, reg.Restart(ctx), "runs already")

	if err := reg.proc.Signal(syscall.SIGKILL); err != nil { // a stranger does it
		t.Fatal(err)
	}
	<-reg.proc.Exited()
	down("killed")
	must(t, reg.Restart(ctx))
	back("restarted after a kill")
	next, err := newClient(t, reg, 0).Register(ctx, "events-value", v2)
	if err != nil || next == id {
		t.Errorf("the next id is %v after %v, %v", next, id, err)
	}
}

// A registry that can't start says why, and leaves nothing behind.
func TestStartFails(t *testing.T) {
	reg := Start(t)
	must(t, reg.Stop())
	stranger, err := net.Listen("tcp", reg.ports.registry)
	must(t, err)
	defer stranger.Close()
	err = reg.Restart(testContext(t))
	wantError(t, err, "restart the registry", "ended by itself", stranger.Addr().String()[len("127.0.0.1:"):]+" seems to be in use")
	if strings.Contains(err.Error(), " INFO ") {
		t.Errorf("the reason is among others: %v", err)
	}
	if reg.proc.Running() {
		t.Error("it runs")
	}
	for range 2 {
		must(t, reg.Close())
	}
	if _, err := os.Stat(reg.dir); !os.IsNotExist(err) {
		t.Errorf("its folder stays: %v", err)
	}
}
