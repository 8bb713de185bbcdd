package main

const rootHelp = `kafka-kustomer reads message changes from Kafka, sends them to Kustomer's bulk API in
full requests, writes what became of each to a result topic, and commits offsets
only when Kustomer has applied what they carried.

To begin with:

  kafka-kustomer demo                          see it work, with nothing else at hand
  kafka-kustomer config example > config.yaml  then set kustomer.base_url and the key
  kafka-kustomer validate -c config.yaml       every mistake at once; with --online
                                               rights, topics and key, too
  kafka-kustomer dry-run -c config.yaml        the exact requests, and none is sent
  kafka-kustomer run -c config.yaml

Exit codes:
  0  done
  1  something went wrong at run time
  2  the command line or the configuration is wrong
  3  a check of "validate --online" failed`

// examples are the examples of all commands, by command path. They are told apart
// from the commands so that they can be read, and tested, in one place.
var examples = map[string]string{
	"kafka-kustomer run": `  kafka-kustomer run -c config.yaml
  GOMEMLIMIT=150MiB kafka-kustomer run -c config.yaml`,
	"kafka-kustomer validate": `  kafka-kustomer validate -c config.yaml
  kafka-kustomer validate -c config.yaml --online --timeout 10s
  kafka-kustomer validate -c config.yaml --online --json | jq -r '.online[] | select(.status != "ok") | .check + ": " + .next'
  kafka-kustomer validate -c sandbox.yaml --online --probe-message 64a1f0c2b7d9e30012ab1001 --probe-attribute probeStr`,
	"kafka-kustomer healthcheck": `  kafka-kustomer healthcheck
  kafka-kustomer healthcheck --url http://127.0.0.1:8081/readyz`,
	"kafka-kustomer dry-run": `  kafka-kustomer dry-run -c config.yaml                          what the group would send next
  kafka-kustomer dry-run -c config.yaml --from earliest --limit 50
  kafka-kustomer dry-run -c config.yaml --from -10               the last ten of each partition
  kafka-kustomer dry-run --file events.ndjson                    needs no configuration
  kafka-kustomer dry-run --file - --json < events.ndjson | jq 'select(.kind == "request") | .body | fromjson'`,
	"kafka-kustomer schemas": `  kafka-kustomer schemas list
  kafka-kustomer schemas show batch-result`,
	"kafka-kustomer schemas list": `  kafka-kustomer schemas list
  kafka-kustomer schemas list -c config.yaml
  kafka-kustomer schemas list -c config.yaml --json | jq -r '.[] | select(.registry.state == "differs") | .subject'`,
	"kafka-kustomer schemas show": `  kafka-kustomer schemas show message-change > message-change.avsc
  kafka-kustomer schemas show batch-result --format json-schema`,
	"kafka-kustomer schemas register": `  kafka-kustomer schemas register -c config.yaml --dry-run
  kafka-kustomer schemas register -c config.yaml
  kafka-kustomer schemas register message-change -c config.yaml --subject message-changes-value`,
	"kafka-kustomer config": `  kafka-kustomer config example > config.yaml
  kafka-kustomer config schema > kafka-kustomer.schema.json`,
	"kafka-kustomer config example": `  kafka-kustomer config example > config.yaml`,
	"kafka-kustomer config schema": `  kafka-kustomer config schema > kafka-kustomer.schema.json

  # then, as the first line of config.yaml:
  # yaml-language-server: $schema=kafka-kustomer.schema.json`,
	"kafka-kustomer simulate": `  kafka-kustomer simulate
  kafka-kustomer simulate --script-example > script.json
  kafka-kustomer simulate --script script.json --key secret --listen 127.0.0.1:9000`,
	"kafka-kustomer demo": `  kafka-kustomer demo
  kafka-kustomer demo --seed 7`,
	"kafka-kustomer version": `  kafka-kustomer version
  kafka-kustomer version --json`,
	"kafka-kustomer completion":            `  kafka-kustomer completion bash --help`,
	"kafka-kustomer completion bash":       `  source <(kafka-kustomer completion bash)`,
	"kafka-kustomer completion zsh":        `  source <(kafka-kustomer completion zsh)`,
	"kafka-kustomer completion fish":       `  kafka-kustomer completion fish | source`,
	"kafka-kustomer completion powershell": `  kafka-kustomer completion powershell | Out-String | Invoke-Expression`,
}
