package registrytest

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"
)

func TestDoor(t *testing.T) {
	arrived := make(chan struct{}, 1)
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			arrived <- struct{}{}
			<-r.Context().Done()
			return
		}
		_, _ = w.Write([]byte("hello"))
	}))
	defer behind.Close()
	p, err := claimPorts()
	if err != nil {
		t.Fatal(err)
	}
	defer p.claim.Close()
	d := &door{addr: p.door, to: behind.Listener.Addr().String()}
	client := &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
	get := func(path string) error {
		resp, err := client.Get("http://" + p.door + path)
		if err == nil {
			err = resp.Body.Close()
		}
		return err
	}
	refused := func() bool { return errors.Is(get("/"), syscall.ECONNREFUSED) }

	if !refused() {
		t.Error("a door that was not opened lets in")
	}
	for range 2 { // opened again, it does nothing
		if err := d.unblock(); err != nil {
			t.Fatal(err)
		}
	}
	if err := get("/"); err != nil {
		t.Fatal(err)
	}

	hanging := make(chan error, 1)
	go func() { hanging <- get("/hang") }()
	<-arrived
	for range 2 {
		if err := d.block(); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-hanging; err == nil || errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the open request: %v", err)
	}
	if !refused() {
		t.Error("a shut door lets in")
	}
	if err := d.unblock(); err != nil {
		t.Fatal(err)
	}
	if err := get("/"); err != nil {
		t.Errorf("opened again: %v", err)
	}
	client.CloseIdleConnections()
	waitFor(t, func() bool { return d.count() == 0 })
	if err := d.block(); err != nil {
		t.Error(err)
	}
}

func (d *door) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.open)
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come to that")
		}
	}
}

// Who comes when nothing is behind the door is reset, not left waiting.
func TestDoorToNothing(t *testing.T) {
	p, err := claimPorts()
	if err != nil {
		t.Fatal(err)
	}
	defer p.claim.Close()
	d := &door{addr: p.door, to: p.registry}
	if err := d.unblock(); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: 20 * time.Second}
	if resp, err := client.Get("http://" + p.door); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v, %v", resp, err)
	}
	if err := d.block(); err != nil {
		t.Error(err)
	}
}

func TestClaimedPortsAreApart(t *testing.T) {
	seen := map[string]bool{}
	for range 20 {
		p, err := claimPorts()
		if err != nil {
			t.Fatal(err)
		}
		defer p.claim.Close()
		for _, addr := range []string{p.claim.Addr().String(), p.door, p.registry, p.management} {
			if seen[addr] {
				t.Errorf("%s given twice", addr)
			}
			seen[addr] = true
		}
	}
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	taken := stranger.Addr().(*net.TCPAddr).Port
	if _, err := claimBlock(taken - 2); err == nil {
		t.Error("a block with a taken port was claimed")
	}
}
