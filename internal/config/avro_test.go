package config

import "testing"

func TestFaultsOfAvro(t *testing.T) {
	broken := written(t, `{"type": "recrd"}`)
	const lacking = `Avro schema: it is not of message changes: no field has the name or alias "messageId"; ` +
		`no field has the name or alias "changes"; give the fields aliases, or map the values by another preset or by jq`
	checkFaults(t, []faultTest{
		{name: "a schema for another format", file: `
source:
  schema: ` + eventSchema + `
  topics: [a, {name: b, format: json, schema: ` + eventSchema + `}, {name: c, format: avro}]
` + required, want: `
3:11: source.schema: "../../schemas/message-change.avsc" is for the format avro, and there is source.format "auto" (default)
4:47: source.topics[1].schema: "../../schemas/message-change.avsc" is for the format avro, and there is source.topics[1].format "json" (4:33)
`},
		{name: "no schema at all", file: `
source:
  topics: [a, b, {name: c, schema: ""}, {name: d, format: json}, {name: e, format: avro, schema: ''}]
  format: avro
results: {format: avro}
` + required, want: `
3:84: source.topics[4].format: "avro" needs source.topics[4].schema, or schema_registry.urls where the values carry schema ids
4:11: source.format: "avro" needs source.schema, or schema_registry.urls where the values carry schema ids
5:19: results.format: "avro" needs schema_registry.urls: the schema of the results is registered there
`},
		{name: "files", file: `
source:
  format: avro
  schema: /nonexistent/a
  topics:
    - a
    - b
    - name: c
      schema: ` + broken + `
    - {name: d, schema: ` + resultSchema + `}
    - {name: e, schema: ` + resultSchema + `, mapping: {jq: .}}
    - {name: f, schema: "${env:F}"}
` + required, env: []string{"F=/not/shown"}, want: `
4:11: source.schema: cannot be read: stat /nonexistent/a: no such file or directory; check the path and whose file it is
9:15: source.topics[2].schema: the file "` + broken + `" cannot be used: Avro schema: unknown type name: "recrd"
10:25: source.topics[3].schema: the values are not for source.mapping.preset "message-change" (default): ` + lacking + `
12:25: source.topics[5].schema: the file "${env:F}" cannot be read; check that it exists and is this user's to read
`},
		{name: "values that are not for the preset", file: `
source: {format: avro, schema: ` + resultSchema + `, topics: [a, b, {name: c, mapping: {preset: item}}]}
` + required, want: `
2:32: source.schema: the values are not for source.mapping.preset "message-change" (default): ` + lacking + `
`},
		{name: "an unreadable list of addresses hides what hangs on it", file: `
source: {format: avro}
schema_registry: {urls: http://registry, username: u}
results: {format: avro}
` + required, want: `
3:25: schema_registry.urls: needs a list, as in [a, b], not a single value
`},
	})
}

func TestFaultsOfRegistry(t *testing.T) {
	checkFaults(t, []faultTest{
		{name: "no addresses", file: `
schema_registry: {username: u, timeout: 10s, unknown_grace: 2m, auto_register: false, tls: {ca_file: /nonexistent}}
` + required, want: `
2:29: schema_registry.username: has no effect while schema_registry.urls is empty
2:61: schema_registry.unknown_grace: has no effect while schema_registry.urls is empty
2:80: schema_registry.auto_register: has no effect while schema_registry.urls is empty
2:87: schema_registry.tls: has no effect while schema_registry.urls is empty
`},
		{name: "addresses", file: `
schema_registry: {urls: ['https://u:s3cret@r', 'r:8081', 'https://r?x=s3cret', '', 'https://r/path', 'ftp://r'], proxy_url: 'ftp://s3cret', timeout: 1}
` + required, want: `
2:26: schema_registry.urls[0]: must be scheme, host and path only; user and password go into username and password or password_file
2:48: schema_registry.urls[1]: is no URL of the form http or https://host[:port]
2:58: schema_registry.urls[2]: must be scheme, host and path only; user and password go into username and password or password_file
2:80: schema_registry.urls[3]: is no URL of the form http or https://host[:port]
2:102: schema_registry.urls[5]: is no URL of the form http or https://host[:port]
2:125: schema_registry.proxy_url: must begin with http:// or https:// or socks5://
2:150: schema_registry.timeout: "1" is not a duration: write a number with a unit (ms, s, m, h), as in 30s or 1m30s
`},
		{name: "logins", file: `
schema_registry: {urls: [http://r], username: 'a:b', password: s3cret}
` + required, want: `
2:47: schema_registry.username: has a colon, which basic authentication cannot transport
`},
		{name: "no password", file: `
schema_registry: {urls: [http://r], username: a, tls: {cert_file: /nonexistent/c, insecure_skip_verify: true}}
` + required, want: `
2:1: schema_registry.password: schema_registry.username "a" (2:47) needs a password; set schema_registry.password, or schema_registry.password_file
2:67: schema_registry.tls.cert_file: has no effect while schema_registry.urls has no https://
2:105: schema_registry.tls.insecure_skip_verify: has no effect while schema_registry.urls has no https://
`},
		{name: "two passwords, half a certificate", file: `
schema_registry: {urls: [http://r, https://s], username: a, password: s3cret, password_file: /nonexistent/p, tls: {cert_file: /nonexistent/c}}
` + required, want: `
2:94: schema_registry.password_file: is given, and so is schema_registry.password *** (2:71); remove one of them
2:94: schema_registry.password_file: cannot be read: stat /nonexistent/p: no such file or directory; check the path and whose file it is
2:127: schema_registry.tls.cert_file: cannot be read: stat /nonexistent/c: no such file or directory; check the path and whose file it is
2:127: schema_registry.tls.cert_file: a client certificate needs both files: schema_registry.tls.cert_file "/nonexistent/c" (2:127), schema_registry.tls.key_file "" (default)
`},
		{name: "no user", file: `
schema_registry: {urls: [http://r], password_file: /nonexistent/p}
` + required, want: `
2:52: schema_registry.password_file: is given without schema_registry.username
`},
	})
}
