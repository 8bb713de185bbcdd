package mapping

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// JQLimits bound what a program may use for one record.
type JQLimits struct {
	Time   time.Duration // 0: 100 ms; at most 5 s
	Events int           // 0: 100
	Bytes  int           // of all events of the record together; 0: 4 MiB
}

// maxTime is how much time a program may be given. It also bounds what a program can
// build up in memory: what nests some ten million deep would overflow the stack of
// functions that go down into it, which ends the process.
const maxTime = 5 * time.Second

// The variables of a program, in the order in which they are given to it.
var variables = []string{"$key", "$headers", "$topic", "$partition", "$offset", "$timestamp"}

// program is a jq program as a preset.
type program struct {
	query    *gojq.Query
	code     *gojq.Code
	limits   JQLimits
	messages []message // that it gives to error

	// Compiled code keeps every regular expression that it meets, for ever. Where a
	// program may take them from records, it is compiled anew from time to time.
	renewed bool
	runs    int // since then
}

// renewAfter is how many records may leave their regular expressions behind.
const renewAfter = 1000

// compile refuses a program that cannot run, and says where it is wrong.
func compile(source string, limits JQLimits) (preset, error) {
	if limits.Time < 0 || limits.Events < 0 || limits.Bytes < 0 {
		return nil, errors.New("mapping.jq_limits: a limit is below zero")
	}
	if limits.Time > maxTime {
		return nil, fmt.Errorf("mapping.jq_limits.time is %v: it must be at most %v, as no other record is read meanwhile", limits.Time, maxTime)
	}
	if limits.Time == 0 {
		limits.Time = 100 * time.Millisecond
	}
	if limits.Events == 0 {
		limits.Events = 100
	}
	if limits.Bytes == 0 {
		limits.Bytes = 4 << 20
	}
	query, err := gojq.Parse(source)
	if err != nil {
		return nil, syntaxError(source, err)
	}
	if err := refuse(source, query); err != nil {
		return nil, err
	}
	p := &program{query: query, limits: limits, messages: messages(query), renewed: takesPatterns(query)}
	if err := p.build(); err != nil {
		return nil, compileError(source, err)
	}
	return p, nil
}

// build compiles the code. There is no environment and no module loader: a program sees
// its record and nothing else.
func (p *program) build() error {
	code, err := gojq.Compile(p.query, gojq.WithVariables(variables))
	if err == nil {
		p.code, p.runs = code, 0
	}
	return err
}

// renew drops what the code has kept.
func (p *program) renew() {
	if p.runs++; p.renewed && p.runs > renewAfter {
		_ = p.build() // what was compiled once can be compiled again
	}
}

// apply runs the program. The time is a clock's, so that a record may run out of it
// through no fault of its own, on a machine that is busy: only the second time counts.
func (p *program) apply(r *Record, value []byte, out *outcome) {
	p.renew()
	first := len(out.events)
	for range 2 {
		out.events, out.fault = out.events[:first], nil
		p.run(r, value, out)
		if out.fault == nil || out.fault.Code != FaultJQTimeout {
			break
		}
	}
	if out.fault == nil && len(out.events) == first {
		out.skip = SkipFiltered
	}
}

func (p *program) run(r *Record, value []byte, out *outcome) {
	// The interpreter is not ours, and a panic would end the process at the same record
	// over and over. What it panics with may quote the record.
	defer func() {
		if recover() != nil {
			out.fail(FaultJQ, "jq broke down on this record")
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), p.limits.Time)
	defer cancel()
	results := p.code.RunWithContext(ctx, decode(value), arguments(r)...)
	for bytes := 0; ; {
		v, ok := results.Next()
		if !ok {
			return
		}
		if err, failed := v.(error); failed {
			p.failed(err, out)
			return
		}
		if len(out.events) == p.limits.Events {
			out.fail(FaultJQOutput, "the program gave more than %d events for one record (mapping.jq_limits.events)", p.limits.Events)
			return
		}
		event, why := encode(v, p.limits.Bytes-bytes)
		if why != "" {
			out.fail(FaultJQOutput, "%s", why)
			return
		}
		bytes += len(event)
		out.add(event)
	}
}

func (p *program) failed(err error, out *outcome) {
	if errors.Is(err, context.DeadlineExceeded) {
		out.fail(FaultJQTimeout, "the program took more than %v for this record, twice (mapping.jq_limits.time)", p.limits.Time)
		return
	}
	out.fail(FaultJQ, "%s", p.wording(err))
}

// arguments are the values of the variables.
func arguments(r *Record) []any {
	headers := make(map[string]any, len(r.Headers))
	for _, h := range r.Headers {
		headers[h.Key] = textOrNull(h.Value)
	}
	var at any
	if t := timestamp(r.Timestamp); t != nil && !r.Timestamp.IsZero() {
		at = text(t)
	}
	return []any{keyValue(r.Key), headers, r.Topic, int(r.Partition), int(r.Offset), at}
}

// keyValue takes a key for JSON only where it cannot be plain text: an id such as
// 64e10 would be a number.
func keyValue(key []byte) any {
	if k := trim(key); (isObject(k) || isArray(k) || isString(k)) && check(k) == nil {
		return decode(k)
	}
	return textOrNull(key)
}

func textOrNull(b []byte) any {
	if b == nil || !utf8.Valid(b) {
		return nil
	}
	return string(b)
}

// describe is a place in the program.
func describe(source string, offset int) string {
	line, column := 1, 1
	for _, r := range source[:min(max(offset, 0), len(source))] {
		if column++; r == '\n' {
			line, column = line+1, 1
		}
	}
	return fmt.Sprintf("line %d, column %d", line, column)
}
