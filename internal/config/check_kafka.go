package config

import (
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

const maxKafkaName = 249 // a topic's directory name, and what is added to it, fit 255 bytes

// kafkaName says what is wrong with a topic's name, or nothing. Instance ids and
// our own name follow the same rule: the first by the protocol, the second so
// that it can be a client id and a group's name.
func kafkaName(name string) string {
	legal := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("._-", c)
	}
	switch {
	case name == "":
		return "is empty"
	case name == "." || name == "..":
		return "is not a legal name"
	case len(name) > maxKafkaName:
		return fmt.Sprintf("is longer than %d characters", maxKafkaName)
	case strings.ContainsFunc(name, func(c rune) bool { return !legal(c) }):
		return "is not a legal name: only letters, digits, '.', '_' and '-' are"
	}
	return ""
}

func (r *reader) checkBrokers(brokers []string) {
	if len(brokers) == 0 {
		r.fault("kafka.brokers", "is empty; list at least one host:port")
	}
	for i, broker := range brokers {
		key := fmt.Sprintf("kafka.brokers[%d]", i)
		// The value is not shown: some write user and password into it.
		if fault := brokerFault(broker); fault != "" {
			r.fault(key, "%s", fault)
		} else if first := slices.Index(brokers, broker); first < i {
			r.fault(key, "is the same as kafka.brokers[%d]", first)
		}
	}
}

func brokerFault(broker string) string {
	host, port, err := net.SplitHostPort(broker)
	switch {
	case strings.Contains(broker, ","):
		return "holds a comma; write one host:port per element of the list"
	case strings.Contains(broker, "://"):
		return "is a URL; write host:port alone, and see kafka.tls and kafka.sasl"
	case err != nil, host == "", strings.ContainsFunc(host, notInHost):
		return "is not host:port, as in kafka-1:9092"
	}
	return portFault(port)
}

func notInHost(c rune) bool {
	return c <= ' ' || c == 0x7f || strings.ContainsRune("/@?#\\", c)
}

func portFault(port string) string {
	if n, err := parseInt(port); err != nil || n < 1 || n > 65535 {
		return "has a port that is not a number of 1 to 65535"
	}
	return ""
}

func (r *reader) checkTLS(t *TLS) {
	if !t.Enabled {
		r.unused(reflect.ValueOf(*t), "kafka.tls", "enabled", "false")
		return
	}
	r.checkFile("kafka.tls.ca_file", t.CAFile)
	r.checkFile("kafka.tls.cert_file", t.CertFile)
	r.checkFile("kafka.tls.key_file", t.KeyFile)
	if (t.CertFile == "") != (t.KeyFile == "") {
		r.clash([]string{"kafka.tls.cert_file", "kafka.tls.key_file"},
			"a client certificate needs both files: %s, %s",
			r.at("kafka.tls.cert_file", t.CertFile), r.at("kafka.tls.key_file", t.KeyFile))
	}
}

func (r *reader) checkSASL(s *SASL) {
	if r.isBad("kafka.sasl.mechanism") {
		return // what it needs is not known
	}
	if s.Mechanism == "" {
		r.unused(reflect.ValueOf(*s), "kafka.sasl", "mechanism", "empty")
		return
	}
	mechanism := r.at("kafka.sasl.mechanism", s.Mechanism)
	if s.Username == "" {
		r.fault("kafka.sasl.username", "is empty, but needed with %s", mechanism)
	}
	r.oneSecret("kafka.sasl.password", s.Password, "kafka.sasl.password_file", s.PasswordFile, mechanism+" needs a password")
}

// oneSecret reports a secret that is given neither or both of the two ways.
func (r *reader) oneSecret(key string, secret Secret, fileKey, file, why string) {
	given, givenFile := secret.Reveal() != "", file != ""
	switch {
	case given && givenFile:
		r.clash([]string{fileKey, key}, "is given, and so is %s; remove one of them", r.at(key, secret))
	case !given && !givenFile:
		r.clash([]string{key, fileKey}, "%s; set %s, or %s", why, key, fileKey)
	}
	r.checkFile(fileKey, file)
}

func (r *reader) checkSource(s *Source) {
	if len(s.Topics) == 0 {
		r.fault("source.topics", "is empty; list at least one topic")
	}
	for i, topic := range s.Topics {
		key := fmt.Sprintf("source.topics[%d]", i)
		if fault := kafkaName(topic); fault != "" {
			r.fault(key, "%s %s", r.shown(key, topic), fault)
		} else if first := slices.Index(s.Topics, topic); first < i {
			r.fault(key, "%s is the same as source.topics[%d]", r.shown(key, topic), first)
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

// checkOutputs keeps the three kinds of topics apart: reading what one writes
// oneself never ends.
func (r *reader) checkOutputs(c *Config) {
	outputs := []struct {
		key, topic  string
		replication int
	}{
		{"results", c.Results.Topic, c.Results.Replication},
		{"dead_letter", c.DeadLetter.Topic, c.DeadLetter.Replication},
	}
	for _, out := range outputs {
		key := out.key + ".topic"
		if fault := kafkaName(out.topic); fault != "" {
			r.fault(key, "%s %s", r.shown(key, out.topic), fault)
		} else if i := slices.Index(c.Source.Topics, out.topic); i >= 0 {
			source := fmt.Sprintf("source.topics[%d]", i)
			r.clash([]string{key, source}, "%s is also read: %s; the connector would read its own output",
				r.at(key, out.topic), r.at(source, out.topic))
		}
		if out.replication == 0 {
			r.fault(out.key+".replication", "0 is no number of replicas; write 1 or more, or -1 for the broker's default")
		}
	}
	if c.Results.Topic == c.DeadLetter.Topic {
		r.clash([]string{"results.topic", "dead_letter.topic"}, "one topic for two things: %s, %s",
			r.at("results.topic", c.Results.Topic), r.at("dead_letter.topic", c.DeadLetter.Topic))
	}
}
