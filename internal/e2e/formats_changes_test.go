//go:build kafka && linux

package e2e

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"kafka-kustomer/internal/canary"
	"kafka-kustomer/schemas"
)

// The second version of a producer's schema: a field more, and unions the other way
// round, so that no value of it reads well by the first.
const changesV2 = `{"type": "record", "name": "MessageChange", "namespace": "kafka_kustomer", "fields": [
	{"name": "eventId", "type": ["string", "null"], "default": ""},
	{"name": "occurredAt", "type": [{"type": "long", "logicalType": "timestamp-millis"}, "null"], "default": 0},
	{"name": "origin", "type": "string", "default": "crm"},
	{"name": "messageId", "type": "string"},
	{"name": "changes", "type": {"type": "record", "name": "Changes", "fields": [
		{"name": "status", "type": [{"type": "enum", "name": "MessageStatus", "symbols": ["received", "error", "sent"]}, "null"], "default": "sent"},
		{"name": "custom", "type": [{"type": "map", "values": ["string", "long", "null"]}, "null"], "default": {}},
		{"name": "subject", "type": ["string", "null"], "default": ""}]}}]}`

// The third: other names, with the old ones as aliases, and a finer clock.
const changesV3 = `{"type": "record", "name": "MessageChangeV3", "namespace": "kafka_kustomer", "fields": [
	{"name": "set", "aliases": ["patch", "changes"], "type": {"type": "map", "values": ["null", "string"]}},
	{"name": "at", "aliases": ["occurredAt"], "type": {"type": "long", "logicalType": "timestamp-micros"}},
	{"name": "event", "aliases": ["eventId"], "type": ["null", "string"], "default": null},
	{"name": "message", "aliases": ["messageId"], "type": "string"}]}`

// maker makes records of one topic, each with its fate. A message has the topic in its
// id, so that the topics have none in common.
type maker struct {
	*formatWorld
	topic string
	mark  byte // of its message ids, a hexadecimal digit
	n     int  // drafts
}

// draft is a change that is not written down yet.
type draft struct {
	id, event, subject, status, tier string
	score                            int64
	at                               time.Time
}

const messagesEach = 40

func (m *maker) draft() draft {
	m.n++
	return draft{
		id:    fmt.Sprintf("%c%023x", m.mark, 0xabc000+m.random.IntN(messagesEach)),
		event: fmt.Sprintf("%c-%d", m.mark, m.n),
		// The simulator takes what follows # for a version, and notices one that comes late.
		subject: fmt.Sprintf("%s é #%d", canary.Value, m.n),
		status:  []string{"sent", "received", "error"}[m.random.IntN(3)],
		tier:    fmt.Sprintf("tier-%d", m.random.IntN(5)),
		score:   canary.Number + int64(m.n),
		at:      time.UnixMilli(1_792_591_332_010 + int64(m.n)).UTC(),
	}
}

// sent is the fate of a draft that is sent whole.
func (d draft) sent() change {
	return change{d.id, d.event, map[string]string{
		"subject": quoted(d.subject), "status": quoted(d.status),
		"custom.tierStr": quoted(d.tier), "custom.scoreNum": fmt.Sprint(d.score),
	}}
}

func (d draft) changes() string {
	return fmt.Sprintf(`{"subject":%s,"status":%q,"custom":{"tierStr":%q,"scoreNum":%d}}`, quoted(d.subject), d.status, d.tier, d.score)
}

func (d draft) json() string {
	return fmt.Sprintf(`{"eventId":%q,"occurredAt":%q,"messageId":%q,"changes":%s}`, d.event, d.at.Format(time.RFC3339Nano), d.id, d.changes())
}

// record is one with the message's id as its key.
func (d draft) record(value []byte, headers ...kgo.RecordHeader) *kgo.Record {
	return &kgo.Record{Key: []byte(d.id), Value: value, Headers: headers}
}

func (m *maker) sends(d draft, value []byte, headers ...kgo.RecordHeader) {
	m.add(m.topic, fated{Record: d.record(value, headers...), changes: []change{d.sent()}})
}

func (m *maker) skips(code string, d draft, value []byte, headers ...kgo.RecordHeader) {
	m.add(m.topic, fated{Record: d.record(value, headers...), skip: code})
}

func (m *maker) dies(code string, d draft, value []byte, headers ...kgo.RecordHeader) {
	m.add(m.topic, fated{Record: d.record(value, append(headers, trace())...), dead: code})
}

