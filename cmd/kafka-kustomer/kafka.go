package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"github.com/twmb/franz-go/plugin/kzap"
	"go.uber.org/zap"

	"kafka-kustomer/batcher"
	"kafka-kustomer/consumer"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/pipeline"
	"kafka-kustomer/sink/results"
)

// kafkaOpts are the options that every Kafka client of ours has: where, as whom,
// and how safe.
func kafkaOpts(cfg *config.Config, log *zap.Logger) ([]kgo.Opt, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(cfg.Kafka.Brokers...),
		kgo.ClientID(cfg.Name),
		kgo.WithLogger(rawLog{log.Named("kafka")}),
	}
	if cfg.Kafka.TLS.Enabled {
		t, err := brokerTLS(cfg.Kafka.TLS)
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.DialTLSConfig(t))
	}
	if m := mechanism(cfg.Kafka.SASL); m != nil {
		opts = append(opts, kgo.SASL(m))
	}
	return opts, nil
}

// rawLog passes kgo's warnings and errors on as debug: it has two lines for each
// attempt to reach a broker. What a person must know is told by the consumer and
// by the writer of results, once.
type rawLog struct{ log *zap.Logger }

func (l rawLog) Level() kgo.LogLevel {
	if l.log.Core().Enabled(zap.DebugLevel) {
		return kgo.LogLevelWarn
	}
	return kgo.LogLevelNone
}

func (l rawLog) Log(_ kgo.LogLevel, msg string, keyvals ...any) {
	kzap.New(l.log).Log(kgo.LogLevelDebug, msg, keyvals...)
}

func brokerTLS(cfg config.TLS) (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: cfg.ServerName, InsecureSkipVerify: cfg.InsecureSkipVerify}
	if cfg.CAFile != "" {
		pem, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls.ca_file: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("kafka.tls.ca_file: %s holds no PEM certificate", cfg.CAFile)
		}
	}
	if cfg.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile); err != nil {
			return nil, fmt.Errorf("kafka.tls.cert_file and key_file: %w", err)
		}
		// Read anew for each connection, so that a renewed certificate is used
		// without a restart.
		t.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			c, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile)
			return &c, err
		}
	}
	return t, nil
}

// mechanism logs in with the password as it stands at each connection.
func mechanism(cfg config.SASL) sasl.Mechanism {
	password := func() (string, error) {
		if cfg.PasswordFile == "" {
			return cfg.Password.Reveal(), nil
		}
		b, err := os.ReadFile(cfg.PasswordFile)
		if err != nil {
			return "", fmt.Errorf("kafka.sasl.password_file: %w", err)
		}
		return strings.TrimRight(string(b), "\r\n"), nil
	}
	scramAuth := func(context.Context) (scram.Auth, error) {
		pass, err := password()
		return scram.Auth{User: cfg.Username, Pass: pass}, err
	}
	switch cfg.Mechanism {
	case "plain":
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			pass, err := password()
			return plain.Auth{User: cfg.Username, Pass: pass}, err
		})
	case "scram-sha-256":
		return scram.Sha256(scramAuth)
	case "scram-sha-512":
		return scram.Sha512(scramAuth)
	}
	return nil
}

// ready sees to it, before anything is read, that Kafka can be reached and that
// what will be written can be. A signal ends it without an error.
func ready(ctx context.Context, cfg *config.Config, client *kgo.Client, writer *results.Writer) error {
	checked := make(chan error, 1)
	go func() { // ends with the client, which may not heed ctx
		err := pingBrokers(ctx, client, cfg.Kafka.Brokers)
		if err == nil {
			err = requireCommits(ctx, client, cfg.Source)
		}
		if err == nil {
			err = requireSession(ctx, client, cfg.Source)
		}
		if err == nil {
			err = writer.Ensure(ctx)
		}
		checked <- err
	}()
	select {
	case err := <-checked:
		if ctx.Err() != nil {
			return nil
		}
		return err
	case <-ctx.Done():
		return nil
	}
}

// pingBrokers says at once, and with the cause, when no broker can be reached or
// the login fails: neither polling nor producing ever reports that.
func pingBrokers(ctx context.Context, client *kgo.Client, brokers []string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		return fmt.Errorf("no broker of %s answers: %w; check kafka.brokers, kafka.tls and kafka.sasl", strings.Join(brokers, ", "), err)
	}
	return nil
}

// watched tells the loop when a polling error means that there is nothing left to
// commit, and whoever wants to know that polling has come to its end.
type watched struct {
	*consumer.Consumer
	ended func()
}

func (w watched) Poll(ctx context.Context, limit int, hand func([]batcher.Fetched) error) error {
	err := w.Consumer.Poll(ctx, limit, hand)
	if err != nil {
		w.ended()
	}
	if errors.As(err, new(*consumer.FencedError)) {
		return fmt.Errorf("%w: %w", pipeline.ErrLost, err)
	}
	return err
}

// requireCommits refuses to start with source.start: committed where the group
// has no offset for a partition: it has expired, or this is not the group that
// was meant.
func requireCommits(ctx context.Context, client *kgo.Client, cfg config.Source) error {
	if cfg.Start != consumer.StartCommitted {
		return nil
	}
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(ctx, cfg.TopicNames()...)
	if err != nil {
		return fmt.Errorf("listing the source topics: %w", err)
	}
	committed, err := admin.FetchOffsets(ctx, cfg.Group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return fmt.Errorf("fetching the offsets of group %s: %w", cfg.Group, err)
	}
	var missing []string
	topics.EachPartition(func(p kadm.PartitionDetail) {
		if o, ok := committed.Lookup(p.Topic, p.Partition); !ok || o.At < 0 {
			missing = append(missing, fmt.Sprintf("%s/%d", p.Topic, p.Partition))
		}
	})
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("source.start is committed, and group %s has no offset for %s; check source.group, or set source.start to earliest or latest",
		cfg.Group, strings.Join(missing, ", "))
}

// requireSession refuses a session time-out above the broker's where the broker
// decides on it: we would go on writing to Kustomer after another member has
// taken over. A broker that does not let us look is taken at its default.
func requireSession(ctx context.Context, client *kgo.Client, cfg config.Source) error {
	if cfg.Protocol != consumer.ProtocolConsumer {
		return nil
	}
	const key = "consumer.session.timeout.ms"
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType, resource.ResourceName, resource.ConfigNames = kmsg.ConfigResourceTypeGroupConfig, cfg.Group, []string{key}
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Resources = append(req.Resources, resource)
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return nil // an older broker: the group will speak classic
	}
	for _, r := range resp.Resources {
		for _, c := range r.Configs {
			if c.Name != key || c.Value == nil {
				continue
			}
			ms, err := strconv.Atoi(*c.Value)
			if broker := time.Duration(ms) * time.Millisecond; err == nil && cfg.SessionTimeout > broker {
				return fmt.Errorf("source.session_timeout is %v, and with source.protocol consumer the brokers end the session of a member of group %s after %v; set source.session_timeout to at most that, or raise %s of the group",
					cfg.SessionTimeout, cfg.Group, broker, key)
			}
		}
	}
	return nil
}
