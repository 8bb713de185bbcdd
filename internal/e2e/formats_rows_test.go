//go:build kafka && linux

package e2e

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/canary"
)

// rowsEntry is the entry of a topic of rows.
const rowsEntry = `mapping: {preset: debezium, debezium: {times: {sent_at: us}, columns: {
	subject: subject, status: status, conversation_id: conversation, custom: custom, sent_at: sentAt, error_at: errorAt}}}`

// row is a row of a table of messages.
type row struct {
	subject, status, conversation string
	tier, note                    string // attributes; no note: it has none
	sentAt                        int64  // microseconds
}

// rowMaker makes records as Debezium does, of a topic where sent_at is known to be in
// microseconds by the configuration, and error_at in milliseconds by schemas only.
type rowMaker struct {
	*maker
	rows map[string]row
}

func (w *formatWorld) makeRows(topic string, n int) {
	m := &rowMaker{&maker{formatWorld: w, topic: topic, mark: 'b'}, map[string]row{}}
	m.make(n, []func(){
		func() { m.whole("c") }, func() { m.whole("r") }, func() { m.whole("u") },
		m.update, m.update, m.update, m.withSchema, m.withSchema, m.unwrapped, m.unwrapped,
		m.unchanged, m.unavailable, m.nulls, m.deleted, m.truncated, m.garbage,
	})
}

// next draws a row of a message and returns it with the one before.
func (m *rowMaker) next() (d draft, before, after row) {
	d = m.draft()
	before, known := m.rows[d.id]
	after = row{
		subject: d.subject, status: d.status, tier: d.tier,
		conversation: fmt.Sprintf("64a1f0c2b7d9e30012ab200%d", m.random.IntN(3)), sentAt: 1_792_591_300_000_000 + int64(m.random.IntN(3)),
	}
	if m.random.IntN(2) == 0 {
		after.note = canary.Value
	}
	if !known {
		before = row{subject: "none", status: "sent"}
	}
	m.rows[d.id] = after
	return d, before, after
}

// columns are a row as JSON, and further columns.
func (r row) columns(id, more string) string {
	custom := fmt.Sprintf(`{"tierStr":%q}`, r.tier)
	if r.note != "" {
		custom = fmt.Sprintf(`{"noteTxt":%q,"tierStr":%q}`, r.note, r.tier)
	}
	return fmt.Sprintf(`{"id":%q,"subject":%s,"status":%q,"conversation_id":%q,"custom":%s,"sent_at":%d,"internal":true%s}`,
		id, quoted(r.subject), r.status, r.conversation, quoted(custom), r.sentAt, more)
}

// fields are what a row sets when nothing is known of the one before.
func (r row) fields() map[string]string {
	fields := map[string]string{
		"subject": quoted(r.subject), "status": quoted(r.status), "conversation": quoted(r.conversation),
		"custom.tierStr": quoted(r.tier), "sentAt": quoted(time.UnixMicro(r.sentAt).UTC().Format(time.RFC3339Nano)),
	}
	if r.note != "" {
		fields["custom.noteTxt"] = quoted(r.note)
	}
	return fields
}

// since are the fields that are not as in the row before; an attribute that is gone is
// null.
func (r row) since(before row) map[string]string {
	fields, earlier := r.fields(), before.fields()
	if before.note != "" && r.note == "" {
		fields["custom.noteTxt"] = "null"
	}
	maps.DeleteFunc(fields, func(name, value string) bool { return earlier[name] == value })
	return fields
}

func envelope(op, before, after string) string {
	return fmt.Sprintf(`{"before":%s,"after":%s,"source":{"version":"2.7.3.Final","connector":"postgresql","ts_ms":1792591331925,"db":"crm","table":"messages","lsn":24023128},"op":%q,"ts_ms":1792591332010,"transaction":null}`,
		before, after, op)
}

func (m *rowMaker) put(d draft, value string, f fated) {
	for i := range f.changes {
		f.changes[i].message, f.changes[i].event = d.id, "" // a row has no event id
	}
	f.Record = &kgo.Record{Key: fmt.Appendf(nil, `{"id":%q}`, d.id), Value: []byte(value)}
	m.add(m.topic, f)
}

