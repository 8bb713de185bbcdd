package consumer

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The bounds of one fetch. A broker counts compressed bytes, but memory holds
// what they become: zstd makes a hundred events of one text as small as one, and
// kgo keeps a structure for each record, which is more than a tiny event. So the
// request is sized by what a compressed byte was seen to cost.
const (
	// fetchBudget is what one fetch may cost in memory.
	fetchBudget = 4 << 20
	// fetchMaxBytes is the most that is asked for, however cheap it seems, and
	// fetchMinBytes the least, which the first fetch asks for. Neither keeps a broker from sending a first batch
	// that is larger: it always sends one, or a consumer would never get past it.
	fetchMaxBytes = 2 << 20
	fetchMinBytes = 16 << 10
	// fetchPartitions is how many partitions share a fetch at least.
	fetchPartitions = 4
	// recordBytes is what a record costs beside its bytes.
	recordBytes = 256
	// costDecay is the share of a new batch in the expected cost, where it is
	// cheaper than expected. A dearer one counts at once and whole.
	costDecay = 1. / 16
)

// appetite sizes fetches so that each costs about [fetchBudget]. kgo calls it
// from the goroutines that fetch.
type appetite struct {
	mu   sync.Mutex
	cost float64 // expected bytes of memory for a byte of a fetch; 0: none was seen
	// resize is kgo's UpdateFetchMaxBytes; nil until the client is there.
	resize func(maxBytes, maxPartitionBytes int32)
}

// attach gives the appetite the client that it is for.
func (a *appetite) attach(client *kgo.Client) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.resize = client.UpdateFetchMaxBytes
	a.resize(a.size())
}

// saw notes what a batch became, for the next fetch.
func (a *appetite) saw(m kgo.FetchBatchMetrics) {
	if m.CompressedBytes <= 0 {
		return
	}
	cost := float64(m.UncompressedBytes+m.NumRecords*recordBytes) / float64(m.CompressedBytes)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cost > cost {
		cost = a.cost + (cost-a.cost)*costDecay
	}
	a.cost = cost
	if a.resize != nil {
		a.resize(a.size())
	}
}

// size is what to ask for in all and of a partition, of a source that nothing is
// known of the least. a.mu is held.
func (a *appetite) size() (maxBytes, maxPartitionBytes int32) {
	n := int32(fetchMinBytes)
	if a.cost > 0 {
		n = int32(min(max(fetchBudget/a.cost, fetchMinBytes), fetchMaxBytes))
	}
	return n, n / fetchPartitions
}
