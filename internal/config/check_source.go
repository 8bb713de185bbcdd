package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// complete gives the topics what their entries do not say, and the mappings the
// programs of their files.
func (r *reader) complete(s *Source) {
	r.readProgram("source.mapping", &s.Mapping)
	for i := range s.Topics {
		t := &s.Topics[i]
		key := topicKey(i)
		if !r.isSet(key + ".format") {
			t.Format = s.Format
		}
		// The schema of the others is none of a topic that has JSON.
		if !r.isSet(key+".schema") && t.Format == "avro" {
			t.Schema = s.Schema
		}
		if r.isSet(key + ".mapping") {
			r.readProgram(key+".mapping", &t.Mapping)
		} else {
			t.Mapping = s.Mapping
		}
	}
}

func (r *reader) readProgram(key string, m *Mapping) {
	if m.JQ != "" && m.JQFile != "" {
		r.clash([]string{key + ".jq_file", key + ".jq"}, "is given, and so is %s; remove one of them", r.at(key+".jq", m.JQ))
		return
	}
	if program, ok := r.contents(key+".jq_file", m.JQFile); ok {
		m.JQ = string(program)
	}
}

func topicKey(i int) string { return fmt.Sprintf("source.topics[%d]", i) }

// nameKey is where the name of topic i stands.
func (r *reader) nameKey(i int) string {
	if key := topicKey(i) + ".name"; r.isSet(key) {
		return key
	}
	return topicKey(i)
}

func (r *reader) checkSource(s *Source) {
	r.checkTopics(s.TopicNames())
	r.checkMapping("source.mapping", &s.Mapping)
	for i := range s.Topics {
		if key := topicKey(i) + ".mapping"; r.isSet(key) {
			r.checkMapping(key, &s.Topics[i].Mapping)
		}
	}
	switch {
	case s.Group == "":
		r.fault("source.group", "is empty; remove the key to use the name")
	case len(s.Group) > maxKafkaName || strings.ContainsFunc(s.Group, unicode.IsControl):
		r.fault("source.group", "is longer than %d bytes or has control characters", maxKafkaName)
	}
	if fault := kafkaName(s.InstanceID); s.InstanceID != "" && fault != "" {
		r.fault("source.instance_id", "%s %s", r.shown("source.instance_id", s.InstanceID), fault)
	}
	if s.Protocol == "consumer" && s.InstanceID != "" {
		r.clash([]string{"source.instance_id", "source.protocol"},
			"is given, and so is %s; a static member that leaves such a group is locked out of it for a session: remove one of them",
			r.at("source.protocol", s.Protocol))
	}
}

func (r *reader) checkTopics(names []string) {
	if len(names) == 0 {
		r.fault("source.topics", "is empty; list at least one topic")
	}
	for i, name := range names {
		key := r.nameKey(i)
		if fault := kafkaName(name); fault != "" {
			r.fault(key, "%s %s", r.shown(key, name), fault)
		} else if first := slices.Index(names, name); first < i {
			r.fault(key, "%s is the same as %s", r.shown(key, name), r.nameKey(first))
		}
	}
}
