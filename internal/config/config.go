package config

import "time"

// Times that this package does not let a user set, but that keys depend on.
const (
	// RebalanceTimeout is what the group is told: how long a member may take to
	// give partitions back. A fixed value, as a longer one lets one slow member
	// hold up all others, and a shorter one leaves no time to finish open work.
	RebalanceTimeout = 60 * time.Second
	// CommitDeadline bounds one offset commit. The last commit of a partition
	// comes after [Config.RevokeTimeout] and still before [RebalanceTimeout].
	CommitDeadline = 5 * time.Second
	// HeartbeatInterval is how often a member tells the group that it is alive.
	HeartbeatInterval = 3 * time.Second
	// LeaseMargin is how long before [Source.SessionTimeout] a process that hears
	// nothing from the group stops writing to Kustomer. It covers clocks that run
	// at different speeds and a scheduler that is late.
	LeaseMargin = 5 * time.Second
)

// Config is the whole configuration. Its zero value is not valid; see [Default].
type Config struct {
	// Name is the client id at the brokers, and the default of Source.Group.
	// Letters, digits, '.', '_', '-'. Default kafka-kustomer.
	Name string `yaml:"name"`

	Kafka          Kafka          `yaml:"kafka"`
	Source         Source         `yaml:"source"`
	SchemaRegistry SchemaRegistry `yaml:"schema_registry"`
	Batch          Batch          `yaml:"batch"`
	Kustomer       Kustomer       `yaml:"kustomer"`
	Commit         Commit         `yaml:"commit"`
	Results        Results        `yaml:"results"`
	DeadLetter     DeadLetter     `yaml:"dead_letter"`
	Limits         Limits         `yaml:"limits"`

	// DrainTimeout bounds the whole shutdown after a signal, the last commit
	// included. Keep it under the grace period of whatever stops the process
	// (30s in Kubernetes). Default 25s.
	DrainTimeout time.Duration `yaml:"drain_timeout" range:"1s..10m"`
	// RevokeTimeout is how long open work of partitions that are taken away may
	// still finish. RevokeTimeout + CommitDeadline is below RebalanceTimeout.
	// Default 25s.
	RevokeTimeout time.Duration `yaml:"revoke_timeout" range:"1s..10m"`

	Admin Admin `yaml:"admin"`
	Log   Log   `yaml:"log"`
}

// Kafka says how to reach the brokers.
type Kafka struct {
	// Brokers are host:port pairs to start from; the rest of the cluster is
	// found through them. Default localhost:9092.
	Brokers []string `yaml:"brokers"`
	TLS     TLS      `yaml:"tls"`
	SASL    SASL     `yaml:"sasl"`
	// Rack is where this process runs, in the brokers' words (broker.rack).
	// Brokers that allow it let it read from replicas there. Default empty.
	Rack string `yaml:"rack"`
}

// TLS is the transport security of the connections to the brokers.
type TLS struct {
	// Enabled switches TLS on; no other key here may be set without it. Default false.
	Enabled bool `yaml:"enabled"`
	// CAFile is a PEM file of the authorities to trust. Default: the system's.
	CAFile string `yaml:"ca_file"`
	// CertFile and KeyFile are the PEM files of a client certificate; both or
	// neither. Default none.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ServerName is the name to expect in the broker's certificate. Default: the
	// host dialled.
	ServerName string `yaml:"server_name"`
	// InsecureSkipVerify accepts any certificate. For tests only. Default false.
	InsecureSkipVerify bool `yaml:"insecure_skip_verify"`
}

// SASL is the login at the brokers.
type SASL struct {
	// Mechanism is plain, scram-sha-256, scram-sha-512, or empty for no login.
	// Default empty.
	Mechanism string `yaml:"mechanism" oneof:",plain,scram-sha-256,scram-sha-512"`
	// Username is needed with a mechanism. Default empty.
	Username string `yaml:"username"`
	// Password is needed with a mechanism, unless PasswordFile is given. Default empty.
	Password Secret `yaml:"password"`
	// PasswordFile holds the password instead, and may change while the program
	// runs. Default empty.
	PasswordFile string `yaml:"password_file"`
}