func sets(fields map[string]string) fated { return fated{changes: []change{{fields: fields}}} }

// whole is a change of which what was before is not told.
func (m *rowMaker) whole(op string) {
	d, _, after := m.next()
	m.put(d, envelope(op, "null", after.columns(d.id, "")), sets(after.fields()))
}

func (m *rowMaker) update() {
	d, before, after := m.next()
	m.put(d, envelope("u", before.columns(d.id, ""), after.columns(d.id, "")), sets(after.since(before)))
}

// withSchema is as Connect's JSON converter writes it by default.
func (m *rowMaker) withSchema() {
	d, before, after := m.next()
	at := d.at.UnixMilli()
	const table = `[{"type":"string","optional":false,"field":"id"},{"type":"int64","optional":true,"name":"io.debezium.time.MicroTimestamp","version":1,"field":"sent_at"},
		{"type":"int64","optional":true,"name":"io.debezium.time.Timestamp","version":1,"field":"error_at"},{"type":"string","optional":true,"name":"io.debezium.data.Json","version":1,"field":"custom"}]`
	const schema = `{"type":"struct","fields":[{"type":"struct","fields":` + table + `,"optional":true,"field":"before"},{"type":"struct","fields":` + table +
		`,"optional":true,"field":"after"},{"type":"string","optional":false,"field":"op"}],"optional":false,"name":"crm.public.messages.Envelope"}`
	payload := envelope("u", before.columns(d.id, `,"error_at":1`), after.columns(d.id, fmt.Sprintf(`,"error_at":%d`, at)))
	fields := after.since(before)
	fields["errorAt"] = quoted(time.UnixMilli(at).UTC().Format(time.RFC3339Nano))
	m.put(d, `{"schema":`+schema+`,"payload":`+payload+`}`, sets(fields))
}

func (m *rowMaker) unwrapped() {
	d, _, after := m.next()
	m.put(d, after.columns(d.id, `,"__op":"u","__source_ts_ms":1792591331925,"__deleted":"false"`), sets(after.fields()))
}

func (m *rowMaker) unchanged() {
	d, before, _ := m.next()
	m.rows[d.id] = before
	same := before.columns(d.id, "")
	m.put(d, envelope("u", same, same), fated{skip: "unchanged"})
}

// unavailable is a row of which PostgreSQL has not told a column that is the same.
func (m *rowMaker) unavailable() {
	d, before, after := m.next()
	after.conversation = before.conversation
	m.rows[d.id] = after
	value := after
	value.conversation = "__debezium_unavailable_value"
	fields := after.fields()
	delete(fields, "conversation")
	m.put(d, envelope("u", "null", value.columns(d.id, "")), sets(fields))
}

// nulls has one that Kustomer takes and one that it would refuse the request for.
func (m *rowMaker) nulls() {
	d := m.draft()
	after := fmt.Sprintf(`{"id":%q,"subject":null,"status":null}`, d.id)
	m.put(d, envelope("u", "null", after), sets(map[string]string{"subject": "null"}))
}

func (m *rowMaker) deleted() {
	d, before, _ := m.next()
	m.rows[d.id] = before
	m.put(d, envelope("d", before.columns(d.id, ""), "null"), fated{skip: "deleted"})
	m.put(d, before.columns(d.id, `,"__deleted":"true"`), fated{skip: "deleted"})
	m.skips("tombstone", d, nil)
}

func (m *rowMaker) truncated() {
	m.put(m.draft(), envelope("t", "null", "null"), fated{skip: "not_a_row"})
}

func (m *rowMaker) garbage() {
	d := m.draft()
	r := row{subject: d.subject, status: d.status}
	good := envelope("u", "null", r.columns(d.id, ""))
	m.dies("mapping_shape", d, []byte(strings.Replace(good, `"id"`, `"key"`, 1)))
	m.dies("mapping_shape", d, []byte(strings.Replace(good, `"op":"u"`, `"op":"x"`, 1)))
	m.dies("mapping_shape", d, []byte(strings.Replace(good, `\"tierStr\"`, `tierStr`, 1)))
	m.dies("malformed", d, []byte(strings.Replace(good, `"status"`, `"subject"`, 1)))
	m.dies("malformed", d, []byte(good[:len(good)/2]))
}
