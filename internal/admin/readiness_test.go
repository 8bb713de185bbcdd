package admin

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kafka-kustomer/batcher"
)

func trouble(kind batcher.TroubleKind, since time.Time) batcher.Trouble {
	return batcher.Trouble{Kind: kind, Reason: batcher.Reason{Code: string(kind) + "_code", Text: string(kind) + " <text>"}, Since: since}
}

func reasonOf(kind batcher.TroubleKind, since time.Time) Reason {
	return Reason{Kind: string(kind), Code: string(kind) + "_code", Text: string(kind) + " <text>", Since: since}
}

func TestReadyz(t *testing.T) {
	now := time.Now().UTC()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	joined := Kafka{Protocol: "classic"}
	rest := func(since, until time.Time) batcher.Trouble {
		tr := trouble(batcher.TroubleQuota, since)
		tr.Until = until
		return tr
	}
	restReason := func(since, until time.Time) Reason {
		r := reasonOf(batcher.TroubleQuota, since)
		r.Until = until
		return r
	}
	person := trouble(batcher.TroubleConfiguration, ago(time.Hour))
	person.Person, person.Until = true, now.Add(10*time.Second)
	personReason := reasonOf(batcher.TroubleConfiguration, ago(time.Hour))
	personReason.Person, personReason.Until = true, now.Add(10*time.Second)

	for _, test := range []struct {
		name  string
		with  *fake
		ready bool
		want  []Reason // Since of what it sees first itself is not compared
	}{
		{name: "all is well", with: &fake{kafka: joined, snapshot: batcher.Snapshot{Partitions: 3}}, ready: true},
		{name: "no partition for this member", with: &fake{kafka: Kafka{Protocol: "consumer"}}, ready: true},
		{name: "not in the group yet", with: &fake{}, want: []Reason{{
			Kind: "joining", Code: "no_group", Text: "the consumer group has not let this member in yet",
			Check: "if it lasts, source.group, the rights on it, and whether another member holds up a rebalance",
		}}},
		{
			name: "configuration", with: &fake{kafka: joined, snapshot: batcher.Snapshot{Troubles: []batcher.Trouble{person}}},
			want: []Reason{personReason},
		},
		{
			name: "every other trouble, the worst first", with: &fake{kafka: joined, snapshot: batcher.Snapshot{Troubles: []batcher.Trouble{
				trouble(batcher.TroubleOverdue, ago(time.Minute)), trouble(batcher.TroubleBrake, ago(time.Minute)),
				trouble(batcher.TroubleOutage, ago(time.Second)), trouble(batcher.TroubleUnreadable, ago(time.Hour)),
			}}},
			want: []Reason{
				reasonOf(batcher.TroubleOutage, ago(time.Second)), reasonOf(batcher.TroubleUnreadable, ago(time.Hour)),
				reasonOf(batcher.TroubleBrake, ago(time.Minute)), reasonOf(batcher.TroubleOverdue, ago(time.Minute)),
			},
		},
		{
			name:  "a rest until the next minute of the quota",
			with:  &fake{kafka: joined, snapshot: batcher.Snapshot{Troubles: []batcher.Trouble{rest(ago(20*time.Second), now.Add(40*time.Second))}}},
			ready: true, want: []Reason{restReason(ago(20*time.Second), now.Add(40*time.Second))},
		},
		{
			name:  "a takeover, as after each crash",
			with:  &fake{kafka: joined, snapshot: batcher.Snapshot{Troubles: []batcher.Trouble{trouble(batcher.TroubleTakeover, ago(2*time.Minute))}}},
			ready: true, want: []Reason{reasonOf(batcher.TroubleTakeover, ago(2*time.Minute))},
		},
		{
			name: "a takeover that does not end",
			with: &fake{kafka: joined, snapshot: batcher.Snapshot{Troubles: []batcher.Trouble{trouble(batcher.TroubleTakeover, ago(6*time.Minute))}}},
			want: []Reason{reasonOf(batcher.TroubleTakeover, ago(6*time.Minute))},
		},
		{
			name: "a rest of minutes, at its end",
			with: &fake{kafka: joined, snapshot: batcher.Snapshot{Troubles: []batcher.Trouble{rest(ago(4*time.Minute), now.Add(time.Second))}}},
			want: []Reason{restReason(ago(4*time.Minute), now.Add(time.Second))},
		},
		{
			name: "a rest without an end",
			with: &fake{kafka: joined, snapshot: batcher.Snapshot{Troubles: []batcher.Trouble{rest(ago(2*time.Minute), time.Time{})}}},
			want: []Reason{restReason(ago(2*time.Minute), time.Time{})},
		},
		{
			name: "Kafka",
			with: &fake{kafka: Kafka{Protocol: "classic", Problems: []Problem{
				{Broker: "kafka-1:9092", Partition: -1, Text: "refused", Check: "check DNS", Since: ago(time.Minute)},
				{Partition: -1, Text: "not authorized", Check: "check rights", Since: ago(2 * time.Minute)},
				{Topic: "changes", Partition: -1, Text: "unknown topic", Check: "check topics", Since: ago(time.Minute)},
				{Topic: "changes", Partition: 7, Text: "offset gone", Check: "check on_reset", Since: ago(time.Hour)},
				{Topic: "changes", Partition: 8, Text: "made anew", Check: "start again", Since: ago(time.Second), Person: true},
				{Topic: "changes", Partition: 9, Text: "needs schema 7", Check: "the registry", Since: ago(time.Second), Waits: true},
			}}},
			want: []Reason{
				{Kind: "partition", Code: "partition", Text: "changes/7: offset gone", Check: "check on_reset", Since: ago(time.Hour), Person: true},
				{Kind: "partition", Code: "partition", Text: "changes/8: made anew", Check: "start again", Since: ago(time.Second), Person: true},
				{Kind: "kafka", Code: "group", Text: "not authorized", Check: "check rights", Since: ago(2 * time.Minute)},
				{Kind: "kafka", Code: "broker", Text: "broker kafka-1:9092: refused", Check: "check DNS", Since: ago(time.Minute)},
				{Kind: "registry", Code: "waiting", Text: "changes/9: needs schema 7", Check: "the registry", Since: ago(time.Second)},
				{Kind: "partition", Code: "topic", Text: "changes: unknown topic", Check: "check topics", Since: ago(time.Minute)},
			},
		},
		{
			name: "what to check is told apart", with: &fake{kafka: joined, snapshot: batcher.Snapshot{Troubles: []batcher.Trouble{{
				Kind: batcher.TroubleOutage, Since: ago(time.Second),
				Reason: batcher.Reason{Code: "dial_failed", Text: "not sent: refused; check that; check kustomer.base_url"},
			}}}},
			want: []Reason{{Kind: "outage", Code: "dial_failed", Text: "not sent: refused; check that", Check: "kustomer.base_url", Since: ago(time.Second)}},
		},
		{
			name: "the schema registry is away, for a while and for long; and it refuses us",
			with: &fake{kafka: joined, schemas: Schemas{Waiting: 2, Problems: []Problem{
				{Partition: -1, Text: "https://a: no answer within 10s", Check: "check schema_registry.urls", Since: ago(selfHealing - time.Minute)},
				{Partition: -1, Text: "https://b: no answer within 10s", Check: "check schema_registry.urls", Since: ago(selfHealing)},
				{Partition: -1, Text: "https://c: refused our user or password", Check: "check schema_registry.username and its password", Since: ago(time.Second), Person: true},
			}}},
			want: []Reason{
				{Kind: "registry", Code: "unavailable", Text: "schema registry https://b: no answer within 10s", Check: "schema_registry.urls", Since: ago(selfHealing), Person: true},
				{Kind: "registry", Code: "refused", Text: "schema registry https://c: refused our user or password", Check: "schema_registry.username and its password", Since: ago(time.Second), Person: true},
				{Kind: "registry", Code: "unavailable", Text: "schema registry https://a: no answer within 10s", Check: "schema_registry.urls", Since: ago(selfHealing - time.Minute)},
			},
		},
		{
			name: "a broker and the schema registry are away, and partitions wait",
			with: &fake{
				kafka: Kafka{Protocol: "classic", Problems: []Problem{
					{Topic: "changes", Partition: 7, Text: "the record at offset 5 needs schema 3", Check: "the schema registry", Since: ago(time.Minute)},
					{Broker: "kafka-1:9092", Partition: -1, Text: "refused", Check: "check DNS", Since: ago(time.Second)},
				}},
				schemas: Schemas{Waiting: 1, Problems: []Problem{{Partition: -1, Text: "https://a: answered with status 503", Check: "check the registry's log", Since: ago(time.Minute)}}},
			},
			want: []Reason{
				{Kind: "kafka", Code: "broker", Text: "broker kafka-1:9092: refused", Check: "check DNS", Since: ago(time.Second)},
				{Kind: "registry", Code: "unavailable", Text: "schema registry https://a: answered with status 503", Check: "the registry's log", Since: ago(time.Minute)},
				{Kind: "partition", Code: "partition", Text: "changes/7: the record at offset 5 needs schema 3", Check: "the schema registry", Since: ago(time.Minute)},
			},
		},
		{name: "ids unknown, and members left out", with: &fake{kafka: joined, schemas: Schemas{Known: 3, Unknown: 2, LeftOut: map[string]uint64{"changes": 1}}}, ready: true},
		{name: "results acknowledged late", with: &fake{kafka: joined, oldest: 30 * time.Second}, ready: true},
		{name: "results not acknowledged", with: &fake{kafka: joined, oldest: 31 * time.Second}, want: []Reason{{
			Kind: "results", Code: "unacknowledged",
			Text:  "Kafka has not acknowledged a result event or dead letter for 31s, so its records can't be committed",
			Check: "that enough replicas of the results and dead-letter topics are in sync (min.insync.replicas), and that the brokers are up",
		}}},
		{name: "the loop hangs", with: &fake{kafka: joined, hang: true}, want: []Reason{{
			Kind: "stuck", Code: "no_answer", Text: "the loop does not answer: nothing came within 20ms", Person: true,
			Check: "whether the process gets processor time; if it lasts, restart it, nothing is lost by that, and report it as a defect",
		}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			s.Attach(test.with.program())
			code, header, body := ask(t, http.MethodGet, serve(t, s)+"/readyz")
			var got Readiness
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatalf("%v in %s", err, body)
			}
			want := Readiness{Ready: test.ready, Phase: "running", Reasons: test.want}
			if want.Reasons == nil {
				want.Reasons = []Reason{}
			}
			for i, r := range got.Reasons {
				if o := outlooks[r.Kind]; r.Safe != o.safe || r.Ends != o.ends {
					t.Errorf("%s: safe %q, ends %q", r.Kind, r.Safe, r.Ends)
				}
				got.Reasons[i].Safe, got.Reasons[i].Ends = "", ""
				if slices.Contains([]string{"joining", "results"}, r.Kind) {
					if age := time.Since(r.Since); age < test.with.oldest || age > test.with.oldest+time.Minute {
						t.Errorf("%s since %v ago", r.Kind, age)
					}
					got.Reasons[i].Since = time.Time{}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s\n%s", diff, body)
			}
			if wantCode := map[bool]int{true: 200, false: 503}[test.ready]; code != wantCode {
				t.Errorf("status %d, want %d", code, wantCode)
			}
			if header.Get("Content-Type") != "application/json" || header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", header)
			}
		})
	}
}

