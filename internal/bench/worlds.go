package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// setting is where the whole is measured: a world, and what goes through it. All
// programs of a setting see the same events from the same broker.
type setting struct {
	title    string
	messages int  // that the events change; 0: as the flag says
	real     bool // Apache Kafka instead of the embedded broker
	floors   bool // measure the floors too
	avro     bool // the events are Avro, with a schema registry
	unmerged bool // measure the connector with batch.merge.enabled off too
}

// settings of the table. What merging saves depends on how often a message changes
// while it waits: hardly ever among many messages, nearly always among few.
var settings = []setting{
	{title: "embedded broker", floors: true},
	{title: "embedded broker, fewer messages", messages: 10_000, unmerged: true},
	{title: "embedded broker, events in Avro", avro: true},
	{title: "Apache Kafka", real: true, floors: true},
}

func (s setting) serve(o *options) []string {
	args := []string{"-events", strconv.Itoa(o.events), "-messages", strconv.Itoa(s.count(o))}
	if s.real {
		args = append(args, "-real")
	}
	if s.avro {
		args = append(args, "-avro")
	}
	return args
}

func (s setting) count(o *options) int {
	if s.messages > 0 {
		return s.messages
	}
	return o.messages
}

func (o *options) programs(ctx context.Context, dir string, s setting) ([]program, error) {
	binary, err := buildConnector(ctx, dir)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	floor := func(which string) func(place, string) ([]string, error) {
		return func(p place, group string) ([]string, error) {
			return []string{
				self, "-floor", which, "-events", strconv.Itoa(o.events),
				"-brokers", p.Brokers, "-base", p.API, "-group", group,
			}, nil
		}
	}
	var list []program
	if s.floors {
		list = append(
			list,
			program{name: "floor: poll and discard", command: floor(floorPoll)},
			program{name: "floor: poll, splice, PUT", command: floor(floorPut), floor: true},
		)
	}
	list = append(list, connector(binary, dir, "kafka-kustomer run", ""))
	if s.unmerged {
		list = append(list, connector(binary, dir, "the same without merging", "batch: {merge: {enabled: false}}\n"))
	}
	return list, nil
}

// connector is the program itself, with more configuration.
func connector(binary, dir, name, more string) program {
	return program{name: name, signal: true, judged: true, command: func(p place, group string) ([]string, error) {
		file := filepath.Join(dir, group+".yaml")
		return []string{binary, "run", "-c", file}, os.WriteFile(file, configuration(p, group, more), 0o600)
	}}
}

func buildConnector(ctx context.Context, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "kafka-kustomer")
	_, _, err = runIn(ctx, "", "go", "build", "-trimpath", "-o", binary, module+"/cmd/kafka-kustomer")
	return binary, err
}

// configuration is the defaults but for where, who, and a quota that no run meets.
func configuration(p place, group, more string) []byte {
	if p.Registry != "" {
		more += fmt.Sprintf("schema_registry: {urls: [%q]}\nresults: {format: avro}\n", p.Registry)
	}
	return fmt.Appendf(nil, `kafka: {brokers: ["%s"]}
source: {topics: [%s], group: %s}
kustomer: {base_url: "%s", api_key: bench, requests_per_minute: 100000}
admin: {listen: ""}
%s`, p.Brokers, topic, group, p.API, more)
}
