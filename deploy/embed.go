// Package deploy holds what an installation starts from. Code of ours needs only
// the example of the configuration out of it: go:embed reaches no folder above
// its own, so the file that `config example` prints is embedded here.
package deploy

import _ "embed"

// Example is the configuration with every key at its default, each explained.
//
//go:embed config.example.yaml
var Example []byte
