package kustomersim

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// OpenOperation is an accepted operation that has not ended.
type OpenOperation struct {
	ID         string    `json:"id"`
	AcceptedAt time.Time `json:"acceptedAt"`
	Items      int       `json:"items"`
	// Failing of the items will have the result "error". It is decided at the
	// acceptance, so a test can pick its moment before the client can know.
	Failing int `json:"failing"`
}

// OpenOperations lists the operations that have not ended, the oldest first.
func (s *Server) OpenOperations() []OpenOperation {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []OpenOperation{} // [] rather than null in JSON
	for _, op := range s.ops {
		if op.stage == complete || op.req == nil { // over, or will never run
			continue
		}
		o := OpenOperation{ID: op.id, AcceptedAt: op.acceptedAt, Items: len(op.results)}
		for _, r := range op.results {
			if r.outcome == failed || r.outcome == notFound {
				o.Failing++
			}
		}
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b OpenOperation) int {
		return cmp.Or(a.AcceptedAt.Compare(b.AcceptedAt), cmp.Compare(a.ID, b.ID))
	})
	return list
}

func (s *Server) getOperations(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, s.OpenOperations())
}