// Batch says when waiting changes become one request.
type Batch struct {
	// MaxItems is the most messages in one request, 1 to 100. Default 100.
	MaxItems int `yaml:"max_items" range:"1..100"`
	// MaxBytes is the most bytes in one request's body; one larger item goes
	// alone. Default 1MiB.
	MaxBytes ByteSize `yaml:"max_bytes" range:"1KiB..64MiB"`
	// Linger is how long a change waits for company at most. Default 1s.
	Linger time.Duration `yaml:"linger" range:"0s..5m"`
	Merge  Merge         `yaml:"merge"`
}

// Merge says how waiting changes of one message are folded into one.
type Merge struct {
	// Enabled folds them at all. Default true.
	Enabled bool `yaml:"enabled"`
	// Objects is safe, which folds object members only where Kustomer's result is
	// the same whether it replaces or merges them, or replace, for an org that is
	// known to replace. Default safe.
	Objects string `yaml:"objects" oneof:"safe,replace"`
	// Barrier names members of a change, such as status, whose changes never
	// fold, so that each value is seen. Default none.
	Barrier []string `yaml:"barrier"`
}

// Kustomer says how to call the bulk API, and how often.
type Kustomer struct {
	// BaseURL is https://ORG.api.kustomerapp.com, without a path. Required.
	BaseURL string `yaml:"base_url"`
	// APIKey is the API key; required unless APIKeyFile is given.
	APIKey Secret `yaml:"api_key"`
	// APIKeyFile holds the key instead, and may change while the program runs.
	// Default empty.
	APIKeyFile string `yaml:"api_key_file"`
	// ProxyURL is a http, https or socks5 proxy; secret as it may hold a
	// password. The environment's proxy is not used. Default none.
	ProxyURL Secret `yaml:"proxy_url"`
	// CAFile is a PEM file of the authorities to trust. Default: the system's.
	CAFile string `yaml:"ca_file"`
	// Timeout bounds one call, from dialling to the reply's last byte. Default 60s.
	Timeout time.Duration `yaml:"timeout" range:"1s..10m"`
	// MaxInFlight is the most calls at a time. Default 8.
	MaxInFlight int `yaml:"max_in_flight" range:"1..256"`
	// MaxOpenOperations is the most operations that Kustomer has accepted and not
	// yet completed; more would not fit in a commit's metadata, which tells the next
	// owner what to wait for. Default 128.
	MaxOpenOperations int `yaml:"max_open_operations" range:"1..160"`
	// RequestsPerMinute is a number, or auto: by the quota in Kustomer's replies.
	// Default auto.
	RequestsPerMinute Rate `yaml:"requests_per_minute"`
	// Reserve is the share of the quota left to the org's other users, 0 to 0.9
	// or 0% to 90%. Default 0.2.
	Reserve Share `yaml:"reserve" range:"0..0.9"`
	// MaxPause is the longest pause that Kustomer may ask for and get; a longer
	// one is logged and probed. Default 5m.
	MaxPause time.Duration `yaml:"max_pause" range:"1s..1h"`
	// OverdueAfter is the age at which an operation that still runs is reported.
	// Default 10m.
	OverdueAfter time.Duration `yaml:"overdue_after" range:"10s..24h"`
	// LostReplyWait is how long changes of a message wait after a call for it
	// ended without a known outcome, as it may still be carried out. Above
	// Timeout. Default Timeout + 30s.
	LostReplyWait time.Duration `yaml:"lost_reply_wait" range:"1s..1h"`
	// Validate is how strictly a change is compared with what Kustomer takes before
	// it is sent: basic or strict. Default basic.
	Validate  string    `yaml:"validate" oneof:"basic,strict"`
	Retry     Retry     `yaml:"retry"`
	ItemRetry ItemRetry `yaml:"item_retry"`
}

// Retry is the backoff between calls that fail as a whole.
type Retry struct {
	// Initial is the first wait, doubled by each failure. Default 500ms.
	Initial time.Duration `yaml:"initial" range:"10ms..1m"`
	// Max is the longest wait. Default 30s.
	Max time.Duration `yaml:"max" range:"10ms..10m"`
}

