package kafkatest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports come from below the range that systems hand to outgoing connections
// (from 32768 on Linux, higher elsewhere). A free port inside that range may be
// taken by any connection in the second before the broker binds it, or while a
// killed broker is down.
const (
	firstPort = 20000
	lastPort  = 32000

	// A block belongs to one cluster: four ports for each kind of listener
	// (one per broker, the fourth unused), at most eight kinds.
	blockSize  = 32
	kindStride = 4
	maxKinds   = blockSize / kindStride
	claimPort  = 3 // the unused one of the first kind
)

// portBlock is a block of ports that no other process running this package
// uses while it is held, including ports whose broker is down at the moment.
//
// The claim is a listening socket that nobody talks to. Unlike a lock file it
// works on every system, and the kernel gives it back however the process ends.
type portBlock struct {
	base  int
	claim net.Listener
}

// port returns the port of a listener kind (0 for clients) on a broker (0 to 2).
func (b *portBlock) port(kind, broker int) int { return b.base + kind*kindStride + broker }

func (b *portBlock) release() error { return b.claim.Close() }

// claimPorts claims the block at base, or any free one if base is 0, and sees
// that the ports of that many kinds and brokers can be bound.
func claimPorts(base, kinds, brokers int) (*portBlock, error) {
	if base != 0 {
		return claimBlock(base, kinds, brokers)
	}
	var last error
	for _, i := range rand.Perm((lastPort - firstPort) / blockSize) {
		block, err := claimBlock(firstPort+i*blockSize, kinds, brokers)
		if err == nil {
			return block, nil
		}
		last = err
	}
	return nil, fmt.Errorf("no free ports on 127.0.0.1 between %d and %d: %w", firstPort, lastPort, last)
}

func claimBlock(base, kinds, brokers int) (*portBlock, error) {
	claim, err := listen(base + claimPort)
	if err != nil {
		return nil, err
	}
	block := &portBlock{base: base, claim: claim}
	for kind := range kinds {
		for broker := range brokers {
			probe, err := listen(block.port(kind, broker))
			if err != nil {
				return nil, errors.Join(err, block.release())
			}
			if err := probe.Close(); err != nil {
				return nil, errors.Join(err, block.release())
			}
		}
	}
	return block, nil
}

func listen(port int) (net.Listener, error) { return net.Listen("tcp", loopback(port)) }

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
