package workload

import (
	"fmt"
	"sort"
)

// Truth is what a set of events must come to.
type Truth struct {
	// States are by message id and member ("custom.x" within custom), raw JSON:
	// what the message's healthy events come to, none of its poison ones.
	States    map[string]map[string]string
	Failing   map[string]bool // messages whose items the API fails for good
	Events    map[string]int  // well-formed events by message id
	Total     int             // well-formed events
	Malformed int
	Poison    map[string]int // well-formed events by their mark

	dead int
}

// set notes what an event does to a message. A poison one does nothing, but
// makes the message one that is judged.
func (t *Truth) set(e Event, member, value string) {
	state := t.States[e.Message]
	if state == nil {
		state = make(map[string]string, 8)
		t.States[e.Message] = state
	}
	if e.Poison == "" {
		state[member] = value
	}
}

// count counts a well-formed event.
func (t *Truth) count(e Event) {
	t.Total++
	t.Events[e.Message]++
	if e.Poison != "" {
		t.Poison[e.Poison]++
	}
	if e.DeadLetter {
		t.dead++
	}
}

// DeadLetters is how many events must end in the dead-letter topic: those whose
// [Event.DeadLetter] is set.
func (t *Truth) DeadLetters() int { return t.dead }

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
