package kustomersim

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// discard is a ResponseWriter that costs nothing, so that the benchmark sees
// the simulator.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

// bulkBody is a body of n ordinary items; round makes patches differ.
func bulkBody(n, round int) string {
	var b strings.Builder
	for i := range n {
		sep := ','
		if i == 0 {
			sep = '['
		}
		fmt.Fprintf(&b, `%c{"id":"5f%022x","_clientRef":"b%d-%d","subject":"Re: order %d #%d","status":"received",`+
			`"custom":{"tierStr":"gold","scoreNum":%d,"seenAt":"2026-11-24T02:30:00.123Z","vipBool":true}}`, sep, i, round, i, i, round, round)
	}
	return b.String() + "]"
}

// BenchmarkPut is a PUT of 100 items, run by the workers, and one look at its
// results: what an item costs the simulator is ns/item.
func BenchmarkPut(b *testing.B) {
	const items = 100
	s := New(Options{Script: &Script{}})
	defer s.Close()
	bodies := make([]string, 64)
	for i := range bodies {
		bodies[i] = bulkBody(items, i)
	}
	w := &discard{header: http.Header{}}
	var bytes int64
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		body := bodies[i%len(bodies)]
		r := httptest.NewRequest(http.MethodPut, putPath, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer key")
		r.Header.Set("Content-Type", "application/json")
		s.ServeHTTP(w, r)
		bytes = int64(len(body))
	}
	if err := s.Quiesce(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(bytes)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*items), "ns/item")
	if st := s.Stats(); st.OperationsCompleted != st.Puts {
		b.Fatalf("%d of %d PUTs completed", st.OperationsCompleted, st.Puts)
	}
}
