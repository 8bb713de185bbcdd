package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// faultTest is a file and the faults it has to give, each as
// line:column: key: text, one per line.
type faultTest struct {
	name, file, want string
	env              []string
}

func checkFaults(t *testing.T, tests []faultTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := Parse("bad.yaml", []byte(test.file), environment(test.env...))
			var faults Errors
			if !errors.As(err, &faults) || c != nil {
				t.Fatalf("got %v, %v, want no configuration and Errors", c, err)
			}
			got := strings.ReplaceAll("\n"+faults.Error(), "\nbad.yaml:", "\n")
			want := "\n" + strings.Trim(test.want, "\n")
			if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestFaultsOfStructure(t *testing.T) {
	checkFaults(t, []faultTest{
		{name: "unknown keys, with the nearest", file: `
nme: x
kafka:
  broker: [a:1]
  tls: {Enabled: true}
api_key: k
batch: {maxItems: 3, linegr: 1s}
create: never
log: {zzzzzzzzz: 1}
` + required, want: `
2:1: unknown key "nme"; did you mean name?
4:3: kafka: unknown key "broker"; did you mean kafka.brokers?
5:9: kafka.tls: unknown key "Enabled"; did you mean kafka.tls.enabled?
6:1: unknown key "api_key"; did you mean kustomer.api_key?
7:9: batch: unknown key "maxItems"; did you mean batch.max_items?
7:22: batch: unknown key "linegr"; did you mean batch.linger?
8:1: unknown key "create"; did you mean results.create or dead_letter.create?
9:7: log: unknown key "zzzzzzzzz"; known here: level, format
`},
		{name: "keys that are no words", file: "<<: {name: x}\n? [a]\n: 1\n? " + strings.Repeat("k", 65) + "\n: 1\n" + required, want: `
1:1: a key that is not one word; merge keys (<<) and lists as keys are not supported
2:3: a key that is not one word; merge keys (<<) and lists as keys are not supported
4:3: a key that is not one word; merge keys (<<) and lists as keys are not supported
`},
		{name: "duplicate keys", file: `name: a
name: b
log: {level: info, level: warn, level: nope}
` + required + "kustomer: {}\n", want: `
2:1: name: is set a second time; it is on line 1 already
3:20: log.level: is set a second time; it is on line 3 already
3:33: log.level: is set a second time; it is on line 3 already
5:1: kustomer: is set a second time; it is on line 4 already
`},
		{name: "wrong shapes, without consequences", file: `name: [a]
kafka: 5
source: {topics: t, group: {a: b}, start: }
batch: [1]
limits: ~
kustomer: s3cret
`, want: `
1:7: name: needs a single value, not a list
2:8: kafka: needs a section of keys, not a single value
3:18: source.topics: needs a list, as in [a, b], not a single value
3:28: source.group: needs a single value, not a section of keys
3:43: source.start: has no value; write one, or remove the key for its default
4:8: batch: needs a section of keys, not a list
6:11: kustomer: needs a section of keys, not a single value
`},
		{name: "elements of lists", file: "source: {topics: [a, [b], ~, {c: d}]}\n" + required, want: `
1:22: source.topics[1]: needs a name or a section of keys, not a list
1:27: source.topics[2]: has no value; write one, or remove the key for its default
1:30: source.topics[3].name: is required: the topic to read
1:31: source.topics[3]: unknown key "c"; known here: name, format, schema, mapping
`},
		{name: "a comma in a value", file: "kustomer: {base_url: 'https://acme', api_key: s3,cret}", want: `
1:50: kustomer: a key without a value; is it the rest of a value with a comma, which needs quotes?
`},
		{name: "aliases and tags", file: "name: &n a\nlog: {level: &x !info info, format: *n}\nlimits: &l {<<: *l}\n" + required, want: `
2:14: log.level: tags are not supported; put a value that begins with ! in quotes
2:37: log.format: aliases are not supported; write the value out
3:13: limits: a key that is not one word; merge keys (<<) and lists as keys are not supported
`},
		{name: "a second document", file: "a: 1\n---\nb: 1\n", want: `2:1: a second document begins here; a configuration is one document, so remove the "---"`},
		{name: "a second document that is broken", file: "a: 1\n---\nb: [", want: `4:1: not YAML: while parsing a flow node: did not find expected node content`},
		{name: "a document that is a scalar", file: "just text", want: `1:1: needs a section of keys, not a single value`},
		{name: "a document that is a list", file: "# c\n- a", want: `2:1: needs a section of keys, not a list`},
		{name: "not YAML", file: "name: \"\\q\"", want: `1:8: not YAML: while scanning a quoted scalar: found unknown escape character`},
		{name: "tabs", file: "kafka:\n\tbrokers: []", want: `2:1: not YAML: while scanning for the next token: found character that cannot start any token`},
		{name: "an alias of nothing", file: "name: *s3cret", want: `1:7: not YAML: an alias of an anchor that is not in the file; put a value that begins with * in quotes`},
		{name: "not UTF-8", file: "name: a\nlog: ä\xff", want: `2:7: a byte that is not UTF-8; save the file as UTF-8`},
		{name: "a control character", file: "name: a\x01", want: `1:8: a control character (U+0001)`},
	})
}

func TestFaultsOfScalars(t *testing.T) {
	const (
		duration = "is not a duration: write a number with a unit (ms, s, m, h), as in 30s or 1m30s"
		size     = "is not a size: write bytes, or a whole number with KB, MB, GB, KiB, MiB or GiB, as in 24MiB"
	)
	checkFaults(t, []faultTest{
		{name: "durations", file: "drain_timeout: 30\nrevoke_timeout: 1 minute\ncommit: {interval: \"1\"}\nbatch: {linger: -1s}\n" + required, want: `
1:16: drain_timeout: "30" ` + duration + `
2:17: revoke_timeout: "1 minute" ` + duration + `
3:20: commit.interval: "1" ` + duration + `
4:17: batch.linger: "-1s" is outside 0s to 5m
`},
		{name: "sizes", file: "batch: {max_bytes: 1M}\nlimits: {max_open_bytes: -1, max_event_bytes: 9999999999GiB}\n" + required, want: `
1:20: batch.max_bytes: "1M" ` + size + `
2:26: limits.max_open_bytes: "-1" ` + size + `
2:47: limits.max_event_bytes: "9999999999GiB" ` + size + `
`},
		{name: "numbers and switches", file: `
batch: {max_items: "5", merge: {enabled: yes}}
limits: {max_open_events: 1.5}
results: {items: 'true', partitions: 010, replication: 0}
dead_letter: {replication: -2, partitions: 99999999999999999999}
kustomer: {base_url: 'https://acme', api_key: key, reserve: 95%, requests_per_minute: 0, max_in_flight: 1e3}
`, want: `
2:20: batch.max_items: "5" is text because of its quotes; remove them
2:42: batch.merge.enabled: "yes" is neither true nor false
3:27: limits.max_open_events: "1.5" is not a whole number
4:18: results.items: "true" is text because of its quotes; remove them
4:38: results.partitions: "010" is not a whole number
4:56: results.replication: 0 is no number of replicas; write 1 or more, or -1 for the broker's default
5:28: dead_letter.replication: "-2" is outside -1 to 100
5:44: dead_letter.partitions: "99999999999999999999" is not a whole number
6:61: kustomer.reserve: "95%" is outside 0 to 0.9
6:87: kustomer.requests_per_minute: "0" is neither auto nor a whole number of 1 to 100000
6:105: kustomer.max_in_flight: "1e3" is not a whole number
`},
		{name: "shares", file: "kustomer: {base_url: 'https://acme', api_key: key, reserve: NaN}", want: `1:61: kustomer.reserve: "NaN" is not a share: write 0.2 or 20%`},
		{name: "words", file: `
source: {start: latst, isolation: READ_COMMITTED, on_reset: ""}
dead_letter: {create: if_missing}
kafka: {sasl: {mechanism: gssapi}}
` + required, want: `
2:17: source.start: "latst" is none of earliest, latest, committed; did you mean latest?
2:35: source.isolation: "READ_COMMITTED" is none of read_committed, read_uncommitted; did you mean read_committed?
2:61: source.on_reset: "" is none of fail, earliest
3:23: dead_letter.create: "if_missing" is none of if-missing, never; did you mean if-missing?
4:27: kafka.sasl.mechanism: "gssapi" is none of "", plain, scram-sha-256, scram-sha-512
`},
		{name: "references", file: `
batch: {max_items: '${env:TEXT}', max_bytes: '${env:TEXT', linger: '${env:NONE}'}
limits: {max_open_events: '${env:9}', max_open_bytes: '$5', max_event_bytes: '${TEXT}'}
log: {level: '${env:TEXT}', format: '${file:/nonexistent/x}'}
drain_timeout: ${env:NONE:-soon}
` + required, env: []string{"TEXT=not shown"}, want: `
2:20: batch.max_items: "${env:TEXT}" is not a whole number
2:46: batch.max_bytes: has a ${ without its }
2:68: batch.linger: the environment variable NONE is not set; set it, or write ${env:NONE:-default}
3:27: limits.max_open_events: has an ${env:NAME} whose NAME is no variable's name (letters, digits, _)
3:55: limits.max_open_bytes: has a $ that begins neither ${env:NAME}, ${env:NAME:-default} nor ${file:/path}; write $$ for a plain $
3:78: limits.max_event_bytes: has a $ that begins neither ${env:NAME}, ${env:NAME:-default} nor ${file:/path}; write $$ for a plain $
4:14: log.level: "${env:TEXT}" is none of debug, info, warn, error
4:37: log.format: the file of a ${file:…} cannot be read: stat /nonexistent/x: no such file or directory
5:16: drain_timeout: "${env:NONE:-soon}" is not a duration: write a number with a unit (ms, s, m, h), as in 30s or 1m30s
`},
	})
}
