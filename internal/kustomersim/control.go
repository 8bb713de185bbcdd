package kustomersim

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	controlPrefix  = "/_sim/"
	maxScriptBytes = 1 << 20
	// chunk is how many messages are rendered at a time: more would hold the
	// mutex, and with it the API, for too long.
	chunk = 256
)

func (s *Server) controlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/stats", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Stats()) })
	mux.HandleFunc("GET /_sim/script", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.currentScript()) })
	mux.HandleFunc("POST /_sim/script", s.postScript)
	mux.HandleFunc("GET /_sim/operations", s.getOperations)
	mux.HandleFunc("GET /_sim/messages", s.getMessages)
	mux.HandleFunc("GET /_sim/messages/{id}", s.getMessage)
	return mux
}

func (s *Server) currentScript() Script {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.script.Script
}

func (s *Server) postScript(w http.ResponseWriter, r *http.Request) {
	sc, err := ReadScript(http.MaxBytesReader(w, r.Body, maxScriptBytes))
	if err == nil {
		err = s.SetScript(sc)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) getMessage(w http.ResponseWriter, r *http.Request) {
	lines := s.appendStates(nil, []string{r.PathValue("id")})
	if len(lines) == 0 {
		http.Error(w, "nothing was written to this message", http.StatusNotFound)
		return
	}
	w.Header()["Content-Type"] = jsonType
	_, _ = w.Write(lines)
}

// getMessages streams all states, one line each, in the order of their ids.
func (s *Server) getMessages(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	ids := slices.AppendSeq(make([]string, 0, len(s.store.messages)), maps.Keys(s.store.messages))
	s.mu.Unlock()
	slices.Sort(ids)
	w.Header().Set("Content-Type", "application/x-ndjson")
	var lines []byte
	for part := range slices.Chunk(ids, chunk) {
		lines = s.appendStates(lines[:0], part)
		if _, err := w.Write(lines); err != nil || r.Context().Err() != nil {
			return
		}
	}
}

// appendStates appends {"id":...,"applied":n,"fields":{...}} for each message
// that was written, fields in the order of their names.
func (s *Server) appendStates(b []byte, ids []string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		m := s.store.messages[id]
		if m == nil || m.applied == 0 {
			continue
		}
		b = append(b, `{"id":`...)
		b, _ = jsontext.AppendQuote(b, id) // ids came as valid UTF-8
		b = append(b, `,"applied":`...)
		b = strconv.AppendInt(b, m.applied, 10)
		b = append(b, `,"fields":{`...)
		fields := m.snapshot()
		for i, name := range slices.Sorted(maps.Keys(fields)) {
			if i > 0 {
				b = append(b, ',')
			}
			b, _ = jsontext.AppendQuote(b, name)
			b = append(append(b, ':'), fields[name]...)
		}
		b = append(b, "}}\n"...)
	}
	return b
}

func writeJSON(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header()["Content-Type"] = jsonType
	_, _ = w.Write(body)
}
