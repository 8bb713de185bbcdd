package admin

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kafka-kustomer/batcher"
)

// Readiness says whether events get through. It is the body of /readyz.
type Readiness struct {
	Ready   bool     `json:"ready"`
	Phase   string   `json:"phase"`   // starting, running or draining
	Reasons []Reason `json:"reasons"` // the worst first; some may be there although it is ready
}

// Reason is one thing that is in the way of events, for a person to read.
type Reason struct {
	Kind   string    `json:"kind"`            // of a closed set; the label of the trouble metric
	Code   string    `json:"code"`            // more precisely, for programs
	Text   string    `json:"text"`            // what happened
	Check  string    `json:"check,omitempty"` // what to check next, where Text does not say
	Safe   string    `json:"safe"`            // what can't go wrong meanwhile
	Ends   string    `json:"ends"`            // what ends it, and whether that needs anybody
	Since  time.Time `json:"since,omitzero"`  // when it began
	Until  time.Time `json:"until,omitzero"`  // when the next try is due
	Person bool      `json:"person"`          // somebody has to see to it
}

// The kinds beside those of [batcher.TroubleKind].
const (
	kindStuck     = "stuck"     // the loop does not answer
	kindDraining  = "draining"  // the program is about to end
	kindStarting  = "starting"  // nothing runs yet
	kindPartition = "partition" // one partition, or one topic, is not read or not committed
	kindKafka     = "kafka"     // a broker, or the group
	kindRegistry  = "registry"  // the schema registry does not answer, or refuses us
	kindResults   = "results"   // result events are not acknowledged
	kindJoining   = "joining"   // the group has not answered yet
)

// kinds are all kinds, the worst first. Of the first three, each explains why
// nothing else can be known or matters.
var kinds = []string{
	kindStuck, kindDraining, kindStarting,
	string(batcher.TroubleConfiguration),
	kindKafka, kindRegistry, kindPartition, string(batcher.TroubleLease), kindResults, // a broker that is away brings the others about
	string(batcher.TroubleOutage), string(batcher.TroubleUnreadable), string(batcher.TroubleBrake), string(batcher.TroubleOverdue),
	kindJoining,
	string(batcher.TroubleTakeover), string(batcher.TroubleQuota),
}

const explainsAll = 3 // kinds

const (
	// ackPatience is how long Kafka may take to acknowledge a result event.
	ackPatience = 30 * time.Second
	// normalRest is the longest rest that is part of normal work: the minute of the
	// quota's window, and the two seconds that rests are spread over.
	normalRest = 62 * time.Second
	// normalTakeover is how long a partition may wait after a crash before its
	// events count as held up: longer only where the last owner's operations do not
	// end.
	normalTakeover = 5 * time.Minute
	// selfHealing is how long trouble with Kafka, which mostly ends by itself, may
	// last before somebody should see to it.
	selfHealing = 5 * time.Minute
)

// assess says whether events get through, and what is in their way if not.
func assess(s status) Readiness {
	r := Readiness{Ready: true, Phase: string(s.phase), Reasons: []Reason{}}
	block := func(reason Reason) {
		r.Ready = false
		r.Reasons = append(r.Reasons, reason)
	}
	if reason, ok := ofPhase(s); ok {
		block(reason)
	}
	for _, t := range s.snapshot.Troubles {
		reason := ofTrouble(t)
		if isNormalRest(s.now, t) {
			r.Reasons = append(r.Reasons, reason)
			continue
		}
		block(reason)
	}
	for _, p := range s.kafka.Problems {
		block(ofProblem(s.now, p))
	}
	for _, p := range s.schemas.Problems {
		block(ofRegistry(s.now, p))
	}
	if s.oldest > ackPatience {
		block(ofResults(s.now, s.oldest))
	}
	slices.SortStableFunc(r.Reasons, worstFirst)
	for i := range r.Reasons {
		o := outlooks[r.Reasons[i].Kind]
		r.Reasons[i].Safe, r.Reasons[i].Ends = o.safe, o.ends
	}
	return r
}

