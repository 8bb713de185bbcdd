package consumer

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kzap"
	"go.uber.org/zap"
)

// Values of [Config.Start]: where a partition without a commit begins.
const (
	StartEarliest  = "earliest"
	StartLatest    = "latest"
	StartCommitted = "committed" // nowhere: it is a problem, and the partition stands still
)

// Values of [Config.OnReset]: what to do when the committed offset is no longer
// in the log.
const (
	ResetFail     = "fail"     // the partition stands still and is a problem
	ResetEarliest = "earliest" // read on from the start of the log
)

// Values of [Config.Protocol].
const (
	ProtocolClassic  = "classic"  // cooperative-sticky, balanced by the members
	ProtocolConsumer = "consumer" // KIP-848, balanced by the broker
)

// Values of [Config.Isolation].
const (
	ReadCommitted   = "read_committed"
	ReadUncommitted = "read_uncommitted"
)

// Config says what to consume, as whom, and how. All fields are needed but those
// marked optional.
type Config struct {
	Brokers  []string // host:port of the seeds
	ClientID string
	Rack     string // optional: fetch from replicas of this rack

	Topics     []string
	Group      string
	Protocol   string // optional: ProtocolClassic
	InstanceID string // optional: static membership, not with ProtocolConsumer
	Start      string
	OnReset    string
	Isolation  string

	// SessionTimeout is how long the group waits for a member it does not hear.
	// With ProtocolConsumer the broker decides.
	SessionTimeout time.Duration
	// RebalanceTimeout is how long the group waits for a member to answer a
	// revocation: it must be above the time Owner.Revoked takes and a commit.
	RebalanceTimeout time.Duration

	MaxEventBytes int // key and value; a larger record is rejected without decoding it
	// MaxBatchBytes is the largest batch after decompression; a larger one stops
	// its partition. Optional: 32 MiB.
	MaxBatchBytes int

	// Missing says why what a [Decoder] needs is not there, empty where nothing is
	// known to be wrong. Optional.
	Missing func() string

	Opts []kgo.Opt // optional: TLS, SASL, dialer
}

// Bounds of what the client buffers. kgo's defaults (50 MiB a broker, without a
// bound on what is decompressed) are made for throughput; here memory is to stay
// flat, and Kustomer is the slow side. How much one fetch asks for, see
// [appetite].
const (
	maxConcurrentFetches = 2
	maxBatchBytes        = 32 << 20 // when Config.MaxBatchBytes is 0
	// A broker sends a first batch larger than a fetch whole, so the
	// bound on a response leaves room for the largest batch that we take.
	readRoom = 16 << 20
	// kgo has one fetch at a broker at a time, so a partition that is resumed waits
	// for the fetch of those that had nothing new: at kgo's default, five seconds.
	fetchMaxWait = 500 * time.Millisecond
	// metadataMaxAge bounds how long added partitions stay unseen.
	metadataMaxAge = 30 * time.Second
)

func (c *Config) validate() error {
	switch {
	case len(c.Brokers) == 0 || len(c.Topics) == 0 || c.Group == "":
		return errors.New("consumer: brokers, topics and group are needed")
	case c.Start != StartEarliest && c.Start != StartLatest && c.Start != StartCommitted:
		return fmt.Errorf("consumer: start is %q, want earliest, latest or committed", c.Start)
	case c.OnReset != ResetFail && c.OnReset != ResetEarliest:
		return fmt.Errorf("consumer: on_reset is %q, want fail or earliest", c.OnReset)
	case c.Isolation != ReadCommitted && c.Isolation != ReadUncommitted:
		return fmt.Errorf("consumer: isolation is %q, want read_committed or read_uncommitted", c.Isolation)
	case c.Protocol != "" && c.Protocol != ProtocolClassic && c.Protocol != ProtocolConsumer:
		return fmt.Errorf("consumer: protocol is %q, want classic or consumer", c.Protocol)
	case c.Protocol == ProtocolConsumer && c.InstanceID != "":
		// kgo leaves such a group without naming its instance; the broker refuses
		// that, and the restarted member is locked out for a session.
		return errors.New("consumer: a static member (instance_id) needs protocol classic")
	case c.SessionTimeout <= 0 || c.RebalanceTimeout <= 0 || c.MaxEventBytes <= 0:
		return errors.New("consumer: session time-out, rebalance time-out and max event bytes must be above 0")
	case c.MaxBatchBytes < 0 || c.MaxBatchBytes > 1<<30:
		return fmt.Errorf("consumer: max batch bytes is %d, want up to 1 GiB", c.MaxBatchBytes)
	}
	return nil
}

