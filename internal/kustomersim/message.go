package kustomersim

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const messagePrefix = "/v1/messages/"

// Seed makes a message with these fields, named as [Server.Message] names them,
// as if it had been created in the org. What was written to it before is gone.
func (s *Server) Seed(id string, fields map[string]jsontext.Value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.store.message([]byte(id))
	m.seeded, m.fields = true, nil
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		key, custom := strings.CutPrefix(name, "custom.")
		m.fields = append(m.fields, field{custom: custom, name: key, value: bytes.Clone(fields[name])})
	}
}

// readMessage is GET /v1/messages/{id}.
func (c *call) readMessage(id string) {
	if c.script.Deny == DenyShow {
		c.reply(http.StatusForbidden, forbiddenBody)
		return
	}
	body, found := c.s.show(id)
	if !found {
		c.finish(http.StatusNotFound, noObjectBody)
		return
	}
	c.finish(http.StatusOK, body)
}

// show renders a message as the API does.
func (s *Server) show(id string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.store.messages[id]
	if !m.known() {
		return nil, false
	}
	top, custom := []byte{'{'}, []byte{'{'}
	for i := range m.fields {
		f := &m.fields[i]
		to := &top
		if f.custom {
			to = &custom
		}
		*to, _ = jsontext.AppendQuote(*to, f.name) // names came as valid UTF-8
		*to = append(append(append(*to, ':'), f.value...), ',')
	}
	if len(custom) > 1 {
		custom[len(custom)-1] = '}'
		top = append(append(append(top, `"custom":`...), custom...), ',')
	}
	b := append([]byte(`{"data":{"type":"message","id":`), quoted(id)...)
	b = append(append(b, `,"attributes":`...), bytes.TrimSuffix(top, []byte{','})...)
	b = append(b, `},"relationships":{`+wireOrg+`},"links":{"self":`...)
	return append(append(b, quoted(messagePrefix+id)...), `}}}`...), true
}

func quoted(s string) []byte {
	b, _ := jsontext.AppendQuote(nil, s)
	return b
}

// namesUnknown reports whether an item of the request is for a message that is
// not known.
func (c *call) namesUnknown() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return slices.ContainsFunc(c.req.items, func(it item) bool {
		return !c.s.store.messages[string(it.id)].known()
	})
}