// ItemRetry is for single items that Kustomer says have failed.
type ItemRetry struct {
	// Attempts is how often such an item is sent again before it is given up.
	// Default 3.
	Attempts int `yaml:"attempts" range:"0..20"`
	// Over is the least time those attempts are spread over. Default 1m.
	Over time.Duration `yaml:"over" range:"0s..1h"`
}

// Commit is about the group's offsets.
type Commit struct {
	// Interval is the time between commits. Default 1s.
	Interval time.Duration `yaml:"interval" range:"100ms..1m"`
}

// Results is the topic that gets an event for each step of each batch.
type Results struct {
	// Topic is its name. Default kustomer-batch-results.
	Topic string `yaml:"topic"`
	// Format is json or avro, which needs SchemaRegistry. Default json.
	Format string `yaml:"format" oneof:"json,avro"`
	// Items lists every message of the batch in the event. Default true.
	Items bool `yaml:"items"`
	// Create is if-missing, or never, which refuses to start without the topic.
	// Default if-missing.
	Create string `yaml:"create" oneof:"if-missing,never"`
	// Partitions of a topic created here; 0 is the broker's default. Default 0.
	Partitions int `yaml:"partitions" range:"0..10000"`
	// Replication of a topic created here; -1 is the broker's default. Default -1.
	Replication int `yaml:"replication" range:"-1..100"`
}

// DeadLetter is the topic that gets the records which cannot be delivered.
type DeadLetter struct {
	// Topic is its name. Default kustomer-dead-letters.
	Topic string `yaml:"topic"`
	// Create is if-missing, or never, which refuses to start without the topic.
	// Default if-missing.
	Create string `yaml:"create" oneof:"if-missing,never"`
	// Partitions of a topic created here; 0 is the broker's default. Default 0.
	Partitions int `yaml:"partitions" range:"0..10000"`
	// Replication of a topic created here; -1 is the broker's default. Default -1.
	Replication int `yaml:"replication" range:"-1..100"`
	// Brake is the share of the last minute's events above which nothing more is
	// dead-lettered, once 100 were: then something else is wrong than single
	// events, and they wait until it is put right. off never holds. Default 5%.
	Brake Brake `yaml:"brake" range:"off..1"`
}

// Limits bound what is held in memory.
type Limits struct {
	// MaxOpenEvents is the most events read and not yet settled. Default 20000.
	MaxOpenEvents int `yaml:"max_open_events" range:"1..10000000"`
	// MaxOpenBytes is the most bytes kept for them. Default 24MiB.
	MaxOpenBytes ByteSize `yaml:"max_open_bytes" range:"1MiB..64GiB"`
	// MaxEventBytes is the largest event; larger ones are dead-lettered. Default 1MiB.
	MaxEventBytes ByteSize `yaml:"max_event_bytes" range:"1KiB..64MiB"`
	// MaxBatchBytes is the largest batch of records, as a producer made it, after
	// decompression; a larger one stops its partition. Default 32MiB.
	MaxBatchBytes ByteSize `yaml:"max_batch_bytes" range:"1MiB..1GiB"`
}

// Admin is about the status page, the probes and the metrics.
type Admin struct {
	// Listen is the host:port that serves them, without a login, so keep it within
	// a network you trust; no host: all addresses, port 0: any that is free, empty:
	// none of it. Default :8080.
	Listen string `yaml:"listen"`
	// PProf serves Go's profiles under /debug/pprof/ as well, for as long as somebody
	// looks into the use of processor or memory. Default false.
	PProf bool `yaml:"pprof"`
}

// Log is about the log on standard error.
type Log struct {
	// Level is debug, info, warn or error. Default info.
	Level string `yaml:"level" oneof:"debug,info,warn,error"`
	// Format is json, console, or auto: console on a terminal, json elsewhere.
	// Default auto.
	Format string `yaml:"format" oneof:"auto,console,json"`
}
