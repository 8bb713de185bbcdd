package batcher

import (
	"math/rand/v2"
	"slices"
	"time"
)

// failuresToClose is how many attempts of unknown outcome in a row, without a
// success between, are taken for an outage rather than for bad luck.
const failuresToClose = 3

// door stops calls of one kind while none gets through: PUTs in an outage or with
// a refused key, looks where operations can't be read. Closed, it lets one probe
// at a time through, after a backoff with full jitter. It holds everything and
// gives up nothing; the first reply that shows the API at work opens it.
type door struct {
	closed   bool
	certain  bool // the next attempt will fail as well, until somebody sees to it
	locked   bool // for every call, whatever its kind
	failures int  // in a row
	since    time.Time
	next     time.Time // of the next probe
	why      Reason    // of the last failure
	told     []string  // the codes of the reasons that were told
	tellAt   int       // the number of failures at which it is told again
}

// lets reports whether one more call may be made beside those in flight, and
// otherwise when, if only time is missing.
func (d *door) lets(now time.Time, inFlight int) (ok bool, at time.Time) {
	if !d.closed {
		return true, time.Time{}
	}
	if inFlight > 0 {
		return false, time.Time{}
	}
	return !now.Before(d.next), d.next
}

// failed notes a failed attempt; certain is a failure that the next attempt
// will meet as well. It reports whether the door is closed now.
func (d *door) failed(now time.Time, certain bool, why Reason, wait time.Duration) bool {
	if d.failures == 0 {
		d.since = now
	}
	d.failures++
	d.certain, d.why = certain, why
	if !certain && !d.closed && d.failures < failuresToClose {
		return false
	}
	d.closed = true
	d.next = now.Add(wait)
	return true
}

// tellAgain is after how many more failures a closed door is told of a second
// time: some minutes, once the backoff has grown.
const tellAgain = 20

// tells reports whether a failure is to be told of: the first of each reason, and
// from then on ever more seldom, the number of failures doubling in between. A
// night's outage is a dozen lines.
func (d *door) tells() bool {
	if d.failures < d.tellAt && slices.Contains(d.told, d.why.Code) {
		return false
	}
	if !slices.Contains(d.told, d.why.Code) {
		d.told = append(d.told, d.why.Code)
	}
	d.tellAt = max(d.tellAt, d.failures+max(tellAgain, d.failures))
	return true
}

// succeeded opens the door and reports whether it was closed.
func (d *door) succeeded() (wasClosed bool) {
	wasClosed = d.closed
	*d = door{since: d.since}
	return wasClosed
}

// backoff is full jitter over a doubling span: of many processes that wait for
// one API no two come back together.
func backoff(random *rand.Rand, initial, limit time.Duration, failures int) time.Duration {
	span := limit
	if failures < 20 {
		span = min(limit, initial<<failures)
	}
	return time.Duration(random.Int64N(int64(span)) + 1)
}
