package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFaultsOfKafka(t *testing.T) {
	checkFaults(t, []faultTest{
		{name: "brokers", file: `
kafka: {brokers: [a, 'a:0', 'a:1,b:2', 'kafka://u:s3cret@a:1', ':9', 'u:s3cret@a:9', 'a:9', 'a:9', '${env:B}']}
` + required, env: []string{"B=a"}, want: `
2:19: kafka.brokers[0]: is not host:port, as in kafka-1:9092
2:22: kafka.brokers[1]: has a port that is not a number of 1 to 65535
2:29: kafka.brokers[2]: holds a comma; write one host:port per element of the list
2:40: kafka.brokers[3]: is a URL; write host:port alone, and see kafka.tls and kafka.sasl
2:64: kafka.brokers[4]: is not host:port, as in kafka-1:9092
2:70: kafka.brokers[5]: is not host:port, as in kafka-1:9092
2:93: kafka.brokers[7]: is the same as kafka.brokers[6]
2:100: kafka.brokers[8]: is not host:port, as in kafka-1:9092
`},
		{name: "keys without effect", file: `
kafka: {brokers: [], tls: {cert_file: /nonexistent/c, insecure_skip_verify: true, enabled: false}, sasl: {username: u, password: s3cret}}
` + required, want: `
2:18: kafka.brokers: is empty; list at least one host:port
2:39: kafka.tls.cert_file: has no effect while kafka.tls.enabled is false
2:77: kafka.tls.insecure_skip_verify: has no effect while kafka.tls.enabled is false
2:117: kafka.sasl.username: has no effect while kafka.sasl.mechanism is empty
2:130: kafka.sasl.password: has no effect while kafka.sasl.mechanism is empty
`},
		{name: "an unreadable switch hides what hangs on it", file: `
kafka: {tls: {cert_file: /nonexistent/c, enabled: 1}, sasl: {mechanism: x, password: s3cret}}
` + required, want: `
2:51: kafka.tls.enabled: "1" is neither true nor false
2:73: kafka.sasl.mechanism: "x" is none of "", plain, scram-sha-256, scram-sha-512
`},
		{name: "login", file: `
kafka:
  tls: {enabled: true, key_file: '/nonexistent/${env:K}'}
  sasl:
    mechanism: plain
` + required, env: []string{"K=not-shown"}, want: `
3:34: kafka.tls.key_file: the file "/nonexistent/${env:K}" cannot be read; check that it exists and is this user's to read
3:34: kafka.tls.key_file: a client certificate needs both files: kafka.tls.cert_file "" (default), kafka.tls.key_file "/nonexistent/${env:K}" (3:34)
4:3: kafka.sasl.username: is empty, but needed with kafka.sasl.mechanism "plain" (5:16)
4:3: kafka.sasl.password: kafka.sasl.mechanism "plain" (5:16) needs a password; set kafka.sasl.password, or kafka.sasl.password_file
`},
		{name: "two passwords", file: `
kafka: {sasl: {mechanism: plain, username: u, password: s3cret, password_file: /nonexistent/p}}
` + required, want: `
2:80: kafka.sasl.password_file: is given, and so is kafka.sasl.password *** (2:57); remove one of them
2:80: kafka.sasl.password_file: cannot be read: stat /nonexistent/p: no such file or directory; check the path and whose file it is
`},
		{name: "names", file: `
name: ä
source: {topics: [in, in, 'a b', '', .., '${env:T}'], group: '', instance_id: 'a:b'}
results: {topic: ` + strings.Repeat("x", 250) + `}
` + required, env: []string{"T=not shown"}, want: `
2:7: name: "ä" is not a legal name: only letters, digits, '.', '_' and '-' are
3:23: source.topics[1]: "in" is the same as source.topics[0]
3:27: source.topics[2]: "a b" is not a legal name: only letters, digits, '.', '_' and '-' are
3:34: source.topics[3]: "" is empty
3:38: source.topics[4]: ".." is not a legal name
3:42: source.topics[5]: "${env:T}" is not a legal name: only letters, digits, '.', '_' and '-' are
3:62: source.group: is empty; remove the key to use the name
3:79: source.instance_id: "a:b" is not a legal name: only letters, digits, '.', '_' and '-' are
4:18: results.topic: "` + strings.Repeat("x", 64) + `…" is longer than 249 characters
`},
		{name: "no topics", file: "source: {topics: [], group: \"a\\nb\"}\n" + required, want: `
1:18: source.topics: is empty; list at least one topic
1:29: source.group: is longer than 249 bytes or has control characters
`},
		{name: "a static member of a group that the broker divides", file: "source: {protocol: consumer, instance_id: a}\n" + required, want: `
1:43: source.instance_id: is given, and so is source.protocol "consumer" (1:20); a static member that leaves such a group is locked out of it for a session: remove one of them
`},
		{name: "topics that meet", file: `
source: {topics: [a, in]}
results: {topic: in}
dead_letter: {topic: '${env:T}'}
` + required, env: []string{"T=in"}, want: `
3:18: results.topic: "in" is also read: source.topics[1] "in" (2:22); the connector would read its own output
3:18: results.topic: one topic for two things: results.topic "in" (3:18), dead_letter.topic "${env:T}" (4:22)
4:22: dead_letter.topic: "${env:T}" is also read: source.topics[1] "in" (2:22); the connector would read its own output
`},
		{name: "a topic that meets a default", file: "source: {topics: [kustomer-dead-letters]}\n" + required, want: `
1:19: source.topics[0]: dead_letter.topic "kustomer-dead-letters" (default) is also read: source.topics[0] "kustomer-dead-letters" (1:19); the connector would read its own output
`},
	})
}

