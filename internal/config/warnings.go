package config

import "net/url"

// Warnings says what a valid configuration allows though it is hardly meant
// outside of tests; one sentence each, to be logged at the start.
func (c *Config) Warnings() []string {
	var all []string
	if u, err := url.Parse(c.Kustomer.BaseURL); err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
		all = append(all, "kustomer.base_url is http: the API key and all changes travel unencrypted to "+u.Host)
	}
	if c.Kafka.TLS.InsecureSkipVerify {
		all = append(all, "kafka.tls.insecure_skip_verify is true: anyone on the way can pass for a broker")
	}
	if c.Kafka.SASL.Mechanism == "plain" && !c.Kafka.TLS.Enabled {
		all = append(all, "kafka.sasl.mechanism is plain without kafka.tls: the password travels unencrypted")
	}
	return all
}
