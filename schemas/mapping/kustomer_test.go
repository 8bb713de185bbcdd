package mapping

import (
	"strings"
	"testing"
)

const ownUser = "65b0aa00c1d2e3f405169999"

func event(data, changes, rest string) string {
	return `{"id":"e","name":"kustomer.message.update","data":` + data + `,"changes":` + changes + rest + `}`
}

func TestKustomerEvent(t *testing.T) {
	m := mapper(t, Config{Preset: KustomerEvent, KustomerEvent: KustomerEventConfig{OwnUsers: []string{ownUser}, OwnClients: []string{"our-own"}}})
	const data = `{"type":"message","id":"m"}`
	attrs := func(a string) string { return event(data, `{"attributes":{`+a+`}}`, ``) }
	for value, want := range map[string]string{
		attrs(`"lang":{"op":"add","before":null,"after":"en"}`):                            `{"eventId":"e","messageId":"m","changes":{"lang":"en"}}`,
		attrs(`"lang":{"op":"remove"}`):                                                    `{"eventId":"e","messageId":"m","changes":{"lang":null}}`,
		attrs(`"rev":{"after":3},"modifiedBy":{"after":"x"},"updatedAt":{}`):               "skip: unchanged",
		attrs(`"status":{"op":"remove","after":null}`):                                     "skip: unchanged",
		attrs(`"newMember":{"after":[1.50,{"a":null}]}`):                                   `{"eventId":"e","messageId":"m","changes":{"newMember":[1.50,{"a":null}]}}`,
		attrs(`"custom":{"before":{"a":1,"b":2,"c":null},"after":{"a":1,"b":3,"d":null}}`): `{"eventId":"e","messageId":"m","changes":{"custom":{"b":3,"d":null}}}`,
		attrs(`"custom":{"op":"remove","before":{"a":1,"b":null},"after":null}`):           `{"eventId":"e","messageId":"m","changes":{"custom":{"a":null}}}`,
		attrs(`"custom":{"before":{"a":1},"after":{"a":1}}`):                               "skip: unchanged",
		attrs(``):             "skip: unchanged",
		event(data, `{}`, ``): "skip: unchanged",
		event(data, `{"attributes":null,"relationships":null}`, ``):                                                     "skip: unchanged",
		event(data, `{"relationships":{"conversation":{"after":{"data":{"id":"c"}}}}}`, ``):                             `{"eventId":"e","messageId":"m","changes":{"conversation":"c"}}`,
		event(data, `{"relationships":{"conversation":{"after":"c"},"customer":{"after":1}}}`, ``):                      `{"eventId":"e","messageId":"m","changes":{"conversation":"c"}}`,
		event(data, `{"relationships":{"conversation":{"op":"remove"}}}`, ``):                                           "skip: unchanged",
		event(data, `{"attributes":{"conversation":{"after":"a"}},"relationships":{"conversation":{"after":"b"}}}`, ``): `{"eventId":"e","messageId":"m","changes":{"conversation":"a"}}`,
		event(`{}`, `{"attributes":{"lang":{"after":"en"}}}`, `,"dataId":"m","createdAt":"2026-01-02T03:04:05Z"`):       `{"eventId":"e","occurredAt":"2026-01-02T03:04:05Z","messageId":"m","changes":{"lang":"en"}}`,
		event(`null`, `{"attributes":{"lang":{"after":"en"}}}`, `,"dataId":"m","createdAt":"yesterday"`):                `{"eventId":"e","messageId":"m","changes":{"lang":"en"}}`,
		// another's
		`{"name":"kustomer.message.create","data":{}}`: "skip: other_event",
		`{"name":"kustomer.message.delete"}`:           "skip: other_event",
		`{"name":"kustomer.conversation.update"}`:      "skip: other_event",
		// ours
		event(`{"id":"m","relationships":{"modifiedBy":{"data":{"type":"user","id":"`+ownUser+`"}}}}`, `{}`, ``): "skip: own_update",
		event(`{"id":"m","attributes":{"modifiedBy":"`+ownUser+`"}}`, `{}`, ``):                                  "skip: own_update",
		event(`{"id":"m"}`, `7`, `,"client":"our-own"`):                                                          "skip: own_update",
		event(`{"id":"m","relationships":{"createdBy":{"data":{"id":"`+ownUser+`"}}}}`, `{}`, ``):                "skip: unchanged",
		// hostile
		`{"name":7}`:                       `mapping_shape: the event's "name" is a number, not a string`,
		`{}`:                               `mapping_shape: the event's "name" is missing, not a string`,
		`[]`:                               `mapping_shape: the event is an array, not an object`,
		event(data, `null`, ``):            `mapping_shape: the event's "changes" is null, not an object`,
		event(`{}`, `{}`, ``):              `mapping_shape: the event's "data" has no id of a message, and "dataId" is missing`,
		event(`7`, `{}`, `,"dataId":7`):    `mapping_shape: the event's "data" has no id of a message, and "dataId" is a number`,
		event(data, `{}`, `,"dataId":"n"`): `mapping_shape: the event's "dataId" is not the id of its "data"`,
		event(data, `{}`, `,"dataId":7`):   `mapping_shape: the event's "dataId" is not the id of its "data"`,
		event(`{"type":"conversation","id":"m"}`, `{}`, ``):               `mapping_shape: the event's "data" is no message by its "type"`,
		event(data, `{"attributes":[]}`, ``):                              `mapping_shape: the event's "changes.attributes" is an array, not an object`,
		event(data, `{"relationships":1}`, ``):                            `mapping_shape: the event's "changes.relationships" is a number, not an object`,
		attrs(`"lang":"en"`):                                              `mapping_shape: a change in the event's "changes.attributes" does not say what comes "after"`,
		attrs(`"lang":null`):                                              `mapping_shape: a change in the event's "changes.attributes" does not say what comes "after"`,
		attrs(`"lang":{"op":"replace"}`):                                  `mapping_shape: a change in the event's "changes.attributes" does not say what comes "after"`,
		event(data, `{"relationships":{"conversation":{"after":7}}}`, ``): `mapping_shape: the event's "changes.relationships.conversation" has no id "after"`,
	} {
		if res := got(m.Map(&Record{Value: []byte(value)})); res != want {
			t.Errorf("%s:\n got %s\nwant %s", value, res, want)
		}
	}
}

// What Kustomer keeps to itself is left out, and counted.
func TestKustomerKeeps(t *testing.T) {
	m := mapper(t, Config{Preset: KustomerEvent, KustomerEvent: KustomerEventConfig{OtherOrg: true}, Nulls: NullsAll})
	names := strings.Fields(`createdAt createdBy modifiedAt modifiedBy updatedAt customer channel app direction auto source shortcuts kbArticles location
		reference importedAt queue spam reactions rev redacted directionType assignedUsers assignedTeams createdByTeams intentDetections id _clientRef`)
	var changes []string
	for _, name := range names {
		changes = append(changes, `"`+name+`":{"after":"x"}`)
	}
	changes = append(changes, `"status":{"op":"remove"}`)
	res := m.Map(&Record{Value: []byte(event(`{"id":"m"}`, `{"attributes":{`+strings.Join(changes, ",")+`}}`, ``))})
	if want := `{"eventId":"e","messageId":"m","changes":{"status":null}}`; got(res) != want || res.LeftOut != len(names) {
		t.Errorf("%s, left out %d of %d", got(res), res.LeftOut, len(names))
	}
}
