package mapping

import (
	"errors"
	"slices"

	"kafka-kustomer/internal/jsonscan"
)

// KustomerEventConfig tells the connector's own updates from others'. Each of them
// comes back as an event; mapped again it would be sent again, without end.
type KustomerEventConfig struct {
	// OwnUsers are ids of users whose updates are skipped: the user of the API key that
	// the connector writes with. Kustomer names it as modifiedBy of the message.
	OwnUsers []string
	// OwnClients are names that Kustomer gives as the event's "client" for updates that
	// are to be skipped.
	OwnClients []string
	// OtherOrg says that the events come from another org than the one that is updated,
	// so that none of the connector's own can come back.
	OtherOrg bool
}

type kustomerEvent struct {
	cfg      KustomerEventConfig
	allNulls bool
}

func newKustomerEvent(cfg KustomerEventConfig, allNulls bool) (preset, error) {
	if len(cfg.OwnUsers) == 0 && len(cfg.OwnClients) == 0 && !cfg.OtherOrg {
		return nil, errors.New("mapping.kustomer_event needs own_users, the id of the API key's user: every update of the connector comes back as an event, " +
			"and would be sent again without end (other_org: true where the events come from another org than the one that is updated)")
	}
	for _, id := range slices.Concat(cfg.OwnUsers, cfg.OwnClients) {
		if id == "" {
			return nil, errors.New("mapping.kustomer_event has an empty entry in own_users or own_clients")
		}
	}
	return &kustomerEvent{cfg: cfg, allNulls: allNulls}, nil
}

// webhook is what the envelope says.
type webhook struct {
	id, name, data, changes []byte
	createdAt, client       []byte
	dataID                  []byte
}

func openWebhook(value []byte) webhook {
	var w webhook
	for s := jsonscan.Scan(value); s.Next(); {
		name := string(s.Name)
		switch v := s.Bytes(); name {
		case "id":
			w.id = v
		case "name":
			w.name = v
		case "data":
			w.data = v
		case "changes":
			w.changes = v
		case "createdAt":
			w.createdAt = v
		case "client":
			w.client = v
		case "dataId":
			w.dataID = v
		}
	}
	return w
}

func (k *kustomerEvent) apply(_ *Record, value []byte, out *outcome) {
	if value = trim(value); !isObject(value) {
		out.fail(FaultShape, "the event is %s, not an object", kind(value))
		return
	}
	w := openWebhook(value)
	switch {
	case !isString(w.name):
		out.fail(FaultShape, "the event's \"name\" is %s, not a string", kind(w.name))
		return
	case text(w.name) != "kustomer.message.update":
		out.skip = SkipOtherEvent
		return
	case k.own(w):
		out.skip = SkipOwnUpdate
		return
	}
	c := change{messageID: w.messageID(out), eventID: attributes{id: w.id}.usable().id, occurredAt: attributes{time: w.createdAt}.usable().time}
	if out.fault != nil {
		return
	}
	if !isObject(w.changes) {
		out.fail(FaultShape, "the event's \"changes\" is %s, not an object", kind(w.changes))
		return
	}
	if k.attributes(&c, w.changes, out); out.fault == nil {
		k.relationships(&c, w.changes, out)
	}
	if out.fault == nil {
		c.emit(out)
	}
}

// own tells whether an update is one of the connector's.
func (k *kustomerEvent) own(w webhook) bool {
	by := path(w.data, "relationships", "modifiedBy", "data", "id")
	if by == nil {
		by = path(w.data, "attributes", "modifiedBy")
	}
	return slices.Contains(k.cfg.OwnUsers, text(by)) || slices.Contains(k.cfg.OwnClients, text(w.client))
}

// messageID is said twice in an event, and both must be the same.
func (w webhook) messageID(out *outcome) []byte {
	id := member(w.data, "id")
	if typ := member(w.data, "type"); !absent(typ) && text(typ) != "message" {
		out.fail(FaultShape, `the event's "data" is no message by its "type"`)
		return nil
	}
	if absent(id) {
		id = w.dataID
	}
	switch {
	case !isString(id):
		out.fail(FaultShape, "the event's \"data\" has no id of a message, and \"dataId\" is %s", kind(w.dataID))
	case !absent(w.dataID) && text(w.dataID) != text(id):
		out.fail(FaultShape, `the event's "dataId" is not the id of its "data"`)
	}
	return id
}

// attributes takes what each attribute has become.
func (k *kustomerEvent) attributes(c *change, changes []byte, out *outcome) {
	list := member(changes, "attributes")
	if absent(list) {
		return
	}
	if !isObject(list) {
		out.fail(FaultShape, "the event's \"changes.attributes\" is %s, not an object", kind(list))
		return
	}
	for s := jsonscan.Scan(list); s.Next(); {
		name, raw := string(s.Name), s.Raw.Of(list)
		v := s.Bytes()
		if kept(name) {
			out.leftOut++
			continue
		}
		after := becomes(v)
		if after == nil {
			out.fail(FaultShape, `a change in the event's "changes.attributes" does not say what comes "after"`)
			return
		}
		if name == "custom" {
			if after = customDiff(member(v, "before"), after); after == nil {
				continue
			}
		}
		if isNull(after) && !k.allNulls && !clearable(name) {
			out.leftOut++
			continue
		}
		c.set(raw, after)
	}
}

// becomes returns the value after a change, nil where it is not said.
func becomes(v []byte) []byte {
	after := member(v, "after")
	if after == nil && text(member(v, "op")) == "remove" {
		return []byte("null")
	}
	return after
}

// relationships takes the conversation, the one relationship that the bulk API
// changes; it takes an id alone.
func (k *kustomerEvent) relationships(c *change, changes []byte, out *outcome) {
	list := member(changes, "relationships")
	if absent(list) {
		return
	}
	if !isObject(list) {
		out.fail(FaultShape, "the event's \"changes.relationships\" is %s, not an object", kind(list))
		return
	}
	for s := jsonscan.Scan(list); s.Next(); {
		name, raw := string(s.Name), s.Raw.Of(list)
		v := s.Bytes()
		after := becomes(v)
		if name != "conversation" || isNull(after) || path(changes, "attributes", name) != nil {
			out.leftOut++
			continue
		}
		id := member(after, "id")
		if id == nil {
			id = path(after, "data", "id")
		}
		if isString(after) {
			id = after
		}
		if !isString(id) {
			out.fail(FaultShape, `the event's "changes.relationships.conversation" has no id "after"`)
			return
		}
		c.set(raw, id)
	}
}

// kept tells whether an attribute is Kustomer's to keep: read-only, not to be set in
// bulk, or about the update itself. updatedAt can be set, but every update moves it,
// so that it would answer each event with another.
func kept(name string) bool {
	switch name {
	case "createdAt", "createdBy", "modifiedAt", "modifiedBy", "updatedAt",
		"rev", "redacted", "directionType", "assignedUsers", "assignedTeams", "createdByTeams", "intentDetections",
		"customer", "channel", "app", "direction", "auto", "source", "shortcuts", "kbArticles", "location", "reference",
		"importedAt", "queue", "spam", "reactions", "id", "_clientRef":
		return true
	}
	return false
}
