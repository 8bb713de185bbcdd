package registrytest

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const dialTimeout = 5 * time.Second

// door passes connections on to an address, and can be shut.
type door struct {
	addr, to string

	mu       sync.Mutex
	listener net.Listener // nil: shut
	open     map[net.Conn]struct{}
	under    sync.WaitGroup // goroutines
}

// unblock lets connections in; open already, it does nothing.
func (d *door) unblock() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener != nil {
		return nil
	}
	listener, err := net.Listen("tcp", d.addr)
	if err != nil {
		return err
	}
	d.listener, d.open = listener, map[net.Conn]struct{}{}
	d.under.Go(func() { d.accept(listener) })
	return nil
}

// block refuses connections, and resets those that are open; it returns when they
// are.
func (d *door) block() error {
	d.mu.Lock()
	listener := d.listener
	d.listener = nil
	for conn := range d.open {
		abort(conn)
	}
	d.open = nil
	d.mu.Unlock()
	var err error
	if listener != nil {
		err = listener.Close()
	}
	d.under.Wait()
	return err
}

// abort closes with a reset, as the end of a machine does: an orderly end might
// be taken for that of a reply.
func abort(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func (d *door) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil && d.enter(conn) {
			d.under.Go(func() { d.pass(conn) })
		}
	}
}

// enter notes an open connection, or closes it when the door is shut.
func (d *door) enter(conn net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener == nil {
		abort(conn)
		return false
	}
	d.open[conn] = struct{}{}
	return true
}

func (d *door) leave(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, conn)
	_ = conn.Close()
}

func (d *door) pass(from net.Conn) {
	defer d.leave(from)
	to, err := net.DialTimeout("tcp", d.to, dialTimeout)
	if err != nil {
		abort(from)
		return
	}
	if !d.enter(to) {
		return
	}
	defer d.leave(to)
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{to, from}, {from, to}} {
		d.under.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			ended <- struct{}{}
		})
	}
	<-ended // HTTP has no use for one half of a connection
}
