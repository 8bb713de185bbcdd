package consumer

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// adviceByCode says what to check for an error code of Kafka's.
var adviceByCode = []struct {
	err    *kerr.Error
	advice string
}{
	{kerr.OffsetOutOfRange, "the committed offset is no longer in the log (retention, or the topic was made anew): set source.on_reset to earliest to read on from the start of the log, or move the group's offset, and start again"},
	{kerr.UnknownTopicID, "the topic was deleted or made anew: start the program again to read the new one"},
	{kerr.UnknownTopicOrPartition, "the topic does not exist: check source.topics"},
	{kerr.TopicAuthorizationFailed, "the user may not read the topic: it needs READ on it"},
	{kerr.GroupAuthorizationFailed, "the user may not use the group: it needs READ on it"},
	{kerr.ClusterAuthorizationFailed, "the user lacks a right on the cluster: check its ACLs"},
	{kerr.SaslAuthenticationFailed, "check kafka.sasl: mechanism, username and password"},
	{kerr.UnsupportedSaslMechanism, "the broker does not offer this mechanism: check kafka.sasl.mechanism"},
	{kerr.IllegalSaslState, "this listener wants no SASL: check kafka.sasl.mechanism and the port"},
	{kerr.FencedInstanceID, "another process has this instance id: check source.instance_id"},
	{kerr.UnreleasedInstanceID, "another process has this instance id: check source.instance_id"},
	{kerr.GroupMaxSizeReached, "the group is full: check group.max.size on the brokers"},
	{kerr.InconsistentGroupProtocol, "other members of the group use another protocol: check source.group and source.protocol"},
	{kerr.UnsupportedVersion, "the brokers do not offer this: with source.protocol consumer, switch it on there (feature group.version, group.coordinator.rebalance.protocols), or set source.protocol to classic"},
	{kerr.OffsetMetadataTooLarge, "check offset.metadata.max.bytes on the brokers: 4096 is needed"},
	{kerr.InvalidSessionTimeout, "check group.min.session.timeout.ms and group.max.session.timeout.ms on the brokers"},
}

// adviceByText does the same for errors that have no type.
var adviceByText = []struct{ text, advice string }{
	{"is SASL missing", "the listener wants a login: check kafka.sasl and the port"},
	{"tls alert record", "the listener speaks TLS: set kafka.tls.enabled, or check the port"},
	{"using TLS when the broker is not expecting it", "the listener speaks no TLS: check kafka.tls.enabled and the port"},
	{"beginning of an HTTP response", "this is a web server: check kafka.brokers"},
	{"bad certificate", "the broker did not accept our certificate: check kafka.tls.cert_file and key_file"},
	{"certificate required", "the broker wants a certificate: check kafka.tls.cert_file and key_file"},
	{"oauth response", "the broker did not accept the token: check kafka.sasl and when the token expires"},
	{"no such host", "the name is not known: check kafka.brokers and DNS"},
	{"connection refused", "nothing listens there: check kafka.brokers, and that Kafka runs"},
	{"i/o timeout", "no answer: check kafka.brokers, the network and firewalls"},
	{"deadline exceeded", "no answer in time: check the network, and that the brokers are up"},
}

// batchTooLargeError names a batch that grows above the limit when it is
// decompressed.
type batchTooLargeError struct {
	*kgo.ErrDecompressTooLarge
	limit int
}

func (e *batchTooLargeError) Error() string {
	return fmt.Sprintf("the batch of offsets %d to %d is larger than %d bytes (limits.max_batch_bytes) when decompressed; it is not read, and its partition stands still",
		e.Offset, e.NextOffset-1, e.limit)
}

// responseTooLargeError says that a broker sent more than can be one batch that
// we take: it sends the first one of a response whole, however large.
type responseTooLargeError struct {
	err   error
	limit int
}

func (e *responseTooLargeError) Error() string {
	return fmt.Sprintf("a partition of this broker has a batch larger than %d bytes (limits.max_batch_bytes); it is not read, and its partition stands still: %v", e.limit, e.err)
}

// lasting are errors that no waiting cures.
var lasting = []error{
	errNoCommit, kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed,
	kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism, kerr.IllegalSaslState, kerr.UnsupportedVersion,
	kerr.InconsistentGroupProtocol, kerr.OffsetMetadataTooLarge, kerr.InvalidSessionTimeout,
}

// lasts reports whether an error stays until somebody sees to it.
func lasts(err error) bool {
	return errors.As(err, new(*replacedError)) || errors.As(err, new(*positionError)) ||
		errors.As(err, new(*batchTooLargeError)) || errors.As(err, new(*responseTooLargeError)) ||
		slices.ContainsFunc(lasting, func(of error) bool { return errors.Is(err, of) })
}

// advice says what to check about an error, never empty.
func advice(err error) string {
	if errors.As(err, new(*undecodedError)) {
		return "the schema registry (schema_registry): that it answers, and that it has this schema, without which the record is a dead letter after schema_registry.unknown_grace; other partitions go on"
	}
	for _, a := range adviceByCode {
		if errors.Is(err, a.err) {
			return a.advice
		}
	}
	var tooLarge *batchTooLargeError
	var loss *kgo.ErrDataLoss
	var hostname x509.HostnameError
	switch {
	case errors.As(err, &tooLarge):
		return fmt.Sprintf("check what wrote it; if it is to be read, raise limits.max_batch_bytes and start again; if not, stop the group, move its offset of this partition to %d, and start again", tooLarge.NextOffset)
	case errors.As(err, &loss):
		return "Kafka lost records it had acknowledged (an unclean leader election?): check the brokers"
	case errors.As(err, &hostname):
		return "the broker's certificate is for another name: check kafka.brokers and kafka.tls.server_name"
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return "the broker's certificate is of an unknown authority: check kafka.tls.ca_file"
	case errors.As(err, new(*responseTooLargeError)):
		return "find the partition that lags, and what wrote to it; if the batch is to be read, raise limits.max_batch_bytes and start again; if not, stop the group, move its offset of that partition past the batch, and start again"
	case errors.Is(err, errNoTopic), errors.Is(err, errTopicDeleted):
		return "check source.topics, and create the topic"
	case errors.Is(err, errNoCommit):
		return "set source.start to earliest or latest, or commit an offset for the group, and start again"
	}
	text := err.Error()
	for _, a := range adviceByText {
		if strings.Contains(text, a.text) {
			return a.advice
		}
	}
	return "check that the brokers are up and reachable, and their logs"
}
