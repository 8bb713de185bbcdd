package mapping

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/itchyny/gojq"

	"kafka-kustomer/internal/canary"
)

func TestJQ(t *testing.T) {
	for _, c := range []struct{ name, program, value, want string }{
		{"one", `{messageId: .id, changes: {a}}`, `{"id":"m","a":1}`, `{"changes":{"a":1},"messageId":"m"}`},
		{"several", `.[] | {messageId: .}`, `["m","n"]`, `{"messageId":"m"}` + "\n" + `{"messageId":"n"}`},
		{"none", `empty`, `{}`, "skip: filtered"},
		{"select", `select(.a == 2)`, `{"a":1}`, "skip: filtered"},
		{"comment", "# nothing\n.", `{"a":1}`, `{"a":1}`},
		{"own functions", `def halt: {b: 1}; def debug(f): f; halt | debug(.)`, `{}`, `{"b":1}`},
		{"null input", `{a: .}`, `null`, `{"a":null}`},
		{"error caught", `try error("x") catch {m: .}`, `{}`, `{"m":"x"}`},
		{"label", `label $out | ({a: 1}, break $out, {b: 1})`, `{}`, `{"a":1}`},
		{"unicode", `{"é\u0000": (.s | explode | implode), l: (.s | length)}`, `{"s":"\ud83d\ude00é\u0007"}`, `{"l":3,"é\u0000":"😀é\u0007"}`},
		{"unicode slices", `{s: .s[0:1]}`, `{"s":"😀é"}`, `{"s":"😀"}`},
		{"deep", `{a: .}`, strings.Repeat("[", 63) + strings.Repeat("]", 63), `{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`},

		{"no object", `1`, `{}`, `mapping_jq_output: the program gave a number; an event is an object (empty skips a record)`},
		{"a text", `.a`, `{"a":"x"}`, `mapping_jq_output: the program gave a text; an event is an object (empty skips a record)`},
		{"nothing there", `.a`, `{}`, `mapping_jq_output: the program gave null; an event is an object (empty skips a record)`},
		{"a list", `[.]`, `{}`, `mapping_jq_output: the program gave an array; an event is an object (empty skips a record)`},
		{"true", `true`, `{}`, `mapping_jq_output: the program gave a boolean; an event is an object (empty skips a record)`},
		{"after one", `{a: 1}, 2`, `{}`, `mapping_jq_output: the program gave a number; an event is an object (empty skips a record)`},
		{"nan", `{a: nan}`, `{}`, `mapping_jq_output: the program gave a number that JSON does not have: NaN, or an infinite one`},
		{"infinite", `{a: [infinite]}`, `{}`, `mapping_jq_output: the program gave a number that JSON does not have: NaN, or an infinite one`},
		{"bytes", `{a: (.s | @base64d)}`, `{"s":"//8="}`, `mapping_jq_output: the program gave a text that is not valid UTF-8`},
		{"too deep", `{a: .}`, strings.Repeat("[", 64) + strings.Repeat("]", 64), `mapping_jq_output: the program gave an object that nests more than 64 deep`},
		{"very deep", `reduce range(10000) as $i ({}; {a: .})`, `{}`, `mapping_jq_output: the program gave an object that nests more than 64 deep`},
	} {
		m := mapper(t, Config{JQ: c.program})
		for range 2 { // a program is used again and again
			if res := got(m.Map(&Record{Value: []byte(c.value)})); res != c.want {
				t.Errorf("%s:\n got %s\nwant %s", c.name, res, c.want)
			}
		}
	}
}

