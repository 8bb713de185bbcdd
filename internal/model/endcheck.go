package model

import "slices"

// checkEnd looks at the world when all has come to rest.
func (w *world) checkEnd() {
	changes := make([][]*event, len(w.log))
	for partition, records := range w.log {
		changes[partition] = changesOf(records)
		w.countPartGivenUp(records)
		for _, e := range changes[partition] {
			switch {
			case !e.settled():
				w.fail(CheckFate, "%v", e)
			case e.abandoned:
			case (e.kind == malformed || e.kind.unsendable()) && !e.deadLettered:
				w.fail(CheckFate, "%v was not dead-lettered", e)
			case e.kind == poisoned && !e.applied && !e.deadLettered:
				w.fail(CheckFate, "%v", e)
			}
		}
	}
	checked := map[string]bool{}
	for _, list := range changes {
		for _, e := range list {
			if !checked[e.message] {
				checked[e.message] = true
				w.checkState(changes, e.message)
			}
		}
	}
}

// countPartGivenUp counts the records of which one change was given up and another
// one was applied, and those of which several were given up.
func (w *world) countPartGivenUp(records []*record) {
	for _, r := range records {
		givenUp := slices.ContainsFunc(r.changes, func(e *event) bool { return e.deadLettered && !e.applied })
		applied := slices.ContainsFunc(r.changes, func(e *event) bool { return e.applied && !e.deadLettered })
		if givenUp && applied {
			w.seen.PartGivenUp++
		}
		n := 0
		for _, e := range r.changes {
			if e.deadLettered {
				n++
			}
		}
		if n > 1 {
			w.seen.TwoLetters++
		}
	}
}

// checkState compares a message's end state with its events. An event that was
// dead-lettered may have been applied all the same, by a merge that hid its
// fault or by an earlier owner; so each leaf ends at the newest event that
// wrote it, or at an applied one newer than the last that had to be.
func (w *world) checkState(changes [][]*event, message string) {
	leaves := map[string]map[string]bool{} // leaf: allowed values
	for _, list := range changes {
		for leaf := range leavesOf(list, message) {
			values := leaves[leaf]
			if values == nil {
				values = map[string]bool{}
				leaves[leaf] = values
			}
			allowed(values, list, message, leaf)
		}
	}
	state := w.api.state[message]
	for leaf, value := range state {
		if !leaves[leaf][value] {
			w.fail(CheckState, "%s.%s ends as %q, allowed %v", message, leaf, value, leaves[leaf])
		}
	}
	for leaf, values := range leaves {
		if state[leaf] == "" && !values[""] {
			w.fail(CheckState, "%s.%s was never written, allowed %v", message, leaf, values)
		}
	}
}

func leavesOf(changes []*event, message string) map[string]bool {
	set := map[string]bool{}
	for _, e := range changes {
		if e.message == message {
			for _, wr := range e.writes {
				set[wr.leaf] = true
			}
		}
	}
	return set
}

// allowed adds the values that a leaf may end with by one partition's changes.
func allowed(values map[string]bool, changes []*event, message, leaf string) {
	for _, e := range slices.Backward(changes) {
		value, writes := lastWrite(e, leaf)
		if e.message != message || !writes {
			continue
		}
		if e.applied {
			values[value] = true
		}
		if !e.deadLettered && !e.abandoned {
			return
		}
	}
	values[""] = true
}

func lastWrite(e *event, leaf string) (value string, ok bool) {
	for _, wr := range e.writes {
		if wr.leaf == leaf {
			value, ok = wr.value, true
		}
	}
	return value, ok
}
