package avro

import "sync/atomic"

// Bounds of a value. They are constants because no honest message change comes
// near them; the size of the output, which depends on what the caller does with
// it, can be set.
const (
	maxDepth         = 64      // of nested records, arrays and maps, as in JSON events
	maxFree          = 4096    // elements and records that take no bytes, in one value
	defaultMaxOutput = 4 << 20 // bytes of JSON
	maxKeptKeys      = 4096    // of a map, in the buffers kept between values
)

// Transcoder turns values written with one schema into JSON. It may be used by many
// goroutines.
type Transcoder struct {
	root      *node
	maxOutput int
	event     []eventField
	hasClear  bool
	eventErr  *SchemaError

	// spare keeps the buffers of a decoder from one value to the next. One is enough
	// for the loop that reads records; who comes while it is taken makes a new one.
	spare atomic.Pointer[decoder]
}

// Option sets what [Compile] leaves at its default.
type Option func(*Transcoder)

// MaxOutput bounds the JSON of one value, in bytes; the default is 4 MiB. Not
// positive means the default.
func MaxOutput(bytes int) Option {
	return func(t *Transcoder) {
		if bytes > 0 {
			t.maxOutput = bytes
		}
	}
}

// Compile makes the transcoder of a writer's schema, which must be complete: what
// it refers to is defined in it. The error is a *[SchemaError].
//
// A schema that is good but not one of message changes compiles; [Transcoder.EventErr]
// tells what it lacks.
func Compile(schema string, options ...Option) (*Transcoder, error) {
	root, serr := parse(schema)
	if serr != nil {
		return nil, serr
	}
	t := &Transcoder{root: root, maxOutput: defaultMaxOutput}
	for _, o := range options {
		o(t)
	}
	t.eventErr = t.compileEvent()
	return t, nil
}

// EventErr is nil when [Transcoder.AppendEvent] can be used. Otherwise it is a
// *[SchemaError] that names the members the schema lacks or has with a wrong type.
func (t *Transcoder) EventErr() error {
	if t.eventErr == nil {
		return nil
	}
	return t.eventErr
}

// AppendJSON appends the value as JSON; the package documentation says how each
// type is written. b must hold the value and nothing else, and is not changed. The
// error is an *[Error], and dst comes back as it was.
func (t *Transcoder) AppendJSON(dst, b []byte) ([]byte, error) {
	d := begin(t, dst, b)
	return d.end(t, len(dst), d.value(t.root, plain))
}

// AppendEvent appends the value as the JSON event of a message change: members
// under the names of the event, what is null in "changes" left out, what "clear"
// lists set to null. It fails like AppendJSON, and with EventErr where that is not
// nil.
func (t *Transcoder) AppendEvent(dst, b []byte) ([]byte, error) {
	if t.eventErr != nil {
		return dst, t.eventErr
	}
	d := begin(t, dst, b)
	return d.end(t, len(dst), d.appendEvent(t))
}

// decoder is the reading of one value. Its methods report false after they have
// failed, and then err says why.
type decoder struct {
	src   []byte
	pos   int
	dst   []byte
	limit int // of len(dst)
	depth int
	free  int // elements and records without bytes that are still allowed
	err   *Error

	keys []span // keys of the maps that are open
	ev   eventState
}

type span struct{ start, end int }

func begin(t *Transcoder, dst, src []byte) *decoder {
	d := t.spare.Swap(nil)
	if d == nil {
		d = new(decoder)
	}
	d.src, d.pos, d.dst, d.limit = src, 0, dst, len(dst)+t.maxOutput
	d.depth, d.free, d.err = 0, maxFree, nil
	d.keys = d.keys[:0]
	return d
}

// end gives the decoder back and returns what it came to.
func (d *decoder) end(t *Transcoder, before int, ok bool) ([]byte, error) {
	if ok && d.pos < len(d.src) {
		ok = d.fail(CodeTrailing)
	}
	if ok && len(d.dst) > d.limit {
		ok = d.fail(CodeOutputLarge)
	}
	dst, err := d.dst, d.err
	d.src, d.dst, d.err = nil, nil, nil
	d.ev.reset()
	if cap(d.keys) <= maxKeptKeys {
		t.spare.Store(d)
	}
	if !ok {
		return dst[:before], err
	}
	return dst, nil
}

func (d *decoder) fail(code string) bool {
	if d.err == nil {
		d.err = &Error{Code: code, Offset: d.pos}
	}
	return false
}

// failAt fails at a place that has been passed.
func (d *decoder) failAt(code string, offset int) bool {
	d.pos = offset
	return d.fail(code)
}

// in puts a name before the path of the error, on the way out.
func (d *decoder) in(name string) bool {
	switch path := d.err.Path; {
	case path == "" || path[0] == '[' || path[0] == '{':
		d.err.Path = name + path
	default:
		d.err.Path = name + "." + path
	}
	return false
}
