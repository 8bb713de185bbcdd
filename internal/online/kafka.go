package online

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	nameBroker     = "kafka broker "
	nameLogin      = "kafka login"
	nameCluster    = "kafka cluster"
	nameSource     = "source topic "
	nameGroup      = "consumer group"
	nameOffsets    = "offsets and lag"
	nameSession    = "session time-out"
	nameProtocol   = "group protocol"
	nameIdempotent = "idempotent writes"
)

func (cfg *Config) topicName(t Topic) string { return t.Section + " topic " + t.Name }

// later are the names of the checks that need a broker that answers.
func (cfg *Config) later() (names []string) {
	names = append(names, nameCluster)
	for _, t := range cfg.Sources {
		names = append(names, nameSource+t)
	}
	names = append(names, nameGroup, nameOffsets, nameSession, nameProtocol)
	for _, t := range cfg.Writes {
		names = append(names, cfg.topicName(t))
	}
	return append(names, nameIdempotent)
}

func checkKafka(ctx context.Context, cfg *Config) []Check {
	checks, errs := checkBrokers(ctx, cfg)
	checks = append(checks, checkLogin(cfg, errs))
	if !slices.Contains(errs, nil) {
		return append(checks, skipped("no broker answers", cfg.later()...)...)
	}
	// One of those that answer: a client tries its seeds, but not each request does.
	answering := *cfg
	answering.Brokers = nil
	for i, err := range errs {
		if err == nil {
			answering.Brokers = append(answering.Brokers, cfg.Brokers[i])
		}
	}
	k, err := newCluster(ctx, &answering)
	if err != nil {
		return append(checks, skipped(err.Error(), cfg.later()...)...)
	}
	defer k.close()
	one := func(name string, check func(ctx context.Context, c *Check)) func() []Check {
		return func() []Check { return []Check{timed(ctx, name, check)} }
	}
	groups := []func() []Check{one(nameCluster, k.cluster)}
	for _, t := range cfg.Sources {
		groups = append(groups, one(nameSource+t, func(ctx context.Context, c *Check) { k.source(ctx, c, t) }))
	}
	groups = append(groups, one(nameGroup, k.group), one(nameOffsets, k.offsets), one(nameSession, k.session), one(nameProtocol, k.protocol))
	for _, t := range cfg.Writes {
		groups = append(groups, one(cfg.topicName(t), func(ctx context.Context, c *Check) { k.writable(ctx, c, t) }))
	}
	groups = append(groups, one(nameIdempotent, k.idempotent))
	return append(checks, parallel(groups...)...)
}

// cluster is Kafka as one client sees it.
type cluster struct {
	cfg    *Config
	client *kgo.Client
	admin  *kadm.Client
	close  func()
}

// newCluster makes a client that ends with ctx: not every wait in it heeds the
// context of a request.
func newCluster(ctx context.Context, cfg *Config) (*cluster, error) {
	client, err := newClient(cfg, cfg.Brokers)
	if err != nil {
		return nil, err
	}
	shut := sync.OnceFunc(client.Close)
	stop := context.AfterFunc(ctx, shut)
	return &cluster{cfg: cfg, client: client, admin: kadm.NewClient(client), close: func() { stop(); shut() }}, nil
}

func newClient(cfg *Config, brokers []string) (*kgo.Client, error) {
	return kgo.NewClient(append(
		slices.Clone(cfg.Opts),
		kgo.SeedBrokers(brokers...),
		kgo.DialTimeout(5*time.Second), kgo.RequestRetries(2), kgo.RetryTimeout(checkTimeout),
	)...)
}

// checkBrokers asks each of the configured brokers by itself: a client is content
// with one of them, so that the others are missed only on the day they are needed.
func checkBrokers(ctx context.Context, cfg *Config) (checks []Check, errs []error) {
	errs = make([]error, len(cfg.Brokers))
	groups := make([]func() []Check, len(cfg.Brokers))
	for i, address := range cfg.Brokers {
		groups[i] = func() []Check {
			return []Check{timed(ctx, nameBroker+address, func(ctx context.Context, c *Check) {
				begin := time.Now()
				if errs[i] = askBroker(ctx, cfg, address); errs[i] != nil {
					found, next := explain(errs[i])
					c.fail(next, "%s", found)
					return
				}
				c.found("answers (%v)", time.Since(begin).Round(time.Millisecond))
			})}
		}
	}
	return parallel(groups...), errs
}

// askBroker connects, logs in and asks for the brokers of the cluster.
func askBroker(ctx context.Context, cfg *Config, address string) error {
	k, err := newCluster(ctx, &Config{Opts: cfg.Opts, Brokers: []string{address}})
	if err != nil {
		return err
	}
	defer k.close()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // none, rather than all
	_, err = k.client.SeedBrokers()[0].Request(ctx, req)
	return err
}

