//go:build kafka && linux

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/canary"
	"kafka-kustomer/schemas"
)

// Schemas that a few bytes can make much of.
const (
	recursive = `{"type": "record", "name": "Deep", "fields": [{"name": "messageId", "type": "string"},
		{"name": "changes", "type": {"type": "record", "name": "Node", "fields": [{"name": "meta", "type": ["null", "Node"]}]}}]}`
	weightless = `{"type": "record", "name": "Light", "fields": [{"name": "messageId", "type": "string"},
		{"name": "changes", "type": {"type": "map", "values": ["string", {"type": "array", "items": "null"}, "double",
			{"type": "map", "values": {"type": "array", "items": {"type": "record", "name": "Empty", "fields": []}}}]}}]}`
)

// hostileProgram does what a record asks for, within what a program may do at all.
const hostileProgram = `
def forever: forever;
def grow: if length > 1e9 then . else (. + [.]) | grow end;
def out: {messageId: $key, changes: {custom: {noteTxt: .}}};
if .op == "loop" then forever
elif .op == "spin" then range(1e15) | select(. < 0)
elif .op == "grow" then [] | grow
elif .op == "tree" then reduce range(60) as $i (1; [., .]) | out
elif .op == "deep" then reduce range(20000) as $i (1; [.]) | out
elif .op == "many" then range(1e9) | tostring | out
elif .op == "wide" then [range(1e8)] | out
elif .op == "match" then (.text | [match(.; "g")] | length | tostring | out), (.re as $re | .text | test($re) | tostring | out)
elif .op == "fail" then error(.)
elif .op == "number" then {messageId: $key, changes: {custom: {scoreNum: (.number * 3)}}}
else .text | out end
`

// hostiles makes values that mean harm.
type hostiles struct {
	*maker
	v1, deep, light *writer
}

// value makes one for a topic.
func (h *hostiles) value(topic string) (value []byte, headers []kgo.RecordHeader) {
	d := h.draft()
	kinds := []func(draft) []byte{h.noise, h.broken, h.broken, h.nested, h.numbers, h.texts}
	switch topic {
	case "avro":
		kinds = []func(draft) []byte{h.framedNoise, h.framedNoise, h.flipped, h.flipped, h.bomb, h.bomb, h.bomb, h.recursion, h.odd, h.noise, h.honest}
	case "auto":
		kinds = append(kinds, h.framedNoise, h.flipped, h.bomb, h.recursion, h.odd)
	case "mapped":
		kinds = append(kinds, h.program, h.program, h.program)
	}
	if topic != "json" && h.n%97 == 0 {
		headers = append(headers, kgo.RecordHeader{Key: schemaHeader, Value: h.bytes(6)})
	}
	return kinds[h.random.IntN(len(kinds))](d), headers
}

func (h *hostiles) bytes(most int) []byte {
	b := make([]byte, h.random.IntN(most+1))
	for i := range b {
		b[i] = byte(h.random.Uint32())
	}
	return b
}

func (h *hostiles) noise(draft) []byte {
	if h.n%50 == 0 {
		return nil
	}
	return h.bytes(300)
}

// broken is an event with some of its bytes changed, cut out, or doubled.
func (h *hostiles) broken(d draft) []byte { return h.damage([]byte(d.json())) }

func (h *hostiles) damage(b []byte) []byte {
	for range 1 + h.random.IntN(3) {
		if len(b) < 2 {
			break
		}
		i := h.random.IntN(len(b))
		j := min(len(b), i+h.random.IntN(8))
		switch h.random.IntN(5) {
		case 0:
			b[i] = byte(h.random.Uint32())
		case 1:
			b[i] ^= 1 << h.random.IntN(8)
		case 2:
			b = slices.Delete(b, i, j)
		case 3:
			b = slices.Insert(b, i, slices.Clone(b[i:j])...)
		case 4:
			b = b[:i]
		}
	}
	return b
}

// custom is an event that sets attributes, as JSON.
func (d draft) custom(attributes string) []byte {
	return fmt.Appendf(nil, `{"messageId":%q,"changes":{"custom":{%s}}}`, d.id, attributes)
}

