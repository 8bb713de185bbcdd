package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
	"go.uber.org/zap"
)

// everyDigit is for output whose numbers differ from run to run.
var everyDigit = regexp.MustCompile(`[ ]*[0-9]+([.,][0-9]+)*`)

// TestDemo runs demos beside each other, as they mostly wait, and sees that they leave
// nothing running.
func TestDemo(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var all sync.WaitGroup
	running := make(chan struct{}, 3) // more would slow each other down, and wait in vain
	for name, test := range map[string]func(*testing.T){
		"plain":             testDemo,
		"faults/cut off":    testFaults("outage, 503", "outage, refused", "key rotation"),
		"faults/replies":    testFaults("lost replies", "429 storm"),
		"faults/operations": testFaults("slow operations"),
		"faults/events":     testFaults("poison"),
		"faults/schemas":    testFaults("no schema registry"),
		"faults/wrong":      testFaultsFindsWhatIsWrong,
		"on a terminal":     testOnATerminal,
		"keep":              testKeep,
		"faults and keep":   testFaultsKeep("outage, refused"),
		"schemas and keep":  testFaultsKeep("no schema registry"), // each time with another version
	} {
		all.Go(func() {
			running <- struct{}{}
			defer func() { <-running }()
			t.Run(name, test)
		})
	}
	all.Wait()
}

func testDemo(t *testing.T) {
	code, stdout, stderr := command(t, "demo", "--rate", "500", "--duration", "3s", "--seed", "7")
	if code != exitDone {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	for _, exact := range []string{"500 events a second for 3s, seed 7;", "1,500 events in ", "\nEvery change is where it must be.\n", "the group's lag is 0\n"} {
		if !strings.Contains(stdout, exact) {
			t.Errorf("%q is not in the output:\n%s", exact, stdout)
		}
	}
	var kinds []string // of lines, one each
	for l := range strings.Lines(stdout) {
		l = everyDigit.ReplaceAllString(strings.TrimRight(l, "\n"), " N")
		if !slices.Contains(kinds, l) && !strings.Contains(l, "NOT READY") && !strings.Contains(l, "item -") {
			kinds = append(kinds, l)
		}
	}
	want := strings.TrimSpace(`
 N events a second for Ns, seed N; broker, schema registry and API are simulated in this process
 N: N  produced N  completed N  dead-lettered N  open N   requests N/min  events an item N  operations open N   ready

 N events in N requests of N items, N looks an operation; N replies were lost, N operations overtook another
formats N events were Avro and N JSON
merging N events were sent as N items, which saved N requests
requests N, N of them refused for poison; one for each event would be N, and N events a request, without merging and if none failed, N
latency    from event to completed: median N s, p N N s, longest N s, of N events
  ok N messages end in the state that their events say
  ok N events must be named as updated in the result topic (found N)
  ok N dead letters, each once: N malformed records, N changes that the API refuses with all that is sent beside them, and N changes of the N messages whose items it always fails (found N)
  ok N operations, each with one accepted and one completed event
  ok     the group's lag is N
  ok N breaches of the API's contract
  ok N fields went back to an older value, N changes overtook one that could still run
Every change is where it must be.`)
	if diff := cmp.Diff(want, strings.TrimSpace(strings.Join(kinds, "\n"))); diff != "" {
		t.Errorf("the kinds of lines (-want +got):\n%s", diff)
	}
}

// short is a demo of some troubles that leaves no time unused.
func short(out io.Writer, troubles ...trouble) *demo {
	d := &demo{
		rate: 200, duration: time.Second, seed: 3, faults: true, troubleTime: time.Second,
		troubles: troubles, show: newScreen(out, true), log: zap.NewNop(),
	}
	for _, a := range []*address{&d.addresses.broker, &d.addresses.registry, &d.addresses.api, &d.addresses.status} {
		*a = address{explicit: true, at: "127.0.0.1:0"}
	}
	return d
}

func troubleCalled(t *testing.T, name string) trouble {
	t.Helper()
	i := slices.IndexFunc(troubles, func(x trouble) bool { return x.name == name })
	if i < 0 {
		t.Fatalf("there is no trouble called %s", name)
	}
	return troubles[i]
}

// testFaults: each trouble is named by the connector, gives up nothing but the guilty,
// and is over when it ends.
func testFaults(names ...string) func(*testing.T) {
	return func(t *testing.T) {
		var out bytes.Buffer
		var chosen []trouble
		for _, name := range names {
			chosen = append(chosen, troubleCalled(t, name))
		}
		if err := short(&out, chosen...).run(t.Context()); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		for _, x := range chosen {
			inTurn(t, out.String(), x.name+" begins: "+x.what, x.name+" ends after", "  "+x.name+": named ", "  ok     "+x.name+": named ")
			if x.alone {
				inTurn(t, out.String(), "  ok     "+x.name+": named ", "; the other partitions went on; gave up nothing; went on ")
			}
			if x.kind != "" {
				inTurn(t, out.String(), x.name+" begins", "the connector names it after", x.kind+" ("+x.code+")\n", x.name+" ends")
			}
		}
	}
}

// inTurn asserts that all texts are in s, in this order.
func inTurn(t *testing.T, s string, texts ...string) {
	t.Helper()
	rest := s
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Errorf("%q is missing, or not where it must be, in\n%s", text, s)
			return
		}
		rest = after
	}
}

