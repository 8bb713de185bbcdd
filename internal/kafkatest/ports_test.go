package kafkatest

import (
	"net"
	"strings"
	"testing"
)

func TestClaimedPortsAreFreeAndApart(t *testing.T) {
	seen := map[int]bool{}
	for range 20 {
		block, err := claimPorts(0, maxKinds, 3)
		if err != nil {
			t.Fatal(err)
		}
		defer block.release()
		for kind := range maxKinds {
			for broker := range 3 {
				port := block.port(kind, broker)
				if seen[port] {
					t.Errorf("port %d given twice", port)
				}
				if port < firstPort || port >= lastPort {
					t.Errorf("port %d out of range", port)
				}
				seen[port] = true
			}
		}
	}
}

func TestClaimRefusesTakenPorts(t *testing.T) {
	block, err := claimPorts(0, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	base := block.base
	if _, err := claimPorts(base, 2, 1); err == nil {
		t.Error("a claimed block was claimed again")
	}
	if err := block.release(); err != nil {
		t.Fatal(err)
	}
	// A stranger who knows nothing of claims holds the third controller's port.
	stranger, err := net.Listen("tcp", loopback(block.port(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if _, err := claimPorts(base, 2, 3); err == nil || !strings.Contains(err.Error(), stranger.Addr().String()) {
		t.Errorf("error %v does not name the taken port %v", err, stranger.Addr())
	}
	// The refused claim must be given back, and one broker needs less.
	again, err := claimPorts(base, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.release(); err != nil {
		t.Fatal(err)
	}
}
