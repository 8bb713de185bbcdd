package config

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// derive fills in what follows from other keys where the file does not say it.
func (r *reader) derive(c *Config) {
	if !r.isSet("source.group") {
		c.Source.Group = c.Name
	}
	if !r.isSet("kustomer.lost_reply_wait") {
		c.Kustomer.LostReplyWait = c.Kustomer.Timeout + lostReplyMargin
	}
	r.complete(&c.Source)
	c.Kustomer.BaseURL = strings.TrimSuffix(c.Kustomer.BaseURL, "/")
}

// check applies the rules that are more than one key's type, words or bounds.
func (r *reader) check(c *Config) {
	if fault := kafkaName(c.Name); fault != "" {
		r.fault("name", "%s %s", r.shown("name", c.Name), fault)
	}
	r.checkBrokers(c.Kafka.Brokers)
	r.checkTLS(&c.Kafka.TLS)
	r.checkSASL(&c.Kafka.SASL)
	r.checkSource(&c.Source)
	r.checkAvro(c)
	r.checkOutputs(c)
	r.checkRegistry(&c.SchemaRegistry)
	r.checkKustomer(&c.Kustomer)
	r.checkLimits(c)
	r.checkTimes(c)
	r.checkAdmin(&c.Admin)
}

func (r *reader) isSet(key string) bool {
	_, ok := r.marks[key]
	return ok
}

// isBad reports whether the key, or a section that it is in, has been reported.
func (r *reader) isBad(key string) bool {
	for {
		if r.marks[key].bad {
			return true
		}
		i := strings.LastIndexAny(key, ".[")
		if i < 0 {
			return key != "" && r.marks[""].bad
		}
		key = key[:i]
	}
}

// place is where key stands, or else the innermost section it belongs into.
func (r *reader) place(key string) (line, column int) {
	for {
		if m, ok := r.marks[key]; ok {
			return m.line, m.column
		}
		i := strings.LastIndex(key, ".")
		switch {
		case i >= 0:
			key = key[:i]
		case key != "":
			key = ""
		default:
			return 1, 1
		}
	}
}

// fault reports what is wrong with one key, unless something was already.
func (r *reader) fault(key, format string, args ...any) {
	r.clash([]string{key}, format, args...)
}

// clash reports that keys do not go together, at the first of them that the file
// sets; or nothing when one is already reported, as its value is not the real one.
func (r *reader) clash(involved []string, format string, args ...any) {
	key := ""
	for _, k := range involved {
		if r.isBad(k) {
			return
		}
		if key == "" && r.isSet(k) {
			key = k
		}
	}
	if key == "" {
		key = involved[0]
	}
	line, column := r.place(key)
	text := fmt.Sprintf(format, args...)
	// Where the sentence begins with the key, the error has just named it, and its place.
	if rest, ok := strings.CutPrefix(text, key+" "); ok {
		text = strings.Replace(rest, fmt.Sprintf(" (%d:%d)", line, column), "", 1)
	}
	r.report(line, column, key, text)
}

// at names a key with its value and where that comes from.
func (r *reader) at(key string, value any) string {
	place := "default"
	if m, ok := r.marks[key]; ok {
		place = fmt.Sprintf("%d:%d", m.line, m.column)
	}
	return fmt.Sprintf("%s %s (%s)", key, r.shown(key, value), place)
}

// shown is a value as an error may show it: the reference it came by, if it did,
// since what is behind that may be a secret at the wrong key. Numbers are safe.
func (r *reader) shown(key string, value any) string {
	switch value := value.(type) {
	case string:
		if m := r.marks[key]; m.reference != "" {
			return show(m.reference)
		}
		return show(value)
	case time.Duration:
		return short(value)
	default:
		return fmt.Sprint(value)
	}
}

// checkFile reports a named file that cannot be read, or is empty.
func (r *reader) checkFile(key, path string) { r.contents(key, path) }

// contents returns what is in a named file; false, reported, where that is nothing.
func (r *reader) contents(key, path string) ([]byte, bool) {
	if path == "" || r.isBad(key) {
		return nil, false
	}
	data, err := r.readFile(path)
	switch {
	case err != nil && r.marks[key].reference != "":
		// The error repeats the path, and what a reference brings in is not shown.
		r.fault(key, "the file %s cannot be read; check that it exists and is this user's to read", r.shown(key, path))
	case err != nil:
		r.fault(key, "cannot be read: %v; check the path and whose file it is", err)
	case len(bytes.TrimSpace(data)) == 0:
		r.fault(key, "the file %s is empty", r.shown(key, path))
	default:
		return data, true
	}
	return nil, false
}

// unused reports the fields of a section that are set though the key that switches
// the section on is not: state says what that is. A key written at its usual value,
// the default, is fine.
func (r *reader) unused(section, usual any, path, switchKey, state string) {
	defaults := reflect.ValueOf(usual)
	for f, v := range reflect.ValueOf(section).Fields() {
		if key := join(path, keyName(f)); key != switchKey && !alike(v, defaults.FieldByIndex(f.Index)) {
			r.clash([]string{key, switchKey}, "has no effect while %s %s", switchKey, state)
		}
	}
}

// alike reports whether two values of a field are the same in the file.
func alike(a, b reflect.Value) bool {
	if kind := a.Kind(); (kind == reflect.Slice || kind == reflect.Map) && a.Len() == 0 {
		return b.Len() == 0 // nil or empty
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
