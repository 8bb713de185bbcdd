//go:build kafka && linux

package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// readiness is what /readyz says.
type readiness struct {
	Ready   bool
	Reasons []struct {
		Kind, Code, Text string
		Person           bool
	}
}

// readyz asks a connector whether it is ready.
func (p *process) readyz() (r readiness) {
	p.t.Helper()
	reply, err := control.Get(p.admin() + "/readyz")
	if err != nil {
		p.t.Fatal(err)
	}
	defer reply.Body.Close()
	if err := json.NewDecoder(reply.Body).Decode(&r); err != nil {
		p.t.Fatalf("/readyz: %s: %v", reply.Status, err)
	}
	if (reply.StatusCode == http.StatusOK) != r.Ready {
		p.t.Errorf("/readyz: %s with ready %v", reply.Status, r.Ready)
	}
	return r
}

// admin is the address of a connector's admin server.
func (p *process) admin() string {
	p.t.Helper()
	return "http://" + p.awaitLine(10*time.Second, "status page, probes and metrics").text("address")
}

// awaitReason waits until the connector is not ready for a reason of one of the
// kinds and codes, which are written with "|" between.
func awaitReason(t *testing.T, c *process, kind, code string, person bool) {
	t.Helper()
	var last readiness
	await(t, 20*time.Second, fmt.Sprintf("/readyz names %s/%s", kind, code), func() error {
		last = c.readyz()
		for _, r := range last.Reasons {
			if strings.Contains(kind, r.Kind) && strings.Contains(code, r.Code) {
				if r.Text == "" || r.Person != person || last.Ready && kind != "quota" {
					t.Errorf("ready %v, reason %+v, want person %v", last.Ready, r, person)
				}
				t.Logf("/readyz: %s: %s", kind, r.Text)
				return nil
			}
		}
		return fmt.Errorf("last: %+v", last)
	})
}

func awaitReady(t *testing.T, c *process) {
	t.Helper()
	var last readiness
	await(t, 30*time.Second, c.name+" is ready", func() error {
		if last = c.readyz(); !last.Ready {
			return fmt.Errorf("last: %+v", last)
		}
		return nil
	})
}

// release releases the brake by hand.
func (p *process) release() error {
	reply, err := control.Post(p.admin()+"/brake/release", "", nil)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return errors.New(reply.Status)
	}
	return nil
}

// metrics reads /metrics: values by name with labels, without the prefix that all have.
func (p *process) metrics() map[string]float64 {
	p.t.Helper()
	reply, err := control.Get(p.admin() + "/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	defer reply.Body.Close()
	values := map[string]float64{}
	scan := bufio.NewScanner(reply.Body)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		name, ours := strings.CutPrefix(scan.Text(), "kafka_kustomer_")
		at := strings.LastIndexByte(name, ' ')
		if !ours || at < 0 {
			continue
		}
		if v, err := strconv.ParseFloat(name[at+1:], 64); err == nil {
			values[name[:at]] = v
		}
	}
	if err := scan.Err(); err != nil {
		p.t.Fatal(err)
	}
	return values
}
