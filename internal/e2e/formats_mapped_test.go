//go:build kafka && linux

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// ownUser is the user of the connector's API key, whose updates must not be sent again.
const ownUser = "64a1f0c2b7d9e30012ab00ff"

const webhooksEntry = "mapping: {preset: kustomer-event, kustomer_event: {own_users: [" + ownUser + "]}}"

// webhookMaker makes Kustomer's own events.
type webhookMaker struct {
	*maker
	sample []byte
}

func (w *formatWorld) makeWebhooks(topic string, n int) {
	sample, err := os.ReadFile("testdata/webhook-update.json")
	if err != nil {
		w.t.Fatal(err)
	}
	m := &webhookMaker{&maker{formatWorld: w, topic: topic, mark: 'c'}, sample}
	m.make(n, []func(){m.update, m.update, m.update, m.update, m.moved, m.attributes, m.own, m.other, m.unchanged, m.tombstone, m.garbage})
}

// object is JSON taken apart.
type object = map[string]any

// event is the sample with the message and the id of a draft.
func (m *webhookMaker) event(d draft) object {
	var e object
	if err := json.Unmarshal(m.sample, &e); err != nil {
		m.t.Fatal(err)
	}
	e["id"], e["dataId"] = d.event, d.id
	e["data"].(object)["id"] = d.id
	return e
}

// changed is the sample with other changes of attributes.
func (m *webhookMaker) changed(d draft, attributes object) object {
	e := m.event(d)
	e["changes"].(object)["attributes"] = attributes
	return e
}

func becomes(before, after any) object {
	return object{"op": "replace", "before": before, "after": after}
}

func (m *webhookMaker) text(e object) []byte {
	m.t.Helper()
	text, err := json.Marshal(e)
	if err != nil {
		m.t.Fatal(err)
	}
	return text
}

func (m *webhookMaker) sends(d draft, e object, fields map[string]string) {
	m.add(m.topic, fated{Record: d.record(m.text(e)), changes: []change{{d.id, d.event, fields}}})
}

// update is as the sample: of what has changed, some is not to be set.
func (m *webhookMaker) update() {
	d := m.draft()
	e := m.event(d)
	attributes := e["changes"].(object)["attributes"].(object)
	attributes["subject"] = becomes("Hi", d.subject)
	attributes["status"] = becomes("error", d.status)
	m.sends(d, e, map[string]string{
		"subject": quoted(d.subject), "status": quoted(d.status), "custom.tierStr": `"gold"`, "custom.escalatedBool": "true",
	})
}

// attributes has one that is as it was, one that is new and one that is gone.
func (m *webhookMaker) attributes() {
	d := m.draft()
	e := m.changed(d, object{"custom": becomes(object{"sameStr": "x", "goneTxt": "y"}, object{"sameStr": "x", "scoreNum": d.score})})
	m.sends(d, e, map[string]string{"custom.goneTxt": "null", "custom.scoreNum": fmt.Sprint(d.score)})
}

func (m *webhookMaker) moved() {
	d := m.draft()
	e := m.changed(d, object{"preview": object{"op": "remove", "before": "x"}})
	e["changes"].(object)["relationships"] = object{"conversation": becomes(nil, object{"type": "conversation", "id": "64a1f0c2b7d9e30012ab2009"})}
	m.sends(d, e, map[string]string{"preview": "null", "conversation": `"64a1f0c2b7d9e30012ab2009"`})
}

func (m *webhookMaker) own() {
	d := m.draft()
	e := m.event(d)
	by := e["data"].(object)["relationships"].(object)["modifiedBy"].(object)["data"].(object)
	by["id"] = ownUser
	m.skips("own_update", d, m.text(e))
}

func (m *webhookMaker) other() {
	d := m.draft()
	e := m.event(d)
	e["name"] = "kustomer.message.create"
	m.skips("other_event", d, m.text(e))
}

// unchanged has nothing that could be set: what is read-only, and a null that Kustomer
// does not take.
func (m *webhookMaker) unchanged() {
	d := m.draft()
	m.skips("unchanged", d, m.text(m.changed(d, object{"rev": becomes(1, 2), "errorAt": object{"op": "remove", "before": "x", "after": nil}})))
}

