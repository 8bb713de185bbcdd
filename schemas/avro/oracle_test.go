package avro_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/linkedin/goavro/v2"
)

func init() {
	// goavro's default lets five bytes end the process.
	goavro.MaxBlockCount = 4096
}

// oracle tells what a value is in JSON by way of goavro's decoding into maps, with
// no care for cost. What cannot be told in JSON sets refuse.
type oracle struct {
	codec  *goavro.Codec
	schema any
	named  map[string]any
	refuse string
}

func newOracle(schema string) (*oracle, error) {
	codec, err := goavro.NewCodec(schema)
	if err != nil {
		return nil, err
	}
	o := &oracle{codec: codec, named: map[string]any{}}
	return o, json.Unmarshal([]byte(schema), &o.schema)
}

// decode returns the value as encoding/json would read ours, with UseNumber.
func (o *oracle) decode(b []byte) (any, error) { return o.read(b, false) }

// event returns the value as an event.
func (o *oracle) event(b []byte) (any, error) { return o.read(b, true) }

func (o *oracle) read(b []byte, event bool) (any, error) {
	native, rest, err := o.codec.NativeFromBinary(b)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%d bytes follow", len(rest))
	}
	o.refuse = ""
	// Once for the names that are defined on the way, once for the value.
	o.define(o.schema, "")
	if event {
		return o.asEvent(native.(map[string]any)), nil
	}
	return o.tell(o.schema, "", native, false), nil
}

func (o *oracle) define(schema any, ns string) {
	switch s := schema.(type) {
	case []any:
		for _, b := range s {
			o.define(b, ns)
		}
	case map[string]any:
		switch s["type"] {
		case "record", "enum", "fixed":
			full, inner := fullName(s, ns)
			o.named[full] = s
			fields, _ := s["fields"].([]any)
			for _, f := range fields {
				o.define(f.(map[string]any)["type"], inner)
			}
		default:
			o.define(s["type"], ns)
			o.define(s["items"], ns)
			o.define(s["values"], ns)
		}
	}
}

func fullName(s map[string]any, ns string) (full, inner string) {
	name := s["name"].(string)
	if own, ok := s["namespace"].(string); ok {
		ns = own
	}
	if i := strings.LastIndex(name, "."); i >= 0 {
		return name, name[:i]
	}
	if ns == "" {
		return name, ""
	}
	return ns + "." + name, ns
}

// resolve follows references and objects that only wrap a type.
func (o *oracle) resolve(schema any, ns string) any {
	switch s := schema.(type) {
	case string:
		if def, ok := o.named[ns+"."+s]; ok {
			return def
		}
		if def, ok := o.named[s]; ok {
			return def
		}
		return map[string]any{"type": s}
	case map[string]any:
		switch t := s["type"].(type) {
		case string:
			if def := o.resolve(t, ns).(map[string]any); def["type"] != t || def["name"] != nil {
				return def
			}
			return s
		default:
			return o.resolve(t, ns)
		}
	}
	return schema
}

// branchName is what goavro calls a branch of a union.
func (o *oracle) branchName(schema any, ns string) string {
	s := o.resolve(schema, ns).(map[string]any)
	switch s["type"] {
	case "record", "enum", "fixed":
		full, _ := fullName(s, ns)
		for name, def := range o.named {
			if fmt.Sprintf("%p", def) == fmt.Sprintf("%p", s) {
				return name
			}
		}
		return full
	}
	switch s["logicalType"] {
	case "date", "time-millis", "time-micros", "timestamp-millis", "timestamp-micros", "decimal":
		return fmt.Sprintf("%v.%v", s["type"], s["logicalType"])
	}
	return s["type"].(string)
}

// tell turns goavro's native value into what our JSON must decode to. With omit,
// nulls that are branches of a union, as fields of records, are left out.
func (o *oracle) tell(schema any, ns string, native any, omit bool) any {
	resolved := o.resolve(schema, ns)
	if list, union := resolved.([]any); union {
		if native == nil {
			return nil
		}
		for name, v := range native.(map[string]any) {
			for _, b := range list {
				if o.branchName(b, ns) == name {
					return o.tell(b, ns, v, omit)
				}
			}
		}
		panic(fmt.Sprintf("no branch for %v in %v", native, list))
	}
	s := resolved.(map[string]any)
	switch s["type"] {
	case "record":
		_, inner := fullName(s, ns)
		object := map[string]any{}
		for _, f := range s["fields"].([]any) {
			field := f.(map[string]any)
			name := field["name"].(string)
			v := native.(map[string]any)[name]
			if _, union := o.resolve(field["type"], inner).([]any); omit && union && v == nil {
				continue
			}
			// The field, for the sake of a logical type beside its type.
			object[name] = o.tell(field, inner, v, omit)
		}
		return object
	case "array":
		list := []any{}
		for _, v := range native.([]any) {
			list = append(list, o.tell(s["items"], ns, v, omit))
		}
		return list
	case "map":
		object := map[string]any{}
		for key, v := range native.(map[string]any) {
			object[o.text(key)] = o.tell(s["values"], ns, v, omit)
		}
		return object
	}
	return o.scalar(s, native)
}