func (h *hostiles) nested(d draft) []byte {
	depth := []int{60, 63, 64, 65, 1000, 100_000}[h.random.IntN(6)]
	opening, closing := `[`, `]`
	if h.random.IntN(2) == 0 {
		opening, closing = `{"a":`, `}`
	}
	if h.random.IntN(4) == 0 {
		closing = ""
	}
	inside := strings.Repeat(opening, depth) + "1" + strings.Repeat(closing, depth)
	if h.random.IntN(2) == 0 {
		return []byte(inside)
	}
	return fmt.Appendf(nil, `{"messageId":%q,"changes":{"meta":{"a":%s}}}`, d.id, inside)
}

func (h *hostiles) numbers(d draft) []byte {
	n := []string{
		"1e999999999", "-1e-999999999", strings.Repeat("9", 20_000), "0." + strings.Repeat("3", 20_000), "NaN", "Infinity", "-", "0x10", "01",
		"1" + strings.Repeat("0", 400), "9007199254740993", "1e400", "-0",
	}[h.random.IntN(13)]
	return d.custom(`"scoreNum":` + n)
}

func (h *hostiles) texts(d draft) []byte {
	note := func(raw string) []byte { return d.custom(`"noteTxt":"` + raw + `"`) }
	switch h.random.IntN(10) {
	case 0:
		return note(`\ud83d` + canary.Value)
	case 1:
		return note(`\ud83d\ude00\u0000\u001f`)
	case 2:
		return note("\xed\xa0\x80")
	case 3:
		return d.custom(`"noteTxt":"a","note\u0054xt":"b"`)
	case 4:
		return fmt.Appendf(nil, `{"messageId":%q,"message\u0049d":"other","changes":{"subject":"x"}}`, d.id)
	case 5:
		if h.n%8 == 0 { // as large as Kafka takes
			return note(strings.Repeat("é", 450_000))
		}
		return note(strings.Repeat(`\u0001`, 5000))
	case 6:
		var members []string
		for i := range 3000 {
			members = append(members, fmt.Sprintf(`"a%dStr":"%d"`, i, i))
		}
		return d.custom(strings.Join(members, ","))
	case 7:
		return fmt.Appendf(nil, `{"messageId":%s,"changes":{"subject":"x"}}`, quoted(strings.Repeat("m", 300)))
	case 8:
		return fmt.Appendf(nil, `{"messageId":"%s","changes":{"subject":%s}}`, `\"\u2028/../`, quoted(canary.Value))
	}
	return note("\xff\xfe" + canary.Value)
}

func (h *hostiles) framedNoise(draft) []byte {
	ids := []uint32{h.v1.id, h.deep.id, h.light.id, h.v1.id, h.deep.id, unknownID, math.MaxUint32, 0}
	return framed(ids[h.random.IntN(len(ids))], h.bytes(60))
}

func (h *hostiles) honest(d draft) []byte { return h.v1.framed(d.native()) }

func (h *hostiles) flipped(d draft) []byte {
	whole := h.v1.framed(d.native())
	return append(whole[:5:5], h.damage(whole[5:])...)
}

// varint is a number as Avro writes it.
func varint(n int64) (b []byte) {
	for u := uint64(n<<1) ^ uint64(n>>63); ; u >>= 7 {
		if u < 0x80 {
			return append(b, byte(u))
		}
		b = append(b, byte(u)|0x80)
	}
}

func avroText(s string) []byte { return append(varint(int64(len(s))), s...) }

// bomb claims more than there is, of what may take no bytes at all.
func (h *hostiles) bomb(d draft) []byte {
	counts := []int64{1 << 20, 1<<31 - 1, 1 << 40, 1 << 62, math.MaxInt64, -1, -1 << 40, math.MinInt64, 4096, 4097}
	count := varint(counts[h.random.IntN(len(counts))])
	claim := slices.Concat(count, [][]byte{nil, {0}, {0, 0}, bytes.Repeat([]byte{0x7e}, 50_000), bytes.Repeat([]byte{0xff}, 12)}[h.random.IntN(5)])
	if h.random.IntN(4) == 0 {
		return framed(h.light.id, claim) // of the message's id
	}
	field := slices.Concat(avroText(d.id), varint(1), avroText("meta"))
	if h.random.IntN(5) == 0 {
		return framed(h.light.id, slices.Concat(avroText(d.id), claim))
	}
	return framed(h.light.id, slices.Concat(field, varint(int64(h.random.IntN(5))), claim))
}

