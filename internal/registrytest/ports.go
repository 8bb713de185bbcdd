package registrytest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports come from below the range that systems hand to outgoing connections: a
// free port in there may be taken by any connection while ours is closed, and a
// blocked door is closed. Package kafkatest takes the ports from 20000.
const (
	firstPort = 16000
	lastPort  = 20000
	blockSize = 4
)

// ports belong to one registry while claim is held, those too that nobody listens
// on at the moment. The kernel gives the claim back however the process ends.
type ports struct {
	claim                      net.Listener
	door, registry, management string // addresses
}

func claimPorts() (*ports, error) {
	var last error
	for _, i := range rand.Perm((lastPort - firstPort) / blockSize) {
		p, err := claimBlock(firstPort + i*blockSize)
		if err == nil {
			return p, nil
		}
		last = err
	}
	return nil, fmt.Errorf("no free ports on 127.0.0.1 between %d and %d: %w", firstPort, lastPort, last)
}

func claimBlock(base int) (*ports, error) {
	claim, err := net.Listen("tcp", loopback(base))
	if err != nil {
		return nil, err
	}
	p := &ports{claim: claim, door: loopback(base + 1), registry: loopback(base + 2), management: loopback(base + 3)}
	for _, addr := range []string{p.door, p.registry, p.management} {
		probe, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, errors.Join(err, claim.Close())
		}
		if err := probe.Close(); err != nil {
			return nil, errors.Join(err, claim.Close())
		}
	}
	return p, nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
