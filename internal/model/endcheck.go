package model

import "slices"

// checkEnd looks at the world when all has come to rest.
func (w *world) checkEnd() {
	for _, records := range w.log {
		for _, e := range records {
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
	for _, records := range w.log {
		for _, e := range records {
			if !checked[e.message] {
				checked[e.message] = true
				w.checkState(e.message)
			}
		}
	}
}

// checkState compares a message's end state with its events. An event that was
// dead-lettered may have been applied all the same, by a merge that hid its
// fault or by an earlier owner; so each leaf ends at the newest event that
// wrote it, or at an applied one newer than the last that had to be.
func (w *world) checkState(message string) {
	leaves := map[string]map[string]bool{} // leaf: allowed values
	for _, records := range w.log {
		for leaf := range leavesOf(records, message) {
			values := leaves[leaf]
			if values == nil {
				values = map[string]bool{}
				leaves[leaf] = values
			}
			allowed(values, records, message, leaf)
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

func leavesOf(records []*event, message string) map[string]bool {
	set := map[string]bool{}
	for _, e := range records {
		if e.message == message {
			for _, wr := range e.writes {
				set[wr.leaf] = true
			}
		}
	}
	return set
}

// allowed adds the values that a leaf may end with by one partition's records.
func allowed(values map[string]bool, records []*event, message, leaf string) {
	for _, e := range slices.Backward(records) {
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
