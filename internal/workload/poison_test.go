package workload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/internal/kustomersim"
)

// naive is the plainest client that can part poison from the rest: it sends one
// request at a time and halves what fails, requests first, then merged items.
type naive struct {
	t    *testing.T
	sim  *kustomersim.Server
	dead []Event
}

// merged is an item: events of one message, in order.
type merged []Event

func (n *naive) send(items []merged) {
	if len(items) == 0 {
		return
	}
	failed, ok := n.put(items)
	switch {
	case !ok && len(items) > 1:
		half := len(items) / 2
		n.send(items[:half])
		n.send(items[half:])
		return
	case !ok:
		failed = []int{0}
	}
	for _, i := range failed {
		item := items[i]
		if len(item) == 1 {
			n.dead = append(n.dead, item[0])
			continue
		}
		n.send([]merged{item[:len(item)/2]})
		n.send([]merged{item[len(item)/2:]})
	}
}

// put makes one request and returns which of its items failed; ok is false if it
// was refused.
func (n *naive) put(items []merged) (failed []int, ok bool) {
	n.t.Helper()
	bodies := make([]map[string]any, len(items))
	for i, item := range items {
		bodies[i] = fold(n.t, item)
		bodies[i]["_clientRef"] = fmt.Sprint(i)
	}
	body, err := json.Marshal(bodies)
	if err != nil {
		n.t.Fatal(err)
	}
	var operation struct{ Data struct{ ID string } }
	if !n.call(http.MethodPut, "/v1/messages/bulk", body, &operation) {
		return nil, false
	}
	var batches struct {
		Data []struct {
			Attributes struct {
				Results []struct {
					Ref    int `json:"_clientRef,string"`
					Status string
				}
			}
		}
	}
	n.call(http.MethodGet, "/v1/bulk/"+operation.Data.ID+"/batches", nil, &batches)
	for _, b := range batches.Data {
		for _, r := range b.Attributes.Results {
			if r.Status == "error" {
				failed = append(failed, r.Ref)
			}
		}
	}
	return failed, true
}

func (n *naive) call(method, path string, body []byte, reply any) (ok bool) {
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer key")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	n.sim.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return false
	}
	if err := json.Unmarshal(w.Body.Bytes(), reply); err != nil {
		n.t.Fatal(err)
	}
	return true
}

// fold merges events: a later member wins, custom by key.
func fold(t *testing.T, events merged) map[string]any {
	out, custom := map[string]any{"id": events[0].Message}, map[string]any{}
	for _, e := range events {
		var event struct{ Changes map[string]any }
		if err := json.Unmarshal(e.Value, &event); err != nil {
			t.Fatal(err)
		}
		maps.Copy(custom, event.Changes["custom"].(map[string]any))
		maps.Copy(out, event.Changes)
	}
	out["custom"] = custom
	return out
}

// The truth and the simulator must agree on what poison is: a client that parts
// it ends in the states that the truth has, and with its dead letters.
func TestPoisonCanBeParted(t *testing.T) {
	kinds := []string{Poison400, Poison422, Poison500, PoisonItem}
	g := New(Config{Seed: 5, Messages: 40, HotShare: 0.2, Failing: 0.1, Poison: 0.1, PoisonKinds: kinds})
	sim := kustomersim.New(kustomersim.Options{
		Script: &kustomersim.Script{FirstComplete: 1, Poison: kustomersim.MarkedPoison()},
		FailID: func(id string) bool { return g.Truth().Failing[id] },
	})
	defer sim.Close()
	n := naive{t: t, sim: sim}
	var dead []Event
	for range 5 { // rounds of a hundred events, merged by message
		items := map[string]merged{}
		for range 100 {
			e := g.Next(epoch)
			if e.DeadLetter {
				dead = append(dead, e)
			}
			items[e.Message] = append(items[e.Message], e)
		}
		n.send(slices.Collect(maps.Values(items)))
	}
	truth := g.Truth()
	for _, f := range truth.Judge(func(id string) map[string]string {
		fields, _ := sim.Message(id)
		state := map[string]string{}
		for name, value := range fields {
			state[name] = string(value)
		}
		return state
	}) {
		t.Error(f)
	}
	byValue := func(a, b Event) int { return bytes.Compare(a.Value, b.Value) }
	slices.SortFunc(dead, byValue)
	slices.SortFunc(n.dead, byValue)
	if diff := cmp.Diff(dead, n.dead); diff != "" {
		t.Errorf("dead letters (-truth +client):\n%s", diff)
	}
	if truth.DeadLetters() != len(dead) {
		t.Errorf("the truth counts %d dead letters of %d", truth.DeadLetters(), len(dead))
	}
	for _, kind := range kinds {
		if truth.Poison[kind] < 5 {
			t.Errorf("only %d events are %s", truth.Poison[kind], kind)
		}
	}
	if sim.Stats().Poisoned == 0 {
		t.Error("no request was refused")
	}
}

// An event is marked if and only if it is poison, and carries healthy values
// beside, so that it would be seen if it were applied.
func TestPoisonIsMarked(t *testing.T) {
	events, truth := take(Config{Seed: 9, Messages: 100, Malformed: 0.05, Poison: 0.2, Distinct: true}, 2000)
	count := map[string]int{}
	for _, e := range events {
		has := strings.Contains(string(e.Value), `,"`+PoisonMember+`":"`+e.Poison+`"`)
		if has != (e.Poison != "") || strings.Contains(string(e.Value), "poison") != has {
			t.Fatalf("marked %q: %s", e.Poison, e.Value)
		}
		if e.Poison != "" {
			count[e.Poison]++
			if !strings.Contains(string(e.Value), `"eventNum"`) {
				t.Fatalf("nothing but a mark in %s", e.Value)
			}
		}
		if e.DeadLetter != (e.Malformed || e.Poison != "") {
			t.Fatalf("dead letter is %t of %+v", e.DeadLetter, e)
		}
	}
	if diff := cmp.Diff(count, truth.Poison); diff != "" {
		t.Errorf("poison (-events +truth):\n%s", diff)
	}
	for _, kind := range []string{Poison400, Poison422, PoisonItem} { // about 127 each
		if count[kind] < 80 || count[kind] > 180 {
			t.Errorf("%d events are %s", count[kind], kind)
		}
	}
	if len(count) != 3 {
		t.Errorf("kinds %v, want the three default ones", count)
	}
}