func TestJQNumbers(t *testing.T) {
	for _, c := range []struct{ program, value, want string }{
		{`{a: .}`, `9223372036854775807`, `9223372036854775807`},
		{`{a: .}`, `-9223372036854775809`, `-9223372036854775809`},
		{`{a: .}`, `123456789012345678901234567890.12345678901234567890`, `123456789012345678901234567890.12345678901234567890`},
		{`{a: .}`, `1.10`, `1.10`},
		{`{a: .}`, `-0`, `-0`},
		{`{a: .}`, `1e400`, `1e400`},
		{`{a: [.][0]}`, `0.30000000000000000001`, `0.30000000000000000001`},
		{`{a: (. + 1)}`, `9007199254740992`, `9007199254740993`},
		{`{a: (. + 1)}`, `9223372036854775807`, `9223372036854775808`},
		{`{a: (. * 1000)}`, `12345678901234567890`, `12345678901234567890000`},
		{`{a: (. / 4)}`, `1`, `0.25`},
		{`{a: (tostring | tonumber)}`, `9223372036854775809`, `9223372036854775809`},
		{`{a: tostring}`, `1.10`, `"1.10"`},
		{`{a: (tojson | fromjson)}`, `1.10`, `1.10`},
	} {
		want := `{"a":` + c.want + `}`
		if res := got(mapper(t, Config{JQ: c.program}).Map(&Record{Value: []byte(c.value)})); res != want {
			t.Errorf("%s of %s: %s, want %s", c.program, c.value, res, want)
		}
	}
}

func TestJQVariables(t *testing.T) {
	m := mapper(t, Config{JQ: `{$key, $headers, $topic, $partition, $offset, $timestamp}`})
	r := Record{
		Topic: "crm", Partition: 3, Offset: 9007199254740993, Timestamp: time.UnixMilli(1792591331925),
		Key: []byte(`{"id":12345678901234567890}`), Value: []byte(`{}`),
		Headers: []Header{{"a", []byte("1")}, {"b", nil}, {"c", []byte("\xff")}, {"a", []byte("2")}},
	}
	want := `{"headers":{"a":"2","b":null,"c":null},"key":{"id":12345678901234567890},"offset":9007199254740993,"partition":3,"timestamp":"2026-10-21T14:02:11.925Z","topic":"crm"}`
	if res := got(m.Map(&r)); res != want {
		t.Errorf("got %s\nwant %s", res, want)
	}
	for key, want := range map[string]string{
		"64e10": `"64e10"`, "7": `"7"`, "true": `"true"`, `"64e10"`: `"64e10"`, ` ["a"] `: `["a"]`, `{"a":`: `"{\"a\":"`,
		`{"a":1,"a":2}`: `"{\"a\":1,\"a\":2}"`, "": `""`, "\xff": "null", `"\ud83d\ude00"`: `"😀"`,
	} {
		if res := got(mapper(t, Config{JQ: `{a: $key}`}).Map(&Record{Key: []byte(key), Value: []byte(`1`)})); res != `{"a":`+want+`}` {
			t.Errorf("key %q: %s, want %s", key, res, want)
		}
	}
	if res := got(mapper(t, Config{JQ: `{$key, $timestamp}`}).Map(&Record{Value: []byte(`1`)})); res != `{"key":null,"timestamp":null}` {
		t.Errorf("no key and no time: %s", res)
	}
}

func TestJQRefuses(t *testing.T) {
	for program, want := range map[string]string{
		"{a: 1":                        "line 1, column 6: unexpected EOF",
		".a |\n  | .b":                 "line 2, column 3: unexpected token",
		"{a: 1,\n é: 2}":               "line 2, column 2",
		"\"é\" | nosuch":               "line 1, column 7: function not defined: nosuch/0",
		".\n| {a: nosuch(1)}":          "line 2, column 7: function not defined: nosuch/1",
		"$nosuch":                      "line 1, column 1: variable not defined: $nosuch",
		"{a: @nosuch}":                 "line 1, column 5): there is no such format",
		"@nosuch \"\\(.)\"":            "line 1, column 1): there is no such format",
		"env":                          "env (line 1, column 1): a program sees no environment",
		".a | $ENV.HOME":               "$ENV (line 1, column 6): a program sees no environment",
		"[.a, (.b | [inputs])]":        "inputs (line 1, column 13): a program sees one record",
		"input":                        "there is no next input",
		"def f: input; f":              "there is no next input",
		"if . then . else debug end":   "nowhere to print to",
		"reduce .[] as $x (0; stderr)": "nowhere to print to",
		"\"\\(input_filename)\"":       "there is no file",
		"halt":                         "use empty to skip",
		"{} | halt_error":              "use error to refuse",
		"import \"a\" as a; .":         "there are no modules",
		"include \"a\"; .":             "there are no modules",
		"import \"a\" as $a; .":        "there are no modules",
		"\"a\" | modulemeta":           "there are no modules",
	} {
		if _, err := New(Config{JQ: program}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %s", program, err, want)
		}
	}
	if _, err := New(Config{JQ: ".", Limits: JQLimits{Bytes: -1}}); err == nil {
		t.Error("a limit below zero is taken")
	}
	if _, err := New(Config{JQ: ".", Limits: JQLimits{Time: time.Minute}}); err == nil || !strings.Contains(err.Error(), "at most 5s") {
		t.Errorf("a minute: %v", err)
	}
}