func (h *hostiles) recursion(d draft) []byte {
	depth := []int{10, 60, 64, 70, 5000, 500_000}[h.random.IntN(6)]
	if depth > 5000 && h.n%5 > 0 {
		depth = 5000
	}
	value := slices.Concat(avroText(d.id), bytes.Repeat([]byte{2}, depth))
	if h.random.IntN(2) == 0 {
		value = append(value, 0)
	}
	return framed(h.deep.id, value)
}

// odd is well-formed, but for one thing that JSON can't say.
func (h *hostiles) odd(d draft) []byte {
	event := d.native()
	custom := event["changes"].(map[string]any)["custom"].(map[string]any)["map"].(map[string]any)
	switch h.random.IntN(4) {
	case 0:
		custom["oddNum"] = goavro.Union("double", math.NaN())
	case 1:
		custom["oddNum"] = goavro.Union("double", math.Inf(-1))
	case 2:
		custom["oddStr"] = goavro.Union("string", "\xc3\x28"+canary.Value)
	case 3:
		twice := slices.Concat(avroText("lang"), varint(0), avroText("de"))
		return framed(h.light.id, slices.Concat(avroText(d.id), varint(2), twice, twice, []byte{0}))
	}
	return h.v1.framed(event)
}

func (h *hostiles) program(d draft) []byte {
	ops := []string{"match", "fail", "number", "match", "fail", "number", "none", "none", "none"}
	if h.n%12 == 0 { // what takes its time
		ops = []string{"loop", "spin", "grow", "tree", "deep", "many", "wide"}
	}
	re := []string{"(a*)*b", "((((((((((x{1,9}){1,9}){1,9}", "[", fmt.Sprintf("x{%d}", h.n), "(?i)" + strings.Repeat("(", 500)}[h.random.IntN(5)]
	value, err := json.Marshal(map[string]any{
		"op": ops[h.random.IntN(len(ops))], "re": re, "text": canary.Value + strings.Repeat("a", h.random.IntN(2000)), "number": json.Number("1e300"),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return value
}

// Whatever stands in a record: the process lives, stays small, and comes to the end.
// Each record is delivered, or skipped, or a dead letter with a reason.
func TestHostileBytes(t *testing.T) {
	t.Parallel()
	n := envInt(t, "E2E_BYTES", 10_000)
	// A program may hoard for as long as it may run: half the usual time is half the
	// memory, on a machine that may be twice as fast.
	program := "mapping: {jq_file: " + tempFile(t, "hostile.jq", hostileProgram) + ", jq_limits: {time: 50ms}}"
	w := newFormatWorld(t, map[string]string{"json": "format: json", "auto": "format: auto", "avro": "format: avro", "mapped": program}, nil)
	subject := w.topicOf["avro"] + "-value"
	h := &hostiles{
		maker: &maker{formatWorld: w, mark: 'a'},
		v1:    w.writer(subject, schemas.MessageChangeAvro), deep: w.writer(subject+"-deep", recursive), light: w.writer(subject+"-light", weightless),
	}
	for i := range n {
		topic := []string{"json", "auto", "avro", "mapped"}[i%4]
		value, headers := h.value(topic)
		w.add(topic, fated{Record: &kgo.Record{Key: fmt.Appendf(nil, "%024x", h.random.IntN(500)), Value: value, Headers: headers}})
	}
	w.produceAll()
	begun := time.Now()
	c := w.connector("sturdy", "", w.registry(", unknown_grace: 1s"), w.deadLetter("off"))
	w.awaitNoLag(3 * time.Minute)
	high := c.memory("VmHWM")
	t.Logf("%d records in %v, VmHWM %d MiB", n, time.Since(begun).Round(time.Millisecond), high>>20)
	if !raceDetector && high > 256<<20 {
		t.Errorf("it took %d MiB", high>>20)
	}
	m := c.metrics()
	c.term()
	w.wantEachOnce(m)
}
