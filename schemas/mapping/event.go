package mapping

import (
	"bytes"
	"strings"

	"kafka-kustomer/internal/jsonscan"
)

// change is a message change in the making. Its parts are JSON, and stand as they
// came.
type change struct {
	messageID  []byte
	eventID    []byte // nil: none
	occurredAt []byte // nil: none

	members []byte // of "changes", each with a comma after it
	custom  []byte // members of "custom" that came one by one
}

// set adds a member under its name as JSON.
func (c *change) set(name, value []byte) { c.members = appendMember(c.members, name, value) }

// setCustom adds one attribute.
func (c *change) setCustom(name, value []byte) { c.custom = appendMember(c.custom, name, value) }

func appendMember(dst, name, value []byte) []byte {
	dst = append(dst, name...)
	dst = append(dst, ':')
	dst = append(dst, value...)
	return append(dst, ',')
}

// emit writes the event, or skips where nothing has changed.
func (c *change) emit(out *outcome) {
	if len(c.custom) > 0 {
		c.members = append(c.members, `"custom":{`...)
		c.members = append(append(c.members, c.custom[:len(c.custom)-1]...), '}', ',')
	}
	if len(c.members) == 0 {
		out.skip = SkipUnchanged
		return
	}
	b := make([]byte, 0, len(c.members)+len(c.messageID)+len(c.eventID)+len(c.occurredAt)+64)
	b = append(b, '{')
	for _, m := range []struct {
		name  string
		value []byte
	}{{`"eventId"`, c.eventID}, {`"occurredAt"`, c.occurredAt}, {`"messageId"`, c.messageID}} {
		if m.value != nil {
			b = appendMember(b, []byte(m.name), m.value)
		}
	}
	b = append(b, `"changes":{`...)
	b = append(b, c.members[:len(c.members)-1]...)
	out.add(append(b, "}}"...))
}

// clearable tells whether Kustomer documents null for a member: it clears these,
// and refuses the whole request for some others.
func clearable(name string) bool {
	switch name {
	case "externalId", "preview", "subject", "sentAt", "modifiedBy", "lang":
		return true
	}
	return strings.HasPrefix(name, "custom.")
}

// customDiff returns what turns one "custom" into another, given that Kustomer merges
// it by key: the attributes that are other or new, and null for those that are gone.
// It returns nil where nothing is to be done, and after itself where there is no
// object before it.
func customDiff(before, after []byte) []byte {
	if !isObject(before) || !isObject(after) && !isNull(after) {
		return after
	}
	diff, earlier, later := []byte{'{'}, newTwin(before), newTwin(after)
	if isObject(after) {
		for s := jsonscan.Scan(after); s.Next(); {
			old, raw := earlier.value(s.Name), s.Raw.Of(after)
			if v := s.Bytes(); !bytes.Equal(old, v) {
				diff = appendMember(diff, raw, v)
			}
		}
	}
	for s := jsonscan.Scan(before); s.Next(); {
		left, raw := later.value(s.Name), s.Raw.Of(before)
		if v := s.Bytes(); left == nil && !isNull(v) {
			diff = appendMember(diff, raw, []byte("null"))
		}
	}
	if len(diff) == 1 {
		return nil
	}
	diff[len(diff)-1] = '}'
	return diff
}
