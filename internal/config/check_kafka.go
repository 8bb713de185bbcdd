package config

import (
	"fmt"
	"net"
	"slices"
	"strings"
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
		r.unused(*t, TLS{}, "kafka.tls", "kafka.tls.enabled", "is false")
		return
	}
	r.checkTLSFiles("kafka.tls", t.CAFile, t.CertFile, t.KeyFile)
}

// checkTLSFiles is for the files of a section of TLS.
func (r *reader) checkTLSFiles(section, ca, cert, key string) {
	caKey, certKey, keyKey := section+".ca_file", section+".cert_file", section+".key_file"
	r.checkFile(caKey, ca)
	r.checkFile(certKey, cert)
	r.checkFile(keyKey, key)
	if (cert == "") != (key == "") {
		r.clash([]string{certKey, keyKey}, "a client certificate needs both files: %s, %s", r.at(certKey, cert), r.at(keyKey, key))
	}
}

func (r *reader) checkSASL(s *SASL) {
	if r.isBad("kafka.sasl.mechanism") {
		return // what it needs is not known
	}
	if s.Mechanism == "" {
		r.unused(*s, SASL{}, "kafka.sasl", "kafka.sasl.mechanism", "is empty")
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

// checkOutputs keeps the three kinds of topics apart: reading what one writes
// oneself never ends.
func (r *reader) checkOutputs(c *Config) {
	sources := c.Source.TopicNames()
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
		} else if i := slices.Index(sources, out.topic); i >= 0 {
			source := r.nameKey(i)
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