// checkLogin says what the brokers said of the login.
func checkLogin(cfg *Config, errs []error) Check {
	c := Check{Name: nameLogin, Status: OK}
	refused := slices.IndexFunc(errs, isLogin)
	switch {
	case refused >= 0:
		found, next := explain(errs[refused])
		c.fail(next, "%s", found)
	case !slices.Contains(errs, nil):
		c.skip("no broker answers")
	case cfg.Login == "":
		c.found("none is configured, and none is asked for")
	default:
		c.found("%s is accepted", cfg.Login)
	}
	return c
}

func isLogin(err error) bool {
	return errors.Is(err, kerr.SaslAuthenticationFailed) || errors.Is(err, kerr.UnsupportedSaslMechanism) || errors.Is(err, kerr.IllegalSaslState) ||
		err != nil && strings.Contains(err.Error(), "SASL")
}

// explain words an error of Kafka for who has to put it right.
func explain(err error) (found, next string) {
	var dns *net.DNSError
	var eof *kgo.ErrFirstReadEOF
	var unknownCA x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &dns):
		return "its name is not found", "check kafka.brokers and the name resolution of this machine"
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return "the login is refused", "check kafka.sasl.username and password, and that the user exists for this mechanism"
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return "the broker does not take this mechanism", "check kafka.sasl.mechanism against the listener's sasl.enabled.mechanisms"
	case errors.As(err, &unknownCA):
		return "its certificate is of an authority that is not trusted", "check kafka.tls.ca_file"
	case errors.As(err, &hostname):
		return "its certificate is for another name", "check kafka.brokers and kafka.tls.server_name"
	case errors.As(err, &invalid):
		return "its certificate is not valid: " + invalid.Error(), "check its dates, and this machine's clock"
	case errors.As(err, &record):
		return "it does not speak TLS", "check kafka.tls.enabled, and that the port is that of a TLS listener"
	case errors.As(err, &eof), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "it closes the connection at once", "check whether the listener wants TLS (kafka.tls) or a login (kafka.sasl), or neither"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there", "check kafka.brokers, and that the broker runs"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, kgo.ErrClientClosed), errors.Is(err, context.Canceled):
		return "no answer in time", "check the network and firewalls between here and the broker, whether the listener wants TLS (kafka.tls), and --timeout"
	case errors.Is(err, kerr.CoordinatorNotAvailable), errors.Is(err, kerr.CoordinatorLoadInProgress), errors.Is(err, kerr.NotCoordinator):
		return "the group's coordinator is not there", "check the brokers and the topic __consumer_offsets, and try again"
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.GroupAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		return "not allowed: " + err.Error(), "grant the right to this program's Kafka user"
	}
	return err.Error(), "check kafka.brokers, kafka.tls and kafka.sasl"
}

// failFor fails a check for an error of Kafka.
func (c *Check) failForKafka(what string, err error) {
	found, next := explain(err)
	c.fail(next, "%s: %s", what, found)
}

// cluster reaches every broker at the address that the cluster names for it.
func (k *cluster) cluster(ctx context.Context, c *Check) {
	meta, err := k.admin.BrokerMetadata(ctx)
	if err != nil {
		c.failForKafka("asking for the brokers", err)
		return
	}
	errs := make([]error, len(meta.Brokers))
	var wg sync.WaitGroup
	for i, b := range meta.Brokers {
		wg.Go(func() {
			_, errs[i] = k.client.Broker(int(b.NodeID)).RetriableRequest(ctx, kmsg.NewPtrApiVersionsRequest())
		})
	}
	wg.Wait()
	c.found("%s", plural(len(meta.Brokers), "broker"))
	if v, err := k.version(ctx); err == nil {
		c.found("%s, %s", plural(len(meta.Brokers), "broker"), v.VersionGuess())
	}
	for i, b := range meta.Brokers {
		if errs[i] == nil {
			continue
		}
		found, _ := explain(errs[i])
		c.fail("check advertised.listeners of the brokers, and the network from here to them", "broker %d can't be reached at %s:%d, the address that the cluster names: %s", b.NodeID, b.Host, b.Port, found)
	}
}

// version is what one of the brokers can do. They may differ while they are upgraded.
func (k *cluster) version(ctx context.Context) (v kadm.BrokerApiVersions, err error) {
	all, err := k.admin.ApiVersions(ctx)
	if err != nil {
		return v, err
	}
	for _, v := range all.Sorted() {
		if v.Err == nil {
			return v, nil
		}
		err = v.Err
	}
	return v, fmt.Errorf("no broker tells its version: %w", err)
}
