package kustomersim

import (
	"maps"
	"time"
)

// pollBuckets bounds Stats.Polls: the last bucket holds that many or more.
const pollBuckets = 16

// Stats is what a [Server] has seen. Counts are totals since New.
type Stats struct {
	Puts int64 `json:"puts"` // every call but GETs, whatever came of it
	Gets int64 `json:"gets"`
	// PutStatus and GetStatus count replies by status; 0 is a cut connection
	// or a client that had gone.
	PutStatus map[int]int64 `json:"putStatus"`
	GetStatus map[int]int64 `json:"getStatus"`
	// FirstCall and LastCall are when calls arrived; zero before the first.
	FirstCall time.Time `json:"firstCall,omitzero"`
	LastCall  time.Time `json:"lastCall,omitzero"`
	// CallsPerMinuteMax is the busiest minute of the clock.
	CallsPerMinuteMax int64 `json:"callsPerMinuteMax"`

	ItemsAccepted int64 `json:"itemsAccepted"`
	ItemsApplied  int64 `json:"itemsApplied"`
	ItemsFailed   int64 `json:"itemsFailed"` // result "error"
	// ItemsRepeated were accepted before: same message, same patch bytes.
	ItemsRepeated int64 `json:"itemsRepeated"`
	// Fill counts accepted PUTs by their number of items, the index.
	Fill [maxItems + 1]int64 `json:"fill"`

	// Poisoned are PUTs that poison refused, and PoisonedFill counts them by
	// their number of items, the index.
	Poisoned     int64               `json:"poisoned"`
	PoisonedFill [maxItems + 1]int64 `json:"poisonedFill"`

	OperationsAccepted  int64 `json:"operationsAccepted"`
	OperationsCompleted int64 `json:"operationsCompleted"`
	OperationsOpen      int64 `json:"operationsOpen"`
	// OperationsDropped vanished and will never run.
	OperationsDropped int64 `json:"operationsDropped"`
	// OperationsOvertaken finished after one that was accepted later.
	OperationsOvertaken int64 `json:"operationsOvertaken"`
	// Polls counts operations by how often they were looked at, the index; the
	// last is that or more.
	Polls [pollBuckets + 1]int64 `json:"polls"`
	// RepliesLost are accepted PUTs whose 2xx did not reach the client whole.
	RepliesLost int64 `json:"repliesLost"`

	// FieldsBackByOrder counts fields changed by an operation after one that
	// had been accepted later had written them.
	FieldsBackByOrder int64 `json:"fieldsBackByOrder"`
	// FieldsBackByStamp counts fields whose version stamp became smaller.
	FieldsBackByStamp int64 `json:"fieldsBackByStamp"`
	// NewerWhileOpen counts items accepted while another patch of the same
	// message was accepted, not finished, and not shown to be done.
	NewerWhileOpen int64 `json:"newerWhileOpen"`

	// Breaches of the contract by kind, see the Breach constants. One a request.
	Breaches map[string]int64 `json:"breaches"`
	// Faults that struck, by kind.
	Faults map[FaultKind]int64 `json:"faults"`
	// RateLimited are 429s by the quota; ObjectLimited by one message's limit.
	RateLimited   int64 `json:"rateLimited"`
	ObjectLimited int64 `json:"objectLimited"`
	// Messages written or to be written.
	Messages int `json:"messages"`
}

// recorder is Stats in the making.
type recorder struct {
	Stats
	minute  time.Time
	minutes int64
}

func newRecorder() recorder {
	return recorder{Stats: Stats{
		PutStatus: map[int]int64{},
		GetStatus: map[int]int64{},
		Breaches:  map[string]int64{},
		Faults:    map[FaultKind]int64{},
	}}
}

func (rec *recorder) arrived(put bool, now time.Time) {
	if put {
		rec.Puts++
	} else {
		rec.Gets++
	}
	if rec.FirstCall.IsZero() {
		rec.FirstCall = now
	}
	rec.LastCall = now
	if minute := now.Truncate(time.Minute); !minute.Equal(rec.minute) {
		rec.minute, rec.minutes = minute, 0
	}
	rec.minutes++
	rec.CallsPerMinuteMax = max(rec.CallsPerMinuteMax, rec.minutes)
}

func (rec *recorder) answered(put bool, status int) {
	if put {
		rec.PutStatus[status]++
	} else {
		rec.GetStatus[status]++
	}
}

// polled moves an operation to the next bucket.
func (rec *recorder) polled(op *operation) {
	rec.Polls[min(op.polls, pollBuckets)]--
	op.polls++
	rec.Polls[min(op.polls, pollBuckets)]++
}

// Stats returns a consistent copy of all counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.rec.Stats
	st.PutStatus = maps.Clone(st.PutStatus)
	st.GetStatus = maps.Clone(st.GetStatus)
	st.Breaches = maps.Clone(st.Breaches)
	st.Faults = maps.Clone(st.Faults)
	st.OperationsOpen = s.open
	st.Messages = len(s.store.messages)
	return st
}