// A trouble that the connector does not name, because there is none or another one,
// and one in which it gives something up, are not right.
func testFaultsFindsWhatIsWrong(t *testing.T) {
	nothing := func(context.Context, *demo) error { return nil }
	strange := func(ctx context.Context, d *demo) error {
		value := `{"messageId":"5f2f3c1a9d1e8b0012345678","changes":{"subject":"poison-400"}}`
		return d.feed.client.ProduceSync(ctx, &kgo.Record{Topic: d.feed.topic, Value: []byte(value)}).FirstErr()
	}
	var out bytes.Buffer
	d := short(&out,
		trouble{name: "phantom", what: "nothing happens", begin: nothing, end: nothing, undeliverable: []string{"bad_request"}},
		trouble{name: "mistaken", what: "an event is poison that is none by the truth", begin: strange, end: nothing, undeliverable: []string{"unprocessable"}},
	)
	err := d.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the account is not right") {
		t.Errorf("the demo ends with %v", err)
	}
	inTurn(t, out.String(), "  WRONG  0 dead letters, each once", "(found 1)\n",
		"  WRONG  phantom: the connector did not name it; gave up nothing; went on ",
		"  WRONG  mistaken: the connector did not name it; gave up ")
	if strings.Contains(out.String(), "Every change is where it must be") {
		t.Errorf("the account ends as if it were right:\n%s", out.String())
	}
}

// On a terminal the view comes and goes, and what was said is left.
func testOnATerminal(t *testing.T) {
	m, s := newTerminal(t, 100)
	var all bytes.Buffer
	s.out = io.MultiWriter(m, &all)
	d := short(nil, troubleCalled(t, "outage, refused"))
	d.show = s
	if err := d.run(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, m)
	}
	if !strings.Contains(all.String(), "\nconnector  NOT READY: outage (dial_failed), for ") {
		t.Errorf("the view never showed the outage:\n%s", all.String())
	}
	for l := range strings.Lines(m.String()) {
		for _, name := range []string{"kafka-kustomer demo", "events ", "simulator ", "connector "} {
			if strings.HasPrefix(l, name) {
				t.Errorf("a line of the view is left: %s", l)
			}
		}
	}
	inTurn(t, m.String(), "200 events a second", "begins", "names it", "ends after", "named", "went on", "events in", "\n  ok     outage, refused: named", "Every change is where it must be.")
}

// output is written by the demo and read by a test meanwhile.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// until waits for a text.
func (o *output) until(t *testing.T, text string) string {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(o.String(), text) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %q in\n%s", text, o.String())
		}
	}
	return o.String()
}