func TestFaultsOfKustomer(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	checkFaults(t, []faultTest{
		{name: "nothing", file: "name: a\nkustomer: {timeout: 10s}\n", want: `
2:1: kustomer.base_url: is required: the address of your org, as in https://acme.api.kustomerapp.com
2:1: kustomer.api_key: an API key is required; set kustomer.api_key, or kustomer.api_key_file
`},
		{name: "both keys, and worse", file: `
kustomer: {base_url: 'https://u:s3cret@acme', api_key: 's3cret s3cret', api_key_file: ` + empty + `, proxy_url: 'ftp://u:s3cret@x', ca_file: /}
`, want: `
2:22: kustomer.base_url: must not hold a user or password; the login is the API key
2:56: kustomer.api_key: has a space, a line break or another character that no API key has; is it copied whole, and alone?
2:87: kustomer.api_key_file: is given, and so is kustomer.api_key *** (2:56); remove one of them
2:87: kustomer.api_key_file: the file "` + empty + `" is empty
2:` + itoa(87+len(empty)+13) + `: kustomer.proxy_url: must begin with http:// or https:// or socks5://
2:` + itoa(87+len(empty)+42) + `: kustomer.ca_file: cannot be read: / is not a regular file; check the path and whose file it is
`},
		{name: "times", file: `
kustomer: {base_url: 'https://acme', api_key: key, timeout: 2m, lost_reply_wait: 2m, retry: {initial: 40s}}
`, want: `
2:82: kustomer.lost_reply_wait: 2m is not above kustomer.timeout 2m (2:61); a call without a reply may be carried out at any time until both have passed, and a newer change must come after it
2:103: kustomer.retry.initial: 40s is above kustomer.retry.max 30s (default)
`},
		{name: "a time above a default's", file: "kustomer: {base_url: 'https://acme', api_key: key, retry: {max: 100ms}}", want: `
1:65: kustomer.retry.max: kustomer.retry.initial 500ms (default) is above kustomer.retry.max 100ms (1:65)
`},
	})
}