// The phases that a program is not ready in, whatever else is well.
func TestReadyzByPhase(t *testing.T) {
	s := newServer(t)
	base := serve(t, s)
	expect := func(step, phase string, code int, kinds ...string) {
		t.Helper()
		got, _, body := ask(t, http.MethodGet, base+"/readyz")
		var r Readiness
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			t.Fatal(err)
		}
		var have []string
		for _, reason := range r.Reasons {
			have = append(have, reason.Kind)
		}
		if got != code || r.Ready != (code == 200) || r.Phase != phase || !slices.Equal(have, kinds) {
			t.Errorf("%s: status %d %s", step, got, body)
		}
	}
	f := &fake{kafka: Kafka{Protocol: "classic"}}
	expect("new", "starting", 503, "starting")
	s.Attach(f.program())
	expect("attached", "running", 200)
	f.snapshot.Troubles = []batcher.Trouble{trouble(batcher.TroubleOutage, time.Now())}
	s.Drain()
	expect("draining", "draining", 503, "draining", "outage")
	f.snapshot, f.err = batcher.Snapshot{}, errStopped
	expect("the loop has ended", "draining", 503, "draining")

	// A signal may come before there is anything to drain.
	s = newServer(t)
	base = serve(t, s)
	s.Drain()
	expect("draining from the start", "draining", 503, "draining")
	s.Attach(f.program())
	expect("attached while draining", "draining", 503, "draining")
}