// make calls each of the kinds in turn until there are n records at least.
func (m *maker) make(n int, kinds []func()) {
	for begun := len(m.records); len(m.records)-begun < n; {
		m.random.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		for _, kind := range kinds {
			kind()
		}
	}
}

// makeChanges makes records of a topic of the format auto.
func (w *formatWorld) makeChanges(topic string, n int) {
	m := &maker{formatWorld: w, topic: topic, mark: 'a'}
	subject := w.topicOf[topic] + "-value"
	a := avroMaker{
		maker: m, v1: w.writer(subject, schemas.MessageChangeAvro), v2: w.writer(subject, changesV2), v3: w.writer(subject, changesV3),
		json:  w.register(subject+"-json", sr.TypeJSON, `{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}`),
		proto: w.register(subject+"-proto", sr.TypeProtobuf, "syntax = \"proto3\";\nmessage Change {\n  string id = 1;\n}\n"),
		other: w.writer(subject+"-other", `{"type": "record", "name": "Order", "fields": [{"name": "number", "type": "long"}]}`),
	}
	kinds := []func(){
		m.plain, m.plain, m.plain, a.first, a.first, a.second, a.second, a.third, a.third, a.clearing, a.headed, a.jsonSchema,
		m.tombstone, m.emptyChange, m.cloudEventBinary, m.cloudEventStructured, m.cloudEventWithoutData,
		m.garbageJSON, m.garbageJSON, m.garbageEvents, m.garbageEvents, a.garbage, a.garbage,
	}
	m.make(n, kinds)
}

func (m *maker) plain() { d := m.draft(); m.sends(d, []byte(d.json()), trace()) }

func (m *maker) tombstone() { m.skips("tombstone", m.draft(), nil) }

func (m *maker) emptyChange() {
	d := m.draft()
	m.skips("empty_change", d, fmt.Appendf(nil, `{"messageId":%q,"changes":{}}`, d.id))
}

func (m *maker) cloudEventBinary() {
	d := m.draft()
	m.sends(
		d, fmt.Appendf(nil, `{"messageId":%q,"changes":%s}`, d.id, d.changes()),
		kgo.RecordHeader{Key: "ce_specversion", Value: []byte("1.0")}, kgo.RecordHeader{Key: "ce_id", Value: []byte(d.event)},
		kgo.RecordHeader{Key: "ce_type", Value: []byte("com.acme.crm.message.updated.v1")},
		kgo.RecordHeader{Key: "ce_time", Value: []byte("2026-10-21T14:02:11Z")},
		kgo.RecordHeader{Key: "content-type", Value: []byte("application/json")}, trace(),
	)
}

var structured = kgo.RecordHeader{Key: "content-type", Value: []byte("application/cloudevents+json; charset=UTF-8")}

func (d draft) cloudEvent(data string) []byte {
	return fmt.Appendf(nil, `{"specversion":"1.0","id":%q,"type":"com.acme.crm.message.updated.v1","source":"/services/crm","time":"2026-10-21T14:02:11.925Z"%s}`, d.event, data)
}

func (m *maker) cloudEventStructured() {
	d := m.draft()
	m.sends(d, d.cloudEvent(fmt.Sprintf(`,"data":{"messageId":%q,"changes":%s}`, d.id, d.changes())), structured)
}

func (m *maker) cloudEventWithoutData() {
	d := m.draft()
	m.skips("tombstone", d, d.cloudEvent(""), structured)
}

// garbageOf is values that are dead letters for one reason.
type garbageOf struct {
	code   string
	values []string
}

// garbageJSON is what no JSON is, or no unambiguous one.
func (m *maker) garbageJSON() {
	d := m.draft()
	good := d.json()
	for _, g := range []garbageOf{
		{"malformed", []string{
			good[:len(good)-9], good + "x", "[" + good + "]", `"` + canary.Value + `"`, "null", strings.Replace(good, "é", "\xc3\x28", 1),
			strings.Replace(good, `"status"`, `"subject"`, 1), "\x00\x00\x01", strings.Repeat("[", 5000),
			strings.Replace(good, `"tier-`, `"\ud800`, 1),
		}},
		{"oversize", []string{strings.Repeat(" ", 70_000) + good}},
		{"empty_value", []string{""}},
	} {
		m.dies(g.code, d, []byte(g.values[m.n%len(g.values)]))
	}
}

