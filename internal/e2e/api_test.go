//go:build kafka && linux

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"kafka-kustomer/internal/kustomersim"
)

const ms = kustomersim.Duration(time.Millisecond)

// api is a simulator in a process of its own, and its control endpoints.
type api struct {
	*process
	url string
}

var listening = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// startAPI starts a simulator with enough workers that no operation queues: one
// that waits in line could outlive kustomer.lost_reply_wait, which covers the
// longest run, and then it is the configuration that is wrong.
func startAPI(t *testing.T, script kustomersim.Script, args ...string) *api {
	t.Helper()
	script.Quote = true // what it says of a refused change must not reach a log
	path := filepath.Join(t.TempDir(), "script.json")
	text, err := json.Marshal(script)
	if err == nil {
		err = os.WriteFile(path, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{
		"simulate", "--listen", "127.0.0.1:0", "--script", path,
		"--workers", "64", "--seed", fmt.Sprint(seed),
	}, args...)
	a := &api{process: start(t, "simulator", args...)}
	await(t, 10*time.Second, "the simulator prints its address", func() error {
		text, err := os.ReadFile(a.log)
		if err != nil {
			return err
		}
		if a.url = string(listening.Find(text)); a.url == "" {
			return fmt.Errorf("it printed %q", text)
		}
		return nil
	})
	return a
}

var control = &http.Client{Timeout: 20 * time.Second}

func (a *api) get(path string, into any) {
	a.t.Helper()
	resp, err := control.Get(a.url + path)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		a.t.Fatalf("GET %s: %s: %v", path, resp.Status, err)
	}
}

func (a *api) stats() (s kustomersim.Stats) {
	a.t.Helper()
	a.get("/_sim/stats", &s)
	return s
}

func (a *api) operations() (ops []kustomersim.OpenOperation) {
	a.t.Helper()
	a.get("/_sim/operations", &ops)
	return ops
}

func (a *api) setScript(script kustomersim.Script) {
	a.t.Helper()
	script.Quote = true
	text, err := json.Marshal(script)
	if err != nil {
		a.t.Fatal(err)
	}
	resp, err := control.Post(a.url+"/_sim/script", "application/json", bytes.NewReader(text))
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		why, _ := io.ReadAll(resp.Body)
		a.t.Fatalf("POST script: %s: %s", resp.Status, why)
	}
}

// states returns every message's fields.
func (a *api) states() map[string]map[string]string {
	a.t.Helper()
	resp, err := control.Get(a.url + "/_sim/messages")
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	states := map[string]map[string]string{}
	scan := bufio.NewScanner(resp.Body)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var m struct {
			ID     string
			Fields map[string]json.RawMessage
		}
		if err := json.Unmarshal(scan.Bytes(), &m); err != nil {
			a.t.Fatalf("%v in %s", err, scan.Bytes())
		}
		states[m.ID] = make(map[string]string, len(m.Fields))
		for name, value := range m.Fields {
			states[m.ID][name] = string(value)
		}
	}
	if err := scan.Err(); err != nil {
		a.t.Fatal(err)
	}
	return states
}

// awaitIdle waits until no operation is open.
func (a *api) awaitIdle() {
	a.t.Helper()
	await(a.t, 20*time.Second, "all operations of the simulator end", func() error {
		if n := a.stats().OperationsOpen; n > 0 {
			return fmt.Errorf("%d are open", n)
		}
		return nil
	})
}

// awaitItems waits until n items more than now have been accepted.
func (a *api) awaitItems(timeout time.Duration, n int64) {
	a.t.Helper()
	from := a.stats().ItemsAccepted
	await(a.t, timeout, fmt.Sprintf("%d more items are accepted", n), func() error {
		if now := a.stats().ItemsAccepted; now < from+n {
			return fmt.Errorf("%d were", now-from)
		}
		return nil
	})
}

// awaitDoomed waits for an open operation that will fail an item, and returns
// the youngest.
func (a *api) awaitDoomed(timeout time.Duration) (doomed kustomersim.OpenOperation) {
	a.t.Helper()
	await(a.t, timeout, "an operation is open that will fail an item", func() error {
		for _, op := range a.operations() {
			if op.Failing > 0 {
				doomed = op
			}
		}
		if doomed.ID == "" {
			return errors.New("none")
		}
		return nil
	})
	return doomed
}
