package workload

import (
	"fmt"
	"sort"
)

// Truth is what a set of events must come to.
type Truth struct {
	States    map[string]map[string]string // by message id and member ("custom.x" within custom), raw JSON
	Failing   map[string]bool              // messages whose items the API fails for good
	Events    map[string]int               // well-formed events by message id
	Total     int                          // well-formed events
	Malformed int
}

func (t *Truth) set(id, member, value string) {
	if t.States[id] == nil {
		t.States[id] = make(map[string]string, 8)
	}
	t.States[id][member] = value
}

// DeadLetters is how many events must end in the dead-letter topic.
func (t *Truth) DeadLetters() int {
	n := t.Malformed
	for id := range t.Failing {
		n += t.Events[id]
	}
	return n
}

// Finding is one thing that is not as it must be.
type Finding struct{ Message, Text string }

func (f Finding) String() string {
	if f.Message == "" {
		return f.Text
	}
	return "message " + f.Message + ": " + f.Text
}

// Judge compares the state of every message with the truth. states yields what
// the API holds of a message: raw JSON by member, as in [Truth.States]; nil when
// it knows nothing of it.
func (t *Truth) Judge(states func(id string) map[string]string) (findings []Finding) {
	ids := make([]string, 0, len(t.States))
	for id := range t.States {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		got := states(id)
		if t.Failing[id] {
			if len(got) > 0 {
				findings = append(findings, Finding{id, "it was changed, though the API fails all its items"})
			}
			continue
		}
		findings = append(findings, compare(id, t.States[id], got)...)
	}
	return findings
}

func compare(id string, want, got map[string]string) (findings []Finding) {
	for member, value := range want {
		if got[member] != value {
			findings = append(findings, Finding{id, fmt.Sprintf("%s is %s and must be %s", member, orNothing(got[member]), value)})
		}
	}
	for member := range got {
		if _, ok := want[member]; !ok {
			findings = append(findings, Finding{id, member + " was written by no event"})
		}
	}
	return findings
}

func orNothing(s string) string {
	if s == "" {
		return "not set"
	}
	return s
}
