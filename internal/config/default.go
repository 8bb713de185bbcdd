package config

import (
	"time"

	"kafka-kustomer/schemas/mapping"
)

// lostReplyMargin is what LostReplyWait is above Timeout when it is not set: the
// longest an accepted operation is expected to run after its call timed out.
const lostReplyMargin = 30 * time.Second

// Default returns the configuration of an empty file. It is complete but for
// Kustomer.BaseURL and the API key, which have no default.
func Default() *Config {
	return &Config{
		Name:   "kafka-kustomer",
		Kafka:  Kafka{Brokers: []string{"localhost:9092"}},
		Source: defaultSource(),
		SchemaRegistry: SchemaRegistry{
			Timeout: 10 * time.Second, UnknownGrace: time.Minute, AutoRegister: true,
		},
		Batch: Batch{
			MaxItems: 100, MaxBytes: 1 * MiB, Linger: time.Second,
			Merge: Merge{Enabled: true, Objects: "safe"},
		},
		Kustomer:   defaultKustomer(),
		Commit:     Commit{Interval: time.Second},
		Results:    Results{Topic: "kustomer-batch-results", Format: "json", Items: true, Create: "if-missing", Replication: -1},
		DeadLetter: DeadLetter{Topic: "kustomer-dead-letters", Create: "if-missing", Replication: -1, Brake: 0.05},
		Limits:     Limits{MaxOpenEvents: 20_000, MaxOpenBytes: 24 * MiB, MaxEventBytes: 1 * MiB, MaxBatchBytes: 32 * MiB},

		DrainTimeout: 25 * time.Second, RevokeTimeout: 25 * time.Second,
		Admin: Admin{Listen: ":8080"},
		Log:   Log{Level: "info", Format: "auto"},
	}
}

func defaultSource() Source {
	s := Source{
		Topics: []Topic{{Name: "message-changes"}}, Group: "kafka-kustomer",
		Start: "earliest", OnReset: "fail", Protocol: "classic", SessionTimeout: 45 * time.Second,
		Isolation: "read_committed", Format: "auto", Mapping: defaultMapping(), OnTombstone: "skip",
	}
	s.Topics[0].Format, s.Topics[0].Mapping = s.Format, s.Mapping
	return s
}

func defaultMapping() Mapping {
	return Mapping{
		Preset: mapping.MessageChange, CloudEvents: mapping.CloudEventsAuto, Nulls: mapping.NullsClearable,
		Debezium: Debezium{
			IDColumn: "id", JSON: []string{"custom", "meta", "error", "attachments", "sentiment"},
			Unavailable: "__debezium_unavailable_value",
		},
		JQLimits: JQLimits{Time: 100 * time.Millisecond, Events: 100, Bytes: 4 * MiB},
	}
}

func defaultKustomer() Kustomer {
	return Kustomer{
		Timeout: 60 * time.Second, LostReplyWait: 60*time.Second + lostReplyMargin,
		MaxInFlight: 8, MaxOpenOperations: 128,
		RequestsPerMinute: Auto, Reserve: 0.2,
		MaxPause: 5 * time.Minute, OverdueAfter: 10 * time.Minute, Validate: "basic",
		Retry:     Retry{Initial: 500 * time.Millisecond, Max: 30 * time.Second},
		ItemRetry: ItemRetry{Attempts: 3, Over: time.Minute},
	}
}
