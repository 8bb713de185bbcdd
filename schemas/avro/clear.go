package avro

import (
	"bytes"
	"slices"
)

// Bounds of "clear". Every name in it is compared with all that are set.
const (
	maxClear = 256
	maxNoted = 4096

	maxKeptText = 64 << 10 // of the buffers kept between values
)

// eventState is what a decoder keeps of an event for the sake of "clear".
type eventState struct {
	noting bool    // the schema has a "clear"
	set    []noted // the members of "changes" and "custom" that are set
	clears []span  // the names that "clear" lists, each once
	end    [inside]int
	text   [inside][]byte // what is to be put before the ends
}

// noted is a member that is set, and where.
type noted struct {
	at   scope
	name []byte
}

func (e *eventState) note(at scope, name []byte) {
	if e.noting {
		e.set = append(e.set, noted{at, name})
	}
}

// reset lets go of the event's bytes.
func (e *eventState) reset() {
	clear(e.set)
	e.noting, e.set, e.clears = false, e.set[:0], e.clears[:0]
	e.end = [inside]int{}
	if cap(e.set) > maxNoted || cap(e.text[inChanges])+cap(e.text[inCustom]) > maxKeptText {
		*e = eventState{}
	}
}

// readClear reads the list of names to be sent as null.
func (d *decoder) readClear(n *node) bool {
	if n.kind == kindUnion {
		var ok bool
		if n, ok = d.branch(n); !ok {
			return false
		}
		if n.kind == kindNull {
			return true
		}
	}
	// Written as an array, the list is read and checked as any other, and what it
	// writes is taken back.
	begun := len(d.dst)
	start := d.pos
	if !d.array(n, plain) {
		return false
	}
	d.dst = d.dst[:begun]
	return d.listClear(start)
}

// listClear goes once more over a list that is known to be good.
func (d *decoder) listClear(start int) bool {
	end, left := d.pos, int64(maxClear)
	d.pos = start
	for d.pos < end {
		count, _, _ := d.block(1)
		if left -= count; left < 0 {
			return d.fail(CodeTooMany)
		}
		for range count {
			name, _ := d.length()
			if !slices.ContainsFunc(d.ev.clears, func(s span) bool { return bytes.Equal(d.key(s), d.key(name)) }) {
				d.ev.clears = append(d.ev.clears, name)
			}
		}
	}
	return true
}

var customPrefix = []byte("custom.")

// applyClear puts the members to be cleared into "changes" and, those of the form
// custom.name, into its "custom". An event that sets a member and clears it says
// two things, so it fails.
func (d *decoder) applyClear() bool {
	if len(d.ev.set) > maxNoted {
		return d.failAt(CodeTooMany, d.ev.clears[0].start)
	}
	e := &d.ev
	e.text = [inside][]byte{inChanges: e.text[inChanges][:0], inCustom: e.text[inCustom][:0]}
	customSet, customCleared := false, false
	for _, s := range e.set {
		customSet = customSet || s.at == inChanges && string(s.name) == "custom"
	}
	for _, s := range e.clears {
		at := inChanges
		name, custom := bytes.CutPrefix(d.key(s), customPrefix)
		if custom {
			at = inCustom
		}
		customCleared = customCleared || string(name) == "custom" && !custom
		if len(name) == 0 || bytes.IndexByte(name, '.') >= 0 || d.isSet(at, name) ||
			custom && customSet && e.end[inCustom] == 0 {
			return d.failAt(CodeClear, s.start)
		}
		// The text was written once already, so it is valid.
		e.text[at] = append(append(appendQuoted(append(e.text[at], ','), name), ':'), "null"...)
	}
	if len(e.text[inCustom]) > 0 && e.end[inCustom] == 0 {
		if customCleared {
			return d.failAt(CodeClear, e.clears[0].start)
		}
		e.text[inChanges] = append(append(append(e.text[inChanges], `,"custom":{`...), e.text[inCustom][1:]...), '}')
		e.text[inCustom] = e.text[inCustom][:0]
	}
	// The end of custom comes before that of the changes around it.
	d.insert(inChanges)
	d.insert(inCustom)
	return true
}

func (d *decoder) isSet(at scope, name []byte) bool {
	return slices.ContainsFunc(d.ev.set, func(s noted) bool { return s.at == at && bytes.Equal(s.name, name) })
}

// insert puts members before the end of an object.
func (d *decoder) insert(at scope) {
	text, end := d.ev.text[at], d.ev.end[at]
	if len(text) == 0 {
		return
	}
	if d.dst[end-1] == '{' {
		text = text[1:]
	}
	d.dst = slices.Insert(d.dst, end, text...)
}
