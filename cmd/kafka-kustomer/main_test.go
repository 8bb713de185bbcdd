package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/canary"
)

// command runs one command line in this process.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	code = execute(ctx, args, &out, &errs)
	if at, as := canary.Find([]byte(out.String() + errs.String())); at >= 0 {
		t.Errorf("the output of %v holds a payload or a secret %s", args, as)
	}
	return code, out.String(), errs.String()
}

func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const minimalConfig = `
kafka: {brokers: ["127.0.0.1:1"]}
kustomer: {base_url: "http://127.0.0.1:2", api_key: ` + canary.Secret + `}
admin: {listen: "127.0.0.1:0"}
`

func TestExitCodes(t *testing.T) {
	good := configFile(t, minimalConfig)
	bad := configFile(t, "kustomer: {base_url: nowhere}\nnonsense: 1\n")
	for _, tc := range []struct {
		name string
		args []string
		code int
		says string // on stdout or stderr
	}{
		{"help", nil, 0, "run "},
		{"version", []string{"version"}, 0, "kafka-kustomer "},
		{"unknown command", []string{"walk"}, 2, "walk"},
		{"unknown flag", []string{"run", "--fast"}, 2, "--fast"},
		{"argument too many", []string{"run", "fast"}, 2, "fast"},
		{"no such file", []string{"validate", "-c", "/nowhere.yaml"}, 2, "/nowhere.yaml"},
		{"valid", []string{"validate", "-c", good}, 0, "max_items: 100"},
		{"invalid", []string{"validate", "-c", bad}, 2, "nonsense"},
		{"invalid for run", []string{"run", "-c", bad}, 2, "base_url"},
		{"demo without events", []string{"demo", "--rate", "0"}, 2, "--rate"},
		{"demo of no time", []string{"demo", "--duration", "0s"}, 2, "--duration"},
		{"demo of trouble too short", []string{"demo", "--faults", "--trouble-time", "10ms"}, 2, "--trouble-time"},
		{"demo with two logs", []string{"demo", "--verbose", "--log", "x"}, 2, "choose one"},
		{"demo with a log nowhere", []string{"demo", "--log", "/nowhere/x"}, 1, "/nowhere/x"},
		{"demo with a port too high", []string{"demo", "--listen", "127.0.0.1:99999"}, 2, "--listen"},
		{"demo with a broker elsewhere", []string{"demo", "--broker", "10.0.0.1:9092"}, 2, "--broker"},
		{"simulate without workers", []string{"simulate", "--workers", "0"}, 2, "--workers"},
		{"a script's keys", []string{"simulate", "--help"}, 0, "foreignBurst"},
		{"a script to begin with", []string{"simulate", "--script-example"}, 0, `"marker": "poison-400"`},
		{"no script", []string{"simulate", "--script", "/nowhere.json"}, 2, "/nowhere.json"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := command(t, tc.args...)
			if code != tc.code {
				t.Errorf("exit code %d, want %d; stderr: %s", code, tc.code, stderr)
			}
			if !strings.Contains(stdout+stderr, tc.says) {
				t.Errorf("%q is not in the output:\n%s%s", tc.says, stdout, stderr)
			}
			if strings.Contains(stdout+stderr, canary.Secret) {
				t.Error("the API key is in the output")
			}
		})
	}
}

// Neither polling nor producing ever reports that no broker answers, so run must.
func TestRunSaysThatNoBrokerAnswers(t *testing.T) {
	start := time.Now()
	code, _, stderr := command(t, "run", "-c", configFile(t, minimalConfig))
	if code != exitFailure || !strings.Contains(stderr, "no broker of 127.0.0.1:1 answers") {
		t.Errorf("exit code %d after %v, stderr: %s", code, time.Since(start), stderr)
	}
}

func TestSignalsEndOnceThenAtOnce(t *testing.T) {
	exited := make(chan int, 1)
	ctx, stop := interruptible(func(code int) { exited <- code })
	defer stop()
	for range 2 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Second):
			t.Fatal("the first signal did not end the context")
		}
	}
	select {
	case code := <-exited:
		if code == 0 {
			t.Error("the second signal exits with 0")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the second signal did not exit")
	}
}

func TestStartCommittedRefusesAGroupWithoutOffsets(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "message-changes"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	config := func(start string) string {
		return configFile(t, strings.ReplaceAll(minimalConfig, "127.0.0.1:1", cluster.ListenAddrs()[0])+"source: {start: "+start+"}\n")
	}
	code, _, stderr := command(t, "run", "-c", config("committed"))
	if code != exitFailure || !strings.Contains(stderr, "message-changes/0, message-changes/1") {
		t.Errorf("exit code %d, stderr: %s", code, stderr)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	offsets := kadm.Offsets{}
	offsets.AddOffset("message-changes", 0, 0, -1)
	offsets.AddOffset("message-changes", 1, 0, -1)
	if err := kadm.NewClient(client).CommitAllOffsets(t.Context(), "kafka-kustomer", offsets); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	var out, errs bytes.Buffer
	if code := execute(ctx, []string{"run", "-c", config("committed")}, &out, &errs); code != exitDone {
		t.Errorf("with offsets: exit code %d, stderr: %s", code, errs.String())
	}
}
