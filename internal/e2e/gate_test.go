//go:build kafka && linux

package e2e

import (
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// gate is a TCP proxy that can be shut: then a dial to it is refused, as one to
// a host that is down, and what was connected is cut.
type gate struct {
	t       *testing.T
	address string
	to      string
	silent  atomic.Bool    // what comes in vanishes, both ways, and nobody is told
	heard   func(b []byte) // when set, told of what goes to the server

	mu       sync.Mutex
	listener net.Listener // nil while shut
	conns    map[net.Conn]struct{}
	wg       sync.WaitGroup
}

// openGate returns a gate to the server at the URL. It is shut after the test.
func openGate(t *testing.T, url string) *gate {
	t.Helper()
	g := &gate{t: t, address: "127.0.0.1:0", to: strings.TrimPrefix(url, "http://"), conns: map[net.Conn]struct{}{}}
	g.open()
	t.Cleanup(func() { g.shut(); g.wg.Wait() })
	return g
}

// gateTo opens a gate to the host of a URL, and returns the URL through it.
func gateTo(t *testing.T, address string) (*gate, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	g := openGate(t, "http://"+u.Host)
	u.Host = g.address
	return g, u.String()
}

func (g *gate) url() string { return "http://" + g.address }

// open lets connections through, on the same port as before.
func (g *gate) open() {
	g.t.Helper()
	var l net.Listener
	await(g.t, 10*time.Second, "the gate gets its port", func() (err error) {
		l, err = net.Listen("tcp", g.address)
		return err
	})
	g.mu.Lock()
	g.listener, g.address = l, l.Addr().String()
	g.mu.Unlock()
	g.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			g.wg.Go(func() { g.pass(l, conn) })
		}
	})
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.listener == nil {
		return
	}
	g.listener.Close()
	g.listener = nil
	for c := range g.conns {
		c.Close()
	}
	clear(g.conns)
}

// pass copies both ways until either side ends.
func (g *gate) pass(l net.Listener, in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", g.to)
	if err != nil {
		return
	}
	defer out.Close()
	g.mu.Lock()
	if g.listener != l { // shut meanwhile
		g.mu.Unlock()
		return
	}
	g.conns[in], g.conns[out] = struct{}{}, struct{}{}
	g.mu.Unlock()
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(through{g, in, nil}, out)
		in.Close()
	}()
	_, _ = io.Copy(through{g, out, g.heard}, in)
	out.Close()
	<-back
	g.mu.Lock()
	delete(g.conns, in)
	delete(g.conns, out)
	g.mu.Unlock()
}

// through is the way through a gate.
type through struct {
	g     *gate
	to    io.Writer
	heard func([]byte)
}

func (w through) Write(b []byte) (int, error) {
	if w.g.silent.Load() {
		return len(b), nil
	}
	if w.heard != nil {
		w.heard(b)
	}
	return w.to.Write(b)
}
