package workload

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// Config shapes the events. Shares are between 0 and 1.
type Config struct {
	Seed      uint64
	Messages  int     // distinct message ids
	HotShare  float64 // of the events that go to one in a hundred messages
	Malformed float64 // of the events
	Failing   float64 // of the messages, none of them hot: the API fails their items for good
	Poison    float64 // of the well-formed events: the API refuses them, see PoisonKinds

	// PoisonKinds are what poison events are marked with, each as often as the
	// others. Default: Poison400, Poison422 and PoisonItem.
	PoisonKinds []string

	// InTurn takes the messages one after the other instead of at random: two
	// changes of a message are as many events apart as there are messages.
	InTurn bool
	// Distinct gives every event a member that no other has, so that a change
	// that is sent twice can be told from two changes that say the same.
	Distinct bool

	// Mark is in a value of every event, the malformed ones included, and Number is
	// added to each number: to find them again where no payload should be.
	Mark   string
	Number int64
}

// Marks of poison events, written to the member [PoisonMember] of custom. An API
// that is to take them for what they are must refuse a request, or fail an item,
// in which it finds one.
const (
	Poison400  = "poison-400"  // the request is a 400
	Poison422  = "poison-422"  // the request is a 422
	Poison500  = "poison-500"  // the request is a 500, and nothing is accepted
	PoisonItem = "poison-item" // the item fails, each time
)

// PoisonMember is set by poison events only. So no later event takes the mark out
// of an item that the two are merged in, and every such item is poison until
// they are parted.
const PoisonMember = "poisonStr"

// Event is one record for the source topic.
type Event struct {
	Key, Value []byte
	Malformed  bool
	Poison     string // its mark; empty when it is healthy
	Message    string // its id; empty when malformed

	// DeadLetter says that this event must end in the dead-letter topic, for
	// whatever reason: malformed, poison, or of a failing message. All others
	// must be applied.
	DeadLetter bool
}

// Generator makes events and the truth about them. It is not safe for use by
// several goroutines.
type Generator struct {
	cfg    Config
	random *rand.Rand
	truth  *Truth
	ids    []string
	n      int64
}

// New returns a generator; the same configuration makes the same events.
func New(cfg Config) *Generator {
	if len(cfg.PoisonKinds) == 0 {
		cfg.PoisonKinds = []string{Poison400, Poison422, PoisonItem}
	}
	g := &Generator{cfg: cfg, random: rand.New(rand.NewPCG(cfg.Seed, 0x3a3a)), ids: make([]string, cfg.Messages)}
	g.truth = &Truth{
		States:  make(map[string]map[string]string, cfg.Messages),
		Failing: make(map[string]bool), Events: make(map[string]int), Poison: make(map[string]int),
	}
	for i := range g.ids {
		g.ids[i] = fmt.Sprintf("%08x%016x", 0x5f000000|cfg.Seed&0xffff, uint64(i))
		if i > cfg.Messages/100 && g.random.Float64() < cfg.Failing {
			g.truth.Failing[g.ids[i]] = true
		}
	}
	return g
}

// Truth is what the events made so far must come to. It grows with every event.
func (g *Generator) Truth() *Truth { return g.truth }

// SetPoison changes [Config.Poison] for the events to come.
func (g *Generator) SetPoison(share float64) { g.cfg.Poison = share }

// Next makes one event.
func (g *Generator) Next(at time.Time) Event {
	g.n++
	id := g.pick()
	if g.random.Float64() < g.cfg.Malformed {
		g.truth.Malformed++
		g.truth.dead++
		return Event{Key: []byte(id), Value: g.malformed(id), Malformed: true, DeadLetter: true}
	}
	e := Event{Key: []byte(id), Message: id, Poison: g.poison()}
	e.DeadLetter = e.Poison != "" || g.truth.Failing[id]
	e.Value = g.value(at, e)
	g.truth.count(e)
	return e
}

