package formats

import (
	"context"
	"errors"
	"sync"
	"time"

	"kafka-kustomer/schemas/avro"
	"kafka-kustomer/schemas/registry"
)

// Bounds of what is kept. Who can produce records chooses how many ids there are.
const (
	maxKnown = 1000
	// maxKnownBytes bounds their texts together, of which transcoders take some ten
	// times the memory.
	maxKnownBytes = 16 << 20
	// unknownFor is how long an id that the registry does not know is not asked for
	// again.
	unknownFor = 10 * time.Second
)

// schema is what is known of one id: how to read its values, or why that can't be.
type schema struct {
	transcoder *avro.Transcoder // nil: the values are JSON
	code, text string           // of a reason, when they can't be read
	until      time.Time        // after which the id is asked for again; zero: never
	bytes      int              // of its text
}

func (s *schema) expired() bool { return !s.until.IsZero() && time.Now().After(s.until) }

// known are the schemas that records have named.
type known struct {
	maxOutput int

	mu    sync.Mutex
	byID  map[registry.ID]*schema
	bytes int // of them all
}

func newKnown(maxOutput int) *known {
	return &known{maxOutput: maxOutput, byID: make(map[registry.ID]*schema)}
}

// get returns nil when the registry has to be asked.
func (k *known) get(id registry.ID) *schema {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.byID[id]
	if s != nil && s.expired() {
		k.drop(id)
		return nil
	}
	return s
}

// fetch asks the registry for a schema until there is an answer that lasts, or ctx
// ends.
func (k *known) fetch(ctx context.Context, from Registry, id registry.ID) {
	got, err := from.Fetch(ctx, id)
	var unknown *registry.UnknownError
	s := new(schema)
	switch {
	case errors.As(err, &unknown):
		s.code, s.text, s.until = CodeUnknownSchema, err.Error(), time.Now().Add(unknownFor)
	case errors.As(err, new(*registry.UnusableError)):
		s.code, s.text = CodeUnusableSchema, err.Error()
	case err != nil:
		return // the partition was taken away, or the program ends
	default:
		s = k.compile(got)
	}
	k.keep(id, s)
}

func (k *known) compile(got registry.Schema) *schema {
	s := &schema{bytes: len(got.Text)}
	switch got.Type {
	case registry.JSON:
	case registry.Avro:
		t, err := avro.Compile(got.Text, avro.MaxOutput(k.maxOutput))
		if err != nil {
			s.code, s.text = CodeUnusableSchema, "schema "+got.ID.String()+": "+err.Error()
		}
		s.transcoder = t
	default:
		s.code, s.text = CodeUnusableSchema, "schema "+got.ID.String()+" is of type "+got.Type+"; values of AVRO and JSON can be read"
	}
	return s
}

// keep makes room where there is none: of what is left out some will be asked for
// again, which is cheap, as the registry's client has it.
func (k *known) keep(id registry.ID, s *schema) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop(id)
	for other := range k.byID {
		if len(k.byID) < maxKnown && k.bytes+s.bytes <= maxKnownBytes {
			break
		}
		k.drop(other)
	}
	k.byID[id] = s
	k.bytes += s.bytes
}

// drop forgets a schema, if it is there. k.mu is held.
func (k *known) drop(id registry.ID) {
	if s := k.byID[id]; s != nil {
		k.bytes -= s.bytes
		delete(k.byID, id)
	}
}
