package avro

// scope is where in an event a value stands.
type scope uint8

const (
	plain     scope = iota // not in the changes of an event
	inChanges              // the value of "changes" itself
	inCustom               // the value of "custom" in it
	inside                 // deeper, or another member
)

// value reads one value and appends its JSON. The kinds that are read most come
// first, by a call each; the rest is scalar's.
func (d *decoder) value(n *node, at scope) bool {
	switch n.kind {
	case kindString:
		return d.text()
	case kindUnion:
		branch, ok := d.branch(n)
		return ok && d.value(branch, at)
	case kindRecord:
		return d.record(n, at)
	case kindArray:
		return d.array(n, at)
	case kindMap:
		return d.mapping(n, at)
	}
	return d.scalar(n)
}

// branch reads which branch of a union follows.
func (d *decoder) branch(n *node) (*node, bool) {
	start := d.pos
	i, ok := d.long()
	if !ok {
		return nil, false
	}
	if i < 0 || i >= int64(len(n.branches)) {
		return nil, d.failAt(CodeUnion, start)
	}
	return n.branches[i], true
}

// enter counts a level of nesting; the caller counts back when it succeeds.
func (d *decoder) enter() bool {
	if d.depth++; d.depth > maxDepth {
		return d.fail(CodeTooDeep)
	}
	return true
}

// record reads the fields of a record. Within changes, a null that is a branch of
// a union says "not set", and the field is left out.
func (d *decoder) record(n *node, at scope) bool {
	if !d.enter() || n.least == 0 && !d.spend(int64(1+len(n.fields))) {
		return false
	}
	begun := len(d.dst)
	d.dst = append(d.dst, '{')
	for i := range n.fields {
		f := &n.fields[i]
		of := f.of
		if at != plain && of.kind == kindUnion {
			var ok bool
			if of, ok = d.branch(of); !ok {
				return d.in(f.name)
			}
			if of.kind == kindNull {
				continue
			}
		}
		key := f.key
		if len(d.dst) == begun+1 {
			key = key[1:]
		}
		d.dst = append(d.dst, key...)
		if at == inChanges || at == inCustom {
			d.ev.note(at, f.key[2:len(f.key)-2])
		}
		if !d.value(of, below(at, f.custom)) {
			return d.in(f.name)
		}
		if len(d.dst) > d.limit {
			d.fail(CodeOutputLarge)
			return d.in(f.name)
		}
	}
	d.close('}', at)
	return true
}

// below is the scope of a member of what stands at a scope.
func below(at scope, custom bool) scope {
	switch {
	case at == plain:
		return plain
	case at == inChanges && custom:
		return inCustom
	}
	return inside
}

// close ends an object or array.
func (d *decoder) close(bracket byte, at scope) {
	if bracket == '}' && (at == inChanges || at == inCustom) {
		d.ev.end[at] = len(d.dst)
	}
	d.dst = append(d.dst, bracket)
	d.depth--
}

// spend pays for elements that take no bytes: without a bound on them, five bytes
// could stand for 2^60 of them.
func (d *decoder) spend(n int64) bool {
	if n > int64(d.free) {
		return d.fail(CodeTooMany)
	}
	d.free -= int(n)
	return true
}

// block reads the head of a block of an array or map: how many elements follow, 0
// at the end, and where the block ends, or -1 where it does not say. A count is
// believed only as far as the bytes that are left can have so many elements.
func (d *decoder) block(least int) (count int64, end int, ok bool) {
	start := d.pos
	count, ok = d.long()
	if !ok {
		return 0, 0, false
	}
	end = -1
	if count < 0 {
		size, ok := d.long()
		if !ok {
			return 0, 0, false
		}
		// The least int64 stays negative.
		if count = -count; count < 0 || size < 0 || size > int64(len(d.src)-d.pos) {
			return 0, 0, d.failAt(CodeBlock, start)
		}
		end = d.pos + int(size)
	}
	switch {
	case least == 0:
		return count, end, d.spend(count)
	case count > int64((len(d.src)-d.pos)/least):
		return 0, 0, d.failAt(CodeTruncated, start)
	}
	return count, end, true
}

func (d *decoder) array(n *node, at scope) bool {
	if !d.enter() {
		return false
	}
	at = below(at, false)
	begun := len(d.dst)
	d.dst = append(d.dst, '[')
	for {
		count, end, ok := d.block(n.item.least)
		if !ok {
			return d.in("[]")
		}
		if count == 0 {
			break
		}
		for range count {
			if len(d.dst) > begun+1 {
				d.dst = append(d.dst, ',')
			}
			if !d.value(n.item, at) || len(d.dst) > d.limit && !d.fail(CodeOutputLarge) {
				return d.in("[]")
			}
		}
		if end >= 0 && end != d.pos && !d.fail(CodeBlock) {
			return d.in("[]")
		}
	}
	d.close(']', at)
	return true
}

// mapping reads a map. The null of a map's value is said on purpose, so it stays.
func (d *decoder) mapping(n *node, at scope) bool {
	if !d.enter() {
		return false
	}
	begun, keys := len(d.dst), len(d.keys)
	d.dst = append(d.dst, '{')
	for {
		count, end, ok := d.block(1 + n.item.least)
		if !ok {
			return d.in("{}")
		}
		if count == 0 {
			break
		}
		for range count {
			if len(d.dst) > begun+1 {
				d.dst = append(d.dst, ',')
			}
			if !d.entry(n, at) {
				return d.in("{}")
			}
		}
		if end >= 0 && end != d.pos && !d.fail(CodeBlock) {
			return d.in("{}")
		}
	}
	if !d.distinct(keys) {
		return d.in("{}")
	}
	d.keys = d.keys[:keys]
	d.close('}', at)
	return true
}

// entry reads one key of a map and its value.
func (d *decoder) entry(n *node, at scope) bool {
	key, ok := d.length()
	if !ok || !d.quote(key) {
		return false
	}
	d.keys = append(d.keys, key)
	d.dst = append(d.dst, ':')
	name := d.src[key.start:key.end]
	if at == inChanges || at == inCustom {
		d.ev.note(at, name)
	}
	return d.value(n.item, below(at, string(name) == "custom")) &&
		(len(d.dst) <= d.limit || d.fail(CodeOutputLarge))
}