func (o *oracle) text(s string) string {
	if !utf8.ValidString(s) {
		o.refuse = "invalid UTF-8"
	}
	return s
}

func (o *oracle) scalar(s map[string]any, native any) any {
	lt, _ := s["logicalType"].(string)
	switch v := native.(type) {
	case nil:
		return nil
	case bool:
		return v
	case string:
		return o.text(v)
	case int32:
		return json.Number(strconv.FormatInt(int64(v), 10))
	case int64:
		switch lt {
		case "timestamp-nanos", "local-timestamp-nanos":
			return time.Unix(0, v).UTC().Format("2006-01-02T15:04:05.000000000Z")
		case "local-timestamp-millis":
			return o.time(time.UnixMilli(v), "2006-01-02T15:04:05.000Z")
		case "local-timestamp-micros":
			return o.time(time.UnixMicro(v), "2006-01-02T15:04:05.000000Z")
		}
		return json.Number(strconv.FormatInt(v, 10))
	case float32:
		return o.float(float64(v), 32)
	case float64:
		return o.float(v, 64)
	case time.Time:
		return o.time(v, map[string]string{
			"date": "2006-01-02", "timestamp-millis": "2006-01-02T15:04:05.000Z", "timestamp-micros": "2006-01-02T15:04:05.000000Z",
		}[lt])
	case time.Duration:
		if v < 0 || v >= 24*time.Hour {
			o.refuse = "no time of a day"
		}
		return time.Time{}.Add(v).Format(map[string]string{"time-millis": "15:04:05.000", "time-micros": "15:04:05.000000"}[lt])
	case *big.Rat:
		scale, _ := s["scale"].(float64)
		ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
		unscaled := new(big.Rat).Mul(v, new(big.Rat).SetInt(ten)).Num()
		if unscaled.Sign() < 0 {
			unscaled = new(big.Int).Not(unscaled) // two's complement has one number more there
		}
		if unscaled.BitLen() > 512 {
			o.refuse = "a large decimal"
		}
		return json.Number(v.FloatString(int(scale)))
	case []byte:
		return o.bytes(lt, v)
	}
	panic(fmt.Sprintf("%T", native))
}

func (o *oracle) bytes(lt string, v []byte) any {
	switch {
	case lt == "uuid" && len(v) == 16:
		return fmt.Sprintf("%x-%x-%x-%x-%x", v[:4], v[4:6], v[6:8], v[8:10], v[10:])
	case lt == "duration" && len(v) == 12:
		u := func(b []byte) uint32 { return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24 }
		return fmt.Sprintf("P%dM%dDT%d.%03dS", u(v), u(v[4:]), u(v[8:])/1000, u(v[8:])%1000)
	}
	return base64.StdEncoding.EncodeToString(v)
}

func (o *oracle) float(v float64, bits int) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		o.refuse = "not a number"
	}
	return json.Number(strconv.FormatFloat(v, 'g', -1, bits))
}

func (o *oracle) time(t time.Time, layout string) any {
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		o.refuse = "a year beyond RFC 3339"
	}
	return t.Format(layout)
}

// asEvent goes by the rules as they are written down, for schemas that have the
// members under their own names.
func (o *oracle) asEvent(native map[string]any) any {
	event := o.tell(o.schema, "", native, false).(map[string]any)
	_, inner := fullName(o.schema.(map[string]any), "")
	for _, f := range o.schema.(map[string]any)["fields"].([]any) {
		if field := f.(map[string]any); field["name"] == "changes" {
			event["changes"] = o.tell(field["type"], inner, native["changes"], true)
		}
	}
	if event["changes"] == nil {
		event["changes"] = map[string]any{}
	}
	list, _ := event["clear"].([]any)
	delete(event, "clear")
	changes := event["changes"].(map[string]any)
	custom, hasCustom := changes["custom"]
	cleared := map[string]bool{}
	for _, item := range list {
		name := item.(string)
		if cleared[name] {
			continue
		}
		cleared[name] = true
		of, name, isCustom := changes, strings.TrimPrefix(name, "custom."), strings.HasPrefix(name, "custom.")
		if isCustom {
			if !hasCustom {
				custom, hasCustom = map[string]any{}, true
				if _, has := changes["custom"]; has {
					o.refuse = "custom is cleared, and so is one of it"
				}
				changes["custom"] = custom
			}
			var ok bool
			if of, ok = custom.(map[string]any); !ok {
				o.refuse = "custom is no object"
				continue
			}
		}
		if _, has := of[name]; has || name == "" || strings.Contains(name, ".") {
			o.refuse = "clear"
		}
		of[name] = nil
	}
	if len(list) > 256 {
		o.refuse = "too many"
	}
	return event
}
