package config

import (
	"time"

	"kafka-kustomer/schemas/mapping"
)

// Source says what is read, and as whom.
type Source struct {
	// Topics are the topics to read; in the file, names or sections. Default
	// message-changes.
	Topics []Topic `yaml:"topics"`
	// Group is the consumer group. Default: Config.Name.
	Group string `yaml:"group"`
	// Start is where a partition without a committed offset begins: earliest,
	// latest, or committed, which refuses to start there. Default earliest.
	Start string `yaml:"start" oneof:"earliest,latest,committed"`
	// OnReset is what to do when the committed offset is gone from the log: fail
	// stops that partition, earliest goes on with what is left. Default fail.
	OnReset string `yaml:"on_reset" oneof:"fail,earliest"`
	// Protocol is who divides the partitions: classic, the members among
	// themselves, or consumer, the broker (KIP-848, Kafka 4.0 or later). Where
	// brokers lack it, classic is spoken, with a warning. Default classic.
	Protocol string `yaml:"protocol" oneof:"classic,consumer"`
	// InstanceID makes this process a static member of the group; each process
	// needs its own. Only with Protocol classic. Default empty: a dynamic member.
	InstanceID string `yaml:"instance_id"`
	// SessionTimeout is how long the group waits for a heartbeat before it gives
	// this process's partitions to others. With Protocol consumer the broker's own
	// holds (group.consumer.session.timeout.ms), and this must not be above it.
	// Default 45s.
	SessionTimeout time.Duration `yaml:"session_timeout" range:"1s..30m"`
	// Isolation is read_committed or read_uncommitted: whether records of open
	// and aborted transactions are read. Default read_committed.
	Isolation string `yaml:"isolation" oneof:"read_committed,read_uncommitted"`
	// Format is how values are written: json, avro, or auto, which tells the two
	// apart by the first bytes of a value. Default auto.
	Format string `yaml:"format" oneof:"auto,json,avro"`
	// Schema is the .avsc file of Avro values that carry no schema id. It needs the
	// format avro. Default none.
	Schema string `yaml:"schema"`
	// Mapping is how a record becomes message changes.
	Mapping Mapping `yaml:"mapping"`
	// OnTombstone is what to do with a record without a value: skip or
	// dead_letter. Default skip.
	OnTombstone string `yaml:"on_tombstone" oneof:"skip,dead_letter"`
}

// TopicNames returns the names of the topics in their order.
func (s *Source) TopicNames() []string {
	names := make([]string, len(s.Topics))
	for i := range s.Topics {
		names[i] = s.Topics[i].Name
	}
	return names
}

// Topic is one topic to read. After loading it is complete: what its entry does not
// say is as in the Source.
type Topic struct {
	// Name is its name. Required.
	Name string `yaml:"name"`
	// Format is as in Source. Default: Source.Format.
	Format string `yaml:"format" oneof:"auto,json,avro"`
	// Schema is as in Source. Default: Source.Schema where the format is avro.
	Schema string `yaml:"schema"`
	// Mapping is taken from Source as a whole or not at all: a key that an entry's
	// mapping leaves out has its own default.
	Mapping Mapping `yaml:"mapping"`
}

// Mapping is how a record becomes message changes; package schemas/mapping says
// more of each key.
type Mapping struct {
	// Preset is message-change, the connector's own event, or item, debezium or
	// kustomer-event. Default message-change.
	Preset string `yaml:"preset" oneof:"message-change,item,debezium,kustomer-event"`
	// JQ is a jq program in place of a preset. After loading it also holds the
	// program of JQFile. Default none.
	JQ string `yaml:"jq"`
	// JQFile is the file that JQ was read from. Default none.
	JQFile string `yaml:"jq_file"`
	// CloudEvents is how values in CloudEvents are known: auto, by the headers,
	// structured, every value is one, or off. Default auto.
	CloudEvents string `yaml:"cloud_events" oneof:"auto,structured,off"`
	// Nulls is which nulls of the presets debezium and kustomer-event are sent:
	// clearable, those that Kustomer documents as such, or all. Default clearable.
	Nulls         string        `yaml:"nulls" oneof:"clearable,all"`
	Debezium      Debezium      `yaml:"debezium"`
	KustomerEvent KustomerEvent `yaml:"kustomer_event"`
	JQLimits      JQLimits      `yaml:"jq_limits"`
}

// Debezium is for the preset of that name.
type Debezium struct {
	// IDColumn holds the message's id. Default id.
	IDColumn string `yaml:"id_column"`
	// Columns says which columns are sent, and as which member of the item, or as
	// which attribute (custom.tierStr). Default empty: each under its own name.
	Columns map[string]string `yaml:"columns"`
	// JSON lists the columns whose text is JSON; an empty list: none. Default custom,
	// meta, error, attachments, sentiment.
	JSON []string `yaml:"json"`
	// Times gives the unit of columns that hold a time as a number. Default none.
	Times map[string]string `yaml:"times" oneof:"ns,us,ms,s,days"`
	// Unavailable is the text that stands for a column that Debezium did not see.
	// Default __debezium_unavailable_value.
	Unavailable string `yaml:"unavailable"`
}

// KustomerEvent is for the preset kustomer-event, which needs one of its keys: or
// else the connector would send its own updates again, without end.
type KustomerEvent struct {
	// OwnUsers are ids of users whose updates are skipped. Default none.
	OwnUsers []string `yaml:"own_users"`
	// OwnClients are names of clients whose updates are skipped. Default none.
	OwnClients []string `yaml:"own_clients"`
	// OtherOrg says that the events are of another org than the one that is updated.
	// Default false.
	OtherOrg bool `yaml:"other_org"`
}

// JQLimits bound what a program may use for one record.
type JQLimits struct {
	// Time is by the clock. Default 100ms.
	Time time.Duration `yaml:"time" range:"1ms..5s"`
	// Events is the most events. Default 100.
	Events int `yaml:"events" range:"1..100000"`
	// Bytes is the most bytes of all of them together. Default 4MiB.
	Bytes ByteSize `yaml:"bytes" range:"1KiB..64MiB"`
}

// MapperConfig is the mapping as [mapping.New] takes it. It shares lists and maps
// with m.
func (m *Mapping) MapperConfig() mapping.Config {
	return mapping.Config{
		Preset: m.Preset, JQ: m.JQ, CloudEvents: m.CloudEvents, Nulls: m.Nulls,
		Debezium: mapping.DebeziumConfig{
			IDColumn: m.Debezium.IDColumn, Columns: m.Debezium.Columns, JSON: m.Debezium.JSON,
			Times: m.Debezium.Times, Unavailable: m.Debezium.Unavailable,
		},
		KustomerEvent: mapping.KustomerEventConfig(m.KustomerEvent),
		Limits:        mapping.JQLimits{Time: m.JQLimits.Time, Events: m.JQLimits.Events, Bytes: int(m.JQLimits.Bytes)},
	}
}
