package mapping

import "kafka-kustomer/internal/jsonscan"

// itemPreset reads what the bulk API takes: the id of the message beside the members
// to set.
type itemPreset struct{}

func (itemPreset) apply(_ *Record, value []byte, out *outcome) {
	if value = trim(value); !isObject(value) {
		out.fail(FaultShape, "the item is %s, not an object", kind(value))
		return
	}
	c := change{members: make([]byte, 0, len(value))}
	for s := jsonscan.Scan(value); s.Next(); {
		name, raw := string(s.Name), s.Raw.Of(value)
		v := s.Bytes()
		switch name {
		case "id":
			c.messageID = v
		case "_clientRef":
			out.fail(FaultShape, `the item has "_clientRef", which is the connector's to set`)
			return
		default:
			c.set(raw, v)
		}
	}
	if !isString(c.messageID) {
		out.fail(FaultShape, "the item's \"id\" is %s, not a string", kind(c.messageID))
		return
	}
	c.emit(out)
}