func TestFaultsOfLimits(t *testing.T) {
	checkFaults(t, []faultTest{
		{name: "sizes", file: `
limits: {max_event_bytes: 2MiB, max_open_bytes: 1MiB, max_open_events: 10, max_batch_bytes: 1MiB}
batch: {max_bytes: 3MiB, merge: {barrier: [status, '']}}
` + required, want: `
2:27: limits.max_event_bytes: 2MiB is above limits.max_open_bytes 1MiB (2:49); one such event could never be held
2:27: limits.max_event_bytes: 2MiB is above limits.max_batch_bytes 1MiB (2:93); one such event would stop its partition
2:72: limits.max_open_events: batch.max_items 100 (default) is above limits.max_open_events 10 (2:72); a batch could never grow to it
3:20: batch.max_bytes: 3MiB is above limits.max_open_bytes 1MiB (2:49); a batch could never grow to it
3:52: batch.merge.barrier[1]: is empty; name a member of a change, such as status
`},
		{name: "times", file: "revoke_timeout: 55s\ndrain_timeout: 5s\nsource: {session_timeout: 10s}\n" + required, want: `
1:17: revoke_timeout: 55s and the 5s that the last commit may take come to 1m, which is not below the 1m after which the group gives the partitions away; keep it under 55s
2:16: drain_timeout: 5s is not above the 5s that the last commit may take, which is part of it
3:27: source.session_timeout: 10s is below 11s: two heartbeats of 3s and the 5s by which writing stops before the session ends
`},
	})
	for _, file := range []string{
		"revoke_timeout: 54s\ndrain_timeout: 5001ms\nsource: {session_timeout: 11s}\n",
		"limits: {max_event_bytes: 1MiB, max_open_bytes: 1MiB, max_open_events: 100}\n",
	} {
		if _, err := Parse("edge.yaml", []byte(file+required), nil); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestFaultsOfAdmin(t *testing.T) {
	checkFaults(t, []faultTest{
		{name: "no port", file: "admin: {listen: localhost}\n" + required, want: `
1:17: admin.listen: "localhost" is not host:port, as in :8080 or 127.0.0.1:8080; "" switches it off
`},
		{name: "a URL", file: "admin: {listen: 'http://localhost:8080'}\n" + required, want: `
1:17: admin.listen: "http://localhost:8080" is not host:port, as in :8080 or 127.0.0.1:8080; "" switches it off
`},
		{name: "a port out of range", file: "admin: {listen: '${env:AT}'}\n" + required, env: []string{"AT=:70000"}, want: `
1:17: admin.listen: "${env:AT}" has a port that is not a number of 1 to 65535, or 0 for any that is free
`},
		{name: "a named port", file: "admin: {listen: ':http'}\n" + required, want: `
1:17: admin.listen: ":http" has a port that is not a number of 1 to 65535, or 0 for any that is free
`},
		{name: "a near miss", file: "admin: {listn: ':1'}\n" + required, want: `
1:9: admin: unknown key "listn"; did you mean admin.listen?
`},
		{name: "profiles that nothing serves", file: "admin: {listen: '', pprof: true}\n" + required, want: `
1:28: admin.pprof: has no effect while admin.listen is ""
`},
	})
	for _, listen := range []string{`""`, `":8080"`, `"127.0.0.1:0"`, `"[::1]:9000"`, `"admin.local:9000"`} {
		if _, err := Parse("good.yaml", []byte("admin: {listen: "+listen+"}\n"+required), nil); err != nil {
			t.Errorf("%s: %v", listen, err)
		}
	}
}

func TestURLFault(t *testing.T) {
	tests := []struct{ url, want string }{
		{"https://acme.api.kustomerapp.com", ""},
		{"https://[::1]:8443", ""},
		{"http://localhost:8080", ""},
		{"acme.api.kustomerapp.com", "must begin with https:// or http://"},
		{"ftp://acme", "must begin with https:// or http://"},
		{"https://", "has no host"},
		{"https://:80", "has no host"},
		{"https://acme/v1", "must not have a path; it is added to each call"},
		{"https://acme//", "must not have a path; it is added to each call"},
		{"https://acme?x=1", "must end after the host and port"},
		{"https://acme?", "must end after the host and port"},
		{"https://acme#", "must end after the host and port"},
		{"https://acme:", "has a port that is not a number of 1 to 65535"},
		{"https://acme:0", "has a port that is not a number of 1 to 65535"},
		{"https://acme:65536", "has a port that is not a number of 1 to 65535"},
		{"https://acme:x", "is not a URL, as in https://host"},
		{"https://ac me", "is not a URL, as in https://host"},
		{"https://ácme", "is not a URL, as in https://host"},
		{"https://acme\n", "is not a URL, as in https://host"},
	}
	for _, test := range tests {
		if got := urlFault(test.url, "https", "http"); got != test.want {
			t.Errorf("%q: got %q, want %q", test.url, got, test.want)
		}
	}
}
