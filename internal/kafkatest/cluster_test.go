package kafkatest

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fakeJava is a java that runs script with the main class in $class.
func fakeJava(t *testing.T, script string) Options {
	t.Helper()
	t.Setenv("KAFKA_HOME_LIBS", fakeLibs(t))
	java := filepath.Join(t.TempDir(), "java")
	writeFile(t, java, "#!/bin/sh\nfor class; do case $class in kafka.*) break;; esac; done\n"+script)
	return Options{Java: java, Dir: t.TempDir()}
}

func TestStartRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		o    Options
		want []string
	}{
		"two brokers":    {Options{Brokers: 2}, []string{"2 brokers", "1 or 3"}},
		"many listeners": {Options{Listeners: make([]Listener, 7)}, []string{"7 further listeners", "6 are possible"}},
		"no java":        {Options{Java: "/nowhere/java"}, []string{"no Java", "/nowhere/java", "17", "JAVA_HOME"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Start(t.Context(), test.o)
			wantError(t, err, test.want...)
		})
	}
}

func TestStartWithTakenPort(t *testing.T) {
	o := fakeJava(t, "exit 9\n")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	o.Port = taken.Addr().(*net.TCPAddr).Port
	_, err = Start(t.Context(), o)
	wantError(t, err, taken.Addr().String(), "in use")
}

func TestStartWithFailingFormat(t *testing.T) {
	o := fakeJava(t, "echo UnsupportedClassVersionError: 61.0; exit 1\n")
	_, err := Start(t.Context(), o)
	wantError(t, err, "format broker 1", o.Java, "Java 17", "UnsupportedClassVersionError: 61.0", "exit status 1")
}

// A broker that ends is noticed at once, not when the deadline comes; the log's
// tail has the reason and not the hundreds of lines after it.
func TestStartWithDyingBroker(t *testing.T) {
	o := fakeJava(t, `[ $class = kafka.Kafka ] || exit 0
echo "2026-01-01T00:00:00,000 ERROR Kafka$ Exiting Kafka due to fatal exception during startup." > broker.log
printf 'java.lang.RuntimeException: cannot\n\tat a.B.c(B.java:1)\nCaused by: the true reason\n\t... 6 more\n' >> broker.log
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do echo "2026-01-01T00:00:00,001 INFO Some thing closed" >> broker.log; done
exit 1
`)
	begun := time.Now()
	_, err := Start(t.Context(), o)
	wantError(t, err, "broker 1 ended by itself", "exit status 1", "fatal exception", "Caused by: the true reason", o.Dir)
	for _, noise := range []string{"INFO", "B.java", "6 more"} {
		if strings.Contains(err.Error(), noise) {
			t.Errorf("%q in %v", noise, err)
		}
	}
	if took := time.Since(begun); took > testTimeout {
		t.Errorf("noticed after %v", took)
	}
}

func TestStartWithSilentBroker(t *testing.T) {
	o := fakeJava(t, "[ $class = kafka.Kafka ] || exit 0\necho waiting for a quorum; exec sleep 300\n")
	o.Brokers = 3
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := Start(ctx, o)
	wantError(t, err, "is not ready", context.DeadlineExceeded.Error(), "waiting for a quorum")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("not a DeadlineExceeded: %v", err)
	}
}

// The three must be told of each other, and of every listener.
func TestServerProperties(t *testing.T) {
	o := Options{
		Brokers: 3, Dir: t.TempDir(), Listeners: []Listener{{"TLS", "SSL"}},
		Properties: map[string]string{"node.id": "override", "x": "a=b"},
	}
	c := &Cluster{ports: &portBlock{base: 20000}}
	n := &node{id: 2, dir: filepath.Join(o.Dir, "n")}
	if err := c.writeFiles(n, 1, o); err != nil {
		t.Fatal(err)
	}
	got := readProperties(t, n.path("server.properties"))
	want := map[string]string{
		"node.id":                          "override",
		"x":                                "a=b",
		"controller.quorum.voters":         "1@127.0.0.1:20004,2@127.0.0.1:20005,3@127.0.0.1:20006",
		"listeners":                        "PLAINTEXT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20005,TLS://127.0.0.1:20009",
		"listener.security.protocol.map":   "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL",
		"min.insync.replicas":              "2",
		"default.replication.factor":       "3",
		"offsets.topic.replication.factor": "3",
		"transaction.state.log.replication.factor": "3",
		"transaction.state.log.min.isr":            "2",
		"broker.session.timeout.ms":                "3000",
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			delete(got, key)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("server.properties (-want +got):\n%s", diff)
	}
}

func readProperties(t *testing.T, path string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && key[0] != '#' {
			all[key] = value
		}
	}
	return all
}

func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	first, err := identity(dir, 1)
	if err != nil || len(first) != 22 || first[0] == '-' {
		t.Fatalf("identity = %q, %v", first, err)
	}
	if again, err := identity(dir, 1); err != nil || again != first {
		t.Errorf("second start: %q, %v, want %q", again, err, first)
	}
	if other, _ := identity(t.TempDir(), 1); other == first {
		t.Errorf("two folders share the id %q", first)
	}
	_, err = identity(dir, 3)
	wantError(t, err, dir, "cluster of 3")
}

func TestBrokersFromEnvironment(t *testing.T) {
	t.Setenv("KAFKA_BROKERS", " a:1, b:2 ,")
	if diff := cmp.Diff([]string{"a:1", "b:2"}, Brokers(t)); diff != "" {
		t.Error(diff)
	}
}