// garbageEvents is JSON that no event is.
func (m *maker) garbageEvents() {
	d := m.draft()
	good := d.json()
	m.dies("invalid_message_id", d, []byte(strings.Replace(good, `"messageId"`, `"message"`, 1)))
	m.dies("invalid_event_id", d, []byte(strings.Replace(good, quoted(d.event), "7", 1)))
	m.dies("invalid_occurred_at", d, []byte(strings.Replace(good, "2026-", "26-", 1)))
	m.dies("invalid_changes", d, []byte(strings.Replace(good, `"subject"`, `"_clientRef"`, 1)))
	m.dies("mapping_cloudevent", d, bytes.Replace(d.cloudEvent(`,"data":{}`), []byte(`"1.0"`), []byte("1"), 1), structured)
}

// avroMaker makes records that name a schema.
type avroMaker struct {
	*maker
	v1, v2, v3, other *writer
	json, proto       uint32
}

// native is a draft as the first schema has it.
func (d draft) native() map[string]any {
	return map[string]any{
		"messageId": d.id, "eventId": goavro.Union("string", d.event), "occurredAt": goavro.Union("long.timestamp-millis", d.at), "clear": []any{},
		"changes": map[string]any{
			"subject": goavro.Union("string", d.subject), "status": goavro.Union("kafka_kustomer.MessageStatus", d.status),
			"custom": goavro.Union("map", map[string]any{"tierStr": goavro.Union("string", d.tier), "scoreNum": goavro.Union("long", d.score)}),
		},
	}
}

func (a *avroMaker) first() { d := a.draft(); a.sends(d, a.v1.framed(d.native()), trace()) }

func (a *avroMaker) second() {
	d := a.draft()
	event := d.native()
	delete(event, "clear")
	event["origin"] = "shop"
	a.sends(d, a.v2.framed(event))
}

func (a *avroMaker) third() {
	d := a.draft()
	value := a.v3.framed(map[string]any{
		"message": d.id, "event": goavro.Union("string", d.event), "at": d.at.Add(7 * time.Microsecond),
		"set": map[string]any{"subject": goavro.Union("string", d.subject), "preview": nil, "lang": goavro.Union("string", "de")},
	})
	c := change{d.id, d.event, map[string]string{"subject": quoted(d.subject), "preview": "null", "lang": `"de"`}}
	a.add(a.topic, fated{Record: d.record(value), changes: []change{c}})
}

// clearing sets times and numbers, and clears what the schema has no null for.
func (a *avroMaker) clearing() {
	d := a.draft()
	event := d.native()
	event["clear"] = []any{"preview", "custom.noteTxt"}
	set := event["changes"].(map[string]any)
	set["errorAt"], set["size"] = goavro.Union("long.timestamp-millis", d.at), goavro.Union("long", int64(1)<<53+1)
	c := d.sent()
	c.fields["preview"], c.fields["custom.noteTxt"] = "null", "null"
	c.fields["errorAt"], c.fields["size"] = quoted(d.at.Format("2006-01-02T15:04:05.000Z")), "9007199254740993"
	a.add(a.topic, fated{Record: d.record(a.v1.framed(event)), changes: []change{c}})
}

const schemaHeader = "__value_schema_id"

func (a *avroMaker) headed() {
	d := a.draft()
	a.sends(d, a.v1.bare(d.native()), kgo.RecordHeader{Key: schemaHeader, Value: framed(a.v1.id, nil)})
}

func (a *avroMaker) jsonSchema() { d := a.draft(); a.sends(d, framed(a.json, []byte(d.json()))) }

// garbage names a schema and holds something else, or names none that is of use.
func (a *avroMaker) garbage() {
	d := a.draft()
	good := a.v1.framed(d.native())
	both := d.native()
	both["clear"] = []any{"subject"}
	broken := [][]byte{good[:len(good)-3], append(good, 0), framed(a.v2.id, good[5:]), a.v1.framed(both), good[:5]}
	a.dies("invalid_avro", d, broken[a.n%len(broken)])
	a.dies("unknown_schema", d, framed(unknownID, good[5:]))
	a.dies("unusable_schema", d, framed(a.proto, []byte{0, 10, 1, 'x'}))
	a.dies("schema_no_event", d, a.other.framed(map[string]any{"number": canary.Number}))
	a.dies("invalid_framing", d, a.v1.bare(d.native()), kgo.RecordHeader{Key: schemaHeader, Value: []byte("1")})
}
