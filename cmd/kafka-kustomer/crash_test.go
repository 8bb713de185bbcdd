//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/kustomersim"
)

// crashVariable tells the test binary to be the program that crashes, and how.
const crashVariable = "KAFKA_KUSTOMER_TEST_CRASH"

// fetchPanic panics in a goroutine of kgo's that has a record in its hands.
type fetchPanic struct{}

func (fetchPanic) OnFetchRecordBuffered(r *kgo.Record) {
	if len(r.Value) > 0 {
		panic("on purpose, while fetching")
	}
}

// TestCrash is the program that crashes. By itself it has nothing to do.
func TestCrash(t *testing.T) {
	how := os.Getenv(crashVariable)
	if how == "" {
		return
	}
	at := func(message string, do func()) func(*wiring) {
		return func(w *wiring) {
			w.log = w.log.WithOptions(zap.Hooks(func(e zapcore.Entry) error {
				if strings.HasPrefix(e.Message, message) {
					do()
				}
				return nil
			}))
		}
	}
	edit := map[string]func(*wiring){
		"loop":   at("batch completed", func() { panic("on purpose, in the loop") }),
		"refuse": at("batch refused", func() { panic(errors.New("on purpose, in the loop")) }),
		"quit":   at("batch completed", func() { _ = syscall.Kill(os.Getpid(), syscall.SIGQUIT); select {} }),
		"leak":   at("batch completed", func() { panic("on purpose: " + change(1)) }),
		"fetch":  func(w *wiring) { w.kafka = append(w.kafka, kgo.WithHooks(fetchPanic{})) },
	}[how]
	w := startWatched(t, edit)
	refused := strings.Replace(change(9), canary.Value, canary.Value+" poison-400", 1)
	if err := w.sim.SetScript(kustomersim.Script{Poison: kustomersim.MarkedPoison(), Quote: true}); err != nil {
		t.Fatal(err)
	}
	w.produce(change(1), change(2), refused, "{"+canary.Value, change(3))
	time.Sleep(time.Minute) // it crashes before
}

// The output of a crash with events in its hands, of every goroutine's stack, holds
// no payload and no secret: Go prints arguments as words, not as texts.
func TestCrashShowsNoPayload(t *testing.T) {
	for _, test := range []struct {
		how   string
		says  []string
		leaks bool
	}{
		{"loop", []string{"panic: on purpose, in the loop", "(*Pipeline).story(", "(*Pipeline).loop("}, false},
		{"refuse", []string{"panic: ", "on purpose, in the loop", "(*Pipeline).story("}, false},
		{"fetch", []string{"panic: on purpose, while fetching", "OnFetchRecordBuffered("}, false},
		{"quit", []string{"SIGQUIT: quit", "(*Pipeline).loop(", "(*Consumer).Poll("}, false},
		{"leak", []string{"panic: on purpose: "}, true}, // the search finds what there is
	} {
		t.Run(test.how, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrash$")
			cmd.Env = append(os.Environ(), crashVariable+"="+test.how, "GOTRACEBACK=all")
			out, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); err == nil || code != 2 {
				t.Fatalf("exit code %d, %v, want 2 of a crash:\n%s", code, err, out)
			}
			for _, part := range test.says {
				if !bytes.Contains(out, []byte(part)) {
					t.Errorf("no %q in the output", part)
				}
			}
			if at, as := canary.Find(out); at >= 0 != test.leaks {
				t.Errorf("canary at %d %s, want one: %t", at, as, test.leaks)
			}
			if t.Failed() && !test.leaks {
				t.Logf("%s", out)
			}
		})
	}
}
