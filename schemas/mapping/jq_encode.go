package mapping

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// encode writes an output of a program. gojq has a function for that, but it has no
// bound in size and depth, where an output is as large as a program makes it; and it
// writes something else for what JSON cannot say: null for NaN, the largest number
// for infinity, U+FFFD for bytes that are no text.
func encode(v any, room int) (event []byte, why string) {
	if _, ok := v.(map[string]any); !ok {
		return nil, "the program gave " + kindOf(v) + "; an event is an object (empty skips a record)"
	}
	e := encoder{room: room}
	e.value(v, 0)
	if e.why != "" {
		return nil, e.why
	}
	return e.b, ""
}

type encoder struct {
	b    []byte
	room int
	why  string
}

func (e *encoder) fail(format string, args ...any) {
	if e.why == "" {
		e.why = fmt.Sprintf(format, args...)
	}
}

func (e *encoder) value(v any, depth int) {
	if e.why != "" {
		return
	}
	switch v := v.(type) {
	case nil:
		e.b = append(e.b, "null"...)
	case bool:
		e.b = strconv.AppendBool(e.b, v)
	case int:
		e.b = strconv.AppendInt(e.b, int64(v), 10)
	case float64:
		e.float(v)
	case *big.Int:
		e.big(v)
	case json.Number:
		e.b = append(e.b, v...)
	case string:
		e.text(v)
	case []any, map[string]any:
		if depth == maxDepth {
			e.fail("the program gave an object that nests more than %d deep", maxDepth)
			return
		}
		if list, ok := v.([]any); ok {
			e.array(list, depth+1)
		} else {
			e.object(v.(map[string]any), depth+1)
		}
	default:
		e.fail("the program gave a value that JSON does not have")
	}
	if len(e.b) > e.room {
		e.fail("the program gave more bytes than allowed for one record (mapping.jq_limits.bytes)")
	}
}

func (e *encoder) float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		e.fail("the program gave a number that JSON does not have: NaN, or an infinite one")
		return
	}
	e.b = append(e.b, jsontext.Float(f).String()...)
}

// big measures before it writes: the digits of a number take longer than its bits.
func (e *encoder) big(n *big.Int) {
	if n.BitLen()/4 > e.room-len(e.b) {
		e.fail("the program gave more bytes than allowed for one record (mapping.jq_limits.bytes)")
		return
	}
	e.b = n.Append(e.b, 10)
}

func (e *encoder) text(s string) {
	if len(s) > e.room-len(e.b) {
		e.fail("the program gave more bytes than allowed for one record (mapping.jq_limits.bytes)")
		return
	}
	var err error
	if e.b, err = jsontext.AppendQuote(e.b, s); err != nil {
		e.fail("the program gave a text that is not valid UTF-8")
	}
}

func (e *encoder) array(list []any, depth int) {
	e.b = append(e.b, '[')
	for i, v := range list {
		if e.why != "" {
			return
		}
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.value(v, depth)
	}
	e.b = append(e.b, ']')
}

// object sorts the names: the same record makes the same bytes.
func (e *encoder) object(object map[string]any, depth int) {
	e.b = append(e.b, '{')
	for i, name := range slices.Sorted(maps.Keys(object)) {
		if e.why != "" {
			return
		}
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.text(name)
		e.b = append(e.b, ':')
		e.value(object[name], depth)
	}
	e.b = append(e.b, '}')
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a text"
	case []any:
		return "an array"
	}
	return "a number"
}