func TestJQLimitsByDefault(t *testing.T) {
	p, err := compile(".", JQLimits{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.(*program).limits, (JQLimits{Time: 100 * time.Millisecond, Events: 100, Bytes: 4 << 20}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// A program that does not end is ended, wherever it runs, and the next record is
// mapped as ever.
func TestJQIsBoundedInTime(t *testing.T) {
	for _, program := range []string{
		`def f: f; f`,
		`[repeat(1)]`,
		`last(range(infinite))`,
		`until(false; . + 1)`,
		`[range(infinite)]`,
		`try (def f: f; f) catch {}`,
		`def f: 1 + f; f`,
		`[limit(3; repeat(empty))]`,
		`reduce range(infinite) as $i (0; [.])`,
	} {
		m := mapper(t, Config{JQ: `if .loop then (1 | ` + program + `) else . end`, Limits: JQLimits{Time: 50 * time.Millisecond}})
		start := time.Now()
		res := got(m.Map(&Record{Value: []byte(`{"loop":true}`)}))
		if want := "mapping_jq_timeout: the program took more than 50ms for this record, twice (mapping.jq_limits.time)"; res != want {
			t.Errorf("%s: %s", program, res)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s took %v", program, took)
		}
		if res := got(m.Map(&Record{Value: []byte(`{"loop":false}`)})); res != `{"loop":false}` {
			t.Errorf("after %s: %s", program, res)
		}
	}
}

func TestJQIsBoundedInOutput(t *testing.T) {
	limits := JQLimits{Time: maxTime, Events: 10, Bytes: 1000}
	const tooMuch = "mapping_jq_output: the program gave more bytes than allowed for one record (mapping.jq_limits.bytes)"
	for program, want := range map[string]string{
		`range(10) | {a: .}`:                            "",
		`range(11) | {a: .}`:                            "mapping_jq_output: the program gave more than 10 events for one record (mapping.jq_limits.events)",
		`repeat({a: 1})`:                                "mapping_jq_output: the program gave more than 10 events for one record (mapping.jq_limits.events)",
		`{a: ("x" * 992)}`:                              "",
		`{a: ("x" * 993)}`:                              tooMuch,
		`{a: ("\u0001" * 500)}`:                         tooMuch,
		`{a: [range(10000)]}`:                           tooMuch,
		`{("x" * 1000): 1}`:                             tooMuch,
		`reduce range(20) as $i ([1]; [., .]) | {a: .}`: tooMuch, // a million parts, all the same ones
		`{a: reduce range(14) as $i (10; . * .)}`:       tooMuch, // a number of 16,000 digits
		`range(3) | {a: ("x" * 400)}`:                   tooMuch,
	} {
		m := mapper(t, Config{JQ: program, Limits: limits})
		res := m.Map(&Record{Value: []byte(`{}`)})
		if want == "" && res.Fault == nil {
			continue
		}
		if got(res) != want || len(res.Events) > 0 {
			t.Errorf("%s: %.200s, want %s", program, got(res), want)
		}
	}
}

// What a program says is shown as far as it stands in the program.
func TestJQErrors(t *testing.T) {
	value := fmt.Sprintf(`{"s":%q,"n":%d,"o":{%q:1},"a":[%q]}`, canary.Value, canary.Number, canary.Value, canary.Value)
	const computed = "the program called error with a text that is not written in it, and so is not shown"
	for program, want := range map[string]string{
		`error("no tier")`:                                                  "the program called error: no tier",
		`if .s then error("has\nit") else . end`:                            "the program called error: has\nit",
		`"no tier" | error`:                                                 "the program called error: no tier",
		`.s | "bad: \(.)" | error`:                                          "the program called error: bad: …",
		`error("s is \(.s), n is \(.n)!")`:                                  "the program called error: s is …, n is …!",
		`error("s is " + .s + "; " + (.n | tostring))`:                      "the program called error: s is …; …",
		`if .n < 0 then error("s is \(.s)!") else error("s is \(.s)?") end`: "the program called error: s is …?",
		`error("\(.s) is \(.s) and \(.n)")`:                                 "the program called error: … is … and …",
		`error(("a" + "b") + "c")`:                                          "the program called error: abc",
		`def fail(m): error("given: " + m); fail(.s)`:                       "the program called error: given: …",
		`error(.s)`:                 computed,
		`.s | error`:                computed,
		`error("\(.s)")`:            computed,
		`error("s" | ascii_upcase)`: computed,
		`try error("again \(.s)") catch error(.)`:      "the program called error: again …",
		`try (.s | tonumber) catch error(.)`:           computed,
		`try (.s | tonumber) catch error("not: \(.)")`: "the program called error: not: …",
		`error({code: .s})`:                            "the program called error with a value that is no text, which is not shown",
		`error(null)`:                                  "the program called error with a value that is no text, which is not shown",
		`error`:                                        "the program called error with a value that is no text, which is not shown",

		`.s | .[]`:                 "the program failed: cannot iterate over: string",
		`.s.x`:                     "the program failed: expected an object but got: string",
		`.o[0]`:                    "the program failed: expected an array but got: object",
		`.s + 1`:                   "the program failed: cannot add: string",
		`.o - .s`:                  "the program failed: cannot subtract: object",
		`{} * .a`:                  "the program failed: cannot multiply: object",
		`.n / 0`:                   "the program failed: cannot divide number",
		`.n % 0`:                   "the program failed: cannot modulo number",
		`-.s`:                      "the program failed: cannot negate: string",
		`.s | tonumber`:            "the program failed: tonumber cannot be applied to",
		`.s | fromjson`:            "the program failed: fromjson cannot be applied to",
		`.s | keys`:                "the program failed: keys cannot be applied to",
		`.o | test("x")`:           "the program failed: ",
		`.s | test("(")`:           "the program failed: ",
		`.s | test(.)[0]`:          "the program failed: ",
		`.o | startswith(.s)`:      "the program failed: startswith",
		`.s | strptime("%Y")`:      "the program failed: strptime",
		`.s | ltrimstr(1)[0]`:      "the program failed: ltrimstr cannot be applied",
		`{(.a): 1}`:                "the program failed: expected a string for object key but got: array",
		`[.o] | @csv`:              "the program failed: @csv cannot format an array including: object",
		`. as $x | format($x.s)`:   "the program failed: format not defined",
		`.s as $k | [1] | has($k)`: "the program failed: has",
		`[1] | .[-5] = 1`:          "the program failed: setpath cannot be applied",
		`path(.s | tojson | .x)`:   "the program failed: ",
		`.s | splits(.; .)`:        "the program failed: ",
		`.a | implode`:             "the program failed: implode",
		`.s + "*" | @base64d`:      "the program failed: @base64d",
		`.s | mktime`:              "the program failed: mktime",
		`[.s] | add(.[] | -.)`:     "the program failed: cannot negate: string",
		`.o | flatten(-1)`:         "the program failed: flatten",
		`setpath(.s; 1)`:           "the program failed: setpath",
		`getpath([.s, "x", 0])`:    "",
		`.a | .["x"]`:              "the program failed: ",
		`.s | .[1.5:{}]`:           "the program failed: ",
		`.s * 1e10`:                "the program failed: repeat string result too large",
		`.a | .[1e10] = 1`:         "the program failed: setpath cannot be applied",
	} {
		res := got(mapper(t, Config{JQ: program}).Map(&Record{Value: []byte(value)}))
		said, failed := strings.CutPrefix(res, FaultJQ+": ")
		if want != "" && !failed {
			t.Errorf("%s: %s, want a fault", program, res)
			continue
		}
		exact := strings.HasPrefix(want, "the program called error")
		if exact && said != want || !strings.HasPrefix(said, want) {
			t.Errorf("%s:\n got %s\nwant %s", program, said, want)
		}
		if at, as := canary.Find([]byte(said)); failed && at >= 0 {
			t.Errorf("%s: the fault has a value of the record (%s): %s", program, as, said)
		}
	}
	long := mapper(t, Config{JQ: `error("` + strings.Repeat("é", 1000) + `")`})
	if res := long.Map(&Record{Value: []byte(`1`)}); len(res.Fault.Text) > maxWords+3 || !strings.HasSuffix(res.Fault.Text, "é…") {
		t.Errorf("%d bytes: %s", len(res.Fault.Text), res.Fault.Text)
	}
}

// A panic of the interpreter is a fault of the record, without what it panics with.
func TestJQBreaksDown(t *testing.T) {
	p := &program{limits: JQLimits{Time: maxTime, Events: 1, Bytes: 1}} // without code
	out := outcome{}
	p.apply(&Record{}, []byte(`{}`), &out)
	if want := (&Fault{FaultJQ, "jq broke down on this record"}); out.fault == nil || *out.fault != *want || len(out.events) > 0 {
		t.Errorf("%+v", out)
	}
}

// Time counts only when it has run out twice: a machine may be busy.
func TestJQTriesTwice(t *testing.T) {
	for slow, want := range map[int]string{
		0: `{"messageId":"m"}`,
		1: `{"messageId":"m"}`,
		2: "mapping_jq_timeout: the program took more than 200ms for this record, twice (mapping.jq_limits.time)",
	} {
		runs := 0
		busy := gojq.WithFunction("busy", 0, 0, func(v any, _ []any) any {
			if runs++; runs <= slow {
				<-time.After(250 * time.Millisecond)
			}
			return v
		})
		query, err := gojq.Parse(`{messageId: .id}, (busy | empty)`)
		if err != nil {
			t.Fatal(err)
		}
		code, err := gojq.Compile(query, gojq.WithVariables(variables), busy)
		if err != nil {
			t.Fatal(err)
		}
		m := &Mapper{preset: &program{code: code, limits: JQLimits{Time: 200 * time.Millisecond, Events: 5, Bytes: 500}}}
		if res := got(m.Map(&Record{Value: []byte(`{"id":"m"}`)})); res != want {
			t.Errorf("%d slow runs: %s, want %s", slow, res, want)
		}
	}
}

// The regular expressions of records are not kept for ever.
func TestJQIsRenewed(t *testing.T) {
	for source, want := range map[string]bool{
		`select(.s | test("^a\(.)"))`:                  true,
		`select(.s | test($key))`:                      true,
		`def f($re): .s | gsub($re; "b"); {a: f("x")}`: true,
		`{a: (.s | test(["a", "g"]))}`:                 true,
		`select(.s | test("^" + "a")) | {a: 1}`:        false,
		`{a: (.s | sub("a"; "b"))}`:                    false,
		`{a: .s}`:                                      false,
	} {
		compiled, err := compile(source, JQLimits{Time: maxTime})
		if err != nil {
			t.Fatal(err)
		}
		p := compiled.(*program)
		first := p.code
		for i := range renewAfter + 1 {
			if out := (outcome{}); i < renewAfter && p.code != first {
				t.Fatalf("%s: anew after %d records", source, i)
			} else if p.apply(&Record{Key: []byte("a")}, []byte(`{"s":"abc"}`), &out); out.fault != nil {
				t.Fatal(out.fault)
			}
		}
		if got := p.code != first; got != want {
			t.Errorf("%s: compiled anew: %v, want %v", source, got, want)
		}
	}
}