// ofPhase is the reason that lies in where the program stands, if there is one.
func ofPhase(s status) (Reason, bool) {
	switch {
	case s.phase == draining:
		return Reason{
			Kind: kindDraining, Code: "shutdown", Since: s.since,
			Text: "the program is shutting down: what is open is finished or given back to the group",
		}, true
	case s.phase == starting:
		return Reason{
			Kind: kindStarting, Code: "not_connected", Since: s.since,
			Text:  "the program is starting: it waits for Kafka, and for the topics that it writes",
			Check: "if it lasts, the log, and that the brokers are up",
		}, true
	case s.silent != nil:
		return Reason{
			Kind: kindStuck, Code: "no_answer", Person: true,
			Text:  fmt.Sprintf("the loop does not answer: %v", s.silent),
			Check: "whether the process gets processor time; if it lasts, restart it, nothing is lost by that, and report it as a defect",
		}, true
	case s.kafka.Protocol == "":
		return Reason{
			Kind: kindJoining, Code: "no_group", Since: s.since,
			Text:  "the consumer group has not let this member in yet",
			Check: "if it lasts, source.group, the rights on it, and whether another member holds up a rebalance",
		}, true
	}
	return Reason{}, false
}

func ofTrouble(t batcher.Trouble) Reason {
	text, check := t.Reason.Text, ""
	if at := strings.LastIndex(text, beforeCheck); at >= 0 {
		text, check = text[:at], text[at+len(beforeCheck):]
	}
	return Reason{
		Kind: string(t.Kind), Code: t.Reason.Code, Text: text, Check: check,
		Since: t.Since, Until: t.Until, Person: t.Person,
	}
}

// beforeCheck stands between what happened and what to check in the core's reasons,
// which are one text because the log and the result events have them as one.
const beforeCheck = "; check "

// isNormalRest reports whether a trouble is a rest as it happens every minute, or
// after every crash.
func isNormalRest(now time.Time, t batcher.Trouble) bool {
	if t.Kind == batcher.TroubleTakeover {
		return now.Sub(t.Since) < normalTakeover
	}
	end := t.Until
	if end.IsZero() {
		end = now
	}
	return t.Kind == batcher.TroubleQuota && !t.Person && end.Sub(t.Since) <= normalRest
}

func ofProblem(now time.Time, p Problem) Reason {
	r := Reason{Kind: kindKafka, Code: "group", Text: p.Text, Check: p.Check, Since: p.Since, Person: p.Person || now.Sub(p.Since) >= selfHealing}
	switch {
	case p.Waits:
		r.Kind, r.Code, r.Text = kindRegistry, "waiting", place(Partition{p.Topic, p.Partition})+": "+p.Text
	case p.Broker != "":
		r.Code, r.Text = "broker", "broker "+p.Broker+": "+p.Text
	case p.Topic != "" && p.Partition < 0:
		r.Kind, r.Code, r.Text = kindPartition, "topic", p.Topic+": "+p.Text
	case p.Topic != "":
		r.Kind, r.Code, r.Text = kindPartition, "partition", place(Partition{p.Topic, p.Partition})+": "+p.Text
	}
	return r
}

func ofRegistry(now time.Time, p Problem) Reason {
	r := Reason{
		Kind: kindRegistry, Code: "unavailable", Since: p.Since, Person: p.Person || now.Sub(p.Since) >= selfHealing,
		Text: "schema registry " + p.Text, Check: strings.TrimPrefix(p.Check, "check "),
	}
	if p.Person {
		r.Code = "refused"
	}
	return r
}

func ofResults(now time.Time, oldest time.Duration) Reason {
	return Reason{
		Kind: kindResults, Code: "unacknowledged", Since: now.Add(-oldest), Person: oldest >= selfHealing,
		Text:  fmt.Sprintf("Kafka has not acknowledged a result event or dead letter for %v, so its records can't be committed", oldest.Truncate(time.Second)),
		Check: "that enough replicas of the results and dead-letter topics are in sync (min.insync.replicas), and that the brokers are up",
	}
}

// worstFirst orders reasons: what explains all, then what needs somebody, then by
// kind, then the oldest.
func worstFirst(a, b Reason) int {
	rank := func(r Reason) (first, kind int) {
		kind = slices.Index(kinds, r.Kind)
		switch {
		case kind >= 0 && kind < explainsAll:
			return 0, kind
		case r.Person:
			return 1, kind
		}
		return 2, kind
	}
	firstA, kindA := rank(a)
	firstB, kindB := rank(b)
	return cmp.Or(cmp.Compare(firstA, firstB), cmp.Compare(kindA, kindB), a.Since.Compare(b.Since))
}

func place(p Partition) string { return p.Topic + "/" + strconv.Itoa(int(p.Partition)) }