// keeping runs a demo with --keep and returns its output once it stays up.
func keeping(t *testing.T, args ...string) (out *output, stop func() (code int, stderr string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out = &output{}
	var stderr output
	code := make(chan int, 1)
	args = append([]string{"demo", "--keep", "--broker", "127.0.0.1:0", "--registry", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)
	go func() { code <- execute(ctx, args, out, &stderr) }()
	return out, func() (int, string) {
		cancel()
		return <-code, stderr.String()
	}
}

func get(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// With --keep everything that is printed can be used, until the end is asked for.
func testKeep(t *testing.T) {
	log := filepath.Join(t.TempDir(), "connector.log")
	out, stop := keeping(t, "--rate", "200", "--duration", "1s", "--log", log)
	text := out.until(t, "lists them all.")
	found := regexp.MustCompile(`(?s)broker +(\S+)\n +registry +(\S+)\n +Kustomer +(\S+) .*connector +(\S+)/ .*its log +(\S+)\n.*its key +(\S+)\n`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("the addresses are not in\n%s", text)
	}
	broker, schemaRegistry, api, page := found[1], found[2], found[3], found[4]
	if found[5] != log {
		t.Errorf("the log is said to be %s, want %s", found[5], log)
	}
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	if code, body := get(t, client, page+"/readyz"); code != http.StatusOK {
		t.Errorf("/readyz is %d: %s", code, body)
	}
	if _, body := get(t, client, page+"/metrics"); !strings.Contains(body, "kafka_kustomer_ready 1") {
		t.Errorf("/metrics does not say that it is ready:\n%s", body)
	}
	subjects := regexp.MustCompile(`curl (\S+/subjects\S*)\n`).FindAllStringSubmatch(text, -1)
	if len(subjects) != 2 || !strings.HasPrefix(subjects[0][1], schemaRegistry) {
		t.Fatalf("two calls of the registry at %s are to be printed:\n%s", schemaRegistry, text)
	}
	for i, want := range []string{`["message-changes-value"]`, `"version":1,`} {
		if code, body := get(t, client, subjects[i][1]); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("curl %s is answered with %d and %s, want %s", subjects[i][1], code, body, want)
		}
	}

	// An event of one's own, an outage of one's own, and its end, as printed.
	scripts := regexp.MustCompile(`curl -d '(\{[^']*\})'`).FindAllStringSubmatch(text, -1)
	if len(scripts) != 2 {
		t.Fatalf("%d scripts to post are printed, want 2:\n%s", len(scripts), text)
	}
	post(t, client, api, scripts[0][1])
	const id = "5f2f3c1a9d1e8b0012345678"
	kafka, err := kgo.NewClient(kgo.SeedBrokers(broker))
	if err != nil {
		t.Fatal(err)
	}
	defer kafka.Close()
	record := &kgo.Record{Topic: "message-changes", Key: []byte(id), Value: []byte(`{"messageId":"` + id + `","changes":{"subject":"Re: order"}}`)}
	if err := kafka.ProduceSync(t.Context(), record).FirstErr(); err != nil {
		t.Fatal(err)
	}
	out.until(t, "NOT READY: outage (server_error)")
	post(t, client, api, scripts[1][1])
	for {
		if code, body := get(t, client, api+"/_sim/messages/"+id); code == http.StatusOK {
			if !strings.Contains(body, "Re: order") {
				t.Errorf("Kustomer holds %s", body)
			}
			break
		}
	}

	code, stderr := stop()
	if code != exitDone || stderr != "" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if !strings.Contains(out.String(), "\nstopping: what was sent is awaited first\n") {
		t.Errorf("the output does not tell of the stop:\n%s", out.String())
	}
	if written, err := os.ReadFile(log); err != nil || !bytes.Contains(written, []byte("delivery is paused")) {
		t.Errorf("the log does not tell of the outage (%v):\n%s", err, written)
	}
	if _, err := os.Stat(found[6]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the key file is left behind: %v", err)
	}
}

func post(t *testing.T, client *http.Client, api, script string) {
	t.Helper()
	resp, err := client.Post(api+"/_sim/script", "application/x-www-form-urlencoded", strings.NewReader(script)) // as curl does
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("the script %s is answered with %s", script, resp.Status)
	}
}

// With --faults too, trouble comes round again, and the end in the midst of it is orderly.
func testFaultsKeep(name string) func(*testing.T) {
	return func(t *testing.T) {
		out := &output{}
		d := short(out, troubleCalled(t, name))
		d.keep, d.logFile = true, "a.log"
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- d.run(ctx) }()
		out.until(t, "Everything stays up until Ctrl-C.\n20 events a second go on")
		for n := range 2 { // the second is the first of those that come round
			for strings.Count(out.String(), "the connector names it") <= n {
				select {
				case err := <-ended:
					t.Fatalf("it ended: %v\n%s", err, out.String())
				case <-time.After(10 * time.Millisecond):
				}
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%v\n%s", err, out.String())
		}
	}
}

func TestDemoAddresses(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	taken := busy.Addr().String()
	for _, tc := range []struct {
		name  string
		a     address
		keep  bool
		got   string // where it listens in the end, "other" for another port
		says  string
		fails bool
	}{
		{name: "any without keep", a: address{flag: "x", usual: taken}, got: "other"},
		{name: "busy with keep", a: address{flag: "x", usual: taken}, keep: true, got: "other", says: taken + " is busy: another port is taken; --x sets one"},
		{name: "asked for", a: address{flag: "x", usual: "127.0.0.1:0", at: taken, explicit: true}, keep: true, fails: true},
		{name: "no port", a: address{flag: "x", at: "127.0.0.1", explicit: true}, fails: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			said, got := "", ""
			err := tc.a.bind(tc.keep, func(format string, args ...any) { said = fmt.Sprintf(format, args...) }, func(at string) error {
				l, err := net.Listen("tcp", at)
				if err == nil {
					got = "other"
					err = l.Close()
				}
				return err
			})
			if tc.fails != errors.As(err, new(usageError)) || got != tc.got || said != tc.says {
				t.Errorf("it listens %q, says %q, error %v", got, said, err)
			}
		})
	}
}