func (c *Config) batchLimit() int {
	if c.MaxBatchBytes == 0 {
		return maxBatchBytes
	}
	return c.MaxBatchBytes
}

// options translates the configuration for kgo. The caller's own options come
// first, so that none of them can undo what the package relies on.
func (c *Config) options() []kgo.Opt {
	start := kgo.NewOffset().AtStart()
	switch c.Start {
	case StartLatest:
		start = kgo.NewOffset().AtEnd()
	case StartCommitted:
		start = kgo.NewOffset().AtCommitted()
	}
	reset := kgo.NoResetOffset()
	if c.OnReset == ResetEarliest {
		reset = kgo.NewOffset().AtStart()
	}
	isolation := kgo.ReadCommitted()
	if c.Isolation == ReadUncommitted {
		isolation = kgo.ReadUncommitted()
	}
	fetchBytes, partitionBytes := new(appetite).size()
	opts := append([]kgo.Opt{}, c.Opts...)
	opts = append(
		opts,
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID(c.ClientID),
		kgo.Rack(c.Rack),
		kgo.ConsumerGroup(c.Group),
		kgo.ConsumeTopics(c.Topics...),
		kgo.ConsumeStartOffset(start),
		kgo.ConsumeResetOffset(reset),
		kgo.FetchIsolationLevel(isolation),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(c.SessionTimeout),
		kgo.HeartbeatInterval(min(3*time.Second, c.SessionTimeout/5)),
		kgo.RebalanceTimeout(c.RebalanceTimeout),
		kgo.MetadataMaxAge(metadataMaxAge),
		kgo.FetchMaxWait(fetchMaxWait),
		kgo.FetchMaxBytes(fetchBytes),
		kgo.FetchMaxPartitionBytes(partitionBytes),
		kgo.MaxConcurrentFetches(maxConcurrentFetches),
		kgo.MaxDecompressBatchBytes(c.batchLimit()),
		kgo.WithPools(new(slabs)), // Poll gives back each record that it has copied
		kgo.BrokerMaxReadBytes(int32(c.batchLimit()+readRoom)),
		// The end of a transaction is a record of its own. Without seeing it we
		// could never commit an offset after it, and the group would always lag.
		kgo.KeepControlRecords(),
	)
	if c.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(c.InstanceID))
	}
	if c.Protocol == ProtocolConsumer {
		opts = append(opts, kgo.ServerSideBalancer())
	}
	return opts
}

// tap is kgo's logger. It passes kgo's words on as debug only: kgo tells of every
// rebalance in a dozen lines and of every attempt to reach a broker in two, and
// what a person must know is a Problem of ours. It listens for the outcome of
// heartbeats, which kgo tells nobody else (see pulse).
type tap struct {
	log   *kzap.Logger
	pulse *pulse
}

func newTap(log *zap.Logger, p *pulse) *tap {
	return &tap{log: kzap.New(log, kzap.Level(kgo.LogLevelDebug)), pulse: p}
}

func (t *tap) Level() kgo.LogLevel { return kgo.LogLevelInfo }

func (t *tap) Log(_ kgo.LogLevel, msg string, keyvals ...any) {
	t.pulse.heard(msg, keyvals)
	t.log.Log(kgo.LogLevelDebug, msg, keyvals...)
}
