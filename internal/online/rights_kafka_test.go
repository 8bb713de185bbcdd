//go:build kafka

package online_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"kafka-kustomer/internal/kafkatest"
	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/online"
)

// A real Kafka with logins and rights, whose answers the embedded one only imitates:
// a login that fails, a group that is forbidden before it exists, operations told
// with the metadata, a creation that is validated and not carried out.
func TestRightsOnKafka(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	kafka, err := kafkatest.Start(ctx, kafkatest.Options{
		Listeners: []kafkatest.Listener{{Name: "LOGIN", Protocol: "SASL_PLAINTEXT"}},
		Properties: map[string]string{
			"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
			"super.users":           "User:ANONYMOUS", // who is on the listener without a login: the brokers, and this test
			"listener.name.login.sasl.enabled.mechanisms": "PLAIN",
			"listener.name.login.plain.sasl.jaas.config":  `org.apache.kafka.common.security.plain.PlainLoginModule required user_full="full-password" user_none="none-password";`,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := kafka.Close(); err != nil {
			t.Error(err)
		}
	}()
	root, err := kgo.NewClient(kgo.SeedBrokers(kafka.Brokers()...))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	w := &world{admin: kadm.NewClient(root), timeout: 30 * time.Second}
	w.prepare(ctx, t)

	w.login("full", "full-password", kafka)
	checks := w.check(t)
	for _, name := range []string{"kafka login", "kafka cluster", "source topic message-changes", "consumer group", "offsets and lag", "session time-out", "group protocol", "results topic kustomer-batch-results", "idempotent writes"} {
		if c := checks[name]; c.Status != online.OK {
			t.Errorf("with all rights %s is %s: %s -> %s", name, c.Status, c.Found, c.Next)
		}
	}
	must(t, checks, "dead_letter topic kustomer-dead-letters", online.OK, "it may be created, and will be at the start")
	must(t, checks, "session time-out", online.OK, "the brokers take 1s to 30m0s")

	w.login("none", "none-password", kafka)
	checks = w.check(t)
	for name, words := range map[string]string{
		"source topic message-changes":            "grant Read on topic message-changes",
		"consumer group":                          "grant Read on group kafka-kustomer",
		"results topic kustomer-batch-results":    "grant Write on topic kustomer-batch-results",
		"dead_letter topic kustomer-dead-letters": "grant ",
	} {
		must(t, checks, name, online.Failed, words,
			"source topic message-changes", "consumer group", "offsets and lag", "results topic kustomer-batch-results", "dead_letter topic kustomer-dead-letters")
	}

	w.login("full", "not-the-password", kafka)
	must(t, w.check(t), "kafka login", online.Failed, "the login is refused", "kafka broker "+w.cfg.Brokers[0])
}

// login makes the connector log in.
func (w *world) login(user, password string, kafka *kafkatest.Cluster) {
	w.cfg.Brokers, w.cfg.Login = kafka.Listener("LOGIN"), "plain as "+user
	w.cfg.Opts = []kgo.Opt{kgo.SASL(plain.Auth{User: user, Pass: password}.AsMechanism())}
}

// prepare makes the topics but that of the dead letters, and gives the user full its
// rights.
func (w *world) prepare(ctx context.Context, t *testing.T) {
	t.Helper()
	for _, topic := range allTopics[:2] {
		if _, err := w.admin.CreateTopic(ctx, 1, 1, nil, topic); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range append(fullRights(), right{kmsg.ACLResourceTypeTopic, "kustomer-dead-letters", kmsg.ACLOperationCreate}) {
		acl := kadm.NewACLs().Allow("User:full").AllowHosts("*").Operations(r.op).ResourcePatternType(kadm.ACLPatternLiteral)
		switch r.kind {
		case kmsg.ACLResourceTypeTopic:
			acl = acl.Topics(r.name)
		case kmsg.ACLResourceTypeGroup:
			acl = acl.Groups(r.name)
		default:
			acl = acl.Clusters()
		}
		if results, err := w.admin.CreateACLs(ctx, acl); err != nil || results[0].Err != nil {
			t.Fatal(err, results)
		}
	}
	sim := kustomersim.New(kustomersim.Options{Key: apiKey, Script: &kustomersim.Script{}})
	t.Cleanup(sim.Close)
	w.sim = sim
	w.cfg = online.Config{
		Sources: []string{"message-changes"}, Group: "kafka-kustomer", Start: "earliest", OnReset: "fail",
		Protocol: "classic", SessionTimeout: 45 * time.Second, Lease: 40 * time.Second,
		Writes: []online.Topic{
			{Section: "results", Name: "kustomer-batch-results", Create: true, Replication: -1},
			{Section: "dead_letter", Name: "kustomer-dead-letters", Create: true, Replication: -1},
		},
	}
	w.api(t, serve(t, sim.ServeHTTP), apiKey, nil)
}