// Whoever is woken up by a reason reads what is safe, and when it will be over.
func TestEachKindHasAnOutlook(t *testing.T) {
	for _, kind := range kinds {
		if o := outlooks[kind]; o.safe == "" || o.ends == "" {
			t.Errorf("%s: %+v", kind, o)
		}
	}
	if len(outlooks) != len(kinds) {
		t.Errorf("%d outlooks of %d kinds", len(outlooks), len(kinds))
	}
}

// The set of kinds is closed, and the core's is part of it.
func TestKindsAreThoseOfTheCoreAndOurs(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../batcher/snapshot.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ofCore []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "TroubleKind" {
			kind, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			ofCore = append(ofCore, kind)
		}
		return true
	})
	if len(ofCore) < 6 {
		t.Fatalf("the core has only %v", ofCore)
	}
	want := append(ofCore, kindStuck, kindDraining, kindStarting, kindPartition, kindKafka, kindRegistry, kindResults, kindJoining)
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(kinds))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Ready, its reasons and their order hang together, whatever the state.
func TestReadinessProperties(t *testing.T) {
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	anyTrouble := rapid.Custom(func(t *rapid.T) batcher.Trouble {
		return batcher.Trouble{
			Kind:   batcher.TroubleKind(rapid.SampledFrom([]string{"configuration", "outage", "unreadable", "brake", "overdue", "quota"}).Draw(t, "kind")),
			Since:  start.Add(-time.Duration(rapid.IntRange(0, 600).Draw(t, "age")) * time.Second),
			Until:  start.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "until")) * time.Second),
			Person: rapid.Bool().Draw(t, "person"),
		}
	})
	anyProblem := rapid.Custom(func(t *rapid.T) Problem {
		return Problem{
			Partition: -1, Text: "a text", Person: rapid.Bool().Draw(t, "refused"),
			Since: start.Add(-time.Duration(rapid.IntRange(0, 600).Draw(t, "age")) * time.Second),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		s := status{
			now: start, phase: rapid.SampledFrom([]phase{starting, running, draining}).Draw(t, "phase"),
			snapshot: batcher.Snapshot{Troubles: rapid.SliceOfN(anyTrouble, 0, 6).Draw(t, "troubles")},
			kafka:    Kafka{Protocol: rapid.SampledFrom([]string{"", "classic"}).Draw(t, "protocol")},
			schemas:  Schemas{Problems: rapid.SliceOfN(anyProblem, 0, 2).Draw(t, "registry")},
			oldest:   time.Duration(rapid.IntRange(0, 60).Draw(t, "oldest")) * time.Second,
		}
		r := assess(s)
		normal := 0
		for _, tr := range s.snapshot.Troubles {
			if isNormalRest(s.now, tr) {
				normal++
			}
		}
		if r.Ready != (len(r.Reasons) == normal) {
			t.Fatalf("ready %v with %d reasons, %d of them normal", r.Ready, len(r.Reasons), normal)
		}
		if !slices.IsSortedFunc(r.Reasons, worstFirst) {
			t.Fatalf("not sorted: %+v", r.Reasons)
		}
		ranked := slices.DeleteFunc(slices.Clone(r.Reasons), func(r Reason) bool { return slices.Index(kinds, r.Kind) < explainsAll })
		if i := slices.IndexFunc(ranked, func(r Reason) bool { return !r.Person }); i >= 0 && needsPerson(Readiness{Reasons: ranked[i:]}) {
			t.Fatalf("what needs somebody stands behind what does not: %+v", r.Reasons)
		}
	})
}