func (m *webhookMaker) garbage() {
	d := m.draft()
	good := m.text(m.event(d))
	twisted := m.event(d)
	twisted["dataId"] = "64a1f0c2b7d9e30012ab9999"
	m.dies("mapping_shape", d, m.text(twisted))
	m.dies("mapping_shape", d, m.text(m.changed(d, object{"subject": object{"op": "replace"}})))
	m.dies("mapping_shape", d, []byte(`{"event":"other"}`))
	m.dies("malformed", d, good[:len(good)-1])
}

// ownProgram reads records of a producer's own shape.
const ownProgram = `
def event(id; text): {messageId: id, eventId: (.id + (if id == $key then "" else "-b" end)), changes: text};
if .kind == "ignore" then empty
elif .kind == "bad" then error("kind \(.text) is bad")
elif .kind == "late" then event($key; {subject: .text}), error("late")
elif .kind == "text" then .text
elif .kind == "pair" then event($key; {subject: .text}), event("e" + $key[1:]; {subject: .text, lang: $headers.lang})
elif .kind == "steps" then (.steps[] as $s | event($key; {status: $s}))
elif .kind == "half" then event($key; {}), event($key; {subject: .text})
elif .kind == "nameless" then event($key; {subject: .text}), {changes: {subject: .text}}
else event($key; {subject: .text, custom: {scoreNum: .score, tierStr: ($topic | if . == "" then "none" else "gold" end)}}) end
`

// ownMaker makes records for that program.
type ownMaker struct{ *maker }

func (w *formatWorld) makeOwn(topic string, n int) {
	m := ownMaker{&maker{formatWorld: w, topic: topic, mark: 'd'}}
	m.make(n, []func(){m.one, m.one, m.one, m.pair, m.pair, m.steps, m.steps, m.half, m.ignored, m.tombstone, m.garbage})
}

func (d draft) kind(kind string, more ...string) []byte {
	return fmt.Appendf(nil, `{"kind":%q,"id":%q,"text":%s,"score":%d%s}`, kind, d.event, quoted(d.subject), d.score, strings.Join(more, ""))
}

func (d draft) with(fields map[string]string) change {
	all := map[string]string{"subject": quoted(d.subject)}
	maps.Copy(all, fields)
	return change{d.id, d.event, all}
}

func (m *ownMaker) sent(d draft, value []byte, changes ...change) {
	m.add(m.topic, fated{Record: d.record(value, kgo.RecordHeader{Key: "lang", Value: []byte("fr")}), changes: changes})
}

func (m *ownMaker) one() {
	d := m.draft()
	m.sent(d, d.kind("one"), d.with(map[string]string{"custom.scoreNum": fmt.Sprint(d.score), "custom.tierStr": `"gold"`}))
}

// pair is of two messages.
func (m *ownMaker) pair() {
	d := m.draft()
	second := d
	second.id, second.event = "e"+d.id[1:], d.event+"-b"
	m.sent(d, d.kind("pair"), d.with(nil), second.with(map[string]string{"lang": `"fr"`}))
}

// steps are several changes of one message, of which the last one counts.
func (m *ownMaker) steps() {
	d := m.draft()
	var changes []change
	for _, status := range []string{"received", "error", d.status} {
		changes = append(changes, change{d.id, d.event, map[string]string{"status": quoted(status)}})
	}
	m.sent(d, d.kind("steps", fmt.Sprintf(`,"steps":["received","error",%q]`, d.status)), changes...)
}

// half has one change that is none.
func (m *ownMaker) half() { d := m.draft(); m.sent(d, d.kind("half"), d.with(nil)) }

func (m *ownMaker) ignored() { d := m.draft(); m.skips("filtered", d, d.kind("ignore")) }

func (m *ownMaker) garbage() {
	d := m.draft()
	m.dies("mapping_jq", d, d.kind("bad"))
	m.dies("mapping_jq", d, d.kind("late"))
	m.dies("mapping_jq_output", d, d.kind("text"))
	m.dies("invalid_message_id", d, d.kind("nameless"))
	m.dies("malformed", d, []byte("{'kind'"))
}