// poison draws the mark of an event, empty for a healthy one. Without a share of
// them it draws nothing: a configuration goes on making the same events.
func (g *Generator) poison() string {
	if g.cfg.Poison == 0 || g.random.Float64() >= g.cfg.Poison {
		return ""
	}
	return g.cfg.PoisonKinds[g.random.IntN(len(g.cfg.PoisonKinds))]
}

// value writes a well-formed event.
func (g *Generator) value(at time.Time, e Event) []byte {
	value := make([]byte, 0, 400)
	value = append(value, `{"eventId":"e-`...)
	value = strconv.AppendInt(value, g.n, 10)
	value = append(value, `","occurredAt":"`...)
	value = at.UTC().AppendFormat(value, "2006-01-02T15:04:05.000Z")
	value = append(value, `","messageId":"`...)
	value = append(value, e.Message...)
	value = append(value, `","changes":{`...)
	value = g.changes(value, e)
	return append(value, `}}`...)
}

func (g *Generator) pick() string {
	n := len(g.ids)
	if g.cfg.InTurn {
		return g.ids[int(g.n-1)%n]
	}
	if g.random.Float64() < g.cfg.HotShare {
		n = max(1, n/100)
	}
	return g.ids[g.random.IntN(n)]
}

// changes appends one to five members, each with a stamp "#n" that never goes
// down within a message, and notes them in the truth unless the event is poison.
func (g *Generator) changes(dst []byte, e Event) []byte {
	members := []struct{ name, value string }{
		{"subject", fmt.Sprintf(`"Re: order %s%s #%d"`, e.Message[16:], g.cfg.Mark, g.n)},
		{"preview", fmt.Sprintf(`"Thank you, we have shipped it and it is on its way to you now%s #%d"`, g.cfg.Mark, g.n)},
		{"status", [...]string{`"sent"`, `"received"`}[g.random.IntN(2)]},
		{"lang", [...]string{`"en_us"`, `"de"`, `"fr"`}[g.random.IntN(3)]},
	}
	first := g.random.IntN(len(members))
	for i := range 1 + g.random.IntN(3) {
		m := members[(first+i)%len(members)]
		dst = append(dst, fmt.Sprintf(`"%s":%s,`, m.name, m.value)...)
		g.truth.set(e, m.name, m.value)
	}
	dst = append(dst, `"custom":{`...)
	customs := []struct{ name, value string }{
		{"tierStr", fmt.Sprintf(`"gold%s #%d"`, g.cfg.Mark, g.n)},
		{"noteTxt", [...]string{`null`, fmt.Sprintf(`"call back%s #%d"`, g.cfg.Mark, g.n)}[g.random.IntN(2)]},
		{"countNum", strconv.FormatInt(g.cfg.Number+g.n, 10)},
	}
	first = g.random.IntN(len(customs))
	for i := range 1 + g.random.IntN(2) {
		m := customs[(first+i)%len(customs)]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, fmt.Sprintf(`"%s":%s`, m.name, m.value)...)
		g.truth.set(e, "custom."+m.name, m.value)
	}
	if g.cfg.Distinct {
		number := strconv.FormatInt(g.n, 10)
		dst = append(dst, `,"eventNum":`+number...)
		g.truth.set(e, "custom.eventNum", number)
	}
	if e.Poison != "" {
		dst = append(dst, `,"`+PoisonMember+`":"`+e.Poison+`"`...)
	}
	return append(dst, '}')
}

func (g *Generator) malformed(id string) []byte {
	mark := g.cfg.Mark
	return [][]byte{
		[]byte(`{"messageId":"` + id + `","other":"` + mark + `","changes":`),
		[]byte(`{"changes":{"subject":"whose?` + mark + `"}}`),
		[]byte(`{"messageId":"` + id + `","changes":[1,2,"` + mark + `"]}`),
		[]byte(`{"messageId":"` + id + `","changes":{"subject":"a","subject":"b` + mark + `"}}`),
		append([]byte{0xff, 0x00, 0x01}, mark...),
		{},
	}[g.random.IntN(6)]
}
